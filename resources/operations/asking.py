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
from collab4m.templatetags.shell import moment_in_words
from organisations.models import Body, Membership, School, User
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
    for_history,
    is_free,
    lock_shared,
    lock_units,
    release,
    span_of,
    why_not_free,
)
from resources.operations.lateness import TooLate, check_lateness
from resources.operations.lengths import minutes_in_words
from resources.operations.letting_go import (
    after_what_is_due,
    end_due,
    fall_back,
    forget_kept,
    keep,
    locked,
    offer_freed,
    sweep,
)
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
        self.resource = resource


class KeyUsed(RuleBroken):
    code = "key_used"
    message = gettext_lazy("That key was used for another request. Use a new one for each request.")


class MayNotAsk(RuleBroken):
    code = "may_not_ask"
    message = gettext_lazy("Only those who asked for this can do that.")


class NotAlive(RuleBroken):
    code = "not_alive"
    message = gettext_lazy("This is already declined, withdrawn, expired or cancelled. Make a new request instead.")

    @classmethod
    def about(cls, booking: Booking) -> NotAlive:
        """With what became of it, when it ran out."""
        if not booking.has_run_out or booking.decide_by is None:
            return cls()
        words = {"until": moment_in_words(booking.decide_by)}
        return cls(_("Nobody answered by %(until)s, so the request ran out. Make a new request.") % words)


def with_alternatives(resource: Resource, do: Callable[[], Done], *, user: User, quantity: int = 1) -> Done:
    """What `do` answers. When the time cannot be had, the refusal carries what could be had instead.

    What held the time and has run out without anybody noticing is ended first; and if somebody else ended it in that
    moment, the time is asked for once more as well, or nobody might get what is free.
    """
    try:
        return do()
    except SlotTaken as refusal:
        taken = refusal.resource or resource
        if not sweep(taken) and not is_free(taken, refusal.during, quantity=quantity):
            raise _pointing_elsewhere(refusal, resource, user, quantity) from None
    except CannotBeHad as refusal:
        raise _pointing_elsewhere(refusal, resource, user, quantity) from None
    try:
        return do()
    except CannotBeHad as refusal:
        raise _pointing_elsewhere(refusal, resource, user, quantity) from None


def _pointing_elsewhere(refusal: CannotBeHad, resource: Resource, user: User, quantity: int) -> CannotBeHad:
    during, wanted = refusal.during, refusal.resource or resource
    refusal.alternatives = alternatives_to(wanted, during.lower, during.upper, user=user, quantity=quantity)
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
        "booked_for_id": on_behalf_of.pk, "purpose": purpose.strip(), "quantity": quantity, "pupils": pupils
    }  # fmt: skip

    def ask() -> Booking:
        with transaction.atomic():
            lock_units(resource)
            if known := asked_before(resource, by, idempotency_key, starts_at, ends_at, **what):
                return known
            return make_booking(
                resource, starts_at=starts_at, ends_at=ends_at, purpose=purpose, by=by, on_behalf_of=on_behalf_of,
                quantity=quantity, programme=programme, pupils=pupils, licence_confirmed=licence_confirmed,
                cost_place=cost_place, idempotency_key=idempotency_key,
            )  # fmt: skip

    return with_alternatives(resource, ask, user=by, quantity=quantity)


def asked_before(
    resource: Resource, by: User, idempotency_key: str, starts_at: datetime, ends_at: datetime, **asked: Any
) -> Booking | None:
    """The booking that the same person made with the same key. Raises KeyUsed if that was of something else."""
    if not idempotency_key:
        return None
    known = Booking.objects.filter(asked_by=by, idempotency_key=idempotency_key).first()
    if known is None:
        return None
    if known.resource_id != resource.pk or known.series_id is not None:
        raise KeyUsed
    # Subtracted: in the hour that the clock repeats, moments in different zones never compare equal.
    differs = known.starts_at - starts_at or known.ends_at - ends_at
    differs = differs or any(getattr(known, name) != value for name, value in asked.items())
    if differs and not _has_changed(known):
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
    was_held: bool = False,
    **more: Any,
) -> Booking:
    """One booking, in the caller's transaction, which has locked the resource's units.

    `was_held`: the time was held for whoever asks, and goes on being so until the owner's answer, whatever the rule.
    Without `tells` the caller tells of several at once, with `tell_of`, and gives all the same `asked_at`.
    """
    more.setdefault("asked_at", now())
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
        decide_by=None if at_once else decide_by(resource, starts_at, more["asked_at"]),
        decided_at=now() if at_once else None,
        turnaround_minutes=resource.turnaround_minutes,
        price_rule=price.rule,
        price_sek=price.sek,
        vat=price.rule.vat if price.rule else "",
        example=resource.example,
        **more,
    )
    holds = at_once or was_held or resource.rivalry == Rivalry.HOLD
    if not holds and (refusal := why_not_free(resource, during, quantity=quantity)):
        raise refusal
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


def decide_by(resource: Resource, starts_at: datetime, asked_at: datetime | None = None) -> datetime:
    """When a request expires without an answer: after the owner's hours, and never after the time has begun.

    A question to whoever asked does not stop that clock: their answer comes back to the owner with what is left.
    """
    return min((asked_at or now()) + timedelta(hours=resource.decide_hours), starts_at)


