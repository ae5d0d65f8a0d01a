"""The timeline as a table: its columns, and what stands in each cell. By wall clock, whatever the clocks do."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now
from collab4m.school_year import SchoolYear
from organisations.models import User
from resources.operations.hours import ONE_DAY, Column, column_of, hours_of_day, hours_of_week
from resources.operations.opening import local
from resources.operations.timeline import (
    Line,
    Share,
    Slot,
    SlotKind,
    closed_between,
    opened_of,
    shares_of,
    slots_of,
)

SHORTEST = timedelta(minutes=30)  # what is left of a cell and shorter than this is not offered


class Scale(models.TextChoices):
    DAY = "dag", _("Day")
    WEEK = "vecka", _("Week")
    MONTH = "manad", _("Month")
    YEAR = "lasar", _("School year")


class CellKind(models.TextChoices):
    """What a cell without a slot may be."""

    FREE = "free", _("free")
    CLOSED = "closed", _("closed")
    TURNAROUND = "turnaround", _("made ready after a booking")
    PAST = "past", _("has been")
    LATE = "late", _("too late to book")  # for the owner's notice, or for what is left of a cell
    SHARE = "share", _("partly free")


SHUT = Share(False, 0.0)


class Cell(NamedTuple):
    """What stands in one column, or in several on end when one thing fills them."""

    kind: str
    columns: int
    starts_at: datetime
    ends_at: datetime
    slots: tuple[Slot, ...] = ()
    free: int = 0  # units of a pool
    share: Share = SHUT
    is_first: bool = False


@dataclass(frozen=True)
class Grid:
    """A window of the timeline. `heads`: what stands over columns that belong together, and how many they are."""

    scale: str
    first_day: date
    last_day: date
    columns: list[Column]
    heads: list[tuple[date, int]]
    rows: list[tuple[Line, list[Cell]]]


def window_of(scale: str, day: date) -> tuple[date, date]:
    """The first and the last day of the day, week, month or school year in which a day lies.

    A school year is shown in whole weeks.
    """
    if scale == Scale.DAY:
        return day, day
    if scale == Scale.WEEK:
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    if scale == Scale.MONTH:
        first = day.replace(day=1)
        return first, (first + timedelta(days=31)).replace(day=1) - ONE_DAY
    year = SchoolYear.of(day)
    return window_of(Scale.WEEK, year.first_day)[0], window_of(Scale.WEEK, year.last_day)[1]


def grid_of(
    scale: str, day: date, lines: Sequence[Line], *, reader: User, whole: bool = False, since: date | None = None
) -> Grid:
    """The timeline of some resources. Three queries for a day or a week, one for what is longer.

    `whole`: a day or a week with all its hours, and not only those that `hours` finds of use. `since`: a week without
    the days before it.
    """
    first, last = window_of(scale, day)
    if scale in (Scale.MONTH, Scale.YEAR):
        return _grid_of_shares(scale, first, last, lines)
    ids = {line.pk for line in lines}
    begins, ends = local(first, time()), local(last + ONE_DAY, time())
    slots, opened = slots_of(ids, begins, ends, reader=reader), opened_of(ids, begins, ends)
    closed = closed_between(opened, begins, ends)
    open_then = {span for pattern in set(opened.values()) for span in pattern}
    taken = {(slot.starts_at, slot.ends_at) for one in slots.values() for slot in one}
    columns = (hours_of_day if scale == Scale.DAY else hours_of_week)(first, open_then, taken, whole=whole)
    if since:
        first, columns = max(first, since), [column for column in columns if column.day >= since]
    moment = now()
    known: dict[Any, list[Cell]] = {}
    rows = [(line, cells_of(line, columns, slots[line.pk], closed[line.pk], moment, known)) for line in lines]
    return Grid(scale, first, last, columns, _heads(columns), rows)


def _heads(columns: Iterable[Column]) -> list[tuple[date, int]]:
    heads: list[tuple[date, int]] = []
    for column in columns:
        if column.is_first:
            heads.append((column.day, 0))
        heads[-1] = (heads[-1][0], heads[-1][1] + 1)
    return heads


# Cells


def cells_of(
    line: Line,
    columns: Sequence[Column],
    slots: Iterable[Slot],
    closed: tuple[Slot, ...],
    moment: datetime,
    known: dict[Any, list[Cell]] | None = None,
) -> list[Cell]:
    """The cells of a row. Where part of a cell is taken the whole is: what is left of it stands in the list.

    Cells that say the same are one, except those that are free: they stay apart, to be chosen. What nobody has is
    divided at midnight, so that each day begins with a cell of its own. `known` keeps the cells that nothing takes,
    which are the same in most rows.
    """
    known = {} if known is None else known
    if not line.is_pool and (closed, line.lead) not in known:
        known[closed, line.lead] = [_cell(line, column, (), closed, moment) for column in columns]
    bare, near = known.get((closed, line.lead), []), _near(line, columns, slots)
    cells: list[Cell] = []
    for place, column in enumerate(columns):
        if place in near or line.is_pool:
            cell = _cell(line, column, near.get(place, ()), closed, moment)
        else:
            cell = bare[place]
        last = cells[-1] if cells else None
        if (
            last and last.kind == cell.kind and (cell.slots or (cell.kind != CellKind.FREE and not cell.is_first))
            and last.slots == cell.slots and last.free == cell.free
        ):  # fmt: skip
            cells[-1] = last._replace(columns=last.columns + 1, ends_at=cell.ends_at)
        else:
            cells.append(cell)
    return cells


def _near(line: Line, columns: Sequence[Column], slots: Iterable[Slot]) -> dict[int, list[Slot]]:
    """What touches each column, or comes so near that the turnaround does, by the column's place."""
    starts, ends = [column.starts_at for column in columns], [column.ends_at for column in columns]
    near: dict[int, list[Slot]] = {}
    for slot in slots:
        for place in range(bisect_right(ends, slot.starts_at - line.turnaround), bisect_left(starts, slot.until)):
            near.setdefault(place, []).append(slot)
    return near


