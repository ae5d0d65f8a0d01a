"""How the dates of a series are said as one weekly rule, in the way that calendar programs read best (RFC 5545, 3.8.5).

A date with another time or place stands for a day of the rule that is not had, and keeps its turn among the others: no
program lets it pass its neighbours, and Outlook reads no date that stands beside the rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import takewhile
from math import gcd
from typing import Any

from django.utils.timezone import localtime

from resources.models import Booking

A_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Recurrence:
    """A weekly rule: `days` are all of its days, first to last, and `told` has those that are had, with what is had.

    `usual` is one of the bookings that the rule repeats. No day of the rule can stand for those in `beside`.
    """

    usual: Booking
    days: list[date]
    every_weeks: int
    told: dict[date, Booking]
    beside: list[Booking]

    @property
    def left_out(self) -> list[date]:
        return [day for day in self.days if day not in self.told]

    @property
    def different(self) -> dict[date, Booking]:
        """Those that are not as the rule says, by the day of the rule that each stands for."""
        usual = _facts(self.usual)
        return {day: one for day, one in self.told.items() if day != day_of(one) or _facts(one) != usual}


def held(booking: Booking) -> Any:
    """The time that is approved: until the owner has answered, not yet another that is asked for."""
    return booking.kept or booking.during


def day_of(booking: Booking) -> date:
    return localtime(held(booking).lower).date()


def recurrence_of(bookings: Iterable[Booking]) -> Recurrence:
    """The shortest rule for these bookings, of which there is one at least: after what most of them have in common."""
    in_order = sorted(bookings, key=lambda one: (held(one).lower, one.pk))
    common, _number = Counter(map(_facts, in_order)).most_common(1)[0]
    usual = {day_of(one): one for one in reversed(in_order) if _facts(one) == common}
    found = _fitted(in_order, usual, list(usual))
    if found.beside:  # then each day that has a date is a day of the rule
        found = _fitted(in_order, usual, [day_of(one) for one in in_order])
    return found


def _facts(booking: Booking) -> tuple[Any, ...]:
    """What a rule repeats. Its length is exact: over a night when clocks change, the same hours are another length."""
    during = held(booking)
    begins = localtime(during.lower)
    return begins.time(), begins.fold, during.upper - during.lower, booking.resource_id, booking.purpose


def _fitted(in_order: Sequence[Booking], usual: dict[date, Booking], days: Sequence[date]) -> Recurrence:
    """The rule that has these days; each that is not usual stands for the nearest day that leaves all in their turn."""
    every_weeks, slots = _slots(days, day_of(in_order[0]), day_of(in_order[-1]))
    own = {one.pk: day for day, one in usual.items()}
    told, beside, dates, before = dict(usual), [], set(usual), date.min
    for place, one in enumerate(in_order):
        if one.pk in own:
            before = own[one.pk]
            continue
        others = list(takewhile(lambda other: other.pk not in own, in_order[place + 1 :]))
        following = in_order[place + 1 + len(others) :]
        after = own[following[0].pk] if following else date.max
        free = [slot for slot in slots if before < slot < after]
        free = free[: max(len(free) - len(others), 0)]  # so that each of the others finds its day too
        day = day_of(one)
        if not free or day in dates:  # no program has two dates of a rule on one day
            beside.append(one)
            continue
        dates.add(day)
        before = _nearest(free, day)
        told[before] = one
    first, last = min(told), max(told)
    rule = [day for day in slots if first <= day <= last]
    return Recurrence(usual[min(usual)], rule, every_weeks, told, _at_no_moment_of_the_rule(beside, told, usual))


def _at_no_moment_of_the_rule(
    beside: list[Booking], told: dict[date, Booking], usual: dict[date, Booking]
) -> list[Booking]:
    """Those that stand beside the rule. One that begins when a day of it would, stands for that day in another's place.

    Else both would be named by the same moment, and one of them be lost.
    """
    hour, left = _facts(usual[min(usual)])[:2], []
    while beside:
        one = beside.pop()
        day = day_of(one)
        other = told.get(day)
        if other is None or _facts(one)[:2] != hour or held(other).lower == held(one).lower:
            left.append(one)
        else:
            told[day] = one
            beside.append(other)
    return left[::-1]


def _nearest(days: Sequence[date], day: date) -> date:
    return min(days, key=lambda one: abs(one - day))


def _slots(days: Sequence[date], first: date, last: date) -> tuple[int, list[date]]:
    """The rule that has all these days: every so many weeks, and its days from before `first` through after `last`."""
    weekdays = {day.weekday() for day in days}
    mondays = [_monday(day) for day in days]
    every_weeks = gcd(*((monday - mondays[0]).days // 7 for monday in mondays)) or 1
    begins, ends = _monday(first) - every_weeks * A_WEEK, _monday(last) + (every_weeks + 1) * A_WEEK
    every_day = (begins + timedelta(days=step) for step in range((ends - begins).days))
    return every_weeks, [
        day
        for day in every_day
        if day.weekday() in weekdays and (_monday(day) - mondays[0]).days // 7 % every_weeks == 0
    ]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
