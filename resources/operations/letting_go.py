"""Letting go: what is freed is offered to the waiting list at once; what nobody answered in time runs out."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from collab4m.clock import now
from organisations.models import Body, User
from records.operations import record, send
from resources import mails
from resources.models import Booking, Claim, RequestState, Resource, Waiting, WaitingOffer, WaitState
from resources.operations.claiming import (
    claim_kept,
    claim_time,
    is_free,
    lock_shared,
    release,
    release_offers,
    sharing_with,
)
from resources.operations.opening import is_open

OFFER_HOLDS = timedelta(hours=24)


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
    booking.kept = booking.kept_price_rule = booking.kept_price_sek = None
    booking.save()


def fall_back(booking: Booking, answer: str, by: User | None, on_behalf_of: Body | None = None) -> None:
    """Another time was asked for and not given: the booking stands as it was approved. Its units are locked."""
    release([booking])
    claim_kept(booking)
    asked, booking.during = booking.during, booking.kept
    booking.price_rule, booking.price_sek = booking.kept_price_rule, booking.kept_price_sek
    booking.vat = booking.price_rule.vat if booking.price_rule else ""
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
    return sum(_expire_request(one) for one in due.select_related("resource").order_by("decide_by", "pk"))


@transaction.atomic
def _expire_request(found: Booking) -> bool:
    lock_shared(found.resource)
    booking = locked(found)
    if not booking.is_open or booking.decide_by is None or booking.decide_by > now():
        return False
    if booking.kept is not None:
        fall_back(booking, _("The owner did not answer in time."), None)
    else:
        release([booking])
        decide(booking, RequestState.EXPIRED, "", None)
        record("booking.expired", booking, by=None)
        send(*mails.expired(booking))
    offer_freed(booking.resource)
    return True


def expire_offers() -> int:
    """End the offers that nobody took in time, and offer on; returns how many ended. May run at any time."""
    due = WaitingOffer.objects.filter(ended_at=None, until__lte=now()).select_related("waiting__resource")
    return sum(_expire_offer(one) for one in due.order_by("until", "pk"))


@transaction.atomic
def _expire_offer(found: WaitingOffer) -> bool:
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
    ended = [_expire_request(one) for one in requests.select_related("resource")]
    ended += [_expire_offer(one) for one in offers.select_related("waiting__resource")]
    return any(ended)
