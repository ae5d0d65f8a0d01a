"""The pieces of a resource: more of them, other names, and those that are there no longer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from collab4m.clock import now
from collab4m.errors import RuleBroken
from organisations.models import Body, User
from records.operations import record
from records.people import speaking_for
from resources.models import Booking, RequestState, Resource, ResourceUnit, Takes, Unit
from resources.operations.claiming import coming_on, give_up_unit, lock_shared
from resources.operations.letting_go import end_places, offer_freed
from resources.operations.sharing import MOST_UNITS, NotYours, ResourceRefused, to_change

MOST_LETTERS = 100


class UnitGone(RuleBroken):
    code = "unit_gone"
    message = gettext_lazy("The piece has been removed already.")


class UnitNeeded(RuleBroken):
    """Somebody is to have it, and no other piece can take its place."""

    code = "unit_needed"

    def __init__(self, unit: Unit, bookings: int) -> None:
        message = ngettext(
            "%(number)s booking needs “%(name)s”, and no other piece can replace it. Move or cancel it first, or block "
            "the time: then whoever asked is told.",
            "%(number)s bookings need “%(name)s”, and no other piece can replace it. Move or cancel them first, or "
            "block the time: then those who asked are told.",
            bookings,
        )
        super().__init__(message % {"number": bookings, "name": unit.name})


class UnitOffered(RuleBroken):
    """Somebody in line has been offered it, and no other piece can take its place."""

    code = "unit_offered"

    def __init__(self, unit: Unit) -> None:
        message = _("“%(name)s” is offered to somebody who waits. Wait until they have answered: a day at most.")
        super().__init__(message % {"name": unit.name})


class LastUnit(RuleBroken):
    """Something that is shared would have nothing left."""

    code = "last_unit"

    def __init__(self, unit: Unit, resource: Resource) -> None:
        message = _("“%(name)s” is all there is of %(resource)s. Stop sharing %(resource)s first.")
        super().__init__(message % {"name": unit.name, "resource": resource.name})


def _twice(name: str, field: str) -> ResourceRefused:
    message = _("“%(name)s” stands there already. Give each piece its own name.")
    return ResourceRefused(message % {"name": name}, field)


@transaction.atomic
def add_units(resource: Resource, *, names: Iterable[str], by: User, on_behalf_of: Body) -> list[Unit]:
    """More pieces of something of which bookings take some, offered to those who stand in line.

    Raises NotYours, ResourceRefused.
    """
    lock_shared(resource)
    resource = to_change(resource, None, by, on_behalf_of)
    if resource.takes != Takes.SOME:
        raise ResourceRefused(_("Bookings of this take all of it, so it cannot get more pieces."))
    names = list(names)
    there = {name.casefold() for name in resource.units.values_list("name", flat=True)}
    for name in names:
        if name.casefold() in there:
            raise _twice(name, "names")
        there.add(name.casefold())
    if len(there) > MOST_UNITS:
        raise ResourceRefused(_("A resource has %(most)s pieces at most.") % {"most": MOST_UNITS}, "names")
    made = Unit.objects.bulk_create(Unit(owner=resource.owner, name=name[:100]) for name in names)
    ResourceUnit.objects.bulk_create(ResourceUnit(resource=resource, unit=unit) for unit in made)
    record("resource.units_added", resource, by=by, on_behalf_of=on_behalf_of, number=len(made))
    offer_freed(resource)
    return made


@transaction.atomic
def rename_unit(unit: Unit, *, name: str, by: User, on_behalf_of: Body) -> Unit:
    """Call a piece something else, in all that it is part of. Raises NotYours, UnitGone, ResourceRefused."""
    unit, resources = _locked(unit, by, on_behalf_of)
    name = " ".join(name.split())
    if not name:
        raise ResourceRefused(_("Give the piece a name."), "name")
    if len(name) > MOST_LETTERS:
        raise ResourceRefused(_("Shorten the name to 100 characters."), "name")
    if name == unit.name:
        return unit
    beside = Unit.objects.filter(resources__in=resources).exclude(pk=unit.pk).values_list("name", flat=True)
    if name.casefold() in {one.casefold() for one in beside}:
        raise _twice(name, "name")
    before, unit.name = unit.name, name
    unit.save(update_fields=["name"])
    for resource in resources:
        record("resource.unit_renamed", resource, by=by, on_behalf_of=on_behalf_of, before=before, after=name)
    return unit


@transaction.atomic
def remove_unit(unit: Unit, *, by: User, on_behalf_of: Body) -> None:
    """Remove a piece from all that it is part of. Other pieces take over what they can of what is to come.

    What it was taken up by until now still names it: then it is retired, otherwise it is deleted.
    Those who wait for more pieces than are left are told so, and wait no longer.
    Raises NotYours, UnitGone, LastUnit, UnitNeeded, UnitOffered.
    """
    unit, resources = _locked(unit, by, on_behalf_of)
    if last_of := emptied_without(unit):
        raise LastUnit(unit, last_of[0])
    if bookings := needing(unit).count():
        raise UnitNeeded(unit, bookings)
    if any(claim.instead is None for claim in coming_on(unit)):
        raise UnitOffered(unit)
    give_up_unit(unit)
    ResourceUnit.objects.filter(unit=unit).delete()
    if unit.claims.exists():
        unit.is_retired = True
        unit.save(update_fields=["is_retired"])
    else:
        unit.delete()
    for resource in resources:
        record("resource.unit_removed", resource, by=by, on_behalf_of=on_behalf_of, unit=unit.name)
        if resource.takes == Takes.SOME:
            left = resource.units.count()
            end_places(resource, Q(quantity__gt=left), pieces=left, by=by, on_behalf_of=on_behalf_of)


def _locked(unit: Unit, by: User, on_behalf_of: Body) -> tuple[Unit, list[Resource]]:
    """The piece as it is now and what it is part of, with all units locked that share a resource with it."""
    lock_shared(*_made_of(unit))
    found = Unit.objects.select_related("owner").filter(pk=unit.pk, is_retired=False).first()
    if found is None:
        raise UnitGone
    if on_behalf_of.pk not in speaking_for(by, found.owner):
        raise NotYours(field="owner")
    return found, list(_made_of(unit))


def _made_of(unit: Unit) -> QuerySet[Resource]:
    return Resource.objects.filter(resource_units__unit=unit).order_by("pk")


def emptied_without(unit: Unit) -> list[Resource]:
    """What is shared and would have nothing left without a piece."""
    return [one for one in _counted(unit) if one.pieces == 1 and not one.is_retired]


def needing(unit: Unit) -> QuerySet[Booking]:
    """The bookings that stand in the way of removing a piece, in order of time.

    Those for which no other piece can take its place, and the requests that would ask for more than is left.
    """
    held = [one.booking_id for one in coming_on(unit) if one.booking_id is not None and one.instead is None]
    too_much = Q(pk=None)
    for one in _counted(unit):
        too_much |= Q(resource=one) & (Q() if one.takes == Takes.ALL else Q(quantity__gte=one.pieces))
    too_much &= Q(request_state__in=RequestState.open(), during__endswith__gt=now())
    found = Booking.objects.alive().filter(Q(pk__in=held) | too_much)
    return found.order_by("during", "pk")


def _counted(unit: Unit) -> Any:
    """What a piece is part of, each with how many pieces it has."""
    number = ResourceUnit.objects.filter(resource=OuterRef("pk")).values("resource").annotate(number=Count("pk"))
    return _made_of(unit).annotate(pieces=Subquery(number.values("number")))
