"""The API's addresses of resources and bookings, and what each role meets there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from collab4m.clock import now
from resources.models import Booking
from resources.operations import (
    block_resource,
    cancel_booking,
    request_booking,
    wait_for,
)
from tests.factories import ResourceFactory
from tests.pages import Page

CLOSED = {"anonymous": 401}
IN_THE_AREA = {**CLOSED, "outsider": 404, "roleless": 404, "system_administrator": 404}
# Whoever asked (`owner`, and `committee` of the same municipality, who looks on) and the owner of the van (`asker`).
SIDES = {**CLOSED, "owner": 200, "asker": 200, "committee": 200}
# Those who may are told what is missing or why not; what they can say is tested in tests/api/test_resources.py.
LACKING, TOO_LATE = 400, 409


def noon(days: int = 7) -> Any:
    return timezone.localtime(now()).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=days)


def a_booking(home: Any, neighbour: Any, owner: Any, **traits: Any) -> Booking:
    """Home asks for a van of the neighbour's, which is lent at once unless `traits` say otherwise."""
    van = ResourceFactory(municipality=neighbour, **traits)
    return request_booking(
        van, starts_at=noon(), ends_at=noon() + timedelta(hours=2), purpose="Studiebesök", by=owner,
        on_behalf_of=home.body,
    )  # fmt: skip


def of_resource(home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [ResourceFactory(municipality=neighbour).pk]


def of_unit(home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [ResourceFactory(municipality=neighbour).units.get().pk]


def of_booking(home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [a_booking(home, neighbour, owner).pk]


def of_waiting(home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    booking = a_booking(home, neighbour, owner)
    waiting = wait_for(
        booking.resource, starts_at=booking.starts_at, ends_at=booking.ends_at, purpose="Idrottsdag", by=owner,
        on_behalf_of=home.body,
    )  # fmt: skip
    return [waiting.pk]


def of_offer(home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    booking = a_booking(home, neighbour, owner)
    waiting = wait_for(
        booking.resource, starts_at=booking.starts_at, ends_at=booking.ends_at, purpose="Idrottsdag", by=owner,
        on_behalf_of=home.body,
    )  # fmt: skip
    cancel_booking(booking, by=owner, on_behalf_of=home.body)
    return [waiting.offers.get().pk]


def of_blocking(home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    blocking = block_resource(
        ResourceFactory(municipality=neighbour), starts_at=noon(), ends_at=noon(8), reason="Service", seen=set(),
        by=asker, on_behalf_of=neighbour.body,
    )  # fmt: skip
    return [blocking.pk]


def detail(name: str, args: Any, status: dict[str, int]) -> Page:
    return Page(f"api-{name}", args=args, everyone=404, status=status, draws=False)


def deed(name: str, args: Any, status: dict[str, int]) -> Page:
    return Page(f"api-{name}", args=args, method="post", everyone=404, status={**CLOSED, **status}, draws=False)


WINDOW = "?from=2026-12-07T00:00:00%2B01:00&to=2026-12-14T00:00:00%2B01:00"
DECIDES = {"owner": 403, "committee": 403, "asker": TOO_LATE}
ASKED = {"asker": 403, "committee": 403, "owner": LACKING}

RESOURCE_API_PAGES = [
    Page("api-resource-list", status=CLOSED, draws=False),
    Page("api-resource-detail", args=of_resource, status=IN_THE_AREA, draws=False),
    Page("api-resource-timeline-of-many", query=WINDOW, status=CLOSED, draws=False),
    Page("api-resource-timeline", args=of_resource, query=WINDOW, status=IN_THE_AREA, draws=False),
    Page(
        "api-resource-displaced", args=of_resource, query=WINDOW, everyone=403, status={**IN_THE_AREA, "asker": 200},
        draws=False,
    ),
    Page("api-resource-preview", args=of_resource, method="post", everyone=LACKING, status=IN_THE_AREA, draws=False),
    Page(
        "api-resource-wait", args=of_resource, method="post", everyone=403,
        status={**IN_THE_AREA, "owner": LACKING, "asker": LACKING, "principal": LACKING}, draws=False,
    ),
    Page("api-unit-list", status=CLOSED, draws=False),
    Page("api-unit-detail", args=of_unit, status=IN_THE_AREA, draws=False),
    Page("api-booking-list", status=CLOSED, draws=False),
    detail("booking-detail", of_booking, SIDES),
    deed("booking-approve", of_booking, DECIDES),
    deed("booking-decline", of_booking, DECIDES),
    deed("booking-ask-for-more", of_booking, DECIDES),
    deed("booking-answer", of_booking, ASKED),
    deed("booking-cancel", of_booking, {"owner": 200, "asker": TOO_LATE, "committee": 403}),
    deed("booking-move", of_booking, ASKED),
    deed("booking-keep-time", of_booking, {"asker": 403, "committee": 403, "owner": TOO_LATE}),
    Page("api-waiting-list", status=CLOSED, draws=False),
    detail("waiting-detail", of_waiting, {**CLOSED, "owner": 200, "committee": 200}),
    deed("waiting-leave", of_waiting, {"owner": 200, "committee": 403}),
    Page("api-waiting-offer-list", status=CLOSED, draws=False),
    detail("waiting-offer-detail", of_offer, {**CLOSED, "owner": 200, "committee": 200}),
    deed("waiting-offer-accept", of_offer, {"owner": 201, "committee": 403}),
    Page("api-blocking-list", status=CLOSED, draws=False),
    Page("api-blocking-detail", args=of_blocking, status=IN_THE_AREA, draws=False),
    Page(
        "api-blocking-end", args=of_blocking, method="post", everyone=403, status={**IN_THE_AREA, "asker": 200},
        draws=False,
    ),
]  # fmt: skip