def _cell(line: Line, column: Column, near: Sequence[Slot], closed: Iterable[Slot], moment: datetime) -> Cell:
    begins, ends = column.starts_at, column.ends_at
    here = tuple([slot for slot in near if slot.starts_at < ends and slot.ends_at > begins])
    free = 0
    if line.is_pool:
        free = line.units - len(frozenset().union(*[slot.units for slot in near]))
        here = tuple([slot for slot in here if slot.kind != SlotKind.BUSY])
    if here and not free:
        kind: str = here[0].kind
    elif line.is_pool and not free:
        kind = SlotKind.BUSY
    else:
        kind, begins, ends = _rest(line, column, near, closed, moment)
    return Cell(kind, 1, begins, ends, here, free, SHUT, column.is_first)


def _rest(
    line: Line, column: Column, slots: Iterable[Slot], closed: Iterable[Slot], moment: datetime
) -> tuple[str, datetime, datetime]:
    """What of a cell that nobody has can be had: not while it is closed, made ready, or passed. Else why not."""
    begins, ends, earliest = column.starts_at, column.ends_at, moment + line.lead
    kind = CellKind.PAST if ends <= moment else CellKind.LATE
    if earliest > begins:
        begins = _next_half_hour(earliest)
    for one in closed:
        if one.starts_at < ends and one.ends_at > begins:
            kind = CellKind.CLOSED
            begins, ends = (one.ends_at, ends) if one.starts_at <= begins else (begins, one.starts_at)
    if not line.is_pool:
        for slot in slots:
            if slot.until > begins and slot.starts_at < ends + line.turnaround and begins < ends:
                kind = CellKind.TURNAROUND
                begins, ends = (
                    (slot.until, ends) if slot.ends_at <= begins else (begins, slot.starts_at - line.turnaround)
                )
    is_whole = begins == column.starts_at and ends == column.ends_at
    if is_whole or ends - begins >= SHORTEST:
        return CellKind.FREE, begins, ends
    return kind, column.starts_at, column.ends_at


