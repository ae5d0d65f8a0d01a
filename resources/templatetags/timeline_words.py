"""The timeline's cells, in words and as marks. Drawn here, since a page has thousands of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from html import escape
from typing import Any

from django import template
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from collab4m.clock import STOCKHOLM, today
from collab4m.templatetags.shell import capital
from resources.operations import Cell, CellKind, Column, Grid, Line, Scale, Share, Slot, SlotKind

register = template.Library()

# Where a row's name and id go in what is drawn once for all rows. No text of the database can hold a NUL.
NAME, ID = "\0name", "\0id"


class Words:
    """The words of one page in the reader's language, looked up once."""

    def __init__(self, context: Any) -> None:
        self.days: dict[date, str] = {}
        self.spans_drawn: dict[tuple[datetime, datetime], tuple[str, str, str, str]] = {}
        self.cells_drawn: dict[Any, list[str]] = {}  # in parts, between which a row's id and name go
        self.marks = context["shell"].marks if "shell" in context else {}
        self.places = {
            pk: format_html(
                '<span class="c-mun" data-color="{}"><b aria-hidden="true">{}</b>{}</span> ',
                mark.colour or "neutral", mark.mark, mark.municipality.name,
            )
            for pk, mark in self.marks.items()
        }  # fmt: skip
        self.rest = f"&amp;{escape(rest)}" if (rest := context.get("without_scale", "")) else ""
        self.timeline = reverse("timeline")
        self.booking, self.resource = _address("booking"), _address("resource")
        self.booking_new = _address("booking_new").format(ID)
        self.span, self.spans = _("%(day)s %(from)s–%(to)s"), _("%(day)s %(from)s to %(last)s %(to)s")
        self.week, self.free, self.book = _("week %(week)s, from %(day)s"), _("Free"), _("Book")
        self.short_week = _("w. %(week)s")
        self.pool = _("%(free)s of %(all)s free")
        self.kinds: dict[str, str] = {
            CellKind.FREE: self.free,
            CellKind.CLOSED: pgettext("resource", "Closed"),
            CellKind.TURNAROUND: _("Made ready"),
            CellKind.PAST: _("Has been"),
            CellKind.LATE: _("Too late to book"),
            SlotKind.OWN: _("Booking"),
            SlotKind.ASKED: _("Request that waits for an answer"),
            SlotKind.BUSY: _("Taken"),
            SlotKind.BLOCKED: _("Blocked"),
        }

    def day(self, day: date) -> str:
        """A day with its weekday: "Monday 7 December"."""
        if day not in self.days:
            self.days[day] = date_format(day, "l j F" if day.year == today().year else "l j F Y")
        return self.days[day]

    def when(self, begins: datetime, ends: datetime) -> str:
        """ "Monday 7 December 8–10"; with both days when they are two."""
        first, last = begins.astimezone(STOCKHOLM), ends.astimezone(STOCKHOLM)
        words = {"day": self.day(first.date()), "from": clock(first), "to": clock(last)}
        if last.hour == last.minute == 0:
            words["to"], last = "24", last - timedelta(hours=1)
        if first.date() == last.date():
            return self.span % words
        return self.spans % (words | {"last": self.day(last.date())})

    def query(self, begins: datetime, ends: datetime) -> str:
        """The time as a form for booking takes it, by wall clock."""
        first, last = begins.astimezone(STOCKHOLM), ends.astimezone(STOCKHOLM)
        return f"?fran={first:%Y-%m-%dT%H:%M}&amp;till={last:%Y-%m-%dT%H:%M}"

    def drawn(self, begins: datetime, ends: datetime) -> tuple[str, str, str, str]:
        """A time as hours, in words, as attributes of a day's first cell and in an address: once for all rows."""
        if (begins, ends) not in self.spans_drawn:
            day = capital(self.day(begins.astimezone(STOCKHOLM).date()))
            self.spans_drawn[begins, ends] = (
                _time(begins, ends),
                escape(self.when(begins, ends)),
                f' class="day" data-day="{escape(day)}"',
                self.query(begins, ends),
            )
        return self.spans_drawn[begins, ends]


