"""Asking for a resource, changing one's mind, and letting go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collab4m.clock import now
from collab4m.errors import RuleBroken, refused
from organisations.models import Body, School, User
from programmes.models import Programme
from records.models import Event
from records.operations import differences, record, send
from records.people import speaking_for
from resources import mails
from resources.models import (
    Approval,
    Askers,
    Booking,
    RequestState,
    Resource,
    ResourceKind,
    Rivalry,
    Series,
    Takes,
)
from resources.operations.alternatives import alternatives_to
from resources.operations.claiming import (
    CannotBeHad,
    SlotTaken,
    TooFewUnits,
    claim_booking,
    claim_kept,
    is_free,
    lock_shared,
    lock_units,
    release,
    slot_taken,
    span_of,
)
from resources.operations.lengths import minutes_in_words
from resources.operations.letting_go import fall_back, locked, offer_freed, sweep
from resources.operations.opening import DAYS_AHEAD, is_open
from resources.operations.pricing import price_of

SHORTEST = timedelta(minutes=5)
Done = TypeVar("Done")


class BookingRefused(RuleBroken):
    code = "booking_refused"


class ResourceClosed(CannotBeHad):
    code = "resource_closed"

    def __init__(self, resource: Resource, during: DateTimeTZRange) -> None:
        words = {"name": resource.name}
        super().__init__(during, _("%(name)s is closed for some of that time. Look at when it is open.") % words)


class KeyUsed(RuleBroken):
    code = "key_used"
    message = gettext_lazy("That key was used for another request. Use a new one for each request.")


class MayNotAsk(RuleBroken):
    code = "may_not_ask"
    message = gettext_lazy("The owner lets only its own schools ask for this.")


class NotAlive(RuleBroken):
    code = "not_alive"
    message = gettext_lazy("This is already declined, withdrawn, expired or cancelled. Make a new request instead.")


class TooLate(RuleBroken):
    code = "too_late"


def with_alternatives(resource: Resource, do: Callable[[], Done], *, user: User, quantity: int = 1) -> Done:
    """What `do` answers. When the time cannot be had, the refusal carries what could be had instead.

    What held the time and has run out without anybody noticing is ended first; and if somebody else ended it in that
    moment, the time is asked for once more as well, or nobody might get what is free.
    """
    try:
        return do()
    except SlotTaken as refusal:
        if not sweep(resource) and not is_free(resource, refusal.during, quantity=quantity):
            raise _pointing_elsewhere(refusal, resource, user, quantity) from None
    except CannotBeHad as refusal:
        raise _pointing_elsewhere(refusal, resource, user, quantity) from None
    try:
        return do()
    except CannotBeHad as refusal:
        raise _pointing_elsewhere(refusal, resource, user, quantity) from None


def _pointing_elsewhere(refusal: CannotBeHad, resource: Resource, user: User, quantity: int) -> CannotBeHad:
    during = refusal.during
    refusal.alternatives = alternatives_to(resource, during.lower, during.upper, user=user, quantity=quantity)
    return refusal


def request_booking(
    resource: Resource,
    *,
    starts_at: datetime,
    ends_at: datetime,
    purpose: str,
    by: User,
    on_behalf_of: Body,
    quantity: int = 1,
    programme: Programme | None = None,
    pupils: int | None = None,
    licence_confirmed: bool = False,
    cost_place: str = "",
    idempotency_key: str = "",
) -> Booking:
    """Ask for a resource. It is approved at once when the owner says so or asks itself, else it waits for the owner.

    The same `idempotency_key` from the same person gives the same booking.
    Raises MayNotAsk, BookingRefused, KeyUsed, TooFewUnits, and ResourceClosed or SlotTaken with alternatives.
    """
    what = {
        "starts_at": starts_at, "ends_at": ends_at, "purpose": purpose.strip(), "quantity": quantity, "pupils": pupils
    }  # fmt: skip

    def ask() -> Booking:
        with transaction.atomic():
            lock_units(resource)
            if known := asked_before(resource, by, idempotency_key, **what):
                return known
            return make_booking(
                resource, starts_at=starts_at, ends_at=ends_at, purpose=purpose, by=by, on_behalf_of=on_behalf_of,
                quantity=quantity, programme=programme, pupils=pupils, licence_confirmed=licence_confirmed,
                cost_place=cost_place, idempotency_key=idempotency_key,
            )  # fmt: skip

    return with_alternatives(resource, ask, user=by, quantity=quantity)


def asked_before(resource: Resource, by: User, idempotency_key: str, **asked: Any) -> Booking | None:
    """The booking that the same person made with the same key. Raises KeyUsed if that was of something else."""
    if not idempotency_key:
        return None
    known = Booking.objects.filter(asked_by=by, idempotency_key=idempotency_key).first()
    if known is None:
        return None
    if known.resource_id != resource.pk or known.series_id is not None:
        raise KeyUsed
    if any(getattr(known, name) != value for name, value in asked.items()) and not _has_changed(known):
        raise KeyUsed
    return known


def _has_changed(booking: Booking) -> bool:
    """Whether it is no longer what was asked for at first."""
    return Event.objects.about(booking).filter(name__in=["booking.moved", "booking.changed"]).exists()


def booking_made_with(key: str, *, by: User) -> Booking | None:
    """What the same person asked for with a key, whatever it is; the first date when that was a series."""
    return Booking.objects.filter(asked_by=by, idempotency_key=key).first() if key else None


def make_booking(
    resource: Resource,
    *,
    starts_at: datetime,
    ends_at: datetime,
    purpose: str,
    by: User,
    on_behalf_of: Body,
    series: Series | None = None,
    tells: bool = True,
    **more: Any,
) -> Booking:
    """One booking, in the caller's transaction, which has locked the resource's units.

    Without `tells` the caller tells of several at once, with `tell_of`.
    """
    resource = Resource.objects.select_related("owner__as_school", "municipality").get(pk=resource.pk)
    check_asker(resource, by, on_behalf_of)
    check_time(resource, starts_at, ends_at)
    check_what(resource, purpose, **more)
    during = span_of(starts_at, ends_at)
    if not is_open(resource, during):
        raise ResourceClosed(resource, during)
    quantity = more.get("quantity", 1)
    price = price_of(resource, starts_at, ends_at, quantity)
    at_once = approved_at_once(resource, by)
    booking = Booking(
        resource=resource,
        series=series,
        booked_for_id=on_behalf_of.pk,
        asked_by=by,
        during=during,
        purpose=purpose.strip(),
        request_state=RequestState.APPROVED if at_once else RequestState.REQUESTED,
        decide_by=None if at_once else decide_by(resource, starts_at),
        decided_at=now() if at_once else None,
        turnaround_minutes=resource.turnaround_minutes,
        price_rule=price.rule,
        price_sek=price.sek,
        vat=price.rule.vat if price.rule else "",
        example=resource.example,
        **more,
    )
    holds = at_once or resource.rivalry == Rivalry.HOLD
    if not holds and not is_free(resource, during, quantity=quantity):
        raise slot_taken(resource, during, wanted=quantity)
    with refused(booking_once_per_key=KeyUsed):
        booking.save()
    if holds:
        claim_booking(booking)
    record(
        "booking.made" if at_once else "booking.requested", booking, by=by, on_behalf_of=on_behalf_of,
        resource=resource.name,
    )  # fmt: skip
    if tells:
        tell_of([booking], by)
    return booking


def tell_of(bookings: Sequence[Booking], by: User) -> None:
    """Tell of what was just asked for, of one resource: its owner, or whoever asked when it is theirs at once."""
    first, *more = bookings
    if first.request_state != RequestState.APPROVED:
        send(*mails.to_decide(first, *more))
    elif not speaking_for(by, first.resource.owner):
        send(*mails.approved(first, *more))


def approved_at_once(resource: Resource, by: User) -> bool:
    """Whether what `by` asks for waits for nobody: the owner says so, or asks itself."""
    return resource.approval == Approval.AUTOMATIC or bool(speaking_for(by, resource.owner))


def decide_by(resource: Resource, starts_at: datetime) -> datetime:
    """When a request expires without an answer: after the owner's hours, and never after the time has begun."""
    return min(now() + timedelta(hours=resource.decide_hours), starts_at)


