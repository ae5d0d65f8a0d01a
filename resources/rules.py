"""Who may share, ask, decide and block."""

from __future__ import annotations

import rules

from organisations.models import RoleKind, User
from records.people import speaking_for
from resources.models import Askers, Booking, Resource, Waiting, deputising


@rules.predicate
def keeps_something(user: User) -> bool:
    """Administrator of a municipality or principal of a school: whoever has something to share, or to ask for."""
    return bool(user.is_authenticated and user.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.PRINCIPAL))


@rules.predicate
def keeps_the_resource(user: User, resource: Resource | None) -> bool:
    """Speaks for the owner: its principal or administrator, or the municipality that runs the school."""
    return resource is not None and user.is_authenticated and bool(speaking_for(user, resource.owner))


@rules.predicate
def is_deputy(user: User, resource: Resource | None) -> bool:
    """Decides in the owner's place today."""
    if resource is None or not user.is_authenticated:
        return False
    return deputising(user).filter(owner=resource.owner_id).exists()


@rules.predicate
def may_ask_for(user: User, resource: Resource | None) -> bool:
    """Whoever acts for a body that the owner lets ask: its own, or everyone's in the area."""
    if resource is None or not keeps_something(user) or resource.is_retired:
        return False
    if keeps_the_resource(user, resource):
        return True
    if resource.askers == Askers.OWNER:
        own = user.bodies_where(RoleKind.PRINCIPAL, RoleKind.ADMINISTRATOR)
        return resource.municipality_id in own or resource.municipality.schools.filter(pk__in=own).exists()
    return any(one.municipality_id == resource.municipality_id for one in user.around_today)


@rules.predicate
def decides_the_booking(user: User, booking: Booking | None) -> bool:
    return booking is not None and (keeps_the_resource(user, booking.resource) or is_deputy(user, booking.resource))


@rules.predicate
def asked_for_it(user: User, booking: Booking | None) -> bool:
    return booking is not None and user.is_authenticated and bool(speaking_for(user, booking.booked_for))


@rules.predicate
def stands_in_line(user: User, waiting: Waiting | None) -> bool:
    return waiting is not None and user.is_authenticated and bool(speaking_for(user, waiting.booked_for))


@rules.predicate
def decides_something(user: User) -> bool:
    """Keeps resources, or decides in an owner's place today."""
    return bool(user.is_authenticated and (keeps_something(user) or deputising(user).exists()))


rules.add_perm("resources.share", keeps_something)
rules.add_perm("resources.change_resource", keeps_the_resource)
rules.add_perm("resources.block", keeps_the_resource)
rules.add_perm("resources.ask", may_ask_for)
rules.add_perm("resources.decide", decides_something)
rules.add_perm("resources.wait", stands_in_line)
rules.add_perm("resources.decide_booking", decides_the_booking)
rules.add_perm("resources.change_booking", asked_for_it)
rules.add_perm("resources.cancel_booking", asked_for_it | decides_the_booking)
