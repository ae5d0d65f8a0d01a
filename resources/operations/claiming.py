"""Claims, written nowhere else. Lock the units in order of id, look, write; the constraint is the backstop."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Case, Exists, OuterRef, Subquery, When
from django.db.models.functions import Coalesce
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collab4m.clock import now
from collab4m.errors import RuleBroken, refused
from resources.models import Blocking, Booking, Claim, Resource, ResourceUnit, Takes, Unit, WaitingOffer, turned_around


class CannotBeHad(RuleBroken):
    """The time `during` cannot be had. What could be had instead, `alternatives`, is filled in by whoever answers.

    `resource`: whose time it is, when that may be another than the one that was asked for, as in a series.
    """

    def __init__(self, during: DateTimeTZRange, message: str | None = None) -> None:
        super().__init__(message)
        self.during = during
        self.resource: Resource | None = None
        self.alternatives: list[Any] = []

    @property
    def more(self) -> dict[str, Any]:
        return {
            "alternatives": [
                {
                    "resource": one.resource.pk,
                    "name": one.resource.name,
                    "starts_at": localtime(one.starts_at).isoformat(),
                    "ends_at": localtime(one.ends_at).isoformat(),
                }
                for one in self.alternatives
            ]
        }


class SlotTaken(CannotBeHad):
    """Some unit that is needed is taken at some moment."""

    code = "slot_taken"
    message = gettext_lazy("Somebody else has the resource at that time. Choose another time or another resource.")


class TooFewUnits(RuleBroken):
    code = "too_few_units"

    def __init__(self, resource: Resource, units: int) -> None:
        words = {"name": resource.name, "units": units}
        super().__init__(_("%(name)s has %(units)s pieces. Ask for that many at most.") % words, "quantity")


def units_of(resource: Resource) -> Any:
    """The units that the resource takes up."""
    return Unit.objects.filter(resource_units__resource=resource)


def lock_units(*resources: Resource) -> list[Unit]:
    """Lock every unit of these resources. Whoever is going to write or drop claims on them begins here."""
    ids = ResourceUnit.objects.filter(resource__in=resources).values("unit")
    return Unit.objects.filter(pk__in=ids).lock_in_order()


def sharing_with(*resources: Resource) -> Any:
    """The resources that take up some of the same units: themselves, the wholes they are part of, their parts."""
    units = ResourceUnit.objects.filter(resource__in=resources).values("unit")
    return Resource.objects.filter(resource_units__unit__in=units).distinct()


def lock_shared(*resources: Resource) -> list[Unit]:
    """Lock what `lock_units` would, and all units of what shares some: whoever lets go may offer those to others."""
    return lock_units(*sharing_with(*resources))


def span_of(starts_at: datetime, ends_at: datetime) -> DateTimeTZRange:
    """The half-open range of a booking. In UTC: two times with the same zone are subtracted as clocks show them."""
    return DateTimeTZRange(starts_at.astimezone(UTC), ends_at.astimezone(UTC), "[)")


def for_history(during: DateTimeTZRange) -> list[str]:
    """A span as the data of an event keep it."""
    return [during.lower.isoformat(), during.upper.isoformat()]


def claim_time(
    resource: Resource,
    during: DateTimeTZRange,
    *,
    quantity: int = 1,
    turnaround_minutes: int = 0,
    booking: Booking | None = None,
    blocking: Blocking | None = None,
    offer: WaitingOffer | None = None,
) -> list[Claim]:
    """Take the units that a booking, a blocking or an offer needs, for `during` and the turnaround after it.

    A blocking takes all units. In the caller's transaction, which has locked the units.
    Raises TooFewUnits, SlotTaken.
    """
    units = list(units_of(resource).order_by("pk"))
    wanted = len(units) if resource.takes == Takes.ALL or blocking else quantity
    if not units or wanted > len(units):
        raise TooFewUnits(resource, len(units))
    blocked = turned_around(during, turnaround_minutes)
    there = in_the_way(units, blocked)
    taken = {unit for unit, _held, _blocked in there}
    free = [unit for unit in units if unit.pk not in taken]
    if len(free) < wanted:
        raise _slot_taken(resource, during, there, free=len(units) - wanted, turnaround=turnaround_minutes)
    with refused(claim_one_per_unit_at_a_time=lambda: SlotTaken(during)):
        return Claim.objects.bulk_create(
            Claim(unit=unit, booking=booking, blocking=blocking, offer=offer, during=during, blocked=blocked)
            for unit in free[:wanted]
        )


def claim_booking(booking: Booking) -> list[Claim]:
    """Take what a booking asks for, and what it keeps until that is answered: one claim where the two meet.

    In the caller's transaction, which has locked the units. Raises TooFewUnits, SlotTaken.
    """
    times = [(booking.during, booking.turnaround_minutes)]
    if booking.kept is not None:
        times = sorted([*times, (booking.kept, booking.kept_turnaround_minutes or 0)])
        (first, _minutes), (last, _minutes) = times
        first_blocked, last_blocked = (turned_around(*time).upper for time in times)
        if first_blocked > last.lower:
            both = span_of(first.lower, max(first.upper, last.upper))
            blocked_for = max(first_blocked, last_blocked) - both.upper
            times = [(both, blocked_for // timedelta(minutes=1))]
    return [claim for time in times for claim in _claim_for(booking, *time)]


def claim_kept(booking: Booking) -> list[Claim]:
    """Take only what a booking keeps while the owner has not answered. As `claim_booking`."""
    return _claim_for(booking, booking.kept, booking.kept_turnaround_minutes or 0)


def hold_kept_only(booking: Booking) -> None:
    """Let go of what else than its kept time a booking holds. Never refused: the units stay those that it has.

    In the caller's transaction, which has locked the units.
    """
    claims = Claim.objects.filter(booking=booking)
    claims.exclude(during__overlap=booking.kept).delete()
    claims.update(during=booking.kept, blocked=turned_around(booking.kept, booking.kept_turnaround_minutes or 0))


def _claim_for(booking: Booking, during: DateTimeTZRange, turnaround_minutes: int) -> list[Claim]:
    return claim_time(
        booking.resource,
        during,
        quantity=booking.quantity,
        turnaround_minutes=turnaround_minutes,
        booking=booking,
    )


def in_the_way(
    units: Iterable[Unit], blocked: DateTimeTZRange, *, but: Booking | None = None
) -> list[tuple[int, DateTimeTZRange, DateTimeTZRange]]:
    """Unit, `during` and `blocked` of what holds units at some moment of a range; not counting one booking's claims."""
    claims = Claim.objects.on(list(units), blocked)
    if but is not None:
        claims = claims.exclude(booking=but)
    # With `during`, which stands in no constraint: else PostgreSQL reads the constraint's index from end to end.
    return list(claims.values_list("unit", "during", "blocked"))