def check_asker(resource: Resource, by: User, on_behalf_of: Body) -> None:
    """Raises MayNotAsk unless `by` may ask for the resource on behalf of a body they speak for."""
    if not speaking_for(by, on_behalf_of) or not by.has_perm("resources.ask", resource):
        raise MayNotAsk
    if resource.askers == Askers.OWNER and on_behalf_of.pk != resource.owner_id:
        school = School.objects.filter(pk=on_behalf_of.pk).first()
        if resource.municipality_id != (school.municipality_id if school else on_behalf_of.pk):
            raise MayNotAsk


def check_time(resource: Resource, starts_at: datetime, ends_at: datetime) -> None:
    """Raises BookingRefused for a time that cannot be asked for."""
    farthest = now() + timedelta(days=DAYS_AHEAD)
    if starts_at > farthest or ends_at > farthest:
        raise BookingRefused(_("That is too far ahead. Book at most eighteen months ahead."), "ends_at")
    if starts_at < now():
        raise BookingRefused(_("That time has passed. Choose a later one."), "starts_at")
    # In UTC: the night when clocks change is an hour shorter or longer than they show.
    starts_at, ends_at = starts_at.astimezone(UTC), max(ends_at, now()).astimezone(UTC)
    if ends_at <= starts_at:
        raise BookingRefused(_("The end comes before the start. Change one of them."), "ends_at")
    if ends_at - starts_at < SHORTEST:
        raise BookingRefused(_("Book five minutes at least."), "ends_at")
    lead = timedelta(minutes=resource.lead_minutes)
    if starts_at < now() + lead:
        words = {"long": minutes_in_words(resource.lead_minutes)}
        raise BookingRefused(_("The owner wants to be asked %(long)s ahead at least.") % words, "starts_at")
    if resource.longest_minutes and ends_at - starts_at > timedelta(minutes=resource.longest_minutes):
        words = {"long": minutes_in_words(resource.longest_minutes)}
        raise BookingRefused(_("The owner lends it for %(long)s at a time at most.") % words, "ends_at")


