"""When a resource is open: its rules per weekday, worked out against the municipality's breaks and the red days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from collab4m.clock import today
from organisations.models import SchoolBreak
from resources.models import OpenRule, OpenSpan, Resource

STOCKHOLM = ZoneInfo("Europe/Stockholm")
DAYS_BACK, DAYS_AHEAD = 31, 550  # of which opening is worked out: a month back, eighteen months ahead


@cache
def red_days(year: int) -> frozenset[date]:
    """Sundays aside, the public holidays of Sweden, with the eves that schools keep."""
    sweden = holidays.Sweden(years=year, include_sundays=False, language="sv")
    eves = {date(year, 12, 24), date(year, 12, 31)}
    midsummer = next((day for day, name in sweden.items() if "idsommar" in name), None)
    if midsummer:
        eves.add(midsummer - timedelta(days=1))
    return frozenset({*sweden, *eves})


def local(day: date, at: time) -> datetime:
    """A wall-clock time in Sweden, aware. One that the clock skips is the moment after the gap."""
    moment = datetime.combine(day, at, tzinfo=STOCKHOLM)
    return moment.astimezone(ZoneInfo("UTC")).astimezone(STOCKHOLM)


def open_spans(
    rules: Iterable[OpenRule], breaks: Iterable[SchoolBreak], first_day: date, last_day: date
) -> list[tuple[datetime, datetime]]:
    """When a resource with these rules is open, from the first day through the last. No rules: always."""
    rules = list(rules)
    if not rules:
        return [(local(first_day, time()), local(last_day + timedelta(days=1), time()))]
    closed = list(breaks)
    found: list[tuple[datetime, datetime]] = []
    day = first_day
    while day <= last_day:
        in_break = any(day in one.valid for one in closed)
        is_red = day in red_days(day.year)
        for rule in rules:
            if (
                rule.weekday != day.isoweekday()
                or (in_break and not rule.in_breaks)
                or (is_red and not rule.on_red_days)
            ):
                continue
            ends = day + timedelta(days=1) if rule.closes <= rule.opens else day
            found.append((local(day, rule.opens), local(ends, rule.closes)))
        day += timedelta(days=1)
    return _joined(sorted(found))


def _joined(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    joined: list[tuple[datetime, datetime]] = []
    for begins, ends in spans:
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends))
        else:
            joined.append((begins, ends))
    return joined


@transaction.atomic
def open_up(resource: Resource) -> None:
    """Work out anew when a resource is open; after its rules, the municipality's breaks or the day have changed."""
    first, last = today() - timedelta(days=DAYS_BACK), today() + timedelta(days=DAYS_AHEAD)
    breaks = SchoolBreak.objects.filter(municipality=resource.municipality_id, valid__overlap=(first, last))
    Resource.objects.select_for_update(no_key=True).get(pk=resource.pk)
    resource.open_spans.all().delete()
    OpenSpan.objects.bulk_create(
        OpenSpan(resource=resource, during=DateTimeTZRange(begins, ends, "[)"))
        for begins, ends in open_spans(resource.open_rules.all(), breaks, first, last)
    )


def is_open(resource: Resource, during: DateTimeTZRange) -> bool:
    """Whether the resource is open the whole time."""
    return resource.open_spans.filter(during__contains=during).exists()
