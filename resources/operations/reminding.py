"""What the clock tells whoever has the next word on a request: that it runs out soon. Once each time it is theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from collab4m.clock import now
from collab4m.errors import each_by_itself
from records.messages import Message
from records.models import Event
from records.operations import send
from records.subjects import types_of
from resources import mails
from resources.models import Booking, RequestState

REMIND_AHEAD = timedelta(hours=24)


def remind_deciders() -> int:
    """Remind of requests that run out soon, one mail for each owner's; returns of how many. May run at any time."""
    return _remind_of(RequestState.REQUESTED, lambda one: one.resource.owner_id, mails.to_remind)


def remind_askers() -> int:
    """Remind of the owners' questions that nobody has answered, one mail to each who asked; as `remind_deciders`."""
    return _remind_of(RequestState.INFO_NEEDED, lambda one: (one.booked_for_id, one.asked_by_id), mails.to_answer)


def _remind_of(state: str, whose: Callable[[Booking], Any], tell: Callable[[Sequence[Booking]], list[Message]]) -> int:
    turns = Event.objects.filter(
        subject_type__in=types_of(Booking()), subject_id=OuterRef("pk"),
        name__in=["booking.info_needed", "booking.answered"],
    )  # fmt: skip
    due = Booking.objects.filter(
        request_state=state, reminded_at=None, decide_by__gt=now(), decide_by__lte=now() + REMIND_AHEAD
    ).annotate(since=Coalesce(Subquery(turns.order_by("-at", "-pk").values("at")[:1]), "asked_at"))
    found: dict[Any, list[int]] = {}
    for one in due.select_related("resource").order_by("decide_by", "pk"):
        if _remind_at(one, one.since) <= now():
            found.setdefault(whose(one), []).append(one.pk)
    return each_by_itself(
        lambda ids: _remind(ids, state, tell), found.values(), named=lambda ids: f"Reminding of booking {ids[0]}"
    )


def _remind_at(booking: Booking, since: datetime) -> datetime:
    """When half of the time is left for whoever has had the word `since`, and a day before the deadline at most."""
    deadline: Any = booking.decide_by
    given = min(deadline - since, timedelta(hours=booking.resource.decide_hours))
    return deadline - min(REMIND_AHEAD, given / 2)


@transaction.atomic
def _remind(ids: list[int], state: str, tell: Callable[[Sequence[Booking]], list[Message]]) -> int:
    rows = Booking.objects.select_for_update(of=("self",), skip_locked=True).filter(
        pk__in=ids, request_state=state, reminded_at=None
    )
    bookings = list(
        rows.select_related("resource__owner__as_school", "booked_for__as_school", "asked_by").order_by(
            "decide_by", "pk"
        )
    )
    if not bookings:
        return 0
    Booking.objects.filter(pk__in=[one.pk for one in bookings]).update(reminded_at=now())
    send(*tell(bookings))
    return len(bookings)
