"""What a booking costs, by the owner's rule on its first day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from django.utils import timezone

from resources.models import PriceRule, PriceUnit, Resource, Takes

ORE = Decimal("0.01")


@dataclass(frozen=True)
class Price:
    """A price with the rule it came from. Without a rule none is set, which is not the same as free."""

    rule: PriceRule | None
    units: Decimal = Decimal(0)
    sek: Decimal | None = None


def price_of(resource: Resource, starts_at: datetime, ends_at: datetime, quantity: int = 1) -> Price:
    """By the rule of its first day. Hours are counted as they pass; days are begun days."""
    rule = resource.price_rules.filter(valid__contains=timezone.localtime(starts_at).date()).first()
    return _by_rule(rule, resource, starts_at, ends_at, quantity)


def prices_of(resource: Resource, times: Iterable[tuple[datetime, datetime]], quantity: int = 1) -> list[Price]:
    """The price of each time. One query."""
    rules = list(resource.price_rules.all())
    found = []
    for starts_at, ends_at in times:
        day = timezone.localtime(starts_at).date()
        rule = next((one for one in rules if day in one.valid), None)
        found.append(_by_rule(rule, resource, starts_at, ends_at, quantity))
    return found


def _by_rule(
    rule: PriceRule | None, resource: Resource, starts_at: datetime, ends_at: datetime, quantity: int
) -> Price:
    if rule is None:
        return Price(None)
    units = units_between(rule.unit, starts_at, ends_at)
    return Price(rule, units, cost(rule.sek, units, quantity if resource.takes == Takes.SOME else 1))


def units_between(unit: str, starts_at: datetime, ends_at: datetime) -> Decimal:
    """How many hours, days or occasions a time counts as."""
    match unit:
        case PriceUnit.HOUR:
            # In UTC: the night when clocks change is an hour shorter or longer than they show.
            return Decimal((ends_at.astimezone(UTC) - starts_at.astimezone(UTC)).total_seconds()) / 3600
        case PriceUnit.DAY:
            first, last = timezone.localtime(starts_at), timezone.localtime(ends_at)
            midnight = (last.hour, last.minute, last.second) == (0, 0, 0)
            return Decimal(max(1, (last.date() - first.date()).days + (0 if midnight else 1)))
        case _:
            return Decimal(1)


def cost(sek: Decimal, units: Decimal, quantity: int) -> Decimal:
    return (sek * units * quantity).quantize(ORE, ROUND_HALF_UP)
