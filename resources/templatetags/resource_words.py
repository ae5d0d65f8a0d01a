"""Times, standings and needs in words, for the pages where resources are found."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from collab4m.templatetags.shell import in_text, in_words, span_in_words
from resources.models import OpenRule
from resources.operations import Need, Standing
from resources.operations.lengths import hours_in_words, minutes_in_words
from resources.operations.searching import sek_in_words

register = template.Library()


@register.filter
def time_in_words(time: Any) -> str:
    """A pair of moments: "Tuesday 8 December, 9–14"."""
    return span_in_words(DateTimeTZRange(*time))


@register.filter
def short_time(time: Any) -> str:
    """A pair of moments in little room: "Tue 8 Dec, 9–14"."""
    begins, ends = (localtime(moment) for moment in time)
    hours = {"begins": _hour(begins), "ends": _hour(ends), "first": _day(begins), "last": _day(ends)}
    if begins.date() == ends.date():
        return _("%(first)s, %(begins)s–%(ends)s") % hours
    return _("%(first)s, %(begins)s – %(last)s, %(ends)s") % hours


@register.filter
def standing_in_words(standing: str) -> str:
    return str(Standing(standing).label)


@register.filter
def need_in_words(need: Need) -> str:
    """When something is sought: the time, how many weeks in a row, or how many hours in which weeks."""
    if need.times:
        words = {"time": time_in_words(need.times[0]), "weeks": in_words(len(need.times))}
        if len(need.times) == 1:
            return words["time"]
        return _("%(time)s, %(weeks)s weeks in a row") % words
    if need.length is None:
        return ""
    hours = int(need.length.total_seconds() // 3600)
    words = {"hours": in_words(hours), "first": _week(need.windows[0][0]), "last": _week(need.windows[-1][0])}
    if words["first"] == words["last"]:
        return ngettext("%(hours)s hour in w. %(first)s", "%(hours)s hours in w. %(first)s", hours) % words
    text = ngettext("%(hours)s hour in w. %(first)s–%(last)s", "%(hours)s hours in w. %(first)s–%(last)s", hours)
    return text % words


register.filter("hours_in_words", hours_in_words)


@register.filter
def sek(amount: Decimal) -> str:
    return sek_in_words(amount)


@register.filter
def weekday_name(weekday: int) -> str:
    """Monday for 1."""
    return date_format(date(2024, 1, weekday), "l")  # the year 2024 began on a Monday


@register.filter
def rules_in_words(rules: Iterable[OpenRule]) -> str:
    """When it is open on a day: "8–12, 13–16.30", and on which other days too; nothing when it is closed."""
    stretches: dict[tuple[bool, bool], list[str]] = {}
    for rule in rules:
        closes = "24" if (rule.closes.hour, rule.closes.minute) == (0, 0) else _hour(rule.closes)
        stretches.setdefault((rule.in_breaks, rule.on_red_days), []).append(f"{_hour(rule.opens)}–{closes}")
    also = {
        (False, False): "%(hours)s",
        (True, True): _("%(hours)s, in breaks and on red days too"),
        (True, False): _("%(hours)s, in breaks too"),
        (False, True): _("%(hours)s, on red days too"),
    }
    return "; ".join(also[which] % {"hours": ", ".join(hours)} for which, hours in stretches.items())


register.filter("minutes_in_words", minutes_in_words)


@register.filter
def hour(value: datetime) -> str:
    """ "9", "9.30": as the times of bookings are written."""
    return _hour(localtime(value))


@register.filter
def days_in_words(span: Any) -> str:
    """From the first day of a semester or a break through its last: "22–26 February 2027"."""
    first, last = span.first_day, span.last_day
    if first.year != last.year:
        return f"{date_format(first)} – {date_format(last)}"
    if first.month != last.month:
        return f"{date_format(first, 'MONTH_DAY_FORMAT')} – {in_text(last)}"
    return f"{first.day}–{in_text(last)}" if first != last else in_text(last)


@register.filter
def unbroken(text: str) -> SafeString:
    """A text in which no line ends at the dash between two numbers: "8–16"."""
    return SafeString(re.sub(r"[0-9][0-9.]*–[0-9][0-9.]*", r'<span class="c-nowrap">\g<0></span>', escape(text)))


def _hour(value: Any) -> str:
    return date_format(value, "G.i") if value.minute else str(value.hour)


def _day(value: Any) -> str:
    return date_format(value, "D j b")


def _week(value: Any) -> str:
    return str(localtime(value).isocalendar().week)
