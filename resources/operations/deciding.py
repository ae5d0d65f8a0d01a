"""The owner's word on requests: yes to one declines its rivals, no says why, a question sends it back."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collab4m.clock import now
from collab4m.errors import RuleBroken
from organisations.models import Body, User
from records.operations import record, send
from resources import mails
from resources.models import Booking, Claim, RequestState
from resources.operations.alternatives import alternatives_to
from resources.operations.asking import BookingRefused, with_alternatives
from resources.operations.claiming import (
    CannotBeHad,
    claim_booking,
    is_free,
    lock_shared,
    lock_units,
    release,
    sharing_with,
)
from resources.operations.letting_go import decide, fall_back, locked, offer_freed


class NotAwaitingDecision(CannotBeHad):
    code = "not_awaiting_decision"
    message = gettext_lazy("This request is already decided, withdrawn or expired.")


class MayNotDecide(RuleBroken):
    code = "may_not_decide"
    message = gettext_lazy("The owner of the resource decides.")


def _require_decider(booking: Booking, by: User) -> None:
    if not by.has_perm("resources.decide_booking", booking):
        raise MayNotDecide


def approve_booking(booking: Booking, *, note: str = "", by: User, on_behalf_of: Body) -> Booking:
    """Give a request its units, and decline those that wanted the same time, with what they could have instead.

    Raises MayNotDecide, NotAwaitingDecision, and SlotTaken if another claim holds part of the time.
    """

    def approve() -> Booking:
        with transaction.atomic():
            lock_shared(booking.resource)
            found = locked(booking)
            _require_decider(found, by)
            if not found.is_open:
                raise NotAwaitingDecision(booking.during)
            if found.starts_at <= now():
                raise NotAwaitingDecision(
                    found.during, _("The time that was asked for has begun, so it cannot be approved any more.")
                )
            release([found])
            found.kept = None
            claim_booking(found)
            decide(found, RequestState.APPROVED, note, by)
            record("booking.approved", found, by=by, on_behalf_of=on_behalf_of, resource=found.resource.name)
            send(*mails.approved(found))
            _decline_rivals(found, by, on_behalf_of)
            offer_freed(found.resource)
            return found

    return with_alternatives(booking.resource, approve, user=by)


def _decline_rivals(booking: Booking, by: User, on_behalf_of: Body) -> None:
    for rival in rivals_of(booking):
        fits = is_free(
            rival.resource,
            rival.during,
            quantity=rival.quantity,
            turnaround_minutes=rival.turnaround_minutes,
            but=rival,
        )
        if not fits:
            _turn_down(rival, _("Somebody else got the time."), by, on_behalf_of)


def rivals_of(booking: Booking) -> list[Booking]:
    """Other requests for some of the same units and time that hold nothing then, in the order they were made."""
    turnaround = timedelta(minutes=booking.turnaround_minutes)
    holding = Claim.objects.filter(booking=OuterRef("pk"), during__contains=OuterRef("during"))
    rivals = (
        Booking.objects.overlapping(booking.starts_at - turnaround, booking.ends_at + turnaround)
        .filter(~Exists(holding), resource__in=sharing_with(booking.resource), request_state__in=RequestState.open())
        .exclude(pk=booking.pk)
    )
    rivals = rivals.select_related(
        "resource__owner", "resource__municipality", "booked_for", "asked_by", "kept_price_rule"
    )
    return list(rivals.order_by("asked_at", "pk"))


@transaction.atomic
def decline_booking(booking: Booking, *, reason: str, by: User, on_behalf_of: Body) -> Booking:
    """Say no to a request, and why; the answer goes with what could be had instead.

    Raises MayNotDecide, NotAwaitingDecision, BookingRefused without a reason.
    """
    lock_shared(booking.resource)
    booking = locked(booking)
    _require_decider(booking, by)
    if not booking.is_open:
        raise NotAwaitingDecision(booking.during)
    if not reason.strip():
        raise BookingRefused(_("Say why. Whoever asked for it reads it."), "reason")
    _turn_down(booking, reason.strip(), by, on_behalf_of)
    offer_freed(booking.resource)
    return booking


def _turn_down(booking: Booking, reason: str, by: User, on_behalf_of: Body) -> None:
    """No: what was asked for is let go of; a booking that asked for another time keeps the one it had."""
    if booking.kept is not None:
        fall_back(booking, reason, by, on_behalf_of)
        return
    release([booking])
    decide(booking, RequestState.DECLINED, reason, by)
    record("booking.declined", booking, by=by, on_behalf_of=on_behalf_of, reason=reason)
    instead = alternatives_to(booking.resource, booking.starts_at, booking.ends_at, user=booking.asked_by)
    send(*mails.declined(booking, instead))


@transaction.atomic
def ask_for_more(booking: Booking, *, question: str, by: User, on_behalf_of: Body) -> Booking:
    """Send a request back with a question. The time is held as before, and the deadline stays.

    Raises MayNotDecide, NotAwaitingDecision, BookingRefused.
    """
    lock_units(booking.resource)
    booking = locked(booking)
    _require_decider(booking, by)
    if not booking.is_open:
        raise NotAwaitingDecision(booking.during)
    if not question.strip():
        raise BookingRefused(_("Write what you need to know."), "question")
    booking.request_state, booking.answer = RequestState.INFO_NEEDED, question.strip()
    booking.save(update_fields=["request_state", "answer"])
    record("booking.info_needed", booking, by=by, on_behalf_of=on_behalf_of, question=question.strip())
    send(*mails.info_needed(booking))
    return booking
