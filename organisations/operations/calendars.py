"""What can be done with school years and their breaks, and with the time it takes to travel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from collab4m.errors import RuleBroken, refused
from collab4m.school_year import SchoolYear
from collab4m.swedish import swedish_key
from organisations.models import Body, Municipality, SchoolBreak, Semester, TravelTime, User
from organisations.operations.facts import BlamesField, LastDayTooEarly, change_fact, create_fact, locked, speaks_for
from records.models import CameIn, span
from records.operations import record

Days = tuple[date, date]


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
) -> None:
    """Make the municipality's semesters (by kind) and breaks (name, first day, last day) of the year exactly these.

    Raises OutsideSchoolYear, SemestersOverlap, LastDayTooEarly, BreaksOverlap or BreakNamedTwice.
    """
    municipality = locked(municipality)
    wanted = {kind: days for kind, days in semesters.items() if days}
    _require_order(school_year, wanted, breaks)
    valid = {"municipality": municipality, "school_year": school_year}
    facts = {**valid, "example": by.example, "verified": speaks_for(municipality, on_behalf_of)}
    changes = _replace(Semester, "kind", {kind: span(*days) for kind, days in wanted.items()}, valid, facts)
    with refused(break_not_twice_a_day=BreaksOverlap):
        spans = {name: span(first_day, last_day) for name, first_day, last_day in breaks}
        changes |= _replace(SchoolBreak, "name", spans, valid, facts)
    if changes:
        words = {"school_year": str(school_year), "municipality": municipality.name}
        record("school_year.changed", municipality, by=by, on_behalf_of=on_behalf_of, changes=changes, **words)


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
    pair = [origin.pk, destination.pk]
    list(Municipality.objects.select_for_update().filter(pk__in=pair).order_by("pk"))
    valid = facts.get("valid", span(None, None))
    known = TravelTime.objects.filter(origin__in=pair, destination__in=pair, mode=mode, valid__overlap=valid)
    if known.exists() or origin == destination:
        raise TravelTimeExists
    made: TravelTime = create_fact(
        TravelTime, by, on_behalf_of, origin=origin, destination=destination, mode=mode, **facts
    )
    record("travel_time.created", made, by=by, on_behalf_of=on_behalf_of, **_way(made))
    return made


@transaction.atomic
def change_travel_time(
    travel_time: TravelTime, *, by: User, on_behalf_of: Body | None = None, **facts: Any
) -> TravelTime:
    """Change minutes, valid or source_note. Unknown minutes are None."""
    travel_time = locked(travel_time)
    change_fact("travel_time.changed", travel_time, facts, by=by, on_behalf_of=on_behalf_of, **_way(travel_time))
    return travel_time


def _way(travel_time: TravelTime) -> dict[str, Any]:
    return {
        "origin": travel_time.origin.name,
        "destination": travel_time.destination.name,
        "mode": travel_time.mode,
    }
