"""What is said and what is left to say of something that is shared, for its owner: `{% sharing_steps resource %}`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from collab4m.clock import today
from collab4m.templatetags.shell import in_text
from resources.models import Approval, PriceUnit, Resource, Takes, VatTreatment
from resources.operations.lengths import hours_in_words
from resources.operations.searching import sek_in_words

register = template.Library()


@dataclass(frozen=True)
class Step:
    address: str
    name: str
    words: str
    is_done: bool


@register.inclusion_tag("resources/_sharing_steps.html")
def sharing_steps(resource: Resource, here: str = "") -> dict[str, Any]:
    """The pages on which the owner says something, each with what stands. Four queries."""
    steps = [
        Step("resource_change", _("What it is"), _what_it_is(resource), True),
        _opening(resource),
        _price(resource),
        _pictures(resource),
        _pieces(resource),
    ]
    return {"steps": [(step, reverse(step.address, args=[resource.pk])) for step in steps], "here": here}


@register.filter
def price_per(sek: Any, unit: str) -> str:
    """A price in words, "SEK 450 per day", also as history keeps it: an amount in text and the unit's code."""
    with suppress(InvalidOperation):
        sek = sek_in_words(Decimal(sek))
    return _("%(sek)s per %(unit)s") % {"sek": sek, "unit": dict(PriceUnit.choices).get(unit, unit)}


def _what_it_is(resource: Resource) -> str:
    if resource.capacity is None:
        return _("%(category)s, seats or places not stated") % {"category": resource.category}
    words = {"category": resource.category, "number": resource.capacity}
    return ngettext("%(category)s, %(number)s place", "%(category)s, %(number)s places", resource.capacity) % words


def _opening(resource: Resource) -> Step:
    is_open = resource.open_rules.exists()
    hours = _("has its own times") if is_open else _("can be booked day and night, every day")
    if resource.approval == Approval.AUTOMATIC:
        decides = _("approved at once")
    else:
        decides = _("you decide within %(long)s") % {"long": hours_in_words(resource.decide_hours)}
    return Step("resource_opening", _("Times and rules"), f"{hours}, {decides}", is_open or resource.edit > 0)


def _price(resource: Resource) -> Step:
    rules = list(resource.price_rules.order_by("valid"))
    now = next((rule for rule in rules if rule.holds_on(today())), None)
    coming = next((rule.first_day for rule in rules if rule.first_day and rule.first_day > today()), None)
    name = _("Price")
    if now is None and coming:
        return Step("resource_price", name, _("no price until %(day)s") % {"day": in_text(coming)}, True)
    if now is None:
        return Step("resource_price", name, _("no price is set"), False)
    vat = _("ask the finance department about VAT") if now.vat == VatTreatment.ASK else now.get_vat_display()
    return Step("resource_price", name, f"{price_per(now.sek, now.unit)}, {vat}", True)


def _pictures(resource: Resource) -> Step:
    number = resource.pictures.count()
    words = ngettext("%(number)s picture", "%(number)s pictures", number) % {"number": number}
    return Step("resource_pictures", _("Pictures"), words if number else _("none yet"), bool(number))


def _pieces(resource: Resource) -> Step:
    number = resource.units.count()
    if number > 1 and resource.takes == Takes.ALL:
        return Step("resource_units", _("Parts"), _("%(number)s, booked as a whole") % {"number": number}, True)
    words = ngettext("%(number)s piece", "%(number)s pieces", number) % {"number": number}
    how = _("booked piece by piece") if resource.takes == Takes.SOME else _("booked as one")
    return Step("resource_units", _("Pieces"), f"{words}, {how}", True)
