"""When a resource is open: its rules per weekday, worked out against the municipality's breaks and the red days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, TypeAlias

import holidays
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import QuerySet

from collab4m.clock import STOCKHOLM, today
from organisations.models import Municipality, SchoolBreak
from resources.models import OpenRule, OpenSpan, Resource

DAYS_BACK, DAYS_AHEAD = 31, 550  # of which opening is worked out: a month back, eighteen months ahead
AT_A_TIME = 200  # resources in one transaction

Span: TypeAlias = tuple[datetime, datetime]


@cache
def red_day_names(year: int) -> dict[date, str]:
    """The public holidays of Sweden by their Swedish names, with the eves that schools keep. Sundays aside."""
    sweden = holidays.Sweden(years=year, include_sundays=False, language="sv")
    midsummer = next((day for day, name in sweden.items() if "idsommar" in name), None)
    eves = {date(year, 12, 24): "Julafton", date(year, 12, 31): "Nyårsafton"}
    if midsummer:
        eves[midsummer - timedelta(days=1)] = "Midsommarafton"
    return dict(sorted((eves | dict(sweden.items())).items()))


@cache
def red_days(year: int) -> frozenset[date]:
    """The days of `red_day_names`."""
    return frozenset(red_day_names(year))


def local(day: date, at: time) -> datetime:
    """A wall-clock time in Sweden, aware. One that the clock skips is an hour later."""
    return datetime.combine(day, at, tzinfo=STOCKHOLM).astimezone(UTC).astimezone(STOCKHOLM)


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
    return joined(sorted(found))


def joined(spans: Iterable[Span]) -> list[Span]:
    """Stretches in order of time, with those that touch as one."""
    found: list[Span] = []
    for begins, ends in spans:
        if found and begins <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ends))
        else:
            found.append((begins, ends))
    return found


def open_up(resource: Resource) -> None:
    """Work out anew when a resource is open; after its rules, the municipality's breaks or the day have changed."""
    _open_up([resource.pk])


def open_up_in(municipality: Municipality) -> int:
    """The same for all that is shared there; after its breaks have changed. Returns for how many something changed."""
    return _open_up_each(Resource.objects.filter(municipality=municipality.pk))


def open_up_all() -> int:
    """The same for everything: a new day has come within sight. May run at any time."""
    return _open_up_each(Resource.objects.all())


def _open_up_each(resources: QuerySet[Resource]) -> int:
    ids = list(resources.order_by("pk").values_list("pk", flat=True))
    return sum(_open_up(ids[start : start + AT_A_TIME]) for start in range(0, len(ids), AT_A_TIME))


@transaction.atomic
def _open_up(ids: Collection[int]) -> int:
    """Write what differs from what stands. Resources with the same rules in the same place are worked out once."""
    first, last = today() - timedelta(days=DAYS_BACK), today() + timedelta(days=DAYS_AHEAD)
    rows = Resource.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    resources = list(rows.prefetch_related("open_rules"))
    breaks = defaultdict(list)
    places = {resource.municipality_id for resource in resources}
    days = (first, last + timedelta(days=1))
    for one in SchoolBreak.objects.filter(municipality__in=places, valid__overlap=days):
        breaks[one.municipality_id].append(one)
    there: dict[int, dict[Span, int]] = defaultdict(dict)
    for pk, resource_id, during in OpenSpan.objects.filter(resource__in=ids).values_list("pk", "resource", "during"):
        there[resource_id][in_utc(during.lower), in_utc(during.upper)] = pk
    known: dict[Any, set[Span]] = {}
    gone: list[int] = []
    new: list[OpenSpan] = []
    changed = 0
    for resource in resources:
        rules = resource.open_rules.all()
        said = frozenset((one.weekday, one.opens, one.closes, one.in_breaks, one.on_red_days) for one in rules)
        key = (resource.municipality_id, said)
        if key not in known:
            found = open_spans(rules, breaks[resource.municipality_id], first, last)
            known[key] = {(in_utc(begins), in_utc(ends)) for begins, ends in found}
        stands = there[resource.pk]
        changed += stands.keys() != known[key]
        gone += [pk for span, pk in stands.items() if span not in known[key]]
        new += [
            OpenSpan(resource=resource, during=DateTimeTZRange(*span, "[)"))
            for span in sorted(known[key] - stands.keys())
        ]
    OpenSpan.objects.filter(pk__in=gone).delete()
    OpenSpan.objects.bulk_create(new)
    return changed


def in_utc(moment: datetime) -> datetime:
    """Moments in different zones never compare equal in the hour that the clock repeats; in one zone they do."""
    return moment.astimezone(UTC)


def is_open(resource: Resource, during: DateTimeTZRange) -> bool:
    """Whether the resource is open the whole time."""
    return resource.open_spans.filter(during__contains=during).exists()
