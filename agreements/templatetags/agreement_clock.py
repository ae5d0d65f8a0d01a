"""Words for the yearly clock's history, which keeps codes and numbers."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import template
from django.utils.formats import date_format

from agreements.models import ClockEvent
from agreements.operations import day_in

register = template.Library()


@register.filter
def event_in_words(event: str) -> str:
    return str(ClockEvent(event).label if event in ClockEvent.values else event)


@register.filter
def clock_day_in_words(data: dict[str, Any]) -> str:
    """15 december, with the year when it is a day of that year only."""
    year = data["year"] or 2000  # which has a 29 February
    day: date = day_in(year, data["month"], data["day"])
    return date_format(day, "DATE_FORMAT" if data["year"] else "MONTH_DAY_FORMAT")
