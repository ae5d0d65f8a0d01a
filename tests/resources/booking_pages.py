"""Asking and bookings: what each role meets. Others' bookings are not there at all."""

from typing import Any

from resources.operations import cancel_booking
from tests.pages import Page
from tests.resources.booking_stories import a_van, asked, asked_back, asked_in_series, in_days

# Home has asked its neighbour: both see it, the school and the committee of home see it, nobody else.
SEEN = {"outsider": 404, "council_member": 404, "roleless": 404, "system_administrator": 404}
# Only those who speak for home change it.
CHANGED = SEEN | {"asker": 403, "principal": 404, "committee": 403}


def shared(neighbour: Any) -> list[Any]:
    return [a_van(neighbour).pk]


def alone(home: Any, neighbour: Any, owner: Any) -> list[Any]:
    return [asked(home, owner, a_van(neighbour)).pk]


def in_series(home: Any, neighbour: Any, owner: Any) -> list[Any]:
    return [asked_in_series(home, owner, a_van(neighbour))[1].pk]


def asked_something(home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [asked_back(home, owner, neighbour, asker).pk]


def listed(home: Any, neighbour: Any, owner: Any) -> list[Any]:
    van = a_van(neighbour)
    asked(home, owner, van)
    asked(home, owner, van, day=8)
    return []


def let_go_of(home: Any, neighbour: Any, owner: Any) -> list[Any]:
    cancel_booking(asked(home, owner, a_van(neighbour)), by=owner, on_behalf_of=home.body)
    return []


ASKERS = {
    "outsider": 404,
    "council_member": 403,
    "roleless": 404,
    "committee": 403,
    "system_administrator": 404,
}

BOOKING_PAGES = [
    Page("booking_new", args=shared, status=ASKERS),
    Page(
        "booking_new",
        args=shared,
        status=ASKERS,
        query=f"?fran={in_days(7, 9):%Y-%m-%dT%H:%M}&till={in_days(7, 11):%Y-%m-%dT%H:%M}",
    ),
    Page("booking_new", args=shared, status=ASKERS, method="post", data={"steg": "visa"}, draws=False),
    Page("bookings", query="?tom"),
    Page("bookings", args=listed),
    Page("bookings", args=listed, query="?lage=declined"),
    Page("bookings", args=let_go_of, query="?vilka=vara"),
    Page("bookings", args=listed, query="?tid=tidigare"),
    Page("booking", args=alone, status=SEEN | {"principal": 404}),
    Page("booking", args=in_series, query="?serie", status=SEEN | {"principal": 404}),
    Page("booking", args=asked_something, query="?fraga", status=SEEN | {"principal": 404}),
    Page("booking_change", args=alone, status=CHANGED),
    Page("booking_change", args=in_series, query="?serie", status=CHANGED),
    Page("booking_cancel", args=alone, status=SEEN | {"principal": 404, "committee": 403}),
    Page("booking_cancel", args=in_series, query="?serie", status=SEEN | {"principal": 404, "committee": 403}),
    Page("booking_answer", args=asked_something, method="post", draws=False, status=CHANGED),
    Page("booking_keep", args=alone, method="post", draws=False, status=CHANGED | {"owner": 302}),
]
