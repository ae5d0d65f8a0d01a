"""The offer of some municipalities in a school year: what is said, by whom, and what is only known from before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import F, Max, OuterRef, Q, Subquery

from collab4m.school_year import SchoolYear
from collab4m.swedish import swedish_key
from organisations.models import CollaborationArea, Membership, Municipality, ProviderKind, School
from programmes.models import (
    FIGURES,
    Answer,
    Offering,
    OfferingFact,
    OfferingReport,
    Orientation,
    Programme,
    ProgrammeKind,
    Succession,
    about_orientation,
    about_programme,
    together,
)
from records.models import span

NATIONAL = (ProgrammeKind.VOCATIONAL, ProgrammeKind.PREPARATORY)
KIND_ORDER = {kind: place for place, kind in enumerate(ProgrammeKind.values)}


@dataclass(frozen=True)
class Figures:
    """An intake's figures at one place. `is_sum`: taken from orientations, or added up over schools."""

    seats: int | None = None
    first_choice_applicants: int | None = None
    admitted: int | None = None
    workplace_learning_capacity: int | None = None
    is_sum: bool = False

    @classmethod
    def of(cls, offering: Offering) -> Figures:
        return cls(**{name: getattr(offering, name) for name in FIGURES})

    @classmethod
    def added(cls, parts: Sequence[Any]) -> Figures:
        """The sums of what is known; unknown only where no part says anything."""
        sums = {}
        for name in FIGURES:
            known = [value for part in parts if (value := getattr(part, name)) is not None]
            sums[name] = sum(known) if known else None
        return cls(**sums, is_sum=True)


NO_FIGURES = Figures()


@dataclass(frozen=True)
class Cell:
    """What is known of a programme or orientation at a school, or at the schools that a municipality runs.

    `sources` are the reports and rows that say so; `fact` is the last that is known from an open source, beside an
    answer that nobody has given.
    """

    answer: Answer
    figures: Figures = NO_FIGURES
    offerings: Sequence[Offering] = ()
    reports: Sequence[OfferingReport] = ()
    fact: OfferingFact | None = None

    @property
    def grounds(self) -> list[OfferingReport] | list[OfferingFact]:
        """What the answer rests on: reports, or the last that an open source says where there is none."""
        return [*self.reports] or ([self.fact] if self.fact else [])

    @property
    def example(self) -> bool:
        return any(report.example for report in self.reports)


@dataclass
class SchoolOffer:
    """A school with its report of the year, if there is one, and what open sources say of it."""

    school: School
    report: OfferingReport | None = None
    rows: dict[int, dict[int | None, Offering]] = field(default_factory=dict)  # programme -> orientation -> row

    @cached_property
    def is_own(self) -> bool:
        """Whether the municipality where it lies runs it."""
        return self.school.is_municipal

    @cached_property
    def is_independent(self) -> bool:
        return self.school.provider is None or self.school.provider.kind in (
            ProviderKind.INDEPENDENT,
            ProviderKind.UNKNOWN,
        )

    @property
    def is_complete(self) -> bool:
        return self.report is not None and self.report.complete


@dataclass
class MunicipalityOffer:
    """A member, its schools in Swedish order with its own first, and its mark in the area."""

    municipality: Municipality
    membership: Membership | None
    schools: list[SchoolOffer]
    denial: OfferingReport | None = None  # its word that it runs no school

    @cached_property
    def own(self) -> list[SchoolOffer]:
        return [one for one in self.schools if one.is_own]

    @cached_property
    def others(self) -> list[SchoolOffer]:
        return [one for one in self.schools if not one.is_own]

    @property
    def is_complete(self) -> bool:
        """Whether all its own schools have reported their whole offer."""
        return self.denial is not None or (bool(self.own) and all(one.is_complete for one in self.own))

    @property
    def missing(self) -> list[SchoolOffer]:
        """Its own schools that have not reported their whole offer."""
        return [] if self.denial else [one for one in self.own if not one.is_complete]


