"""Times, standings and needs in words, for the pages where resources are found."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import template
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from collab4m.templatetags.shell import in_words, span_in_words
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
        return ngettext("%(hours)s hour in %(first)s", "%(hours)s hours in %(first)s", hours) % words
    return ngettext("%(hours)s hour in %(first)s–%(last)s", "%(hours)s hours in %(first)s–%(last)s", hours) % words


register.filter("hours_in_words", hours_in_words)


@register.filter
def sek(amount: Decimal) -> str:
    return sek_in_words(amount)


@register.filter
def weekday_name(weekday: int) -> str:
    """Monday for 1."""
    return date_format(date(2024, 1, weekday), "l")  # the year 2024 began on a Monday


@register.filter
def rule_in_words(rule: OpenRule) -> str:
    """When it is open: "8–16.30", and on which other days too."""
    closes = "24" if (rule.closes.hour, rule.closes.minute) == (0, 0) else _hour(rule.closes)
    words = f"{_hour(rule.opens)}–{closes}"
    if rule.in_breaks and rule.on_red_days:
        return _("%(hours)s, in breaks and on red days too") % {"hours": words}
    if rule.in_breaks:
        return _("%(hours)s, in breaks too") % {"hours": words}
    if rule.on_red_days:
        return _("%(hours)s, on red days too") % {"hours": words}
    return words


register.filter("minutes_in_words", minutes_in_words)


def _hour(value: Any) -> str:
    return date_format(value, "G.i") if value.minute else str(value.hour)


def _day(value: Any) -> str:
    return date_format(value, "D j b")


def _week(value: Any) -> str:
    return _("w. %(week)s") % {"week": localtime(value).isocalendar().week}
