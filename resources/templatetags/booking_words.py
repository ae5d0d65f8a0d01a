"""Bookings in words: their state, and what they cost."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import Any

from django import template
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from collab4m.templatetags.shell import capital, icon, span_in_words
from resources.models import Booking, PriceRule, PriceUnit, RequestState
from resources.operations import DateState
from resources.operations.searching import sek_in_words

register = template.Library()

# Colour and drawing of each state. Yes is quiet; what needs somebody is not.
LOOKS = {
    RequestState.REQUESTED: ("warning", "wait"),
    RequestState.INFO_NEEDED: ("warning", "speech"),
    RequestState.APPROVED: ("success", "yes"),
    RequestState.DECLINED: ("neutral", "no"),
    RequestState.WITHDRAWN: ("neutral", "no"),
    RequestState.EXPIRED: ("neutral", "no"),
    RequestState.CANCELLED: ("neutral", "no"),
}
DATE_LOOKS = {
    DateState.FREE: ("yes", "yes"),
    DateState.TAKEN: ("no", "no"),
    DateState.CLOSED: ("no", "no"),
    DateState.REFUSED: ("unknown", "warn"),
}


@register.simple_tag
def booking_state(booking: Booking) -> SafeString:
    """The state of a booking as a tag: "Approved", "Waits for Västerås"."""
    colour, drawing = LOOKS[_state_of(booking)]
    return format_html(
        '<span class="c-tag" data-color="{}">{}{}</span>', colour, icon(drawing), booking_state_in_words(booking)
    )


def booking_state_in_words(booking: Booking) -> str:
    """In words; who is waited for by name."""
    state = _state_of(booking)
    match state:
        case RequestState.REQUESTED:
            return _("Waits for %(name)s") % {"name": booking.resource.owner.name}
        case RequestState.INFO_NEEDED:
            return _("Waits for an answer from %(name)s") % {"name": booking.booked_for.name}
    return capital(str(state.label))


def _state_of(booking: Booking) -> RequestState:
    """Its state, also when its time to be answered is over and the clock has not noticed yet."""
    if booking.is_due:
        return RequestState.APPROVED if booking.kept else RequestState.EXPIRED
    return RequestState(booking.request_state)


@register.simple_tag
def date_state(state: str) -> SafeString:
    """Whether a date can be had, as a drawing and a word."""
    look, drawing = DATE_LOOKS[DateState(state)]
    return format_html(
        '<span class="c-state" data-state="{}">{}{}</span>', look, icon(drawing), capital(str(DateState(state).label))
    )


@register.filter
def price_words(value: Decimal | None) -> str:
    """A price: "1 850 kr", "0 kr"; with öre only when there are some. Without one: "no price is set"."""
    if value is None:
        return _("no price is set")
    return sek_in_words(value)


@register.filter
def rule_words(rule: PriceRule) -> str:
    """What a rule says: "150 kr per hour"."""
    words = {
        PriceUnit.HOUR: _("%(sek)s per hour"),
        PriceUnit.DAY: _("%(sek)s per day"),
        PriceUnit.OCCASION: _("%(sek)s per occasion"),
    }
    return words[PriceUnit(rule.unit)] % {"sek": price_words(rule.sek)}


@register.filter
def price_how(price: Any) -> str:
    """How a price came about: "3 hours at 150 kr", "4 begun days at 400 kr", or nothing."""
    if price.rule is None or price.sek == 0:
        return ""
    units = round(price.units, 2).normalize()
    each = {"sek": price_words(price.rule.sek), "number": number_format(units, use_l10n=True)}
    count = ceil(units)  # an hour and a half are hours
    match price.rule.unit:
        case PriceUnit.HOUR:
            return ngettext("%(number)s hour at %(sek)s", "%(number)s hours at %(sek)s", count) % each
        case PriceUnit.DAY:
            return ngettext("%(number)s day at %(sek)s", "%(number)s begun days at %(sek)s", count) % each
    return ""


@register.simple_tag
def date_word(state: str) -> str:
    return str(DateState(state).label)


@register.filter
def kept_span(value: list[str]) -> str:
    """A stretch of time that history keeps as two moments in text."""
    return span_in_words(DateTimeTZRange(*map(datetime.fromisoformat, value)))