class Offer:
    """What is offered in some municipalities in a school year, with every answer's ground. Seven queries."""

    def __init__(
        self, year: SchoolYear, members: Sequence[tuple[Municipality, Membership | None]], kinds: Iterable[str] = ()
    ) -> None:
        self.year = year
        self._cells: dict[tuple[int, int, int | None], Cell] = {}
        ids = [municipality.pk for municipality, _membership in members]
        self._read_catalogue(kinds)
        self._read_schools(members, ids)
        self._read_reports(ids)
        self._read_facts(ids)

    # Reading

    def _read_catalogue(self, kinds: Iterable[str]) -> None:
        programmes = Programme.objects.for_intake(self.year).select_related("source")
        chosen = tuple(kinds)
        if chosen:
            programmes = programmes.filter(kind__in=chosen)
        self.programmes = sorted(programmes, key=lambda one: (KIND_ORDER[one.kind], swedish_key(one.name_sv), one.code))
        by_id = {programme.pk: programme for programme in self.programmes}
        self.orientations: dict[int, list[Orientation]] = defaultdict(list)
        valid = Orientation.objects.for_intake(self.year).filter(programme__in=by_id)
        for orientation in sorted(valid, key=lambda one: (swedish_key(one.name_sv), one.pk)):
            orientation.programme = by_id[orientation.programme_id]
            self.orientations[orientation.programme_id].append(orientation)

    def _read_schools(self, members: Sequence[tuple[Municipality, Membership | None]], ids: list[int]) -> None:
        in_year = span(self.year.first_day, self.year.last_day)
        schools = School.objects.filter(municipality__in=ids, valid__overlap=in_year).select_related("provider")
        here: dict[int, list[SchoolOffer]] = defaultdict(list)
        self.schools: dict[int, SchoolOffer] = {}
        towns = {municipality.pk: municipality for municipality, _membership in members}
        for school in sorted(schools, key=lambda one: (not one.is_municipal, swedish_key(one.name), one.pk)):
            school.municipality = towns[school.municipality_id]
            offer = self.schools[school.pk] = SchoolOffer(school)
            here[school.municipality_id].append(offer)
        self.members = [
            MunicipalityOffer(municipality, membership, here[municipality.pk]) for municipality, membership in members
        ]

    def _read_reports(self, ids: list[int]) -> None:
        reports = OfferingReport.objects.filter(
            Q(school__municipality__in=ids) | Q(school=None, provider__municipality__in=ids), school_year=self.year
        ).select_related("source", "on_behalf_of", "provider")
        by_id = {report.pk: report for report in reports}
        denials = {}
        for report in by_id.values():
            if report.school_id in self.schools:
                report.school = self.schools[report.school_id].school
                self.schools[report.school_id].report = report
            elif report.school_id is None and report.provider:
                denials[report.provider.municipality_id] = report
        for member in self.members:
            member.denial = denials.get(member.municipality.pk) if not member.own else None
        rows = Offering.objects.filter(report__in=by_id).select_related("source")
        for row in rows:
            row.report = by_id[row.report_id]
            if row.report.school_id in self.schools:
                said = self.schools[row.report.school_id].rows.setdefault(row.programme_id, {})
                said[row.orientation_id] = row

    def _read_facts(self, ids: list[int]) -> None:
        """The facts by family, and by orientation with all that came before it; the latest first."""
        self._facts: dict[tuple[str, int], list[OfferingFact]] = defaultdict(list)
        facts = OfferingFact.objects.filter(municipality__in=ids).select_related(
            "source", "programme", "school__provider"
        )
        for fact in sorted(facts, key=lambda one: (one.latest_year, one.verified, one.pk), reverse=True):
            self._facts[fact.programme.family, fact.municipality_id].append(fact)

    @cached_property
    def _ancestors(self) -> dict[int, set[int]]:
        """The orientations that each orientation goes back to, itself among them."""
        steps: dict[int, set[int]] = defaultdict(set)
        pairs = Succession.objects.exclude(from_orientation=None).exclude(to_orientation=None)
        for before, after in pairs.values_list("from_orientation", "to_orientation"):
            steps[after].add(before)
        found: dict[int, set[int]] = {}
        for orientations in self.orientations.values():
            for orientation in orientations:
                reached, heap = set(), [orientation.pk]
                while heap:
                    one = heap.pop()
                    if one not in reached:
                        reached.add(one)
                        heap += steps[one]
                found[orientation.pk] = reached
        return found

    def facts_about(
        self, municipality: Municipality, programme: Programme, orientation: Orientation | None = None
    ) -> list[OfferingFact]:
        """What open sources say of it in a municipality, the latest first, under whatever code it had then.

        That an orientation was offered says that its programme was; that it was not says nothing of the programme.
        """
        facts = self._facts.get((programme.family, municipality.pk), [])
        if orientation is None:
            return [fact for fact in facts if fact.offered or fact.orientation_id is None]
        same = self._ancestors[orientation.pk]
        return [
            fact for fact in facts
            if fact.orientation_id in same or (fact.orientation_id is None and not fact.offered)
        ]  # fmt: skip

    # Answers

    def at_school(self, one: SchoolOffer, programme: Programme, orientation: Orientation | None = None) -> Cell:
        """What the school says, and what is known from before where it says nothing."""
        key = one.school.pk, programme.pk, orientation.pk if orientation else None
        if key not in self._cells:
            self._cells[key] = self._at_school(one, programme, orientation)
        return self._cells[key]

    def _at_school(self, one: SchoolOffer, programme: Programme, orientation: Orientation | None) -> Cell:
        rows = one.rows.get(programme.pk, {})
        answer = self._said(one, programme, orientation)
        if answer == Answer.NOT_REPORTED:
            facts = self.facts_about(one.school.municipality, programme, orientation)
            fact = next((fact for fact in facts if fact.school_id == one.school.pk), None)
            return Cell(answer, fact=fact, reports=[one.report] if one.report else ())
        reports = [one.report] if one.report else []
        if answer == Answer.NOT_OFFERED:
            saying = rows.get(orientation.pk if orientation else None) or rows.get(None)
            return Cell(answer, offerings=[saying] if saying else (), reports=reports)
        said = rows.get(orientation.pk if orientation else None)
        parts = [row for key, row in rows.items() if key is not None and row.offered]
        if orientation is None and parts and (said is None or not said.counts_something):
            return Cell(answer, figures=Figures.added(parts), offerings=parts, reports=reports)
        assert said  # what is offered is said of it, or of its orientations
        return Cell(answer, figures=Figures.of(said), offerings=[said], reports=reports)

    def _said(self, one: SchoolOffer, programme: Programme, orientation: Orientation | None) -> Answer:
        if one.report is None:
            return Answer.NOT_REPORTED
        said = {key: row.offered for key, row in one.rows.get(programme.pk, {}).items()}
        if orientation:
            return about_orientation(said, orientation.pk, one.report.complete)
        valid = [orientation.pk for orientation in self.orientations.get(programme.pk, ())]
        return about_programme(said, valid, one.report.complete)

    def at_municipality(
        self, member: MunicipalityOffer, programme: Programme, orientation: Orientation | None = None
    ) -> Cell:
        """What the municipality's own schools say together. Other providers' schools in town never count here."""
        if member.denial:
            return Cell(Answer.NOT_OFFERED, reports=[member.denial])
        cells = [self.at_school(one, programme, orientation) for one in member.own]
        answer = together(cell.answer for cell in cells)
        if answer == Answer.NOT_REPORTED:
            facts = self.facts_about(member.municipality, programme, orientation)
            return Cell(answer, fact=next((fact for fact in facts if is_own(fact)), None))
        saying = [cell for cell in cells if cell.answer == answer]
        return Cell(
            answer,
            figures=Figures.added([cell.figures for cell in saying]) if len(saying) > 1 else saying[0].figures,
            offerings=[row for cell in saying for row in cell.offerings],
            reports=[report for cell in saying for report in cell.reports],
        )

    def unplaced(self, member: MunicipalityOffer, programme: Programme) -> OfferingFact | None:
        """The last fact that names the municipality and no school."""
        facts = self.facts_about(member.municipality, programme)
        return next((fact for fact in facts if fact.school_id is None), None)


