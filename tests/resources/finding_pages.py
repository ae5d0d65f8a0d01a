"""Finding resources: open to all who are logged in, with what is shared around each of them."""

from datetime import timedelta
from typing import Any

from collab4m.clock import today
from tests.factories import CategoryFactory, ResourceFactory
from tests.pages import Page


def shared(neighbour: Any, asker: Any, owner: Any) -> list[Any]:
    """A minibus and a hall of the neighbour's."""
    buses = CategoryFactory(name_sv="Minibuss", slug="minibuss")
    halls = CategoryFactory(name_sv="Idrottshall", slug="idrottshall", kind="premises")
    ResourceFactory(name="Idrottshallen", municipality=neighbour, category=halls)
    ResourceFactory(name="Minibuss A", municipality=neighbour, category=buses, capacity=9, permits="Körkort B.")
    return []


def one(neighbour: Any, asker: Any, owner: Any) -> list[Any]:
    buses = CategoryFactory(name_sv="Minibuss", slug="minibuss")
    return [
        ResourceFactory(name="Minibuss A", municipality=neighbour, category=buses, capacity=9, description="Röd").pk
    ]


DAY = (today() + timedelta(days=8)).isoformat()
# The system administrator has no area of their own, the outsider another one: neither may know of it.
NOT_THEIRS = {"outsider": 404, "system_administrator": 404, "roleless": 404}
FINDING_PAGES = [
    Page("resources", query="?tom"),
    Page("resources", args=shared),
    Page("resources", args=shared, query=f"?platser=9&dag={DAY}&fran=9&till=14&veckor=3"),
    Page("resources", args=shared, query=f"?platser=12&dag={DAY}&fran=9&till=14"),
    Page("resources", args=shared, query="?timmar=3&vecka=fel"),
    Page("resource", args=one, status=NOT_THEIRS),
]
