"""What can be done with school years and their breaks, and with the time it takes to travel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from collab4m import slots
from collab4m.errors import RuleBroken, refused
from collab4m.school_year import SchoolYear
from collab4m.swedish import swedish_key
from organisations.models import Body, Municipality, SchoolBreak, Semester, SemesterKind, TravelTime, User
from organisations.operations.facts import (
    BlamesField,
    LastDayTooEarly,
    change_fact,
    create_fact,
    first_values,
    locked,
    locked_as_seen,
    require_seen,
)
from records.models import CameIn, Event, span
from records.operations import record

Days = tuple[date, date]
# What else must be done when a municipality's semesters or breaks have changed, in the same transaction.
SCHOOL_YEAR_SLOT = "organisations.school_year_changed"


class OutsideSchoolYear(RuleBroken):
    code = "outside_school_year"
    message = _("Every day must lie in the school year, which runs from 1 July to 30 June.")


class SemestersOverlap(RuleBroken):
    code = "semesters_overlap"
    message = _("The spring semester must begin after the autumn semester has ended.")


class BreaksOverlap(RuleBroken):
    code = "breaks_overlap"
    message = _("Two breaks share a day. Change one of them.")


class BreakNamedTwice(RuleBroken):
    code = "break_named_twice"
    message = _("Two breaks have the same name. Give them different names.")


class TravelTimeExists(BlamesField):
    code = "travel_time_exists"
    message = _("There is already a travel time for that way of travelling. Change that one.")
    blames = "destination"


class AnotherTravelTime(TravelTimeExists):
    """The same, told to whoever changes from when to when one holds."""

    message = _("There is another travel time for that way of travelling at the same time. Change the days.")
    blames = "first_day"


# School years


@transaction.atomic
def change_school_year(
    municipality: Municipality,
    school_year: SchoolYear,
    *,
    semesters: Mapping[str, Days | None],
    breaks: Sequence[tuple[str, date, date]],
    by: User,
    on_behalf_of: Body | None = None,
    seen: str = "",
    checked: bool = False,
) -> None:
    """Make the municipality's semesters (by kind) and breaks (name, first day, last day) of the year exactly these.

    Raises ChangedMeanwhile, OutsideSchoolYear, SemestersOverlap, LastDayTooEarly, BreaksOverlap or BreakNamedTwice.
    """
    municipality = locked(municipality)
    wanted = {kind: days for kind, days in semesters.items() if days}
    _require_order(school_year, wanted, breaks)
    valid = {"municipality": municipality, "school_year": school_year}
    told = Event.objects.about(municipality).filter(name="school_year.changed", data__school_year=str(school_year))
    now = year_in_words(Semester.objects.filter(**valid), SchoolBreak.objects.filter(**valid))
    require_seen(seen, now, _in_words(wanted, breaks), told)
    facts = {**valid, "example": by.example, "verified": checked}
    changes = _replace(Semester, "kind", {kind: span(*days) for kind, days in wanted.items()}, valid, facts)
    with refused(break_not_twice_a_day=BreaksOverlap):
        spans = {name: span(first_day, last_day) for name, first_day, last_day in breaks}
        changes |= _replace(SchoolBreak, "name", spans, valid, facts)
    if changes:
        words = {"school_year": str(school_year), "municipality": municipality.name}
        record("school_year.changed", municipality, by=by, on_behalf_of=on_behalf_of, changes=changes, **words)
        slots.ask(SCHOOL_YEAR_SLOT, municipality)


def year_in_words(semesters: Iterable[Semester], breaks: Iterable[SchoolBreak]) -> dict[str, str]:
    """A school year as it stands: both semesters by kind, and its breaks in order of time."""
    days = {row.kind: (row.first_day, row.last_day) for row in semesters}
    return _in_words(days, [(row.name, row.first_day, row.last_day) for row in breaks])


def _in_words(semesters: Mapping[str, Any], breaks: Iterable[tuple[str, Any, Any]]) -> dict[str, str]:
    words = {kind: "–".join(map(str, semesters.get(kind, ()))) for kind in SemesterKind.values}
    in_order = sorted(breaks, key=lambda row: row[1])
    return words | {"breaks": ", ".join(f"{name} {first_day}–{last_day}" for name, first_day, last_day in in_order)}


def _require_order(
    school_year: SchoolYear, semesters: Mapping[str, Days], breaks: Sequence[tuple[str, date, date]]
) -> None:
    spans = [*semesters.values(), *((first_day, last_day) for _name, first_day, last_day in breaks)]
    if any(last_day < first_day for first_day, last_day in spans):
        raise LastDayTooEarly
    if any(not school_year.first_day <= day <= school_year.last_day for days in spans for day in days):
        raise OutsideSchoolYear
    if "HT" in semesters and "VT" in semesters and semesters["VT"][0] <= semesters["HT"][1]:
        raise SemestersOverlap
    names = [name.casefold() for name, _first_day, _last_day in breaks]
    if len(set(names)) < len(names):
        raise BreakNamedTwice


def _replace(
    model: type[Any], key: str, wanted: Mapping[str, Any], where: dict[str, Any], facts: dict[str, Any]
) -> dict[str, list[str]]:
    """Rows of `where` become exactly `wanted` (key -> valid); what is right already is left alone."""
    there = {getattr(row, key): row for row in model.objects.filter(**where)}
    gone = {name: row for name, row in there.items() if name not in wanted or row.valid != wanted[name]}
    new = {name: valid for name, valid in wanted.items() if name not in there or name in gone}
    model.objects.filter(pk__in=[row.pk for row in gone.values()]).delete()
    rows = {name: model(**{key: name, "valid": valid, "came_in": CameIn.FORM, **facts}) for name, valid in new.items()}
    for row in rows.values():
        row.save(force_insert=True)
    return {name: [_days(gone.get(name)), _days(rows.get(name))] for name in sorted({*gone, *rows}, key=swedish_key)}


def _days(row: Any) -> str:
    return f"{row.first_day}–{row.last_day}" if row else ""


# Travel times


@transaction.atomic
def create_travel_time(
    *,
    origin: Municipality,
    destination: Municipality,
    mode: str,
    by: User,
    on_behalf_of: Body | None = None,
    **facts: Any,
) -> TravelTime:
    """A way to travel, with minutes, valid and source_note as `facts`. The same holds both ways.

    Raises TravelTimeExists if the two have one for that mode at the time.
    """
    if origin == destination:
        raise TravelTimeExists
    _lock_ends(origin.pk, destination.pk)
    way: dict[str, Any] = {"origin": origin, "destination": destination, "mode": mode}
    with refused(travel_time_once_either_way=TravelTimeExists):
        made: TravelTime = create_fact(TravelTime, by, **way, **facts)
    changes = first_values(made, facts)
    record("travel_time.created", made, by=by, on_behalf_of=on_behalf_of, changes=changes, **_way(made))
    return made


@transaction.atomic
def change_travel_time(
    travel_time: TravelTime,
    *,
    by: User,
    on_behalf_of: Body | None = None,
    seen: str = "",
    checked: bool = False,
    **facts: Any,
) -> TravelTime:
    """Change minutes, valid or source_note. Unknown minutes are None.

    Raises ChangedMeanwhile, or TravelTimeExists if the two have another one for that mode at the time.
    """
    _lock_ends(travel_time.origin_id, travel_time.destination_id)
    travel_time = locked_as_seen(travel_time, seen, facts)
    with refused(travel_time_once_either_way=AnotherTravelTime):
        change_fact(
            "travel_time.changed",
            travel_time,
            facts,
            by=by,
            on_behalf_of=on_behalf_of,
            checked=checked,
            **_way(travel_time),
        )
    return travel_time


def _lock_ends(*ids: int) -> None:
    """Rivals for the same way of travelling wait here, instead of for each other."""
    list(Municipality.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))


def _way(travel_time: TravelTime) -> dict[str, Any]:
    return {
        "origin": travel_time.origin.name,
        "destination": travel_time.destination.name,
        "mode": travel_time.mode,
    }
