"""What one's bodies share: for those who answer for the owner; others who see the resource may not, some not know."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from typing import Any

from collab4m.clock import now, today
from records.models import span
from resources.models import Booking, Deputy, Feature, Resource, Takes, Unit
from resources.operations import Opening, request_booking, set_opening, set_price
from tests.factories import CategoryFactory, ResourceFactory
from tests.pages import Page

FOR_OWNERS = {"outsider": 404, "roleless": 404, "system_administrator": 404, "owner": 200}
FOR_KEEPERS = {"owner": 200, "asker": 200, "outsider": 200, "principal": 200}


def bus(home: Any) -> Any:
    """A bus of home's that is never closed and costs nothing that is known."""
    return ResourceFactory(name="Buss 1", municipality=home, category=CategoryFactory(name_sv="Buss", slug="buss"))


def of_bus(home: Any) -> list[Any]:
    return [bus(home).pk]


def with_category(home: Any) -> list[Any]:
    group = CategoryFactory(name_sv="Lätta fordon", slug="latta-fordon")
    CategoryFactory(name_sv="Buss", slug="buss", parent=group)
    Feature.objects.create(name_sv="Dragkrok", slug="dragkrok", kind="vehicle")
    return []


def with_parts(home: Any, school: Any) -> list[Any]:
    """Someone who has something that a whole could consist of."""
    with_category(home)
    ResourceFactory(name="Vänster halva", municipality=home)
    ResourceFactory(name="Höger halva", municipality=home)
    return []


def of_full_bus(home: Any, owner: Any) -> list[Any]:
    """The same with times, rules, a price and an earlier one."""
    found = bus(home)
    who = {"by": owner, "on_behalf_of": home.body}
    weekdays = [Opening(day, time(8), time(16), day == 1, day == 2) for day in range(1, 6)]
    set_opening(found, openings=[*weekdays, Opening(1, time(17), time())], **who)
    for days, sek in ((0, "450"), (30, "0")):
        first_day = today() + timedelta(days=days)
        set_price(found, unit="day", sek=Decimal(sek), vat="ask", first_day=first_day, **who)
    return [found.pk]


def of_tablets(home: Any) -> list[Any]:
    units = [Unit.objects.create(owner=home.body, name=f"iPad {number}") for number in (1, 2)]
    found = ResourceFactory(name="Surfplattor", municipality=home, takes=Takes.SOME, units=units)
    ResourceFactory(name="En av dem", municipality=home, units=units[:1])
    return [found.pk]


def of_first_tablet(home: Any) -> list[Any]:
    (pk,) = of_tablets(home)
    return [pk, Unit.objects.get(name="iPad 1").pk]


def of_second_tablet(home: Any) -> list[Any]:
    (pk,) = of_tablets(home)
    return [pk, Unit.objects.get(name="iPad 2").pk]


def of_booked_tablet(home: Any, owner: Any) -> list[Any]:
    pk, unit = of_second_tablet(home)
    begins = now() + timedelta(days=7)
    request_booking(
        Resource.objects.get(pk=pk), starts_at=begins, ends_at=begins + timedelta(hours=2), quantity=2,
        purpose="Prov", by=owner, on_behalf_of=home.body,
    )  # fmt: skip
    return [pk, unit]


def of_booked_bus(home: Any, owner: Any) -> list[Any]:
    found = bus(home)
    begins = now() + timedelta(days=7)
    request_booking(
        found, starts_at=begins, ends_at=begins + timedelta(hours=2), purpose="Studiebesök", by=owner,
        on_behalf_of=home.body,
    )  # fmt: skip
    assert Booking.objects.alive().count() == 1
    return [found.pk]


def of_retired_bus(home: Any) -> list[Any]:
    found = bus(home)
    found.is_retired = True
    found.save()
    return [found.pk]


def with_deputies(home: Any, owner: Any, principal: Any) -> list[Any]:
    for first, last in ((-30, -2), (-1, 10), (20, 30)):
        days = span(today() + timedelta(days=first), today() + timedelta(days=last))
        Deputy.objects.create(owner=home.body, user=principal, valid=days)
    return []


def of_deputy(home: Any, owner: Any, principal: Any) -> list[Any]:
    days = span(today() + timedelta(days=5), today() + timedelta(days=10))
    return [Deputy.objects.create(owner=home.body, user=principal, valid=days).pk]


SHARING_PAGES = [
    Page("resource_new", query="?tom", everyone=403, status=FOR_KEEPERS),
    Page("resource_new", args=with_category, everyone=403, status=FOR_KEEPERS),
    Page("resource_new", args=with_category, query="?kategori=buss", everyone=403, status=FOR_KEEPERS),
    Page("resource_new", args=with_parts, query="?kategori=latta-fordon", everyone=403, status=FOR_KEEPERS),
    Page("resource_shared", args=of_bus, everyone=403, status=FOR_OWNERS),
    Page("resource_change", args=of_bus, everyone=403, status=FOR_OWNERS),
    Page("resource_opening", args=of_bus, everyone=403, status=FOR_OWNERS),
    Page("resource_opening", args=of_full_bus, query="?oppen", everyone=403, status=FOR_OWNERS),
    Page("resource_price", args=of_bus, everyone=403, status=FOR_OWNERS),
    Page("resource_price", args=of_full_bus, query="?satt", everyone=403, status=FOR_OWNERS),
    Page("resource_units", args=of_bus, everyone=403, status=FOR_OWNERS),
    Page("resource_units", args=of_tablets, query="?flera", everyone=403, status=FOR_OWNERS),
    Page("unit_change", args=of_first_tablet, everyone=403, status=FOR_OWNERS),
    Page("unit_remove", args=of_first_tablet, query="?sista", everyone=403, status=FOR_OWNERS),
    Page("unit_remove", args=of_second_tablet, everyone=403, status=FOR_OWNERS),
    Page("unit_remove", args=of_booked_tablet, query="?bokad", everyone=403, status=FOR_OWNERS),
    Page("resource_retire", args=of_bus, everyone=403, status=FOR_OWNERS),
    Page("resource_retire", args=of_booked_bus, query="?bokad", everyone=403, status=FOR_OWNERS),
    Page("resource_retire", args=of_retired_bus, query="?slut", everyone=403, status=FOR_OWNERS),
    Page("deputies", query="?tom", everyone=403, status=FOR_KEEPERS),
    Page("deputies", args=with_deputies, everyone=403, status=FOR_KEEPERS),
    Page(
        "deputy_end",
        args=of_deputy,
        everyone=403,
        status={"owner": 302, "asker": 404, "outsider": 404, "principal": 404},
        method="post",
    ),
]