def _next_half_hour(moment: datetime) -> datetime:
    return (
        moment + (-timedelta(minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond)) % SHORTEST
    )


# Months and school years


def _grid_of_shares(scale: str, first: date, last: date, lines: Sequence[Line]) -> Grid:
    step = 1 if scale == Scale.MONTH else 7
    days = [first + timedelta(days=number) for number in range(0, (last - first).days + 1, step)]
    columns = [
        Column(
            day, 0, 24, local(day, time()), local(day + timedelta(days=step), time()),
            place == 0 or _head_day(scale, day) != _head_day(scale, days[place - 1]),
        )
        for place, day in enumerate(days)
    ]  # fmt: skip
    moment = now()
    shares = shares_of(lines, [(column.starts_at, column.ends_at) for column in columns])
    rows = [
        (
            line,
            [
                Cell(
                    CellKind.PAST if column.ends_at <= moment else CellKind.SHARE, 1, column.starts_at, column.ends_at,
                    share=shares.get((line.pk, place), SHUT), is_first=column.is_first,
                )
                for place, column in enumerate(columns)
            ],
        )
        for line in lines
    ]  # fmt: skip
    heads = [(_head_day(scale, day), number) for day, number in _heads(columns)]
    return Grid(scale, first, last, columns, heads, rows)


def _head_day(scale: str, day: date) -> date:
    """What a column stands under: the days of a month under their week, the weeks of a year under their month."""
    return window_of(Scale.WEEK, day)[0] if scale == Scale.MONTH else (day + timedelta(days=3)).replace(day=1)


# The list


def stretches_of(
    line: Line, day: date, slots: Sequence[Slot], closed: tuple[Slot, ...], moment: datetime
) -> list[Cell]:
    """The day of a resource from midnight to midnight, to the minute: what is free between what is not.

    Of a pool what is taken by others is not told of; each stretch says how many are free.
    """
    whole = column_of(day, 0, 24)
    edges = {whole.starts_at, whole.ends_at, moment, moment + line.lead}
    for one in (*slots, *closed):
        edges |= {one.starts_at, one.ends_at, one.until}
        if one.kind != SlotKind.CLOSED:
            edges.add(one.starts_at - line.turnaround)
    inside = sorted(edge for edge in edges if whole.starts_at <= edge <= whole.ends_at)
    pieces = [Column(day, 0, 24, begins, ends, False) for begins, ends in zip(inside, inside[1:], strict=False)]
    cells: list[Cell] = []
    for cell in cells_of(line, pieces, slots, closed, moment):
        joins = cells and cells[-1].kind == cell.kind == CellKind.FREE
        if joins and (cells[-1].slots, cells[-1].free) == (cell.slots, cell.free):
            cells[-1] = cells[-1]._replace(ends_at=cell.ends_at)
        else:
            cells.append(cell)
    return cells


def list_of(
    scale: str, day: date, lines: Sequence[Line], *, reader: User
) -> list[tuple[Line, list[tuple[date, list[Cell]]]]]:
    """The same as `grid_of` of a day or a week, as each resource's days. Three queries."""
    first, last = window_of(scale, day)
    ids = {line.pk for line in lines}
    begins, ends = local(first, time()), local(last + ONE_DAY, time())
    slots, moment = slots_of(ids, begins, ends, reader=reader), now()
    closed = closed_between(opened_of(ids, begins, ends), begins, ends)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [
        (line, [(day, stretches_of(line, day, slots[line.pk], closed[line.pk], moment)) for day in days])
        for line in lines
    ]
