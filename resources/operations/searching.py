"""Finding: one search over everything that is shared around one, ranked, each with the reasons for its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import (
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from collab4m.clock import today
from organisations.models import Municipality, TravelTime, User
from resources.models import Approval, Category, Claim, Feature, OpenSpan, PriceRule, Resource, ResourceUnit, Takes
from resources.operations.claiming import span_of
from resources.operations.pricing import price_of

MINUTE = timedelta(minutes=1)


class Standing(models.TextChoices):
    """How a resource stands at a time."""

    FREE = "free", _("free")
    BUSY = "busy", _("taken")
    CLOSED = "closed", _("closed")


@dataclass(frozen=True)
class Need:
    """What is sought. `times`: every time at which it is needed; none: whenever."""

    words: str = ""
    category: Category | None = None
    features: Collection[Feature] = ()
    capacity: int | None = None
    quantity: int = 1
    times: tuple[tuple[datetime, datetime], ...] = ()
    from_municipality: Municipality | None = None


@dataclass
class Found:
    """A resource as an answer to a need: how it stands at each time, how far away it is, what it costs."""

    resource: Resource
    standings: list[str]
    travel_minutes: int | None = None
    price_sek: Decimal | None = None
    spare: int | None = None  # seats or places beyond those needed
    features_met: int = 0
    reasons: list[str] = field(default_factory=list)

    @property
    def free_times(self) -> int:
        return sum(standing == Standing.FREE for standing in self.standings)

    @property
    def fits(self) -> bool:
        """Whether it can be had every time it is needed."""
        return self.free_times == len(self.standings)


def resources_for(user: User, need: Need) -> Any:
    """The resources that are what is sought, whether free or not."""
    rows = Resource.objects.visible_to(user).in_use()
    if need.category is not None:
        rows = rows.filter(category__in=with_children(need.category))
    for feature in need.features:
        rows = rows.filter(features=feature)
    if need.capacity is not None:
        rows = rows.filter(capacity__gte=need.capacity)
    for word in need.words.split()[:8]:
        rows = rows.filter(
            Q(name__icontains=word) | Q(description__icontains=word) | Q(category__name_sv__icontains=word)
            | Q(features__name_sv__icontains=word) | Q(owner__name__icontains=word)
        )  # fmt: skip
    return rows.distinct()


def with_children(category: Category) -> list[int]:
    """The ids of a category and of all below it."""
    rows = list(Category.objects.values_list("pk", "parent"))
    found, grown = {category.pk}, True
    while grown:
        more = {pk for pk, parent in rows if parent in found} - found
        found |= more
        grown = bool(more)
    return list(found)


def search_resources(user: User, need: Need) -> list[Found]:
    """What there is, the best first. Five queries whatever there is, and one for each time needed."""
    rows = list(
        resources_for(user, need)
        .select_related("owner", "municipality", "category", "site")
        .prefetch_related("features", Prefetch("price_rules", PriceRule.objects.order_by("-valid")))
        .order_by("pk")
    )
    minutes = travel_minutes(need.from_municipality)
    standing = [standings([row.pk for row in rows], begins, ends, need.quantity) for begins, ends in need.times]
    found = [_found(row, need, [by_pk[row.pk] for by_pk in standing], minutes) for row in rows]
    return sorted(found, key=_rank)


def _found(row: Resource, need: Need, at: list[str], minutes: dict[int, int]) -> Found:
    home = need.from_municipality
    travel = 0 if home is not None and row.municipality_id == home.pk else minutes.get(row.municipality_id)
    price = None
    if need.times:
        prices = [_price(row, begins, ends, need.quantity) for begins, ends in need.times]
        price = sum(one for one in prices if one is not None) if all(one is not None for one in prices) else None
    spare = row.capacity - need.capacity if need.capacity is not None and row.capacity is not None else None
    return Found(row, at, travel if home is not None else None, Decimal(price) if price is not None else None, spare)


def _price(row: Resource, begins: datetime, ends: datetime, quantity: int) -> Decimal | None:
    day = timezone.localtime(begins).date()
    rule = next((rule for rule in row.price_rules.all() if day in rule.valid), None)
    return price_of(row, begins, ends, quantity, rule=rule).sek if rule else None


def _rank(found: Found) -> tuple[Any, ...]:
    """Whole fits first, then how often it is free, how near, how cheap, how little too large, who approves at once."""
    return (
        not found.fits,
        -found.free_times,
        found.travel_minutes if found.travel_minutes is not None else 9999,
        found.price_sek if found.price_sek is not None else Decimal(99_999_999),
        found.spare if found.spare is not None else 9999,
        found.resource.approval != Approval.AUTOMATIC,
        found.resource.pk,
    )


def standings(resources: Iterable[int], begins: datetime, ends: datetime, quantity: int = 1) -> dict[int, str]:
    """How each resource stands at a time: one query over claims and opening, by ranges."""
    during = span_of(begins, ends)
    turnaround = ExpressionWrapper(F("turnaround_minutes") * Value(MINUTE), output_field=DurationField())
    taken = (
        ResourceUnit.objects.filter(resource=OuterRef("pk"))
        .filter(
            Exists(
                Claim.objects.filter(
                    unit=OuterRef("unit"),
                    blocked__startswith__lt=Value(ends) + OuterRef(OuterRef("turnaround")),
                    blocked__endswith__gt=begins,
                )
            )
        )
        .order_by()
        .values("resource")
        .annotate(number=Count("pk"))
        .values("number")
    )
    units = (
        ResourceUnit.objects.filter(resource=OuterRef("pk")).order_by().values("resource").annotate(number=Count("pk"))
    )
    rows = Resource.objects.filter(pk__in=list(resources)).annotate(
        turnaround=turnaround,
        unit_count=Coalesce(Subquery(units.values("number"), output_field=IntegerField()), 0),
        taken_count=Coalesce(Subquery(taken, output_field=IntegerField()), 0),
        is_open=Exists(OpenSpan.objects.filter(resource=OuterRef("pk"), during__contains=during)),
    )
    found = {}
    for pk, takes, open_then, count, taken_then in rows.values_list(
        "pk", "takes", "is_open", "unit_count", "taken_count"
    ):
        wanted = count if takes == Takes.ALL else quantity
        if not open_then:
            found[pk] = Standing.CLOSED
        else:
            found[pk] = Standing.FREE if count and count - taken_then >= wanted else Standing.BUSY
    return {pk: str(value) for pk, value in found.items()}


def travel_minutes(home: Municipality | None) -> dict[int, int]:
    """Minutes to each municipality by the shortest way that is known. One query."""
    if home is None:
        return {}
    times = TravelTime.objects.on(today()).filter(Q(origin=home) | Q(destination=home)).exclude(minutes=None)
    found: dict[int, int] = {}
    for origin, destination, minutes in times.values_list("origin", "destination", "minutes"):
        other = destination if origin == home.pk else origin
        found[other] = min(minutes, found.get(other, minutes))
    return found
