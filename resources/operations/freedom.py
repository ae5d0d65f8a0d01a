"""When resources are free, for many of them and many times at once, in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now
from resources.models import ResourceUnit, Takes
from resources.operations.claiming import span_of
from resources.operations.opening import DAYS_AHEAD

STEP = timedelta(minutes=30)
Time = tuple[datetime, datetime]


class Standing(models.TextChoices):
    """How a resource stands at a time."""

    FREE = "free", _("free")
    BUSY = "busy", _("taken")
    CLOSED = "closed", _("closed")
    REFUSED = "refused", _("cannot be asked for")


# One scan by range for each time, instead of one look for each resource and time. Claims up to the longest turnaround
# after the time are found by their index, and kept if they come within the resource's own. `span.id` and `during` stand
# in no constraint: without them PostgreSQL reads the constraint's index, ordered by resource or unit, from end to end.
# Joined to the ids, since of `= ANY` it thinks so badly that it would try every stretch there is against each time.
OPEN_THEN = """
    SELECT span.resource_id, array_agg(wanted.place::int)
    FROM unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) WITH ORDINALITY AS wanted (begins, ends, place)
    JOIN resources_openspan AS span ON span.during @> tstzrange(wanted.begins, wanted.ends)
    JOIN unnest(%(resources)s::bigint[]) AS sought (id) ON sought.id = span.resource_id
    WHERE span.id > 0
    GROUP BY span.resource_id
"""
TAKEN_THEN = """
    SELECT resource_id, array_agg(place::int), array_agg(taken::int)
    FROM (
        SELECT part.resource_id, wanted.place, count(DISTINCT claim.unit_id) AS taken
        FROM unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) WITH ORDINALITY AS wanted (begins, ends, place)
        JOIN resources_claim AS claim ON claim.blocked && tstzrange(wanted.begins, wanted.ends + %(longest)s)
        JOIN resources_resourceunit AS part ON part.unit_id = claim.unit_id
        JOIN unnest(%(resources)s::bigint[]) AS sought (id) ON sought.id = part.resource_id
        JOIN resources_resource AS resource ON resource.id = part.resource_id
        WHERE lower(claim.during) < wanted.ends + resource.turnaround_minutes * interval '1 minute'
        GROUP BY part.resource_id, wanted.place
    ) AS counted
    GROUP BY resource_id
"""
OPEN_WITHIN = """
    SELECT span.resource_id, lower(span.during), upper(span.during)
    FROM unnest(%(resources)s::bigint[]) AS sought (id)
    JOIN resources_openspan AS span ON span.resource_id = sought.id
    WHERE span.during && %(window)s
    ORDER BY span.during
"""
TAKEN_WITHIN = """
    SELECT claim.unit_id, lower(claim.blocked), upper(claim.blocked)
    FROM unnest(%(units)s::bigint[]) AS sought (id)
    JOIN resources_claim AS claim ON claim.unit_id = sought.id
    WHERE claim.blocked && %(window)s
"""


def standings(rows: Iterable[Any], times: Sequence[Time], quantity: int = 1) -> dict[int, list[str]]:
    """How each resource stands at each time. Three queries.

    `rows` have `pk`, `takes`, `turnaround_minutes`, `lead_minutes` and `longest_minutes`.
    """
    rows = list(rows)
    if not rows or not times:
        return {row.pk: [] for row in rows}
    units = _units_of(row.pk for row in rows)
    what: dict[str, Any] = {
        "begins": [begins for begins, _ends in times],
        "ends": [ends for _begins, ends in times],
        "resources": [row.pk for row in rows],
        "longest": timedelta(minutes=max(row.turnaround_minutes for row in rows)),
    }
    with connection.cursor() as cursor:
        cursor.execute(OPEN_THEN, what)
        is_open = {pk: set(places) for pk, places in cursor}
        cursor.execute(TAKEN_THEN, what)
        taken = {pk: dict(zip(places, numbers, strict=True)) for pk, places, numbers in cursor}
    moment = now()
    found = {}
    refused: dict[Any, list[bool]] = {}  # by the owner's rule, which is the same of most
    for row in rows:
        rule = (row.lead_minutes, row.longest_minutes)
        if rule not in refused:
            refused[rule] = [is_refused(row, time, moment) for time in times]
        count, open_then, taken_then = len(units[row.pk]), is_open.get(row.pk, set()), taken.get(row.pk, {})
        wanted = wanted_of(row, count, quantity)
        found[row.pk] = [
            _standing(one, place in open_then, count - taken_then.get(place, 0) >= wanted)
            for place, one in enumerate(refused[rule], 1)
        ]
    return found


def _standing(refused: bool, is_open: bool, is_free: bool) -> str:
    if refused:
        return Standing.REFUSED.value
    if not is_open:
        return Standing.CLOSED.value
    return Standing.FREE.value if is_free else Standing.BUSY.value


def is_refused(row: Any, time: Time, moment: datetime) -> bool:
    """Whether the owner's rule, or the day, makes it useless to ask for a time."""
    begins, ends = time
    return (
        begins < moment + timedelta(minutes=row.lead_minutes)
        or ends > moment + timedelta(days=DAYS_AHEAD)
        or bool(row.longest_minutes and ends - begins > timedelta(minutes=row.longest_minutes))
    )


