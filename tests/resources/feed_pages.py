"""Calendar addresses, and what they answer."""

from datetime import timedelta
from typing import Any

from collab4m.clock import now
from resources.operations import make_feed, request_booking
from tests.factories import ResourceFactory
from tests.pages import Page


def own_token(owner: Any) -> list[Any]:
    token, _secret = make_feed("person", by=owner)
    return [token.pk]


def secret(owner: Any) -> list[Any]:
    return [make_feed("person", by=owner)[1]]


def one_booking(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    """Home has the neighbour's van in three days."""
    starts_at = (now() + timedelta(days=3)).replace(minute=0, second=0, microsecond=0)
    van = ResourceFactory(municipality=neighbour)
    booking = request_booking(
        van,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=2),
        purpose="Studiebesök",
        by=owner,
        on_behalf_of=home.body,
    )
    return [booking.pk]


FEED_PAGES = [
    Page("feeds"),
    Page("feed_revoke", args=own_token, everyone=404, status={"owner": 302}, method="post"),
    Page("feed", args=secret, status={"anonymous": 200}, draws=False),
    Page(
        "booking_calendar",
        args=one_booking,
        everyone=404,
        status={"owner": 200, "asker": 200, "committee": 200},
        draws=False,
    ),
]
