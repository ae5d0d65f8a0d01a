"""Letting go: what is freed is offered to the waiting list at once; what nobody answered in time runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from collab4m.clock import now
from collab4m.errors import each_by_itself
from organisations.models import Body, User
from records.operations import record, send
from resources import mails
from resources.models import Booking, Claim, RequestState, Resource, Waiting, WaitingOffer, WaitState
from resources.operations.claiming import (
    claim_time,
    hold_kept_only,
    is_free,
    lock_shared,
    release,
    release_offers,
    sharing_with,
)
from resources.operations.opening import is_open

OFFER_HOLDS = timedelta(hours=24)
Given = ParamSpec("Given")
Done = TypeVar("Done")


def locked(booking: Booking) -> Booking:
    """The booking with its row locked; the resource's units are locked already."""
    rows = Booking.objects.select_for_update(of=("self",))
    return rows.select_related(
        "resource__owner", "resource__municipality", "booked_for", "asked_by", "price_rule", "kept_price_rule"
    ).get(pk=booking.pk)


def decide(booking: Booking, state: str, answer: str, by: User | None) -> None:
    """Write down the owner's word on a request."""
    booking.request_state, booking.answer = state, answer.strip()
    booking.decided_by, booking.decided_at = by, now()
    booking.sequence += 1
    forget_kept(booking)
    booking.save()


def keep(booking: Booking) -> None:
    """What is approved stands while another time is asked for."""
    booking.kept, booking.kept_turnaround_minutes = booking.during, booking.turnaround_minutes
    booking.kept_price_rule, booking.kept_price_sek = booking.price_rule, booking.price_sek


def forget_kept(booking: Booking) -> None:
    booking.kept = booking.kept_turnaround_minutes = booking.kept_price_rule = booking.kept_price_sek = None


def back_to_kept(booking: Booking) -> None:
    """No other time is asked for any more: the booking is what it was approved as. Nothing, if it asked for none."""
    if booking.kept is None:
        return
    booking.during, booking.turnaround_minutes = booking.kept, booking.kept_turnaround_minutes or 0
    booking.price_rule, booking.price_sek = booking.kept_price_rule, booking.kept_price_sek
    booking.vat = booking.price_rule.vat if booking.price_rule else ""
    forget_kept(booking)


def fall_back(booking: Booking, answer: str, by: User | None, on_behalf_of: Body | None = None) -> None:
    """Another time was asked for and not given: the booking stands as it was approved. Its units are locked."""
    hold_kept_only(booking)
    asked = booking.during
    back_to_kept(booking)
    decide(booking, RequestState.APPROVED, answer, by)
    record("booking.kept", booking, by=by, on_behalf_of=on_behalf_of, reason=answer)
    send(*mails.kept(booking, asked))


def offer_freed(*resources: Resource) -> list[WaitingOffer]:
    """Offer what is free to those who wait for it, in turn; each whose whole need fits gets its time held for a day.

    In the caller's transaction, which has taken `lock_shared`.
    """
    made = []
    waiting = Waiting.objects.filter(
        resource__in=sharing_with(*resources), resource__is_retired=False, state=WaitState.WAITING,
        during__startswith__gt=now(),
    ).select_related("resource__owner", "booked_for__as_school", "asked_by")  # fmt: skip
    for one in waiting.order_by("at", "pk"):
        until = min(now() + OFFER_HOLDS, one.during.lower - timedelta(minutes=one.resource.lead_minutes))
        if until <= now() or not is_open(one.resource, one.during):
            continue
        if not is_free(one.resource, one.during, quantity=one.quantity):
            continue
        offer = WaitingOffer.objects.create(waiting=one, until=until)
        claim_time(
            one.resource,
            one.during,
            quantity=one.quantity,
            turnaround_minutes=one.resource.turnaround_minutes,
            offer=offer,
        )
        one.state = WaitState.OFFERED
        one.save(update_fields=["state"])
        send(*mails.offered(offer))
        made.append(offer)
    return made


def end_places(resource: Resource, those: Q, *, pieces: int = 0, by: User, on_behalf_of: Body) -> None:
    """Those who stand in line can no longer get it: only so many `pieces` are left, or it is shared no longer."""
    rows = Waiting.objects.filter(those, resource=resource, state=WaitState.WAITING, during__startswith__gt=now())
    for waiting in rows.select_related("resource__owner", "booked_for__as_school", "asked_by").order_by("pk"):
        waiting.state = WaitState.GIVEN_UP
        waiting.save(update_fields=["state"])
        record("booking.place_ended", waiting, by=by, on_behalf_of=on_behalf_of, body=str(waiting.booked_for))
        send(*mails.place_ended(waiting, pieces))


