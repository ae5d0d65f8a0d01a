"""What the clock tells those who decide: that requests run out soon. Once each."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from collab4m.clock import now
from collab4m.errors import each_by_itself
from organisations.models import Body
from records.operations import send
from resources import mails
from resources.models import Booking, RequestState

REMIND_AHEAD = timedelta(hours=24)


def remind_at(booking: Booking) -> datetime | None:
    """When those who decide are reminded: when half the time is left, and a day before the deadline at the earliest."""
    if booking.decide_by is None:
        return None
    given = min(booking.decide_by - booking.asked_at, timedelta(hours=booking.resource.decide_hours))
    return booking.decide_by - min(REMIND_AHEAD, given / 2)


def remind_deciders() -> int:
    """Remind of requests that run out soon, one mail for each owner's; returns of how many. May run at any time."""
    due = Booking.objects.filter(
        request_state=RequestState.REQUESTED, reminded_at=None, decide_by__gt=now(), decide_by__lte=now() + REMIND_AHEAD
    )
    owners: dict[int, Body] = {}
    found: dict[int, list[int]] = {}
    for one in due.select_related("resource__owner__as_school").order_by("decide_by", "pk"):
        at = remind_at(one)
        if at is not None and at <= now():
            owners[one.resource.owner_id] = one.resource.owner
            found.setdefault(one.resource.owner_id, []).append(one.pk)
    return each_by_itself(
        lambda owner: _remind(owner, found[owner.pk]), owners.values(), named=lambda owner: f"Reminding {owner.pk}"
    )


@transaction.atomic
def _remind(owner: Body, ids: list[int]) -> int:
    rows = Booking.objects.select_for_update(of=("self",), skip_locked=True).filter(
        pk__in=ids, request_state=RequestState.REQUESTED, reminded_at=None
    )
    bookings = list(rows.select_related("resource", "booked_for").order_by("decide_by", "pk"))
    if not bookings:
        return 0
    Booking.objects.filter(pk__in=[one.pk for one in bookings]).update(reminded_at=now())
    send(*mails.to_remind(owner, bookings))
    return len(bookings)
