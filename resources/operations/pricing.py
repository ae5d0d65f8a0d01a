"""What a booking costs, by the owner's rule on its first day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.utils import timezone

from resources.models import PriceRule, PriceUnit, Resource

ORE = Decimal("0.01")


@dataclass(frozen=True)
class Price:
    """A price with the rule it came from. Without a rule none is set, which is not the same as free."""

    rule: PriceRule | None
    units: Decimal = Decimal(0)
    sek: Decimal | None = None


def price_of(
    resource: Resource, starts_at: datetime, ends_at: datetime, quantity: int = 1, rule: PriceRule | None = None
) -> Price:
    """By the rule of its first day, unless that is handed in. Hours are counted as they pass; days are begun days."""
    if rule is None:
        rule = resource.price_rules.filter(valid__contains=timezone.localtime(starts_at).date()).first()
    if rule is None:
        return Price(None)
    match rule.unit:
        case PriceUnit.HOUR:
            units = Decimal((ends_at - starts_at).total_seconds()) / 3600
        case PriceUnit.DAY:
            first, last = timezone.localtime(starts_at), timezone.localtime(ends_at)
            midnight = (last.hour, last.minute, last.second) == (0, 0, 0)
            units = Decimal(max(1, (last.date() - first.date()).days + (0 if midnight else 1)))
        case _:
            units = Decimal(1)
    return Price(rule, units, (rule.sek * units * quantity).quantize(ORE, ROUND_HALF_UP))