def check_what(resource: Resource, purpose: str, **more: Any) -> None:
    if not purpose.strip():
        raise BookingRefused(_("Write what it is for. The owner decides by that."), "purpose")
    pupils = more.get("pupils")
    if pupils is not None and resource.capacity is not None and pupils > resource.capacity:
        words = {"name": resource.name, "capacity": resource.capacity}
        raise BookingRefused(_("%(name)s has room for %(capacity)s. Ask for something larger.") % words, "pupils")
    if resource.kind == ResourceKind.VEHICLE and resource.permits and not more.get("licence_confirmed"):
        words = {"permits": resource.permits}
        raise BookingRefused(_("Confirm that the driver has what is needed: %(permits)s.") % words, "licence_confirmed")


def check_pieces(resource: Resource, quantity: int) -> None:
    """Raises TooFewUnits when it does not consist of so many pieces as are asked for."""
    if resource.takes == Takes.SOME and quantity > (pieces := resource.units.count()):
        raise TooFewUnits(resource, pieces)


def change_time(booking: Booking, *, starts_at: datetime, ends_at: datetime, by: User, on_behalf_of: Body) -> Booking:
    """Move a booking. An approved one asks again, unless the owner approves at once, and keeps its old time meanwhile.

    Raises MayNotAsk, NotAlive, BookingRefused, ResourceClosed, and SlotTaken with alternatives.
    """

    def move() -> Booking:
        with transaction.atomic():
            lock_shared(booking.resource)
            found = locked(booking)
            before = found.during
            release([found])
            move_booking(found, starts_at, ends_at, by=by, on_behalf_of=on_behalf_of)
            tell_of_move(found, before)
            offer_freed(found.resource)
            return found

    return with_alternatives(booking.resource, move, user=by, quantity=booking.quantity)


