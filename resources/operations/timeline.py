"""The timeline: what each resource is taken up by, day by day, as the reader may know it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from organisations.models import User
from resources.models import Booking, Claim, OpenSpan, RequestState, Resource
from resources.operations.claiming import span_of


class SlotKind(models.TextChoices):
    OWN = "own", _("your booking")
    ASKED = "asked", _("a request that waits for an answer")
    BUSY = "busy", _("taken")
    BLOCKED = "blocked", _("blocked")
    CLOSED = "closed", _("closed")


@dataclass(frozen=True)
class Slot:
    """A stretch that is not free. Whose it is, and what for, is told only to those whom it concerns."""

    kind: str
    starts_at: datetime
    ends_at: datetime
    words: str = ""
    booking: int | None = None
    body: str = ""


@dataclass(frozen=True)
class Row:
    """A resource with what is not free in a window of time, in order."""

    resource: Resource
    slots: list[Slot]


def timeline_of(resources: Collection[Resource], begins: datetime, ends: datetime, *, reader: User) -> list[Row]:
    """What is not free in [begins, ends). Values, not objects: three queries whatever there is."""
    window = span_of(begins, ends)
    ids = [resource.pk for resource in resources]
    slots: dict[int, list[Slot]] = defaultdict(list)
    _add_closed(slots, ids, begins, ends)
    seen = set(
        Booking.objects.visible_to(reader).filter(resource__in=ids, during__overlap=window).values_list("pk", flat=True)
    )
    claims = (
        Claim.objects.filter(unit__resource_units__resource__in=ids, during__overlap=window)
        .order_by("during", "pk")
        .values_list(
            "unit__resource_units__resource", "during", "booking", "booking__request_state", "booking__purpose",
            "booking__booked_for__name", "blocking", "blocking__reason",
        )
    )  # fmt: skip
    told: set[tuple[int, Any, Any, Any]] = set()
    for resource, during, booking, state, purpose, body, blocking, reason in claims:
        # A resource with several units is told of once for each booking or blocking.
        if resource not in ids or (resource, booking, blocking, during) in told:
            continue
        told.add((resource, booking, blocking, during))
        slots[resource].append(_slot(during, booking, state, purpose, body, blocking, reason, seen))
    waiting = Booking.objects.filter(pk__in=seen, request_state__in=RequestState.open(), claims=None)
    for resource, during, pk, purpose, body in waiting.values_list(
        "resource", "during", "pk", "purpose", "booked_for__name"
    ):
        slots[resource].append(Slot(SlotKind.ASKED, during.lower, during.upper, purpose, pk, body))
    return [Row(resource, sorted(slots[resource.pk], key=lambda slot: slot.starts_at)) for resource in resources]


def _slot(
    during: Any, booking: int | None, state: str | None, purpose: str | None, body: str | None, blocking: int | None,
    reason: str | None, seen: set[int],
) -> Slot:  # fmt: skip
    if blocking is not None:
        return Slot(SlotKind.BLOCKED, during.lower, during.upper, reason or "")
    if booking is not None and booking in seen:
        kind = SlotKind.OWN if state == RequestState.APPROVED else SlotKind.ASKED
        return Slot(kind, during.lower, during.upper, purpose or "", booking, body or "")
    return Slot(SlotKind.BUSY, during.lower, during.upper)


def _add_closed(slots: dict[int, list[Slot]], ids: Collection[int], begins: datetime, ends: datetime) -> None:
    """The time between the open stretches."""
    free_from = dict.fromkeys(ids, begins)
    spans = OpenSpan.objects.filter(resource__in=ids, during__overlap=span_of(begins, ends)).order_by("during")
    for resource, during in spans.values_list("resource", "during"):
        if during.lower > free_from[resource]:
            slots[resource].append(Slot(SlotKind.CLOSED, free_from[resource], during.lower))
        free_from[resource] = max(free_from[resource], during.upper)
    for resource, at in free_from.items():
        if at < ends:
            slots[resource].append(Slot(SlotKind.CLOSED, at, ends))


def visible_resources(user: User, **filters: Any) -> Any:
    """What is shared around the reader and still in use, for timelines."""
    rows = Resource.objects.visible_to(user).in_use().filter(Q(**filters))
    return rows.select_related("owner", "municipality", "category").in_swedish_order()
