"""Who may report what a school offers and where pupils go."""

from __future__ import annotations

import rules

from organisations.models import CollaborationArea, Membership, Municipality, RoleKind, School, User
from organisations.rules import administers_the_owner, is_administrator


@rules.predicate
def leads_the_school(user: User, school: School | None) -> bool:
    return school is not None and user.is_authenticated and school.pk in user.bodies_where(RoleKind.PRINCIPAL)


@rules.predicate
def administers_the_municipality(user: User, municipality: Municipality | None) -> bool:
    if municipality is None or not user.is_authenticated:
        return False
    return municipality.pk in user.bodies_where(RoleKind.ADMINISTRATOR)


@rules.predicate
def administers_a_member(user: User, area: CollaborationArea | None) -> bool:
    """Administrator today of a municipality that is a member of the area today."""
    if area is None or not user.is_authenticated:
        return False
    own = user.bodies_where(RoleKind.ADMINISTRATOR)
    return Membership.objects.on().filter(area=area, municipality__in=own).exists()


def neighbours_of(user: User) -> set[int]:
    """The municipalities one administers today, and those that are members of an area together with them."""
    own = user.bodies_where(RoleKind.ADMINISTRATOR)
    if not own:
        return set()
    members = Membership.objects.on()
    areas = members.filter(municipality__in=own).values("area")
    return {*own, *members.filter(area__in=areas).values_list("municipality", flat=True)}


@rules.predicate
def administers_a_neighbour(user: User, municipality: Municipality | None) -> bool:
    """Administrator today of the municipality, or of one that is a member of an area together with it."""
    return municipality is not None and user.is_authenticated and municipality.pk in neighbours_of(user)


rules.add_perm("programmes.report_offering", administers_the_owner | leads_the_school)
rules.add_perm("programmes.report_no_school", administers_the_municipality)
rules.add_perm("programmes.import_offerings", administers_the_municipality)
rules.add_perm("programmes.report_flows", administers_the_municipality)
rules.add_perm("programmes.report_some_flows", is_administrator)
rules.add_perm("programmes.set_deadline", administers_a_member)
rules.add_perm("programmes.remind", administers_a_neighbour)
