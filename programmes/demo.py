"""The demonstration's offer and pupil flows: invented, marked as examples, and gone with the demonstration's people."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.db import models, transaction
from django.db.models import Q

from collab4m.clock import today
from collab4m.school_year import SchoolYear
from organisations.demo import AREA, FIRST_DAY, TOWNS, DemoNeedsReference, address_of
from organisations.models import Body, CollaborationArea, Municipality, School, SemesterKind, User
from programmes.models import (
    FIGURES,
    Offering,
    OfferingReport,
    Orientation,
    Programme,
    PupilFlow,
    ReportingDeadline,
)
from programmes.operations import Intake, report_flow, report_offering, set_deadline

EXAMPLES = Path(__file__).resolve().parent / "examples"
YEAR = SchoolYear.of(FIRST_DAY)
NOTE = "Exempel"
TIME_TO_REPORT = timedelta(weeks=4)
SEMESTERS = {"autumn": SemesterKind.AUTUMN, "spring": SemesterKind.SPRING}  # column of the file -> semester


@transaction.atomic
def load_demo() -> int:
    """Report the examples that nobody has reported yet; returns for how many schools.

    Needs the people and roles that organisations.demo loads. Raises DemoNeedsReference if the catalogue, the schools
    or the municipalities are not there.
    """
    reporters = _Reporters()
    reported = _report_offers(reporters)
    _report_flows(reporters)
    _set_deadline(reporters)
    return reported


def _rows(file: str) -> list[dict[str, str]]:
    with (EXAMPLES / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _found(rows: models.QuerySet[Any], key: str, wanted: Iterable[str]) -> dict[str, Any]:
    """The rows by key. Raises DemoNeedsReference if one that is wanted is not there."""
    found = {getattr(row, key): row for row in rows.filter(**{f"{key}__in": set(wanted)})}
    if set(wanted) - found.keys():
        raise DemoNeedsReference
    return found


class _Reporters:
    """Who reports for what: the principal for the school they lead, the municipality's administrator for the rest."""

    def __init__(self) -> None:
        self.municipalities = _found(Municipality.objects.all(), "code", [one.code for one in TOWNS])
        self.administrators = {one.code: f"handlaggare.{one.slug}" for one in TOWNS}
        self.principals = {one.school: f"rektor.{one.slug}" for one in TOWNS}
        addresses = [address_of(who) for who in (*self.administrators.values(), *self.principals.values())]
        self.people: dict[str, User] = _found(User.objects.all(), "email", addresses)

    def of_school(self, school: School) -> dict[str, Any]:
        if who := self.principals.get(school.reference_key or ""):
            return self._acting(who, school.body)
        return self.of_municipality(school.municipality)

    def of_municipality(self, municipality: Municipality) -> dict[str, Any]:
        return self._acting(self.administrators[municipality.code], municipality.body)

    def _acting(self, who: str, body: Body) -> dict[str, Any]:
        return {"by": self.people[address_of(who)], "on_behalf_of": body}


def _report_offers(reporters: _Reporters) -> int:
    reports, rows = _rows("reports.csv"), _rows("offerings.csv")
    schools = _found(
        School.objects.select_related("municipality", "provider"), "reference_key", [one["school"] for one in reports]
    )
    programmes = _found(Programme.objects.all(), "code", [row["programme"] for row in rows])
    orientations = _found(
        Orientation.objects.all(), "reference_key", [row["orientation"] for row in rows if row["orientation"]]
    )
    intakes: dict[tuple[str, str], list[Intake]] = defaultdict(list)
    for row in rows:
        orientation = orientations[row["orientation"]].pk if row["orientation"] else None
        intakes[row["school_year"], row["school"]].append(_intake(row, programmes[row["programme"]].pk, orientation))
    known = set(OfferingReport.objects.filter(school__in=schools.values()).values_list("school", "school_year"))
    reported = set()
    for one in reports:
        school, year = schools[one["school"]], SchoolYear.parse(one["school_year"])
        if (school.pk, year) in known:
            continue
        report_offering(
            school,
            year,
            intakes[one["school_year"], one["school"]],
            complete=one["complete"] == "yes",
            source_note=f"{NOTE}. {one['note']}" if one["note"] else NOTE,
            **reporters.of_school(school),
        )
        reported.add(school)
    return len(reported)


def _intake(row: dict[str, str], programme: int, orientation: int | None) -> Intake:
    figures = {name: int(row[name]) if row[name] else None for name in FIGURES}
    counted = any(figure is not None for figure in figures.values())
    return Intake(
        programme,
        orientation,
        offered=row["offered"] == "yes",
        as_of=date(SchoolYear.parse(row["school_year"]).starts, 10, 15) if counted else None,
        **figures,
    )


def _report_flows(reporters: _Reporters) -> None:
    rows = _rows("flows.csv")
    programmes = _found(Programme.objects.all(), "code", [row["programme"] for row in rows])
    key = ("home__code", "provider_municipality__code", "programme__code", "semester")
    known = set(PupilFlow.objects.filter(school_year=YEAR).values_list(*key))
    for row in rows:
        home = reporters.municipalities[row["home"]]
        for column, semester in SEMESTERS.items():
            if (row["home"], row["provider_municipality"], row["programme"], semester) in known:
                continue
            report_flow(
                home=home,
                provider_municipality=reporters.municipalities[row["provider_municipality"]],
                programme=programmes[row["programme"]],
                school_year=YEAR,
                semester=semester,
                pupils=int(row[column]),
                source_note=NOTE,
                **reporters.of_municipality(home),
            )


def _set_deadline(reporters: _Reporters) -> None:
    area = _found(CollaborationArea.objects.all(), "reference_key", [AREA])[AREA]
    if not ReportingDeadline.objects.filter(area=area, school_year=YEAR).exists():
        first = reporters.municipalities[TOWNS[0].code]
        set_deadline(area, YEAR, last_day=today() + TIME_TO_REPORT, **reporters.of_municipality(first))


@transaction.atomic
def remove_demo() -> None:
    """Mark what real people have reported for schools and municipalities that are examples as examples too.

    All examples are then taken away, with what was said of them, by organisations.demo.remove_demo.
    """
    about = Q(school__example=True) | Q(school=None, provider__example=True)
    OfferingReport.objects.filter(about).update(example=True)
    Offering.objects.filter(report__example=True).update(example=True)
    OfferingReport.objects.filter(school__isnull=False, provider__example=True).update(provider=None)
    # Asked first: over both municipalities at once the planner may compare every row with every municipality.
    towns = list(Municipality.objects.filter(example=True).values_list("pk", flat=True))
    PupilFlow.objects.filter(Q(home__in=towns) | Q(provider_municipality__in=towns)).update(example=True)
