"""The timeline: open to all who are logged in, with what each of them may know of it."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from collab4m.clock import now, today
from resources.models import Takes, Unit
from resources.operations import block_resource, request_booking
from tests.factories import CategoryFactory, ResourceFactory
from tests.pages import Page


def busy(home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    """A van that is booked and blocked, one that waits for its owner, and tablets of which some are lent."""
    category = CategoryFactory(name_sv="Minibuss", slug="minibuss")
    van = ResourceFactory(name="Minibuss A", municipality=neighbour, category=category)
    asked = ResourceFactory(name="Minibuss B", municipality=neighbour, category=category, approval="by_owner")
    units = [Unit.objects.create(owner=home.body, name=f"Surfplatta {number}") for number in range(3)]
    tablets = ResourceFactory(name="Surfplattor", municipality=home, category=category, takes=Takes.SOME, units=units)
    midnight = timezone.localtime(now()).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    for resource, hour in ((van, 9), (asked, 10), (tablets, 13)):
        request_booking(
            resource, starts_at=midnight + timedelta(hours=hour), ends_at=midnight + timedelta(hours=hour + 2),
            purpose="Studiebesök", by=owner, on_behalf_of=home.body,
        )  # fmt: skip
    block_resource(
        van, starts_at=midnight + timedelta(hours=13), ends_at=midnight + timedelta(hours=15), reason="Service",
        seen=set(), by=asker, on_behalf_of=neighbour.body,
    )  # fmt: skip
    return []


TIMELINE_PAGES = [
    Page("timeline", query="?tom"),
    Page("timeline", args=busy),
    Page("timeline", args=busy, query=f"?vy=dag&datum={today() + timedelta(days=1)}"),
    Page("timeline", args=busy, query="?dygnet=hela"),
    Page("timeline", args=busy, query="?form=lista"),
    Page("timeline", args=busy, query="?vy=manad"),
    Page("timeline", args=busy, query="?vy=lasar&kategori=minibuss&datum=fel"),
    Page("timeline", args=busy, query="?slag=premises"),
]
