"""What can be done with areas and the municipalities that are their members."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from collab4m.errors import RuleBroken, refused
from collab4m.swedish import swedish_order
from organisations.models import Body, CollaborationArea, Membership, Municipality, User
from organisations.operations.facts import BlamesField, LastDayTooEarly, change_fact, locked, locked_as_seen
from records.models import CameIn, span
from records.operations import differences, record

SLUGS_IN_USE = frozenset({"nytt"})  # /omraden/nytt/ is a page of its own


class AreaNameTaken(BlamesField):
    code = "area_name_taken"
    message = _("There is already an area with this name. Choose another name.")
    blames = "name"


class AreaSlugTaken(BlamesField):
    code = "area_slug_taken"
    message = _("This short name in addresses is already used. Choose another one.")
    blames = "slug"


class AlreadyMember(BlamesField):
    code = "already_member"
    message = _("The municipality is already a member during some of that time.")
    blames = "municipality"


class PositionTaken(BlamesField):
    code = "position_taken"
    message = _("Another member has this place in the order. Choose a free place.")
    blames = "position"


class MarkTaken(BlamesField):
    code = "mark_taken"
    message = _("Another member has this mark. Choose other letters.")
    blames = "mark"


class MembershipHasEnded(RuleBroken):
    code = "membership_has_ended"
    message = _("This membership has already ended.")


# Areas


@transaction.atomic
def create_area(
    *,
    name: str,
    short_name: str,
    slug: str,
    by: User,
    source_note: str = "",
    checked: bool = False,
    on_behalf_of: Body | None = None,
) -> CollaborationArea:
    """Raises AreaNameTaken or AreaSlugTaken."""
    if slug in SLUGS_IN_USE:
        raise AreaSlugTaken
    with _area_refusals():
        area = CollaborationArea.objects.create(
            name=name,
            short_name=short_name,
            slug=slug,
            source_note=source_note,
            verified=checked,
            example=by.example,
        )
    record("area.created", area, by=by, on_behalf_of=on_behalf_of, area=area.name)
    return area


@transaction.atomic
def change_area(
    area: CollaborationArea,
    *,
    by: User,
    on_behalf_of: Body | None = None,
    seen: str = "",
    checked: bool = False,
    **facts: Any,
) -> CollaborationArea:
    """Change name, short_name, slug or source_note. Raises ChangedMeanwhile, AreaNameTaken or AreaSlugTaken."""
    if facts.get("slug") in SLUGS_IN_USE:
        raise AreaSlugTaken
    area = locked_as_seen(area, seen, facts)
    with _area_refusals():
        change_fact("area.changed", area, facts, by=by, on_behalf_of=on_behalf_of, checked=checked, area=area.name)
    return area


def _area_refusals() -> Any:
    return refused(
        organisations_collaborationarea_name_key=AreaNameTaken,
        organisations_collaborationarea_slug_key=AreaSlugTaken,
    )


# Members


@transaction.atomic
def add_member(
    area: CollaborationArea,
    municipality: Municipality,
    *,
    first_day: date,
    position: int,
    mark: str,
    by: User,
    colour: str = "",
    on_behalf_of: Body | None = None,
) -> Membership:
    """Make the municipality a member from `first_day`. Raises AlreadyMember, PositionTaken or MarkTaken."""
    area = locked(area)
    valid = span(first_day, None)
    _require_free_mark(area, mark, valid, municipality.pk)
    with _member_refusals():
        membership = Membership.objects.create(
            area=area,
            municipality=municipality,
            position=position,
            mark=mark,
            colour=colour,
            valid=valid,
            example=by.example,
        )
    record(
        "membership.added",
        area,
        by=by,
        on_behalf_of=on_behalf_of,
        municipality=municipality.name,
        area=area.name,
        first_day=first_day.isoformat(),
    )
    return membership


@transaction.atomic
def change_member(
    membership: Membership,
    *,
    position: int,
    mark: str,
    by: User,
    first_day: date | None = None,
    on_behalf_of: Body | None = None,
) -> Membership:
    """Change the place in the agreed order or the mark, or put the first day right, if it is said.

    Whoever has the place already gets this member's in exchange. Raises LastDayTooEarly, AlreadyMember, MarkTaken, or
    PositionTaken if the two cannot change places because a third has one of them at some time.
    """
    area = locked(membership.area)
    membership = _members_to_change().get(pk=membership.pk)
    first_day = first_day or membership.first_day
    if first_day and membership.last_day and membership.last_day < first_day:
        raise LastDayTooEarly(field="first_day")
    place = {"position": position, "mark": mark, "first_day": first_day}
    changes = {membership: differences(membership, place)}
    if not changes[membership]:
        return membership
    former, membership.valid = membership.position, span(first_day, membership.last_day)
    _require_free_mark(area, mark, membership.valid, membership.municipality_id)
    for rival in _holders(area, position, membership):
        changes[rival] = differences(rival, {"position": former})
        rival.position, rival.came_in = former, CameIn.FORM
    membership.position, membership.mark, membership.came_in = position, mark, CameIn.FORM
    with _member_refusals():
        Membership.objects.bulk_update(
            changes, ["position", "mark", "valid", "came_in"]
        )  # one statement, so places may change
    for member, changed in changes.items():
        words = {"municipality": member.municipality.name, "area": area.name}
        record("membership.changed", area, by=by, on_behalf_of=on_behalf_of, changes=changed, **words)
    return membership


@transaction.atomic
def end_membership(membership: Membership, *, last_day: date, by: User, on_behalf_of: Body | None = None) -> Membership:
    """Let the membership end with `last_day`. Nothing is removed.

    Raises MembershipHasEnded if it ended before today, LastDayTooEarly if it would end before it began.
    """
    area = locked(membership.area)
    membership = _members_to_change().get(pk=membership.pk)
    if membership.has_ended:
        raise MembershipHasEnded
    if membership.first_day and last_day < membership.first_day:
        raise LastDayTooEarly
    membership.valid = span(membership.first_day, last_day)
    membership.came_in = CameIn.FORM
    with _member_refusals():
        membership.save(update_fields=["valid", "came_in"])
    record(
        "membership.ended",
        area,
        by=by,
        on_behalf_of=on_behalf_of,
        municipality=membership.municipality.name,
        area=area.name,
        last_day=last_day.isoformat(),
    )
    return membership


def _members_to_change() -> Any:
    return Membership.objects.select_for_update(of=("self",), no_key=True).select_related("municipality")


def _holders(area: CollaborationArea, position: int, besides: Membership) -> list[Membership]:
    """Other members that have the place at some time when `besides` is a member; locked."""
    rivals = _members_to_change().filter(area=area, position=position, valid__overlap=besides.valid)
    return list(rivals.exclude(pk=besides.pk).order_by("pk"))


def _member_refusals() -> Any:
    return refused(membership_once_at_a_time=AlreadyMember, membership_one_per_position=PositionTaken)


def _require_free_mark(area: CollaborationArea, mark: str, valid: Any, municipality_id: int) -> None:
    others = Membership.objects.filter(area=area, mark__iexact=mark, valid__overlap=valid)
    if others.exclude(municipality=municipality_id).exists():
        raise MarkTaken


def area_named(user: User, slug: str = "") -> CollaborationArea | None:
    """The area with that short name; without one the reader's own, else the first there is."""
    areas = CollaborationArea.objects.visible_to(user)
    if slug:
        return areas.filter(slug=slug).first() if slug.isascii() else None
    near = Membership.objects.around(user).order_by("area").values_list("area", flat=True).first()
    return areas.filter(pk=near).first() if near else areas.order_by("pk").first()


def areas_in_order() -> list[CollaborationArea]:
    """All areas, by name."""
    return list(CollaborationArea.objects.order_by(swedish_order("name"), "pk"))
