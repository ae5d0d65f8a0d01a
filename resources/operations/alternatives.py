"""What could be had instead: the same resource at another time, or one of the same category at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from django.utils.timezone import localtime

from organisations.models import Municipality, User
from resources.models import Askers, Resource, keepers
from resources.operations.claiming import span_of
from resources.operations.freedom import STEP, Calendar, Standing, Time, calendars_of, standings

MOST = 3
DAYS_AROUND = 14
LATER_DAYS = 120
MORNING = 6
LOOKED_AT_FIRST = 200  # of those of a kind: among so many there are nearly always some that are free


@dataclass(frozen=True)
class Alternative:
    """A resource and a time that nobody had a moment ago."""

    resource: Resource
    starts_at: datetime
    ends_at: datetime

    @property
    def during(self) -> DateTimeTZRange:
        return span_of(self.starts_at, self.ends_at)


def alternatives_to(
    resource: Resource, starts_at: datetime, ends_at: datetime, *, user: User, quantity: int = 1
) -> list[Alternative]:
    """Up to three: the nearest free time of the resource itself, then others of its kind at the time wanted."""
    (found,) = alternatives_to_each(resource, [(starts_at, ends_at)], user=user, quantity=quantity)
    return found


def alternatives_to_each(
    resource: Resource, times: Sequence[Time], *, user: User, quantity: int = 1
) -> list[list[Alternative]]:
    """The same for each of many times, which come in order. Nine queries however many there are."""
    right = [(begins, ends) for begins, ends in times if ends > begins]
    if not right:
        return [[] for _time in times]
    first, last = right[0][0], max(ends for _begins, ends in right)
    around = timedelta(days=DAYS_AROUND)
    calendars = calendars_of([resource], first - around, last + timedelta(days=LATER_DAYS), quantity)
    others = _similar(resource, right, user, quantity)
    found: list[list[Alternative]] = []
    for begins, ends in times:
        if ends <= begins:
            found.append([])
            continue
        own = [
            Alternative(resource, start, start + (ends - begins))
            for start in nearest(calendars[resource.pk], begins, ends - begins)
        ]
        at_once = [Alternative(other, begins, ends) for other in others.get((begins, ends), ())]
        found.append([*own[:1], *at_once, *own[1:]][:MOST])
    return found


def askable_by(user: User) -> Q:
    """The resources whose owner lets the user's bodies ask: everyone's in the area, and one's own."""
    own = keepers(user)
    mine = Municipality.objects.filter(Q(pk__in=own) | Q(schools__pk__in=own))
    return Q(askers=Askers.AREA) | Q(municipality__in=mine.values("pk")) | Q(owner__in=own)


def _similar(resource: Resource, times: Sequence[Time], user: User, quantity: int) -> dict[Time, list[Resource]]:
    """Others of the same category that are open and free at each time, those that lend at once first."""
    others = Resource.objects.visible_to(user).in_use().filter(askable_by(user), category=resource.category_id)
    if resource.capacity:
        others = others.filter(Q(capacity=None) | Q(capacity__gte=resource.capacity))
    in_order = (
        others.exclude(pk=resource.pk)
        .order_by("approval", "pk")
        .values_list("pk", "takes", "turnaround_minutes", "lead_minutes", "longest_minutes", named=True)
    )
    free: dict[Time, list[int]] = {time: [] for time in times}
    for part in (in_order[:LOOKED_AT_FIRST], in_order[LOOKED_AT_FIRST:]):
        rows: list[Any] = list(part)
        stands = standings(rows, list(free), quantity)
        for place, pks in enumerate(free.values()):
            pks += [row.pk for row in rows if stands[row.pk][place] == Standing.FREE]
        if len(rows) < LOOKED_AT_FIRST or all(len(pks) >= MOST for pks in free.values()):
            break
    free = {time: pks[:MOST] for time, pks in free.items()}
    by_pk = Resource.objects.in_bulk({pk for pks in free.values() for pk in pks})
    return {time: [by_pk[pk] for pk in pks] for time, pks in free.items()}


def nearest(calendar: Calendar, wanted: datetime, length: timedelta) -> list[datetime]:
    """Starts of free times of that length, one for each time it is open: the nearest within two weeks, or the first
    ones further on. A day's start is as near the hour that was wanted as can be; those at night come last."""
    around = timedelta(days=DAYS_AROUND)
    near = _starts(calendar, wanted - around, wanted + around, length, wanted)
    if near:
        by_day = not _at_night(wanted)
        return sorted(near, key=lambda start: (by_day and _at_night(start), abs(start - wanted), start))[:MOST]
    return _starts(calendar, wanted + around, wanted + timedelta(days=LATER_DAYS), length, wanted)[:MOST]


def _at_night(start: datetime) -> bool:
    return localtime(start).hour < MORNING


def _starts(
    calendar: Calendar, begins: datetime, ends: datetime, length: timedelta, wanted: datetime
) -> list[datetime]:
    found: list[datetime] = []
    calendar = calendar.within(begins, ends)
    for opens, closes in _pieces(calendar.spans, begins, ends, length):
        start = calendar.start_within(opens, closes, length, _at_hour_of(wanted, opens, closes))
        if start is not None and start not in found:
            found.append(start)
    return found


def _pieces(spans: Iterable[Time], begins: datetime, ends: datetime, length: timedelta) -> Iterable[Time]:
    """The open stretches within a window, cut into what begins on one day."""
    for opens, closes in spans:
        opens, closes = max(opens, begins), min(closes, ends)
        while closes - opens >= length:
            midnight = localtime(opens).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            yield opens, min(closes, midnight - STEP + length)
            opens = midnight


def _at_hour_of(wanted: datetime, opens: datetime, closes: datetime) -> datetime:
    """The wall-clock hour that was wanted, on the first day of a stretch or the next."""
    hour = localtime(wanted)
    wish = localtime(opens).replace(hour=hour.hour, minute=hour.minute, second=0, microsecond=0)
    later = wish + timedelta(days=1)
    return later if wish < opens and later < closes else wish