def _slot_taken(
    resource: Resource, during: DateTimeTZRange, claims: Iterable[tuple[int, Any, Any]], *, free: int, turnaround: int
) -> SlotTaken:
    """Why a time that is not free cannot be had: taken, or free but for the turnaround, which is then named."""
    between = needed_between(claims, during, free=free, turnaround=turnaround)
    refusal = SlotTaken(during, turnaround_words(resource, between) if between else None)
    refusal.resource = resource
    return refusal


def needed_between(claims: Iterable[tuple[int, Any, Any]], during: Any, *, free: int, turnaround: int) -> int:
    """How many minutes of turnaround are in the way, when nothing else is; 0 when the time itself is taken.

    `claims` are unit, `during` and `blocked` of what is in the way; `free` of the units may be taken.
    """
    claims = list(claims)
    itself = {unit for unit, held, _blocked in claims if held.lower < during.upper and held.upper > during.lower}
    if len(itself) > free:
        return 0
    before = [blocked.upper - held.upper for _unit, held, blocked in claims if held.upper <= during.lower]
    after = [timedelta(minutes=turnaround) for _unit, held, _blocked in claims if held.lower >= during.upper]
    return max([*before, *after], default=timedelta()) // timedelta(minutes=1)


def turnaround_words(resource: Resource, minutes: int) -> str:
    words = {"name": resource.name, "minutes": minutes}
    return (
        _(
            "The time itself is free, but %(name)s needs %(minutes)s minutes of turnaround between two bookings. "
            "Leave that much before or after."
        )
        % words
    )


def why_not_free(
    resource: Resource,
    during: DateTimeTZRange,
    *,
    quantity: int = 1,
    turnaround_minutes: int | None = None,
    but: Booking | None = None,
) -> SlotTaken | None:
    """Why the resource could not be had, by its claims alone. A look only: nobody is promised anything."""
    minutes = resource.turnaround_minutes if turnaround_minutes is None else turnaround_minutes
    units = list(units_of(resource))
    wanted = len(units) if resource.takes == Takes.ALL else quantity
    there = in_the_way(units, turned_around(during, minutes), but=but)
    if units and len(units) - len({unit for unit, _held, _blocked in there}) >= wanted:
        return None
    return _slot_taken(resource, during, there, free=len(units) - wanted, turnaround=minutes)


def is_free(resource: Resource, during: DateTimeTZRange, **how: Any) -> bool:
    """Whether the resource could be had; as `why_not_free`."""
    return why_not_free(resource, during, **how) is None


def release(bookings: Collection[Booking] = (), *, blockings: Collection[Blocking] = ()) -> None:
    """Let go of what these hold. In the caller's transaction, which has locked the units."""
    Claim.objects.filter(booking__in=bookings).delete()
    Claim.objects.filter(blocking__in=blockings).delete()


def coming_on(unit: Unit) -> Any:
    """What bookings and offers hold of a unit from now on, each with a unit that can take over, `instead`.

    That is another of the same resource, free all that time; none when what holds it takes all or has begun.
    """
    others = Unit.objects.filter(
        resource_units__resource=OuterRef("held_of"), resource_units__resource__takes=Takes.SOME
    ).exclude(pk=unit.pk)
    taken = Claim.objects.filter(unit=OuterRef("pk"), blocked__overlap=OuterRef(OuterRef("blocked")))
    free = others.exclude(Exists(taken)).order_by("pk").values("pk")[:1]
    claims = Claim.objects.filter(unit=unit, blocking=None, during__endswith__gt=now())
    instead = Case(When(during__startswith__gt=now(), then=Subquery(free)), default=None)
    held_of = Coalesce("booking__resource", "offer__waiting__resource")
    return claims.annotate(held_of=held_of).annotate(instead=instead).order_by("during")


def give_up_unit(unit: Unit) -> None:
    """Let others take over what is to come on a unit, each the one that `coming_on` names; blockings go on without it.

    In the caller's transaction, which has locked the units and found that there is one for each.
    """
    for claim in coming_on(unit):
        claim.unit_id = claim.instead
        claim.save(update_fields=["unit"])
    Claim.objects.filter(unit=unit, blocking__isnull=False, during__endswith__gt=now()).delete()


def release_offers(offers: Collection[WaitingOffer]) -> None:
    Claim.objects.filter(offer__in=offers).delete()