class RowWords:
    """A row, whose cells are drawn without its name and id: most of them are the same as in other rows."""

    def __init__(self, words: Words, line: Line) -> None:
        self.words, self.line = words, line
        self.alike = (line.may_ask, line.units if line.is_pool else None)  # what else than the cell tells in its words

    def drawn(self, draw: Callable[[RowWords, Cell], str], cells: list[Cell]) -> str:
        """The cells, with the row's name and id in them."""
        known, drawn = self.words.cells_drawn, []
        name, pk = escape(self.line.name), str(self.line.pk)
        for cell in cells:
            if cell.slots:
                drawn.append(self.named(draw(self, cell)))
                continue
            key = (cell, self.alike)
            parts = known.get(key)
            if parts is None:
                parts = known[key] = draw(self, cell).replace(ID, NAME).split(NAME)
            # Put together here, since to look for the names in a row's finished text takes longer than all the rest.
            if len(parts) == 3:
                drawn += (parts[0], pk, parts[1], name, parts[2])  # what can be booked: an address, then words
            else:
                drawn += (parts[0], name, parts[1])
        return "".join(drawn)

    def named(self, drawn: str) -> str:
        return drawn.replace(NAME, escape(self.line.name)).replace(ID, str(self.line.pk))


def _address(name: str) -> str:
    """A row's address with room for its id: looked up once, not for each of a thousand cells."""
    return reverse(name, args=[0]).replace("/0/", "/{}/")


def clock(moment: datetime) -> str:
    """ "8", "8.30"."""
    return f"{moment.hour}.{moment.minute:02}" if moment.minute else str(moment.hour)


def hours(begins: datetime, ends: datetime) -> str:
    """ "8–10", "18–24"."""
    last = ends.astimezone(STOCKHOLM)
    return f"{clock(begins.astimezone(STOCKHOLM))}–{clock(last) if last.hour or last.minute else 24}"


def _hidden(text: str) -> str:
    return f'<span class="visually-hidden">{text}</span>'


def _time(begins: datetime, ends: datetime) -> str:
    """The hours, shown where a narrow window makes a list of the table."""
    return f'<span class="time" aria-hidden="true">{hours(begins, ends)}</span>'


# The table


@register.simple_tag(takes_context=True)
def timeline_rows(context: Any, grid: Grid) -> SafeString:
    """The rows of the table's body."""
    words = Words(context)
    draw = partial(_share, grid.scale) if grid.scale in (Scale.MONTH, Scale.YEAR) else _cell
    drawn = []
    for line, cells in grid.rows:
        row = RowWords(words, line)
        inside = row.drawn(draw, cells)
        drawn.append(f'<tr><th scope="row">{_row_head(words, line)}</th>{inside}</tr>\n')
    return SafeString("".join(drawn))


def _row_head(words: Words, line: Line) -> str:
    mark = words.marks.get(line.municipality)
    where = words.places.get(line.municipality, "")
    owner = "" if mark is not None and mark.municipality.name == line.owner else escape(line.owner)
    return f'<a href="{words.resource.format(line.pk)}" lang="sv">{escape(line.name)}</a><small>{where}{owner}</small>'


def _cell(row: RowWords, cell: Cell) -> str:
    time, when, day, query = row.words.drawn(cell.starts_at, cell.ends_at)
    inside = "".join([_slot(row, slot) for slot in cell.slots]) if cell.slots else ""
    if cell.kind == CellKind.FREE:
        inside += _free(row, cell, time, when, query)
    elif not cell.slots:
        inside += _plain(row, cell, time, when)
    wide = f' colspan="{cell.columns}"' if cell.columns > 1 else ""
    return f"<td{wide}{day if cell.is_first else ''}>{inside}</td>"


def _free(row: RowWords, cell: Cell, time: str, when: str, query: str) -> str:
    if row.line.is_pool:
        shown = row.words.pool % {"free": cell.free, "all": row.line.units}
        text = f'{time}<b>{shown}</b><span class="visually-hidden">: {NAME}, {when}</span>'
    elif row.line.may_ask:
        text = f'{time}<span class="visually-hidden">{row.words.free}: {NAME}, {when}</span>'
    else:
        text = f'{time}<b>{row.words.free}</b><span class="visually-hidden">: {NAME}, {when}</span>'
    if not row.line.may_ask:
        return f'<div class="c-slot" data-kind="free">{text}</div>'
    return f'<a class="c-slot" data-kind="free" href="{row.words.booking_new}{query}">{text}</a>'


