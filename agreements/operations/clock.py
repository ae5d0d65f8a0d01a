"""The yearly clock: the days that an area's agreements turn on, when they come, and changing them."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agreements.models import Agreement, ClockDay, ClockEvent, Revision, RevisionState
from agreements.models.agreements import RevisionQuerySet
from agreements.operations.covering import validities_of
from agreements.operations.drafting import FACTS
from agreements.outline import ANNEX, FOLLOW_UP
from collab4m.errors import RuleBroken, refused
from collab4m.school_year import SchoolYear
from organisations.models import Body, CollaborationArea, Membership, User
from organisations.operations import ChangedMeanwhile, seen_of
from records.models import CameIn, Event
from records.operations import differences, record
from records.values import as_text

MOST_LEAD_DAYS = 365
YEARS = (2000, 2100)
MONTHS_OF_A_SCHOOL_YEAR = (7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6)


class ClockDayRefused(RuleBroken):
    code = "clock_day_refused"


class ClockDayExists(RuleBroken):
    code = "clock_day_exists"
    message = gettext_lazy("The area has a day for that already. Change that one, or write for which year this is.")

    def __init__(self, message: str | None = None, field: str | None = "event") -> None:
        super().__init__(message, field)


class ClockNotYours(RuleBroken):
    code = "clock_not_yours"
    message = gettext_lazy("The area's clock is set by administrators of its members.")


class ClockDayGone(RuleBroken):
    code = "clock_day_gone"
    message = gettext_lazy("Somebody has removed the day meanwhile. Add it anew if it is to be there.")


# When


def day_in(year: int, month: int, day: int) -> date:
    """The day in that year; 29 February is the 28th when there is no 29th."""
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def coming_days(area: CollaborationArea, on: date) -> list[tuple[date, ClockEvent, ClockDay]]:
    """When each event of the area's clock comes next, from `on` itself, in order of time.

    A day of a certain year stands instead of the one of every year; when it has passed, and there is none for every
    year, the event is not among them.
    """
    return coming_among(ClockDay.objects.filter(area=area).select_related("source"), on)


def coming_among(days: Iterable[ClockDay], on: date) -> list[tuple[date, ClockEvent, ClockDay]]:
    """As `coming_days`, among days of one area that are read already."""
    found = []
    for event, (every_year, of_year) in _by_event(days).items():
        coming = [(day_in(year, one.month, one.day), one) for year, one in of_year.items()]
        if every_year:
            free = (year for year in range(on.year, on.year + len(of_year) + 2) if year not in of_year)
            coming += [(day_in(year, every_year.month, every_year.day), every_year) for year in free]
        left = [(day, one) for day, one in coming if day >= on]
        if left:
            day, one = min(left, key=lambda pair: pair[0])
            found.append((day, event, one))
    return sorted(found, key=lambda row: (row[0], list(ClockEvent).index(row[1])))


def _by_event(days: Iterable[ClockDay]) -> dict[ClockEvent, tuple[ClockDay | None, dict[int, ClockDay]]]:
    """The day of every year, if there is one, and those of certain years, for each event."""
    found: dict[ClockEvent, tuple[ClockDay | None, dict[int, ClockDay]]] = {}
    for one in days:
        event = ClockEvent(one.event)
        every_year, of_year = found.get(event, (None, {}))
        if one.year is None:
            every_year = one
        else:
            of_year = {**of_year, one.year: one}
        found[event] = (every_year, of_year)
    return found


@dataclass(frozen=True)
class Annex:
    """A day that a signed agreement itself names: when its annex is fixed, or it is followed up."""

    day: date
    event: ClockEvent
    agreement: Agreement


@dataclass(frozen=True)
class Month:
    """A month of a school year: what the area's clock has in it, and the agreements' own days."""

    first_day: date
    days: list[tuple[date, ClockDay]]
    annexes: list[Annex]


@dataclass(frozen=True)
class ClockYear:
    """A school year on the clock. `unset`: events without a day in it, with the latest day before it that is known."""

    school_year: SchoolYear
    months: list[Month]
    unset: list[tuple[ClockEvent, date | None, ClockDay | None]]


def clock_year(area: CollaborationArea, school_year: SchoolYear, reader: Any) -> ClockYear:
    """The school year as `reader` may see it: what the area has set, and what its signed agreements say."""
    by_event = _by_event(ClockDay.objects.filter(area=area).select_related("source"))
    days: list[tuple[date, ClockDay]] = []
    unset: list[tuple[ClockEvent, date | None, ClockDay | None]] = []
    for event in ClockEvent:
        every_year, of_year = by_event.get(event, (None, {}))
        there = []
        for year in (school_year.starts, school_year.starts + 1):
            one = of_year.get(year, every_year)
            if one and SchoolYear.of(day := day_in(year, one.month, one.day)) == school_year:
                there.append((day, one))
        days += there
        if not there:
            known = [(day_in(year, one.month, one.day), one) for year, one in of_year.items()]
            earlier = [pair for pair in known if pair[0] < school_year.first_day]
            unset.append((event, *max(earlier, key=lambda pair: pair[0], default=(None, None))))
    days.sort(key=lambda pair: (pair[0], list(ClockEvent).index(ClockEvent(pair[1].event))))
    annexes = _annexes(area, school_year, reader)
    months = []
    for month in MONTHS_OF_A_SCHOOL_YEAR:
        first_day = date(school_year.starts + (month < 7), month, 1)
        months.append(
            Month(
                first_day,
                [(day, one) for day, one in days if day.month == month],
                [annex for annex in annexes if annex.day.month == month],
            )
        )
    return ClockYear(school_year, months, unset)


def _annexes(area: CollaborationArea, school_year: SchoolYear, reader: Any) -> list[Annex]:
    """What is signed says of each agreement, as long as it holds."""
    agreements = list(Agreement.objects.visible_to(reader).filter(area=area, pk__in=_signed().values("agreement")))
    validities = validities_of(agreements)
    said: dict[tuple[int, str], tuple[int, int]] = {}
    for revision in _signed().filter(agreement__in=agreements).signed():
        for section in (ANNEX, FOLLOW_UP):
            month, day = (getattr(revision, name) for name in FACTS[section])
            if section in revision.sections and month and day:
                said[revision.agreement_id, section] = (month, day)
    found = []
    for agreement in agreements:
        validity = validities[agreement.pk]
        for section, event in ((ANNEX, ClockEvent.ANNEX), (FOLLOW_UP, ClockEvent.FOLLOW_UP)):
            if (agreement.pk, section) in said:
                month, number = said[agreement.pk, section]
                day = day_in(school_year.starts + (month < 7), month, number)
                if validity.is_in_force(day):
                    found.append(Annex(day, event, agreement))
    return sorted(found, key=lambda annex: (annex.day, annex.agreement.year, annex.agreement.sequence))


def _signed() -> RevisionQuerySet:
    return Revision.objects.filter(state=RevisionState.SIGNED)


# Changing


@transaction.atomic
def add_clock_day(
    area: CollaborationArea,
    *,
    event: str,
    month: int,
    day: int,
    year: int | None = None,
    lead_days: int | None = None,
    source_note: str = "",
    checked: bool = False,
    by: User,
    on_behalf_of: Body,
) -> ClockDay:
    """A new day. Raises ClockNotYours, ClockDayRefused or ClockDayExists."""
    _require_member(area, by, on_behalf_of)
    if event not in ClockEvent.values:
        raise ClockDayRefused(_("Choose what happens on the day."), field="event")
    facts = _facts(year=year, month=month, day=day, lead_days=lead_days, source_note=source_note)
    with refused(clock_day_once=ClockDayExists):
        made = ClockDay.objects.create(
            area=area, event=event, came_in=CameIn.FORM, verified=checked, example=by.example, **facts
        )
    changes = {name: ["", text] for name, value in facts.items() if (text := as_text(value))}
    record("clock_day.added", area, by=by, on_behalf_of=on_behalf_of, changes=changes, **_words(made))
    return made


@transaction.atomic
def change_clock_day(
    clock_day: ClockDay, *, by: User, on_behalf_of: Body, seen: str = "", checked: bool = False, **facts: Any
) -> ClockDay:
    """Change year, month, day, lead_days or source_note. It then came in by form, verified only if `checked`.

    `seen` is the sum of what was shown. Raises ClockNotYours, ClockDayRefused, ClockDayExists, ClockDayGone, or
    ChangedMeanwhile if others have saved since, unless that is what is wanted anyway.
    """
    stands = _locked(clock_day, by, on_behalf_of)
    before = facts_of(stands)
    facts = _facts(**{**before, **facts})
    changes = differences(stands, facts)
    if changes and seen and seen != seen_of(before):
        told = Event.objects.about(stands.area).filter(name="clock_day.changed", data__event=stands.event)
        raise ChangedMeanwhile(before, {name: before[name] for name in changes}, told.select_related("by").first())
    if not changes and stands.verified >= checked:
        return stands
    if changes.keys() - {"source_note", "lead_days"}:
        stands.source = None
    if changes.keys() - {"lead_days"}:
        stands.verified = checked
    elif checked:
        stands.verified, changes = True, {**changes, "verified": ["false", "true"]}
    stands.came_in = CameIn.FORM
    for name, value in facts.items():
        setattr(stands, name, value)
    with refused(clock_day_once=ClockDayExists):
        stands.save()
    record("clock_day.changed", stands.area, by=by, on_behalf_of=on_behalf_of, changes=changes, **_words(stands))
    return stands


@transaction.atomic
def remove_clock_day(clock_day: ClockDay, *, by: User, on_behalf_of: Body) -> None:
    """Take it off the clock; one that came with the portal does not come back. Raises ClockNotYours or ClockDayGone."""
    stands = _locked(clock_day, by, on_behalf_of)
    words = {**_words(stands), "reference_key": stands.reference_key or ""}
    stands.delete()
    record("clock_day.removed", stands.area, by=by, on_behalf_of=on_behalf_of, **words)


def facts_of(clock_day: ClockDay) -> dict[str, Any]:
    """What people change of a day, as it stands."""
    return {name: getattr(clock_day, name) for name in ("year", "month", "day", "lead_days", "source_note")}


def forget_removed() -> int:
    """Take away again what people have removed and the portal's files have brought back."""
    removed = Event.objects.filter(name="clock_day.removed").exclude(data__reference_key="")
    keys = removed.values_list("data__reference_key", flat=True)
    gone, _by_model = ClockDay.objects.filter(came_in=CameIn.REFERENCE, reference_key__in=list(keys)).delete()
    return gone


