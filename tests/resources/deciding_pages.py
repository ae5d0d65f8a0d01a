"""Deciding, blocking and the waiting list: what each role meets. Home asks its neighbour, who decides."""

from datetime import timedelta
from typing import Any

from resources.models import Booking, Rivalry, Series, Waiting, WaitingOffer
from resources.operations import block_resource, cancel_booking, request_booking, wait_for
from tests.factories import CategoryFactory, ResourceFactory
from tests.pages import Page
from tests.resources.booking_stories import in_days

# The asking side sees the request and does not decide; the rest of the world knows nothing of it.
DECIDED = {"owner": 403, "principal": 404, "committee": 403, "outsider": 404, "council_member": 404, "roleless": 404}
DECIDED |= {"system_administrator": 404}
# Everyone in the area sees the resource, and its owner alone blocks it.
BLOCKED = {"owner": 403, "principal": 403, "committee": 403, "council_member": 403, "outsider": 404, "roleless": 404}
BLOCKED |= {"system_administrator": 404}
KEEPERS = {"committee": 403, "council_member": 403, "roleless": 403, "system_administrator": 403}
WAITING = {"asker": 404, "principal": 404, "committee": 403, "outsider": 404, "council_member": 404, "roleless": 404}
WAITING |= {"system_administrator": 404}


def a_van(neighbour: Any, **more: Any) -> Any:
    return ResourceFactory(municipality=neighbour, category=CategoryFactory(), **({"name": "Minibuss A"} | more))


def competing(neighbour: Any) -> Any:
    return a_van(neighbour, approval="by_owner", rivalry=Rivalry.COMPETE)


def ask(home: Any, owner: Any, van: Any, *, day: int = 7, hour: int = 9) -> Booking:
    return request_booking(
        van, starts_at=in_days(day, hour), ends_at=in_days(day, hour + 2), purpose="Studiebesök i Mälardalen",
        pupils=7, by=owner, on_behalf_of=home.body,
    )  # fmt: skip


def asked_for(home: Any, neighbour: Any, owner: Any) -> list[Any]:
    return [ask(home, owner, competing(neighbour)).pk]


def rivalling(home: Any, neighbour: Any, owner: Any) -> list[Any]:
    van = competing(neighbour)
    found = [ask(home, owner, van), ask(home, owner, van, hour=10), ask(home, owner, van, day=9)]
    return [found[0].pk]


def put_in_series(home: Any, neighbour: Any, owner: Any) -> list[Any]:
    van = competing(neighbour)
    dates = [ask(home, owner, van, day=day) for day in (7, 14, 21)]
    ask(home, owner, van, day=14, hour=10)
    series = Series.objects.create(
        resource=van, booked_for=home.body, first_day=in_days(7, 9).date(), last_day=in_days(21, 9).date(),
        starts="09:00", minutes=120,
    )  # fmt: skip
    Booking.objects.filter(pk__in=[one.pk for one in dates]).update(series=series)
    return [dates[0].pk]


def to_do(home: Any, neighbour: Any, owner: Any) -> list[Any]:
    put_in_series(home, neighbour, owner)
    ask(home, owner, a_van(neighbour, name="Minibuss B", approval="by_owner"))
    return []


def shared(neighbour: Any) -> list[Any]:
    return [a_van(neighbour).pk]


def blocked(neighbour: Any, asker: Any) -> list[Any]:
    blocking = block_resource(
        a_van(neighbour), starts_at=in_days(7, 9), ends_at=in_days(9, 9), reason="Service", seen=[], by=asker,
        on_behalf_of=neighbour.body,
    )  # fmt: skip
    return [blocking.pk]


def in_line(home: Any, neighbour: Any, owner: Any, *, freed: bool = False) -> Waiting:
    van = a_van(neighbour)
    booking = ask(home, owner, van)
    place = wait_for(
        van, starts_at=in_days(7, 9), ends_at=in_days(7, 11), purpose="Match i Västerås", by=owner,
        on_behalf_of=home.body,
    )  # fmt: skip
    if freed:
        cancel_booking(booking, by=owner, on_behalf_of=home.body)
    return place


def standing(home: Any, neighbour: Any, owner: Any) -> list[Any]:
    return [in_line(home, neighbour, owner).pk]


def offered(home: Any, neighbour: Any, owner: Any) -> list[Any]:
    return [WaitingOffer.objects.get(waiting=in_line(home, neighbour, owner, freed=True)).pk]


def run_out(home: Any, neighbour: Any, owner: Any) -> list[Any]:
    (pk,) = offered(home, neighbour, owner)
    WaitingOffer.objects.update(until=in_days(0, 0) - timedelta(days=1))
    return [pk]


def listed(home: Any, neighbour: Any, owner: Any) -> list[Any]:
    in_line(home, neighbour, owner, freed=True)
    return []


DECIDING_PAGES = [
    Page("to_decide", query="?tom", status=KEEPERS),
    Page("to_decide", args=to_do, status=KEEPERS),
    Page("booking", args=rivalling, query="?rivaler", status=DECIDED | {"owner": 200, "committee": 200}),
    Page("booking_approve", args=asked_for, method="post", status=DECIDED | {"asker": 302}, draws=False),
    Page("booking_decline", args=asked_for, method="post", status=DECIDED, draws=False),
    Page("booking_ask", args=asked_for, method="post", status=DECIDED, draws=False),
    Page("series_decide", args=put_in_series, status=DECIDED),
    Page("series_decide", args=put_in_series, status=DECIDED, method="post", draws=False),
    Page("resource_block", args=shared, status=BLOCKED),
    Page("resource_block", args=shared, status=BLOCKED, method="post", draws=False),
    Page("blocking_end", args=blocked, status=BLOCKED),
    Page("waiting_list", query="?tom", status=KEEPERS),
    Page("waiting_list", args=listed, status=KEEPERS),
    Page(
        "wait",
        args=shared,
        query=f"?fran={in_days(7, 9):%Y-%m-%dT%H:%M}&till={in_days(7, 11):%Y-%m-%dT%H:%M}",
        status={"committee": 403, "council_member": 403, "outsider": 404, "roleless": 404, "system_administrator": 404},
    ),
    Page("waiting_leave", args=standing, status=WAITING),
    Page("offer_accept", args=offered, status=WAITING),
    Page("offer_accept", args=run_out, query="?slut", status=WAITING),
]