def _plain(row: RowWords, cell: Cell, time: str, when: str) -> str:
    """What nobody has and cannot be had, and what is taken to the last unit."""
    state = row.words.kinds[cell.kind]
    is_said = cell.kind in (CellKind.CLOSED, SlotKind.BUSY, CellKind.PAST)
    is_said = is_said or (cell.kind == CellKind.LATE and cell.columns > 1)
    shown = f"<b>{state}</b>" if is_said else _hidden(state)
    return f'<div class="c-slot" data-kind="{cell.kind}">{time}{shown}{_hidden(f": {NAME}, {when}")}</div>'


def _slot(row: RowWords, slot: Slot) -> str:
    time, when, _day, _query = row.words.drawn(slot.starts_at, slot.ends_at)
    shown = state = row.words.kinds[slot.kind]
    if slot.kind == SlotKind.BLOCKED and slot.words:
        shown = _hidden(f"{state}: ") + escape(slot.words)
    elif slot.booking is not None:
        shown = _hidden(f"{state}: ") + escape(slot.body)
    why = f'<span class="why">{escape(slot.words)}</span>' if slot.booking is not None else ""
    text = f"{time}<b>{shown}</b>{why}{_hidden(f', {NAME}, {when}')}"
    if slot.booking is None:
        return f'<div class="c-slot" data-kind="{slot.kind}">{text}</div>'
    return f'<a class="c-slot" data-kind="{slot.kind}" href="{row.words.booking.format(slot.booking)}">{text}</a>'


def _share(scale: str, row: RowWords, cell: Cell) -> str:
    """A day or a week of a longer time: how much of it is free, as a word or a number, leading there."""
    share, day, words = cell.share, cell.starts_at.date(), row.words
    kind, shown, state = (
        ("past", "", words.kinds[CellKind.PAST]) if cell.kind == CellKind.PAST else _share_in_words(share)
    )
    first = ' class="day"' if cell.is_first else ""
    week = {"week": day.isocalendar().week, "day": words.day(day)}
    when = escape(words.week % week if scale == Scale.YEAR else words.day(day))
    # Shown where a narrow window makes a list of the table, which then has no head.
    short = words.short_week % week if scale == Scale.YEAR else str(day.day)
    text = f'<span class="time" aria-hidden="true">{short}</span><b aria-hidden="true">{shown}</b>'
    text += _hidden(f"{state}: {NAME}, {when}")
    if not share.is_open:
        return f'<td{first}><div class="c-slot" data-kind="{kind}">{text}</div></td>'
    to = Scale.WEEK if scale == Scale.YEAR else Scale.DAY
    address = f"{words.timeline}?vy={to}&amp;datum={day.isoformat()}{words.rest}"
    return f'<td{first}><a class="c-slot" data-kind="share" data-share="{kind}" href="{address}">{text}</a></td>'


def _share_in_words(share: Share) -> tuple[str, str, str]:
    """How it is drawn, what stands in the cell and what is read aloud. Only all is all."""
    if not share.is_open:
        return "closed", "", pgettext("resource", "Closed")
    if share.free == 1:
        return "all", _("free"), _("Free all the time it is open")
    if share.free == 0:
        return "none", _("full"), _("Taken all the time it is open")
    per_cent = min(max(round(share.free * 100), 1), 99)
    state = _("%(share)s per cent of the time it is open is free") % {"share": per_cent}
    return f"part-{per_cent // 25}", f"{per_cent}\N{NO-BREAK SPACE}%", state


# Heads and headings