def end_offer(offer: WaitingOffer, state: str) -> None:
    """An offer is taken, left or run out: its time is no longer held. Its units are locked."""
    release_offers([offer])
    offer.ended_at = now()
    offer.save(update_fields=["ended_at"])
    offer.waiting.state = state
    offer.waiting.save(update_fields=["state"])


def expire_requests() -> int:
    """End the requests that nobody has answered in time; returns how many. May run at any time, by several at once."""
    due = Booking.objects.filter(request_state__in=RequestState.open(), decide_by__lte=now())
    found = _together(due.select_related("resource").order_by("decide_by", "pk"))
    return each_by_itself(_expire, found, named=lambda dates: f"Ending booking {dates[0].pk}, which ran out,")


def end_due(bookings: Iterable[Booking]) -> int:
    """End those whose time to be answered is over, also when the clock has not noticed; returns how many.

    Not in a transaction: each series ends in its own, and each request that stands alone.
    """
    return sum(map(_expire, _together(bookings)))


def _together(bookings: Iterable[Booking]) -> list[list[Booking]]:
    """Those that are due: the dates of each series together, and each that stands alone."""
    due: dict[tuple[str, int], list[Booking]] = {}
    for one in bookings:
        if one.is_due:
            key = ("series", one.series_id) if one.series_id else ("alone", one.pk)
            due.setdefault(key, []).append(one)
    return list(due.values())


@transaction.atomic
def _expire(found: list[Booking]) -> int:
    """The dates of a series together, or one; each owner and whoever asked get one mail of it."""
    resources = {one.resource_id: one.resource for one in found}
    lock_shared(*resources.values())
    due = [one for one in map(locked, found) if one.is_due]
    expire_locked(due)
    for pk, resource in resources.items():
        if any(one.resource_id == pk for one in due):
            offer_freed(resource)
    return len(due)


def expire_locked(due: Iterable[Booking]) -> None:
    """End what has run out, in the caller's transaction, which has locked it and offers what is freed."""
    ended: dict[tuple[int, bool], list[Booking]] = {}
    for one in due:
        was_asked = one.request_state == RequestState.INFO_NEEDED
        if one.kept is not None:
            why = _("The owner's question was not answered in time.") if was_asked else ""
            fall_back(one, why or _("The owner did not answer in time."), None)
            continue
        release([one])
        decide(one, RequestState.EXPIRED, "", None)
        record("booking.expired", one, by=None)
        ended.setdefault((one.resource.owner_id, was_asked), []).append(one)
    for (_owner, was_asked), (first, *more) in ended.items():
        send(*mails.expired(first, *more, was_asked=was_asked))


def after_what_is_due(
    operation: Callable[Concatenate[Booking, Given], Done],
) -> Callable[Concatenate[Booking, Given], Done]:
    """An operation on a booking in one transaction; before it, a request that has run out ends in one of its own."""

    @wraps(operation)
    def begun(booking: Booking, *given: Given.args, **named: Given.kwargs) -> Done:
        end_due([booking])
        with transaction.atomic():
            return operation(booking, *given, **named)

    return begun


def expire_offers() -> int:
    """End the offers that nobody took in time, and offer on; returns how many ended. May run at any time."""
    due = WaitingOffer.objects.filter(ended_at=None, until__lte=now()).select_related("waiting__resource")
    rows = due.order_by("until", "pk")
    return each_by_itself(expire_offer, rows, named=lambda offer: f"Ending offer {offer.pk}, which ran out,")


@transaction.atomic
def expire_offer(found: WaitingOffer) -> bool:
    lock_shared(found.waiting.resource)
    offer = locked_offer(found)
    if offer.ended_at is not None or offer.until > now():
        return False
    end_offer(offer, WaitState.GIVEN_UP)
    send(*mails.offer_ended(offer))
    offer_freed(offer.waiting.resource)
    return True


def locked_offer(offer: WaitingOffer) -> WaitingOffer:
    """The offer with its row locked; the resource's units are locked already."""
    rows = WaitingOffer.objects.select_for_update(of=("self",))
    return rows.select_related(
        "waiting__resource__owner", "waiting__booked_for__as_school", "waiting__asked_by", "waiting__programme"
    ).get(pk=offer.pk)


def sweep(resource: Resource) -> bool:
    """End what has run out on the resource's units and waits for the clock to notice; whether there was anything.

    Not in a transaction: each ends in its own, so that nobody waits for the whole.
    """
    claims = Claim.objects.filter(unit__in=resource.units.values("pk"))
    requests = Booking.objects.filter(
        pk__in=claims.values("booking"), request_state__in=RequestState.open(), decide_by__lte=now()
    )
    offers = WaitingOffer.objects.filter(pk__in=claims.values("offer"), ended_at=None, until__lte=now())
    ended = [expire_offer(one) for one in offers.select_related("waiting__resource")]
    return any([end_due(requests.select_related("resource")), *ended])