def wanted_of(row: Any, count: int, quantity: int) -> int:
    """How many of its units a booking takes; one that has none is never free."""
    return max(1, count if row.takes == Takes.ALL else quantity)


def _units_of(resources: Iterable[int]) -> dict[int, list[int]]:
    units: dict[int, list[int]] = defaultdict(list)
    for resource, unit in ResourceUnit.objects.filter(resource__pk__any=resources).values_list("resource", "unit"):
        units[resource].append(unit)
    return units


@dataclass
class Calendar:
    """When a resource is open, and when each of its units is taken, for a stretch of time."""

    wanted: int
    turnaround: timedelta
    earliest: datetime
    longest: timedelta | None
    units: list[int]
    spans: list[Time] = field(default_factory=list)
    taken: dict[int, list[Time]] = field(default_factory=dict)

    def is_free(self, begins: datetime, length: timedelta) -> bool:
        """Whether enough units are free the whole time and its turnaround; of opening nothing is said."""
        blocked_to = begins + length + self.turnaround
        free = sum(
            not any(lower < blocked_to and upper > begins for lower, upper in self.taken.get(unit, ()))
            for unit in self.units
        )
        return free >= self.wanted

    def within(self, begins: datetime, ends: datetime) -> Calendar:
        """The same with what matters to a shorter stretch of time, since all of it is looked through for each day."""
        until = ends + self.turnaround
        return replace(
            self,
            spans=[(opens, closes) for opens, closes in self.spans if opens < ends and closes > begins],
            taken={
                unit: [(lower, upper) for lower, upper in times if lower < until and upper > begins]
                for unit, times in self.taken.items()
            },
        )

    def start_within(self, begins: datetime, ends: datetime, length: timedelta, wish: datetime) -> datetime | None:
        """The start nearest to the wish at which it is free and open, all within a stretch of time."""
        if self.longest is not None and length > self.longest:
            return None
        found = [
            start
            for opens, closes in self.spans
            if opens < ends and closes > begins
            for start in self._starts(max(opens, begins, self.earliest), min(closes, ends) - length, length, wish)
        ]
        return min((start for start in found if start), key=lambda start: abs(start - wish), default=None)

    def _starts(self, first: datetime, last: datetime, length: timedelta, wish: datetime) -> list[datetime]:
        """At most one: where a free time begins or ends, or the wish itself."""
        first = _stepped(first, up=True)
        if last < first:
            return []
        nearest = min(max(wish, first), last)
        if self.is_free(nearest, length):
            return [nearest]
        starts = {first, _stepped(last, up=False)}
        for unit in self.units:
            for lower, upper in self.taken.get(unit, ()):
                if lower < last + length + self.turnaround and upper > first:
                    starts |= {_stepped(upper, up=True), _stepped(lower - self.turnaround - length, up=False)}
        near = sorted((one for one in starts if first <= one <= last), key=lambda start: (abs(start - wish), start))
        return next(([start] for start in near if self.is_free(start, length)), [])


def _stepped(moment: datetime, *, up: bool) -> datetime:
    """The nearest whole or half hour, not before or not after."""
    past = timedelta(seconds=moment.timestamp() % STEP.total_seconds())
    if not past:
        return moment
    return moment - past + STEP if up else moment - past


def calendars_of(
    rows: Collection[Any], begins: datetime, ends: datetime, quantity: int = 1, *, moment: datetime | None = None
) -> dict[int, Calendar]:
    """The calendar of each resource in [begins, ends). `rows` as for `standings`. Three queries."""
    moment = moment or now()
    units = _units_of(row.pk for row in rows)
    calendars = {
        row.pk: Calendar(
            wanted=wanted_of(row, len(units[row.pk]), quantity),
            turnaround=timedelta(minutes=row.turnaround_minutes),
            earliest=moment + timedelta(minutes=max(row.lead_minutes, 5)),
            longest=timedelta(minutes=row.longest_minutes) if row.longest_minutes else None,
            units=units[row.pk],
        )
        for row in rows
    }
    window = span_of(begins, ends + max((one.turnaround for one in calendars.values()), default=timedelta()))
    taken: dict[int, list[Time]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(OPEN_WITHIN, {"resources": list(calendars), "window": window})
        for pk, opens, closes in cursor:
            calendars[pk].spans.append((opens, closes))
        wanted = {unit for calendar in calendars.values() for unit in calendar.units}
        cursor.execute(TAKEN_WITHIN, {"units": list(wanted), "window": window})
        for unit, lower, upper in cursor:
            taken[unit].append((lower, upper))
    for calendar in calendars.values():
        calendar.taken = {unit: taken[unit] for unit in calendar.units if unit in taken}
    return calendars