def _facts(*, year: int | None, month: int, day: int, lead_days: int | None, source_note: str) -> dict[str, Any]:
    if year is not None and not YEARS[0] <= year <= YEARS[1]:
        raise ClockDayRefused(_("Write a year from %(from)s to %(to)s.") % {"from": YEARS[0], "to": YEARS[1]}, "year")
    if not 1 <= month <= 12:
        raise ClockDayRefused(_("Choose a month."), field="month")
    longest = calendar.monthrange(year or 2000, month)[1]  # 2000 has a 29 February
    if not 1 <= day <= longest:
        raise ClockDayRefused(_("Write a day from 1 to %(last)s.") % {"last": longest}, field="day")
    if lead_days is not None and not 1 <= lead_days <= MOST_LEAD_DAYS:
        raise ClockDayRefused(
            _("Write a number of days from 1 to %(most)s, or nothing.") % {"most": MOST_LEAD_DAYS}, field="lead_days"
        )
    return {"year": year, "month": month, "day": day, "lead_days": lead_days, "source_note": source_note.strip()}


def _locked(clock_day: ClockDay, by: User, on_behalf_of: Body) -> ClockDay:
    found = ClockDay.objects.select_for_update(of=("self",), no_key=True).select_related("area").filter(pk=clock_day.pk)
    stands = found.first()
    if stands is None:
        raise ClockDayGone
    _require_member(stands.area, by, on_behalf_of)
    return stands


def _require_member(area: CollaborationArea, by: User, on_behalf_of: Body) -> None:
    is_member = Membership.objects.on().filter(area=area, municipality=on_behalf_of.pk).exists()
    if not is_member or on_behalf_of.pk not in by.bodies_today() or not by.has_perm("agreements.change_clock", area):
        raise ClockNotYours


def _words(clock_day: ClockDay) -> dict[str, Any]:
    return {"event": clock_day.event, "year": clock_day.year or "", "month": clock_day.month, "day": clock_day.day}
