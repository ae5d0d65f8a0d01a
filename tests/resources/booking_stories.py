"""Bookings as the tests of pages need them: a van of the neighbour's that home asks for."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from collab4m.clock import now
from resources.models import Approval, Booking, Resource
from resources.operations import Pattern, ask_for_more, request_booking, request_series
from tests.factories import CategoryFactory, ResourceFactory


def a_van(neighbour: Any, **more: Any) -> Resource:
    given = {"approval": Approval.BY_OWNER, "capacity": 9, "permits": "B-körkort", "decide_hours": 48} | more
    return ResourceFactory(name="Minibuss A", municipality=neighbour, category=CategoryFactory(), **given)


def in_days(days: int, hour: int) -> Any:
    midnight = timezone.localtime(now()).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)
    return midnight + timedelta(hours=hour)


def asked(home: Any, owner: Any, resource: Resource, day: int = 7, **more: Any) -> Booking:
    """Home asks for it, from nine to eleven."""
    times = {"starts_at": in_days(day, 9), "ends_at": in_days(day, 11)}
    return request_booking(
        resource,
        **(
            {"purpose": "Studiebesök", "licence_confirmed": True, "by": owner, "on_behalf_of": home.body} | times | more
        ),
    )


def asked_in_series(home: Any, owner: Any, resource: Resource, dates: int = 3, **more: Any) -> list[Booking]:
    """Home asks for it once a week."""
    first = in_days(7, 9)
    pattern = Pattern(first.date(), first.date() + timedelta(weeks=dates - 1), first.time(), 120)
    _series, made = request_series(
        resource, pattern, purpose="Kursdagar", licence_confirmed=True, by=owner, on_behalf_of=home.body, **more
    )
    return made


def asked_back(home: Any, owner: Any, neighbour: Any, asker: Any) -> Booking:
    """The neighbour has asked something about the request."""
    booking = asked(home, owner, a_van(neighbour))
    return ask_for_more(booking, question="Vem kör?", by=asker, on_behalf_of=neighbour.body)