def move_booking(booking: Booking, starts_at: datetime, ends_at: datetime, *, by: User, on_behalf_of: Body) -> None:
    """Give a booking another time, in the caller's transaction, which has locked and let go of what it holds."""
    resource, before = booking.resource, booking.during
    if on_behalf_of.pk not in speaking_for(by, booking.booked_for):
        raise MayNotAsk
    if booking.request_state not in RequestState.alive():
        raise NotAlive
    if booking.request_state == RequestState.APPROVED and booking.ends_at <= now():
        raise TooLate(_("It is over, so it cannot be moved."))
    check_time(resource, starts_at, ends_at)
    during = span_of(starts_at, ends_at)
    if not is_open(resource, during):
        raise ResourceClosed(resource, during)
    at_once = approved_at_once(resource, by)
    if booking.request_state == RequestState.APPROVED:
        booking.kept, booking.kept_price_rule, booking.kept_price_sek = before, booking.price_rule, booking.price_sek
    if at_once:
        booking.kept = booking.kept_price_rule = booking.kept_price_sek = None
    price = price_of(resource, starts_at, ends_at, booking.quantity)
    booking.during, booking.price_rule, booking.price_sek = during, price.rule, price.sek
    booking.vat = price.rule.vat if price.rule else ""
    booking.turnaround_minutes = resource.turnaround_minutes
    booking.request_state = RequestState.APPROVED if at_once else RequestState.REQUESTED
    booking.decide_by = None if at_once else decide_by(resource, starts_at)
    booking.reminded_at = None
    booking.sequence += 1
    booking.save()
    if at_once or resource.rivalry == Rivalry.HOLD:
        claim_booking(booking)
    else:
        if booking.kept is not None:
            claim_kept(booking)
        if not is_free(resource, during, quantity=booking.quantity, but=booking):
            raise slot_taken(resource, during, wanted=booking.quantity, but=booking)
    record(
        "booking.moved", booking, by=by, on_behalf_of=on_behalf_of,
        before=before.lower.isoformat(), after=during.lower.isoformat(),
    )  # fmt: skip


def tell_of_move(booking: Booking, before: DateTimeTZRange, *more: Booking) -> None:
    """Tell of a booking that had another time `before`, and of others of its series that moved with it."""
    at_once = booking.request_state == RequestState.APPROVED
    send(*(mails.moved(booking, before, *more) if at_once else mails.to_decide(booking, *more, before=before)))


@transaction.atomic
def change_what(
    booking: Booking,
    *,
    purpose: str,
    programme: Programme | None,
    pupils: int | None,
    cost_place: str,
    by: User,
    on_behalf_of: Body,
) -> Booking:
    """Change what a booking is for, and tell the owner. Its time, price and approval stand.

    Raises MayNotAsk, NotAlive, TooLate, BookingRefused.
    """
    lock_units(booking.resource)
    booking = locked(booking)
    if on_behalf_of.pk not in speaking_for(by, booking.booked_for):
        raise MayNotAsk
    if booking.request_state not in RequestState.alive():
        raise NotAlive
    if booking.ends_at <= now():
        raise TooLate(_("It is over, so it cannot be changed."))
    check_what(booking.resource, purpose, pupils=pupils, licence_confirmed=True)
    what = {"purpose": purpose.strip(), "programme": programme, "pupils": pupils, "cost_place": cost_place.strip()}
    changes = differences(booking, what)
    if not changes:
        return booking
    for name, value in what.items():
        setattr(booking, name, value)
    booking.sequence += 1
    booking.save(update_fields=[*what, "sequence"])
    record("booking.changed", booking, by=by, on_behalf_of=on_behalf_of, changes=changes)
    if not speaking_for(by, booking.resource.owner):
        send(*mails.changed(booking))
    return booking


