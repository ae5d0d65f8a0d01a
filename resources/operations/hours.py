"""Which hours the timeline's tables show: those of the school day, and when something is open or booked besides.

A week is two hours wide a column. It has some before eight and after four only when something is booked then, or open
outside seven to six: the ends of an ordinary day would make every week half as wide again.

What lasts a day or longer says nothing of which hours are used, so that a van that is open around the clock, or away
on a journey, does not fill the table with nights: it is seen in the hours that are shown anyway. The whole day can be
asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from django.utils.timezone import localtime

from resources.operations.opening import Span, joined, local

ONE_DAY = timedelta(days=1)
LASTS = timedelta(hours=23)  # of what is counted as a day: from midnight to midnight when the clocks go forward
DAY_OPENS, DAY_CLOSES = 7, 18  # hours that the day always shows
SCHOOL_DAY = ((8, 10), (10, 12), (12, 14), (14, 16))  # that the week always shows
# The parts of a week's day. One in which something is open is divided, so that each piece can be booked; one in which
# something is only booked is not.
EARLY, AFTERNOON, LATE = ((0, 6), (6, 8)), ((16, 18),), ((18, 20), (20, 22), (22, 24))


class Column(NamedTuple):
    """A column: an hour or two of a day, a day or a week. `until` is the hour at which it ends, 24 at midnight."""

    day: date
    hour: int
    until: int
    starts_at: datetime
    ends_at: datetime
    is_first: bool  # of its day, of its month in a school year


def telling(spans: Iterable[Span]) -> list[Span]:
    """The stretches that say which hours are used, in order, those that touch as one."""
    return joined(sorted(span for span in spans if span[1] - span[0] < LASTS))


def hours_of_day(day: date, opened: Iterable[Span], taken: Iterable[Span], *, whole: bool) -> list[Column]:
    """Each hour from seven to six, and from the first to the last in which something is open or booked."""
    shown = telling([*opened, *taken])
    hours = [hour for hour in range(24) if whole or meets(column_of(day, hour, hour + 1), shown)]
    first, last = min([DAY_OPENS, *hours]), max([DAY_CLOSES, *(hour + 1 for hour in hours)])
    return _columns(day, [(hour, hour + 1) for hour in range(first, last)])


def hours_of_week(monday: date, opened: Collection[Span], taken: Collection[Span], *, whole: bool) -> list[Column]:
    """Two hours at a time through the school day, and more when something is booked or open late. Weekends likewise."""
    open_then, booked = [span for span in telling(opened) if not is_within_a_day(span)], telling(taken)

    def pieces(day: date, part: tuple[tuple[int, int], ...]) -> Iterable[tuple[int, int]]:
        if whole:
            return part
        found = [piece for piece in part if meets(column_of(day, *piece), open_then)]
        if found:
            return [piece for piece in part if piece in found or meets(column_of(day, *piece), booked)]
        all_of_it = (part[0][0], part[-1][1])
        return [all_of_it] if meets(column_of(day, *all_of_it), booked) else []

    columns: list[Column] = []
    for day in (monday + place * ONE_DAY for place in range(7)):
        day_long = column_of(day, 0, 24)
        if day.isoweekday() < 6 or meets(day_long, opened) or meets(day_long, taken):
            cells = [*pieces(day, EARLY), *SCHOOL_DAY, *pieces(day, AFTERNOON), *pieces(day, LATE)]
            columns += _columns(day, cells)
    return columns


def is_within_a_day(span: Span) -> bool:
    """Whether a stretch lies within the hours that the day always shows."""
    day = localtime(span[0]).date()
    return local(day, time(DAY_OPENS)) <= span[0] and span[1] <= local(day, time(DAY_CLOSES))


def column_of(day: date, hour: int, until: int) -> Column:
    ends = local(day + ONE_DAY, time()) if until == 24 else local(day, time(until))
    # In UTC, as the database answers: the cells are compared with its moments some thousand times.
    return Column(day, hour, until, local(day, time(hour)).astimezone(UTC), ends.astimezone(UTC), False)


def meets(one: Column, spans: Iterable[Span]) -> bool:
    """Whether any of the stretches shares a moment with the column."""
    return any(begins < one.ends_at and ends > one.starts_at for begins, ends in spans)


def _columns(day: date, cells: Iterable[tuple[int, int]]) -> list[Column]:
    """The day's columns; an hour that the clock skips has none."""
    made = [one for hour, until in cells if (one := column_of(day, hour, until)).starts_at < one.ends_at]
    return [one._replace(is_first=place == 0) for place, one in enumerate(made)]