def check_asker(resource: Resource, by: User, on_behalf_of: Body) -> None:
    """Raises MayNotAsk unless `by` may ask for the resource on behalf of a body they speak for."""
    if not speaking_for(by, on_behalf_of):
        raise MayNotAsk(_("You do not act for %(body)s. Ask for a body that you act for.") % {"body": on_behalf_of})
    if not by.has_perm("resources.ask", resource):
        raise MayNotAsk(_not_let_ask(resource))
    if on_behalf_of.pk == resource.owner_id:
        return
    school = School.objects.filter(pk=on_behalf_of.pk).first()
    place = school.municipality_id if school else on_behalf_of.pk
    if place == resource.municipality_id:
        return
    if resource.askers == Askers.OWNER or not _share_an_area(place, resource):
        raise MayNotAsk(_not_let_ask(resource))


def _not_let_ask(resource: Resource) -> str:
    if resource.is_retired:
        return _("The owner shares this no longer.")
    if resource.askers == Askers.OWNER:
        return _("The owner lets only its own schools ask for this.")
    return _("Only those in the owner’s area may ask for this.")


def _share_an_area(place: int, resource: Resource) -> bool:
    areas = Membership.objects.on().filter(municipality=resource.municipality_id).values("area")
    return Membership.objects.on().filter(municipality=place, area__in=areas).exists()


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
    pieces = resource.units.count()
    if not pieces or (resource.takes == Takes.SOME and quantity > pieces):
        raise TooFewUnits(resource, pieces)


def check_alive(booking: Booking) -> None:
    """Raises NotAlive of what is let go of, and of what has run out without being ended yet."""
    if booking.request_state not in RequestState.alive() or booking.is_due:
        raise NotAlive.about(booking)


def change_time(booking: Booking, *, starts_at: datetime, ends_at: datetime, by: User, on_behalf_of: Body) -> Booking:
    """Move a booking. An approved one asks again, unless the owner approves at once, and keeps its old time meanwhile.

    Raises MayNotAsk, NotAlive, BookingRefused, ResourceClosed, SlotTaken with alternatives; and TooLate when nobody
    would be asked and the owner's rule no longer lets it be cancelled: else one could move it and cancel it then.
    """

    def move() -> Booking:
        end_due([booking])
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
    check_alive(booking)
    if booking.request_state == RequestState.APPROVED and booking.ends_at <= now():
        raise TooLate(_("It is over, so it cannot be moved."))
    at_once = approved_at_once(resource, by)
    if at_once and not speaking_for(by, resource.owner):
        check_lateness(booking, _("The owner wants it moved %(hours)s hours ahead at least. Call the owner."))
    check_time(resource, starts_at, ends_at)
    during = span_of(starts_at, ends_at)
    if during == before:
        raise BookingRefused(_("It has that time already. Choose another."), "starts_at")
    if not is_open(resource, during):
        raise ResourceClosed(resource, during)
    if booking.request_state == RequestState.APPROVED:
        keep(booking)
    if at_once:
        forget_kept(booking)
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
        if refusal := why_not_free(resource, during, quantity=booking.quantity, but=booking):
            raise refusal
    record(
        "booking.moved", booking, by=by, on_behalf_of=on_behalf_of,
        before=for_history(before), after=for_history(during),
    )  # fmt: skip


def tell_of_move(booking: Booking, before: DateTimeTZRange, *more: Booking) -> None:
    """Tell of a booking that had another time `before`, and of others of its series that moved with it."""
    at_once = booking.request_state == RequestState.APPROVED
    send(*(mails.moved(booking, before, *more) if at_once else mails.to_decide(booking, *more, before=before)))


@after_what_is_due
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
    check_alive(booking)
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


@after_what_is_due
def keep_time(booking: Booking, *, by: User, on_behalf_of: Body) -> Booking:
    """Take back the wish for another time, before the owner has answered. Raises MayNotAsk, NotAlive."""
    lock_shared(booking.resource)
    booking = locked(booking)
    if on_behalf_of.pk not in speaking_for(by, booking.booked_for):
        raise MayNotAsk
    check_alive(booking)
    if booking.kept is None:
        raise NotAlive(_("No other time is asked for any more."))
    fall_back(booking, "", by, on_behalf_of)
    offer_freed(booking.resource)
    return booking


@after_what_is_due
def answer_owner(booking: Booking, *, answer: str, by: User, on_behalf_of: Body) -> Booking:
    """Answer the owner's question: the request waits for the owner again.

    Raises MayNotAsk, NotAlive, BookingRefused.
    """
    lock_units(booking.resource)
    booking = locked(booking)
    if on_behalf_of.pk not in speaking_for(by, booking.booked_for):
        raise MayNotAsk
    check_alive(booking)
    if booking.request_state != RequestState.INFO_NEEDED:
        raise NotAlive(_("The owner has not asked anything, or the request is already decided."))
    if not answer.strip():
        raise BookingRefused(_("Write what the owner needs to know."), "answer")
    booking.request_state, booking.reminded_at = RequestState.REQUESTED, None
    booking.save(update_fields=["request_state", "reminded_at"])
    record("booking.answered", booking, by=by, on_behalf_of=on_behalf_of, answer=answer.strip())
    send(*mails.to_decide(booking, answer=answer.strip()))
    return booking