def is_own(fact: OfferingFact) -> bool:
    """Whether the fact is about the municipality's own schools, closed ones too, or names none."""
    return fact.school is None or fact.school.is_municipal


def members_of(area: CollaborationArea, year: SchoolYear) -> list[tuple[Municipality, Membership | None]]:
    """The area's members in the school year, in the agreed order."""
    in_year = span(year.first_day, year.last_day)
    memberships = Membership.objects.filter(area=area, valid__overlap=in_year).in_agreed_order()
    found: dict[int, tuple[Municipality, Membership | None]] = {}
    for membership in memberships.select_related("municipality"):
        found.setdefault(membership.municipality_id, (membership.municipality, membership))
    return list(found.values())


def offer_of(area: CollaborationArea, year: SchoolYear, kinds: Iterable[str] = ()) -> Offer:
    """What is offered in an area in a school year."""
    return Offer(year, members_of(area, year), kinds)


def whole_offers(municipalities: Iterable[int], year: SchoolYear) -> dict[int, bool | None]:
    """Whether each municipality's own schools have all reported their whole offer; None where none has begun.

    What `Offer` says of whole areas, in two queries.
    """
    ids = list(municipalities)
    own = School.objects.filter(
        municipality__in=ids,
        provider__municipality=F("municipality"),
        valid__overlap=span(year.first_day, year.last_day),
    )
    report = OfferingReport.objects.filter(school=OuterRef("pk"), school_year=year)
    said: dict[int, list[bool | None]] = defaultdict(list)
    for municipality, complete in own.values_list("municipality", Subquery(report.values("complete")[:1])):
        said[municipality].append(complete)
    denials = OfferingReport.objects.filter(school=None, provider__municipality__in=ids, school_year=year)
    run_no_school = set(denials.values_list("provider__municipality", flat=True)) - said.keys()
    found: dict[int, bool | None] = dict.fromkeys(ids)
    for municipality, answers in said.items():
        if any(answer is not None for answer in answers):
            found[municipality] = all(answers)
    return found | dict.fromkeys(run_no_school, True)


def latest_year(municipalities: Iterable[int]) -> SchoolYear | None:
    """The latest school year of which any school in those municipalities has reported."""
    reports = OfferingReport.objects.filter(school__municipality__in=list(municipalities))
    found: SchoolYear | None = reports.aggregate(latest=Max(F("school_year")))["latest"]
    return found


def reported_years(municipalities: Iterable[int]) -> list[SchoolYear]:
    """The school years of which any school in those municipalities has reported, latest first."""
    reports = OfferingReport.objects.filter(school__municipality__in=list(municipalities))
    return list(reports.order_by("-school_year").values_list("school_year", flat=True).distinct())