@transaction.atomic
def keep_time(booking: Booking, *, by: User, on_behalf_of: Body) -> Booking:
    """Take back the wish for another time, before the owner has answered. Raises MayNotAsk, NotAlive."""
    lock_shared(booking.resource)
    booking = locked(booking)
    if on_behalf_of.pk not in speaking_for(by, booking.booked_for):
        raise MayNotAsk
    if booking.kept is None:
        raise NotAlive(_("No other time is asked for any more."))
    fall_back(booking, "", by, on_behalf_of)
    offer_freed(booking.resource)
    return booking


@transaction.atomic
def answer_owner(booking: Booking, *, answer: str, by: User, on_behalf_of: Body) -> Booking:
    """Answer the owner's question: the request waits for the owner again.

    Raises MayNotAsk, NotAlive, BookingRefused.
    """
    lock_units(booking.resource)
    booking = locked(booking)
    if on_behalf_of.pk not in speaking_for(by, booking.booked_for):
        raise MayNotAsk
    if booking.request_state != RequestState.INFO_NEEDED:
        raise NotAlive(_("The owner has not asked anything, or the request is already decided."))
    if not answer.strip():
        raise BookingRefused(_("Write what the owner needs to know."), "answer")
    booking.request_state = RequestState.REQUESTED
    booking.save(update_fields=["request_state"])
    record("booking.answered", booking, by=by, on_behalf_of=on_behalf_of, answer=answer.strip())
    send(*mails.to_decide(booking, answer=answer.strip()))
    return booking


@transaction.atomic
def cancel_booking(booking: Booking, *, reason: str = "", by: User, on_behalf_of: Body) -> Booking:
    """Let go of a booking: the asker withdraws a request or cancels what is approved; the owner cancels with a reason.

    Raises NotAlive, MayNotAsk, BookingRefused, TooLate by the owner's rule.
    """
    lock_shared(booking.resource)
    booking = locked(booking)
    by_owner = let_go(booking, reason, by=by, on_behalf_of=on_behalf_of)
    send(*mails.cancelled(booking, by_owner=by_owner))
    offer_freed(booking.resource)
    return booking


def let_go(booking: Booking, reason: str, *, by: User, on_behalf_of: Body) -> bool:
    """Cancel a booking in the caller's transaction, which has locked it and tells of it; whether the owner did it."""
    is_asker = on_behalf_of.pk in speaking_for(by, booking.booked_for)
    is_owner = on_behalf_of.pk in speaking_for(by, booking.resource.owner) or (
        on_behalf_of.pk == booking.resource.owner_id and by.has_perm("resources.decide_booking", booking)
    )
    if not (is_asker or is_owner):
        raise MayNotAsk(_("Only those who asked for it and the owner can cancel it."))
    check_cancelling(booking, is_owner=is_owner)
    if is_owner and not is_asker and not reason.strip():
        raise BookingRefused(_("Say why. Whoever asked for it reads it."), "reason")
    release([booking])
    was_approved = booking.request_state == RequestState.APPROVED or booking.kept is not None
    booking.request_state = RequestState.CANCELLED if was_approved else RequestState.WITHDRAWN
    booking.answer = reason.strip() or booking.answer
    booking.kept = None
    booking.sequence += 1
    booking.save()
    record("booking.cancelled", booking, by=by, on_behalf_of=on_behalf_of, reason=reason.strip())
    return is_owner and not is_asker


def check_cancelling(booking: Booking, *, is_owner: bool) -> None:
    """Raises NotAlive, or TooLate by the owner's rule, which does not bind the owner."""
    if booking.request_state not in RequestState.alive():
        raise NotAlive
    was_approved = booking.request_state == RequestState.APPROVED or booking.kept is not None
    had = booking.kept or booking.during
    if was_approved and had.upper <= now():
        raise TooLate(_("It is over, so it cannot be cancelled."))
    latest = had.lower - timedelta(hours=booking.resource.cancel_hours)
    if was_approved and not is_owner and now() > latest:
        words = {"hours": booking.resource.cancel_hours}
        if not words["hours"]:
            raise TooLate(_("It has begun, so only the owner can end it. Call the owner."))
        raise TooLate(_("The owner wants it cancelled %(hours)s hours ahead at least. Call the owner.") % words)