@register.simple_tag(takes_context=True)
def timeline_head(context: Any, grid: Grid) -> SafeString:
    """The two rows of the table's head: days over hours, weeks over days, months over weeks."""
    now_day = today()
    rest = context.get("without_scale", "")
    over = []
    for day, number in grid.heads:
        if grid.scale == Scale.MONTH:
            text: str = _("w. %(week)s") % {"week": day.isocalendar().week}
        elif grid.scale == Scale.YEAR:
            text = date_format(day, "b Y") if number > 1 else date_format(day, "b")
        else:
            text = date_format(day, "D j b")
        is_today = grid.scale in (Scale.DAY, Scale.WEEK) and day == now_day
        if grid.scale == Scale.WEEK:
            address = f"{reverse('timeline')}?vy={Scale.DAY}&datum={day.isoformat()}{'&' if rest else ''}{rest}"
            text = format_html('<a href="{}">{}</a>', address, text)
        over.append(
            format_html(
                '<th scope="colgroup" colspan="{}" class="day{}">{}{}</th>',
                number, " today" if is_today else "", text,
                format_html("<small>{}</small>", _("today")) if is_today else "",
            )
        )  # fmt: skip
    under = [_column_head(grid.scale, column, now_day) for column in grid.columns]
    return SafeString(
        f'<tr><th scope="col" rowspan="2">{_("Resource")}</th>{"".join(over)}</tr>\n<tr>{"".join(under)}</tr>'
    )


def _column_head(scale: str, column: Column, now_day: date) -> SafeString:
    css = " ".join(["day"] * column.is_first + ["today"] * (scale == Scale.MONTH and column.day == now_day))
    css = format_html(' class="{}"', css) if css else ""
    if scale == Scale.MONTH:
        return format_html(
            '<th scope="col"{}>{}<small>{}</small></th>', css, column.day.day, date_format(column.day, "D")
        )
    if scale == Scale.YEAR:
        return format_html(
            '<th scope="col"{}><span class="visually-hidden">{} </span>{}</th>',
            css, _("week"), column.day.isocalendar().week,
        )  # fmt: skip
    return format_html(
        '<th scope="col"{}>{}<span class="visually-hidden">–{}</span></th>', css, column.hour, column.until
    )


@register.simple_tag
def window_name(scale: str, first_day: date, last_day: date) -> str:
    """A heading for the window: "Week 50, 7–13 December 2026"."""
    if scale == Scale.DAY:
        return capital(date_format(first_day, "l j F Y"))
    if scale == Scale.WEEK:
        same = first_day.month == last_day.month
        days = f"{date_format(first_day, 'j' if same else 'j F')}–{date_format(last_day, 'j F Y')}"
        return _("Week %(week)s, %(days)s") % {"week": first_day.isocalendar().week, "days": days}
    if scale == Scale.MONTH:
        return capital(date_format(first_day, "F Y"))
    return _("School year %(year)s") % {"year": f"{last_day.year - 1}/{last_day.year % 100:02}"}


# The list


@register.simple_tag(takes_context=True)
def timeline_list(context: Any, lines: list[tuple[Line, list[tuple[date, list[Cell]]]]]) -> SafeString:
    """Each resource with its days, to the minute."""
    words = Words(context)
    drawn = []
    for line, days in lines:
        row = RowWords(words, line)
        inside = row.named("".join([_day(row, day, cells) for day, cells in days]))
        drawn.append(f'<section class="c-days"><h3>{_row_head(words, line)}</h3><dl>{inside}</dl></section>\n')
    return SafeString("".join(drawn))


def _day(row: RowWords, day: date, cells: list[Cell]) -> str:
    stretches = "".join([_stretch(row, cell) for cell in cells])
    return f"<div><dt>{escape(capital(row.words.day(day)))}</dt><dd><ul>{stretches}</ul></dd></div>"


def _stretch(row: RowWords, cell: Cell) -> str:
    words, when = row.words, hours(cell.starts_at, cell.ends_at)
    told = [_slot_in_list(words, slot) for slot in cell.slots]
    if cell.kind == CellKind.FREE:
        text = words.pool % {"free": cell.free, "all": row.line.units} if row.line.is_pool else words.free
        if row.line.may_ask:
            _time_drawn, spoken, _day_drawn, query = words.drawn(cell.starts_at, cell.ends_at)
            text += f' <a href="{words.booking_new}{query}">{words.book}{_hidden(f" {NAME}, {spoken}")}</a>'
        told.append(text)
    elif not told:
        told.append(words.kinds[cell.kind])
    return "".join([f'<li data-kind="{cell.kind}"><b>{when}</b> {one}</li>' for one in told])


def _slot_in_list(words: Words, slot: Slot) -> str:
    state = words.kinds[slot.kind]
    if slot.booking is None:
        return f"{state}: {escape(slot.words)}" if slot.words else state
    return f'{state}: <a href="{words.booking.format(slot.booking)}">{escape(slot.body)}, {escape(slot.words)}</a>'
