"""Reporting what a school offers, by form, program or file: the same rules, the same rows, the same history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, When
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now
from collab4m.errors import RuleBroken
from collab4m.school_year import SchoolYear
from organisations.models import Body, CollaborationArea, Municipality, Provider, RoleKind, School, User
from organisations.operations import seen_of
from programmes import mails
from programmes.models import (
    FIGURES,
    Offering,
    OfferingReminder,
    OfferingReport,
    Orientation,
    Programme,
    ReportingDeadline,
    Succession,
    SuccessionKind,
)
from programmes.operations.offer import MunicipalityOffer, Offer, members_of
from records.models import CameIn, Event
from records.operations import record, send
from records.people import answering_for
from records.values import as_text

FACTS = ("offered", *FIGURES, "as_of")
CARRIED = ("seats", "workplace_learning_capacity")  # from one year's report to the next
REMIND_AGAIN_AFTER = timedelta(hours=24)

Key = tuple[int, int | None]  # the programme's id and the orientation's, None for the programme as a whole
Place = tuple[int, int, int | None]  # the same after the report's id
Named = tuple[str, int]  # "programme" or "orientation", and its id


@dataclass(frozen=True)
class Intake:
    """A row of a report: a programme as a whole, or one of its orientations, and what is said of it."""

    programme: int
    orientation: int | None = None
    offered: bool = True
    seats: int | None = None
    first_choice_applicants: int | None = None
    admitted: int | None = None
    workplace_learning_capacity: int | None = None
    as_of: date | None = None

    @classmethod
    def of(cls, row: Offering) -> Intake:
        return cls(row.programme_id, row.orientation_id, **{name: getattr(row, name) for name in FACTS})

    @property
    def key(self) -> Key:
        return self.programme, self.orientation

    @property
    def counts_something(self) -> bool:
        return any(getattr(self, figure) is not None for figure in FIGURES)


class IntakeRefused(RuleBroken):
    """A row of a report cannot be right. `key` says which: the programme's id and the orientation's."""

    code = "intake_refused"

    def __init__(self, message: str, key: Key) -> None:
        super().__init__(message)
        self.key = key


class NotYourSchool(RuleBroken):
    code = "not_your_school"
    message = _("You report for schools in your municipality, or for the school that you lead.")


class ReportedMeanwhile(RuleBroken):
    """Somebody has saved the report since the form was shown. `now` holds its rows by key."""

    code = "reported_meanwhile"

    def __init__(self, now: Mapping[Key, Intake], seen: str, last: Event | None) -> None:
        said = {"person": last.by if last and last.by else gettext("Somebody"), "at": as_text(last.at) if last else ""}
        super().__init__(
            gettext(
                "%(person)s saved this report %(at)s, while you were writing. What you wrote is still in the form but "
                "is not saved. Look at the rows that differ, and save once more."
            )
            % said
        )
        self.now, self.seen = now, seen


class HasSchools(RuleBroken):
    code = "has_schools"
    message = _("The municipality runs schools this school year. Report what each of them offers.")


class NothingToRemind(RuleBroken):
    code = "nothing_to_remind"
    message = _("All schools of the municipality have reported their whole offer.")


class NobodyToRemind(RuleBroken):
    code = "nobody_to_remind"
    message = _("Nobody answers for those schools in the portal yet. Ask the system administrator to invite somebody.")


class RemindedLately(RuleBroken):
    code = "reminded_lately"
    message = _("The municipality has been reminded in the last 24 hours.")


# The rules of a report's rows


class Catalogue:
    """What may be reported for a school year, by id. Two queries."""

    def __init__(self, year: SchoolYear) -> None:
        self.year = year
        self.programmes = {one.pk: one for one in Programme.objects.for_intake(year)}
        valid = Orientation.objects.for_intake(year).filter(programme__in=self.programmes)
        self.orientations = {one.pk: one for one in valid}
        self.of_programme: dict[int, list[int]] = defaultdict(list)
        for orientation in self.orientations.values():
            self.of_programme[orientation.programme_id].append(orientation.pk)

    def __contains__(self, named: Named) -> bool:
        kind, pk = named
        return pk in (self.programmes if kind == "programme" else self.orientations)

    def name(self, key: Key) -> str:
        programme, orientation = key
        if orientation in self.orientations:
            return f"{self.programmes[programme].code} {self.orientations[orientation].name}"
        return str(self.programmes[programme]) if programme in self.programmes else "?"

    def check(self, rows: Iterable[Intake]) -> None:
        """Raises IntakeRefused for the first row that cannot be right."""
        by_programme: dict[int, dict[int | None, Intake]] = defaultdict(dict)
        for row in rows:
            self._check_row(row)
            if row.orientation in by_programme[row.programme]:
                message = gettext("“%(name)s” stands twice. Keep one of the rows.") % {"name": self.name(row.key)}
                raise IntakeRefused(message, row.key)
            by_programme[row.programme][row.orientation] = row
        for programme, said in by_programme.items():
            self._check_levels(programme, said)

    def _check_row(self, row: Intake) -> None:
        if row.programme not in self.programmes:
            message = gettext("New pupils cannot begin on that programme in %(year)s.") % {"year": self.year}
            raise IntakeRefused(message, row.key)
        if row.orientation is not None and row.orientation not in self.of_programme[row.programme]:
            message = gettext("%(programme)s has no such orientation for new pupils in %(year)s.") % {
                "programme": self.programmes[row.programme],
                "year": self.year,
            }
            raise IntakeRefused(message, row.key)
        if not row.offered and row.counts_something:
            message = gettext("“%(name)s” is not offered, so it has no figures. Take one of them away.")
            raise IntakeRefused(message % {"name": self.name(row.key)}, row.key)

    def _check_levels(self, programme: int, said: Mapping[int | None, Intake]) -> None:
        whole = said.get(None)
        parts = [row for key, row in said.items() if key is not None]
        words = {"name": self.programmes[programme]}
        if whole and whole.counts_something and any(row.counts_something for row in parts):
            message = gettext(
                "Write the figures of %(name)s either for the programme or for its orientations, so that nobody is "
                "counted twice."
            )
            raise IntakeRefused(message % words, whole.key)
        if whole and not whole.offered and any(row.offered for row in parts):
            message = gettext("You say that %(name)s is not offered, but that one of its orientations is.")
            raise IntakeRefused(message % words, whole.key)
        denied = {row.orientation for row in parts if not row.offered}
        if whole and whole.offered and denied and denied == set(self.of_programme[programme]):
            message = gettext("You say that %(name)s is offered, but that none of its orientations is.")
            raise IntakeRefused(message % words, whole.key)


# One school


def intakes_of(report: OfferingReport | None, *, locked: bool = False) -> dict[Key, Intake]:
    """A report's rows by key. `locked`: nobody changes them until the transaction ends."""
    return _by_report([report], locked)[report.pk] if report else {}


def _by_report(reports: Iterable[OfferingReport], locked: bool) -> dict[int, dict[Key, Intake]]:
    found: dict[int, dict[Key, Intake]] = {report.pk: {} for report in reports}
    fields = ("report", "programme", "orientation", *FACTS)
    rows = Offering.objects.filter(report__in=found).order_by("pk")
    if locked:
        rows = rows.select_for_update(no_key=True)
    for report, programme, orientation, *facts in rows.values_list(*fields):
        intake = Intake(programme, orientation, **dict(zip(FACTS, facts, strict=True)))
        found[report][intake.key] = intake
    return found


def seen_of_report(report: OfferingReport | None, rows: Mapping[Key, Intake]) -> str:
    """A short sum of what a form or a program was shown, by which a later save tells whether others have saved."""
    shown: dict[str, Any] = {"complete": report.complete, "note": report.source_note} if report else {}
    for key, row in rows.items():
        shown |= {f"{key}:{name}": getattr(row, name) for name in FACTS}
    return seen_of(shown)


def report_of(school: School, year: SchoolYear) -> OfferingReport | None:
    reports = OfferingReport.objects.filter(school=school, school_year=year)
    return reports.select_related("source", "on_behalf_of").first()


def suggested_intakes(school: School, year: SchoolYear) -> tuple[OfferingReport | None, list[Intake]]:
    """Last year's report carried forward: what was offered and how many seats, under the codes that hold now.

    What comes out of an admission (applicants, admitted) is not carried forward. Also the report it is taken from.
    """
    earlier = OfferingReport.objects.filter(school=school, school_year__lt=year)
    last = earlier.order_by("-school_year").first()
    if last is None:
        return None, []
    catalogue = Catalogue(year)
    heirs = _heirs()
    found: dict[Key, Intake] = {}
    for row in intakes_of(last).values():
        programme, orientation, is_lost = _now_called(row.key, catalogue, heirs)
        if not row.offered or programme not in catalogue.programmes:
            continue
        key = (programme, orientation)
        places: dict[str, Any] = {name: None if is_lost else getattr(row, name) for name in CARRIED}
        if key in found:  # two that are merged
            places = {name: _added(getattr(found[key], name), places[name]) for name in CARRIED}
        found[key] = Intake(*key, **places)
    return last, list(found.values())


def _added(one: int | None, other: int | None) -> int | None:
    return one if other is None else other if one is None else one + other


def _now_called(key: Key, catalogue: Catalogue, heirs: Mapping[Named, Named]) -> tuple[int, int | None, bool]:
    """The programme and orientation under which a row goes on, and whether its orientation is lost on the way."""
    programme, orientation = key
    while programme not in catalogue.programmes and ("programme", programme) in heirs:
        programme = heirs["programme", programme][1]
    if orientation is None:
        return programme, None, False
    named: Named = ("orientation", orientation)
    while named not in catalogue and named in heirs:
        named = heirs[named]
    if named[0] == "programme":
        return named[1], None, False
    is_lost = named[1] not in catalogue.of_programme[programme]
    return programme, None if is_lost else named[1], is_lost


def _heirs() -> dict[Named, Named]:
    """What goes on as one and the same: by replacement, by a new curriculum, or merged into another."""
    kinds = [*SuccessionKind.full(), SuccessionKind.MERGED]
    steps = Succession.objects.filter(kind__in=kinds)
    fields = ("from_programme", "from_orientation", "to_programme", "to_orientation")
    found: dict[Named, Named] = {}
    for old_programme, old_orientation, new_programme, new_orientation in steps.values_list(*fields):
        before: Named = ("programme", old_programme) if old_programme else ("orientation", old_orientation)
        found[before] = ("programme", new_programme) if new_programme else ("orientation", new_orientation)
    return found


@transaction.atomic
def report_offering(
    school: School,
    year: SchoolYear,
    rows: Sequence[Intake],
    *,
    complete: bool,
    by: User,
    on_behalf_of: Body,
    seen: str = "",
    source_note: str = "",
    checked: bool = False,
    came_in: str = CameIn.FORM,
) -> OfferingReport:
    """Say what a school offers in a school year, in place of what was said before.

    `complete`: this is the whole offer, so that what is not named is not offered. `seen` is the sum of what whoever
    reports was shown. Raises NotYourSchool, IntakeRefused, or ReportedMeanwhile if others have saved since.
    """
    require_school(by, on_behalf_of, school)
    Catalogue(year).check(rows)
    lock_schools([school.pk])
    report = report_of(school, year)
    there = intakes_of(report, locked=True)
    wanted = {row.key: row for row in rows}
    stands = seen_of_report(report, there)
    is_wanted = report is not None and (there, report.complete) == (wanted, complete)
    if seen and seen != stands and not is_wanted:
        events = Event.objects.about(report).select_related("by") if report else Event.objects.none()
        raise ReportedMeanwhile(there, stands, events.first())
    writer = _Writer(by, on_behalf_of, came_in, checked)
    writer.write(school, year, report, there, wanted, complete, source_note)
    return writer.finish()[0]


def require_school(by: User, on_behalf_of: Body, school: School) -> None:
    """Raises NotYourSchool unless `by` reports for the school as `on_behalf_of`."""
    as_principal = on_behalf_of.pk == school.pk and school.pk in by.bodies_where(RoleKind.PRINCIPAL)
    administered = by.bodies_where(RoleKind.ADMINISTRATOR)
    as_administrator = on_behalf_of.pk == school.municipality_id and on_behalf_of.pk in administered
    if not (as_principal or as_administrator):
        raise NotYourSchool


def lock_schools(ids: Iterable[int]) -> None:
    """Whoever reports for a school waits here for whoever else does, in the order of ids."""
    list(Body.objects.select_for_update(no_key=True).filter(pk__in=list(ids)).order_by("pk").values_list("pk"))


class _Writer:
    """Writes reports and the rows that differ, many at once, and tells history of each report."""

    def __init__(self, by: User, on_behalf_of: Body, came_in: str, checked: bool) -> None:
        self.by, self.on_behalf_of, self.came_in, self.checked = by, on_behalf_of, came_in, checked
        self.names: dict[Key, str] = {}
        self.reports: list[OfferingReport] = []
        self.new_rows: list[Offering] = []
        self.changed: dict[Place, Intake] = {}
        self.gone: set[Place] = set()
        self.told: list[tuple[str, OfferingReport, dict[str, list[str]], int]] = []

    def write(
        self,
        school: School,
        year: SchoolYear,
        report: OfferingReport | None,
        there: Mapping[Key, Intake],
        wanted: Mapping[Key, Intake],
        complete: bool,
        source_note: str,
    ) -> None:
        differing = {key for key in there.keys() | wanted.keys() if there.get(key) != wanted.get(key)}
        is_real_now = report is not None and report.example and not self.by.example
        if report is None:
            report = OfferingReport(school=school, school_year=year, example=self.by.example)
            name = "offering_report.created"
            changes: dict[str, list[str]] = {}
        else:
            name = "offering_report.changed"
            changes = self._changes(report, there, wanted, differing, complete, source_note)
            if not changes and not is_real_now and not (self.checked and not report.verified):
                self.reports.append(report)
                return
        if is_real_now:  # whoever reports for real vouches for every row of the report
            report.example = False
            differing |= wanted.keys()
        report.provider_id, report.complete, report.source_note = school.provider_id, complete, source_note
        report.came_in, report.source, report.verified = self.came_in, None, self.checked
        report.reported_at, report.on_behalf_of = now(), self.on_behalf_of
        self.reports.append(report)
        self.gone |= {(report.pk, *key) for key in differing - wanted.keys()}
        self.changed |= {(report.pk, *key): wanted[key] for key in differing & there.keys() & wanted.keys()}
        new = sorted(differing - there.keys(), key=_order)
        self.new_rows += [self._row(report, wanted[key]) for key in new]
        offered = len({programme for (programme, _o), row in wanted.items() if row.offered})
        self.told.append((name, report, changes, offered))

    def _row(self, report: OfferingReport, intake: Intake) -> Offering:
        facts = {name: getattr(intake, name) for name in FACTS}
        return Offering(
            report=report,
            programme_id=intake.programme,
            orientation_id=intake.orientation,
            came_in=self.came_in,
            verified=self.checked,
            example=report.example,
            **facts,
        )

    def _changes(
        self,
        report: OfferingReport,
        there: Mapping[Key, Intake],
        wanted: Mapping[Key, Intake],
        differing: Iterable[Key],
        complete: bool,
        source_note: str,
    ) -> dict[str, list[str]]:
        changes: dict[str, list[str]] = {}
        if report.complete != complete:
            changes["complete"] = [as_text(report.complete), as_text(complete)]
        if report.source_note != source_note:
            changes["source_note"] = [report.source_note, source_note]
        for key in sorted(differing, key=_order):
            before, after = there.get(key), wanted.get(key)
            for name in FACTS:
                was, will_be = (as_text(getattr(row, name)) if row else "" for row in (before, after))
                if was != will_be:
                    changes[f"{self._name(key)}:{name}"] = [was, will_be]
        return changes

    def _name(self, key: Key) -> str:
        """How history names a row: by its codes, which do not depend on the reader's language."""
        if not self.names:
            codes = dict(Programme.objects.values_list("pk", "code"))
            orientations = Orientation.objects.values_list("pk", "programme", "code", "name_sv")
            self.names = {(pk, None): code for pk, code in codes.items()}
            self.names |= {(programme, pk): code or name for pk, programme, code, name in orientations}
        return self.names[key]

    def finish(self) -> list[OfferingReport]:
        changed = [report for report in self.reports if report.pk]
        OfferingReport.objects.bulk_create([report for report in self.reports if not report.pk])
        told = {id(report) for _name, report, _changes, _offered in self.told}
        fields = ["provider", "complete", "source_note", "came_in", "source", "verified", "example"]
        fields += ["reported_at", "on_behalf_of"]
        OfferingReport.objects.bulk_update([report for report in changed if id(report) in told], fields, batch_size=500)
        if self.gone or self.changed:
            self._replace_rows()
        for row in self.new_rows:
            row.report_id = row.report.pk
        Offering.objects.bulk_create(self.new_rows, batch_size=2000)
        for name, report, changes, offered in self.told:
            record(
                name, report, by=self.by, on_behalf_of=self.on_behalf_of, changes=changes,
                school=str(report.school), year=str(report.school_year), offered=offered,
                complete=int(report.complete),
            )  # fmt: skip
        return self.reports

    def _replace_rows(self) -> None:
        """Delete rows and change others. A changed row keeps its id: somebody may have proposed to correct it."""
        gone, changed = [], []
        examples = {report.pk: report.example for report in self.reports}
        for row in Offering.objects.filter(report__in={report for report, *_key in (*self.gone, *self.changed)}):
            key = (row.report_id, row.programme_id, row.orientation_id)
            if key in self.gone:
                gone.append(row.pk)
            elif intake := self.changed.get(key):
                for name in FACTS:
                    setattr(row, name, getattr(intake, name))
                row.came_in, row.source, row.source_note, row.verified = self.came_in, None, "", self.checked
                row.example = examples[row.report_id]
                changed.append(row)
        Offering.objects.filter(pk__in=gone).delete()
        # The constraints look at each row as it is written, so first no row says what another may contradict.
        Offering.objects.filter(pk__in=[row.pk for row in changed]).update(
            **dict.fromkeys(FIGURES), offered=Case(When(orientation=None, then=True), default=False)
        )
        fields = [*FACTS, "came_in", "source", "source_note", "verified", "example"]
        Offering.objects.bulk_update(changed, fields, batch_size=500)


def _order(key: Key) -> tuple[int, int]:
    return key[0], key[1] or 0


@transaction.atomic
def report_offerings(
    by_school: Mapping[School, Sequence[Intake]],
    year: SchoolYear,
    *,
    complete: bool,
    by: User,
    on_behalf_of: Body,
    source_note: str = "",
) -> list[OfferingReport]:
    """Say what several schools offer, from a file: all of it or nothing.

    Rows replace the ones that say something of the same; those not named stay, unless the file is the `complete` offer.
    Raises NotYourSchool or IntakeRefused.
    """
    catalogue = Catalogue(year)
    for school in by_school:
        require_school(by, on_behalf_of, school)
    lock_schools(school.pk for school in by_school)
    reports = {
        report.school_id: report
        for report in OfferingReport.objects.filter(school__in=list(by_school), school_year=year)
    }
    rows = _by_report(reports.values(), locked=True)
    writer = _Writer(by, on_behalf_of, CameIn.IMPORT, checked=False)
    for school, intakes in by_school.items():
        report = reports.get(school.pk)
        there = rows[report.pk] if report else {}
        named = {row.key: row for row in intakes}
        is_kept = report is not None and not complete and (by.example or not report.example)
        wanted = {**there, **named} if is_kept else named  # what was invented goes when the first real rows come
        catalogue.check(wanted.values())
        is_whole = complete or (report is not None and is_kept and report.complete)
        writer.write(school, year, report, there, wanted, is_whole, source_note)
    return writer.finish()


@transaction.atomic
def report_no_school(municipality: Municipality, year: SchoolYear, *, by: User, on_behalf_of: Body) -> OfferingReport:
    """A municipality's word that it runs no school with upper-secondary education in a school year.

    Raises HasSchools if the directory says otherwise, NotYourSchool if `by` does not speak for the municipality.
    """
    _require_municipality(by, on_behalf_of, municipality)
    lock_schools([municipality.pk])
    if Offer(year, [(municipality, None)]).members[0].own:
        raise HasSchools
    provider, _is_new = Provider.objects.get_or_create(
        municipality=municipality,
        defaults={"name": municipality.official_name, "kind": "municipal", "example": by.example},
    )
    report, is_new = OfferingReport.objects.get_or_create(
        provider=provider,
        school=None,
        school_year=year,
        defaults={"complete": True, "example": by.example, "on_behalf_of": on_behalf_of},
    )
    if is_new:
        record("offering_report.no_school", municipality, by=by, on_behalf_of=on_behalf_of, year=str(year))
    return report


@transaction.atomic
def take_back_no_school(municipality: Municipality, year: SchoolYear, *, by: User, on_behalf_of: Body) -> None:
    """Take back the word that the municipality runs no school. Raises NotYourSchool."""
    _require_municipality(by, on_behalf_of, municipality)
    lock_schools([municipality.pk])
    said = OfferingReport.objects.filter(provider__municipality=municipality, school=None, school_year=year)
    if said.delete()[0]:
        record("offering_report.no_school_taken_back", municipality, by=by, on_behalf_of=on_behalf_of, year=str(year))


def _require_municipality(by: User, on_behalf_of: Body, municipality: Municipality) -> None:
    if on_behalf_of.pk != municipality.pk or municipality.pk not in by.bodies_where(RoleKind.ADMINISTRATOR):
        raise NotYourSchool


# How far reporting has come


@dataclass(frozen=True)
class Progress:
    """How far a member has come with reporting, whom one may remind, and when that was last done."""

    member: MunicipalityOffer
    reminded: OfferingReminder | None

    @property
    def whole(self) -> int:
        return sum(one.is_complete for one in self.member.own)

    @property
    def begun(self) -> int:
        return sum(one.report is not None and not one.is_complete for one in self.member.own)


def progress_of(area: CollaborationArea, year: SchoolYear) -> list[Progress]:
    """How far each member of an area has come with reporting, in the agreed order."""
    offer = Offer(year, members_of(area, year))
    reminders = OfferingReminder.objects.filter(
        municipality__in=[member.municipality.pk for member in offer.members], school_year=year
    ).order_by("sent_at")
    latest = {reminder.municipality_id: reminder for reminder in reminders}
    return [Progress(member, latest.get(member.municipality.pk)) for member in offer.members]


def deadline_of(area: CollaborationArea, year: SchoolYear) -> ReportingDeadline | None:
    return ReportingDeadline.objects.filter(area=area, school_year=year).first()


@transaction.atomic
def set_deadline(
    area: CollaborationArea, year: SchoolYear, *, last_day: date, by: User, on_behalf_of: Body
) -> ReportingDeadline:
    """The day by which the area's members are to have reported their offer for a school year."""
    CollaborationArea.objects.select_for_update(no_key=True).get(pk=area.pk)
    deadline = deadline_of(area, year)
    before = deadline.last_day if deadline else None
    if before == last_day and deadline:
        return deadline
    deadline = deadline or ReportingDeadline(area=area, school_year=year, example=by.example)
    deadline.last_day = last_day
    deadline.save()
    record(
        "reporting_deadline.set", area, by=by, on_behalf_of=on_behalf_of,
        changes={"last_day": [as_text(before), as_text(last_day)]}, year=str(year), day=as_text(last_day),
    )  # fmt: skip
    return deadline


@transaction.atomic
def remind_of_offering(
    municipality: Municipality, year: SchoolYear, *, by: User, on_behalf_of: Body | None
) -> list[User]:
    """Mail those who answer for the municipality's schools that have not reported their whole offer, one mail each.

    Raises NothingToRemind, NobodyToRemind, or RemindedLately within 24 hours of the last reminder.
    """
    lock_schools([municipality.pk])
    member = Offer(year, [(municipality, None)]).members[0]
    if not member.missing:
        raise NothingToRemind
    lately = OfferingReminder.objects.filter(
        municipality=municipality, school_year=year, sent_at__gt=now() - REMIND_AGAIN_AFTER
    )
    if lately.exists():
        raise RemindedLately
    schools: dict[User, list[School]] = defaultdict(list)
    for one in member.missing:
        for person in answering_for(one.school):
            if person != by:
                schools[person].append(one.school)
    if not schools:
        raise NobodyToRemind
    OfferingReminder.objects.create(
        municipality=municipality, school_year=year, from_body=on_behalf_of, example=by.example
    )
    areas = municipality.memberships.on().values_list("area", flat=True)
    deadline = ReportingDeadline.objects.filter(area__in=areas, school_year=year).order_by("last_day").first()
    send(
        *(
            mails.offering_wanted(person, ones, year, from_body=on_behalf_of, deadline=deadline)
            for person, ones in schools.items()
        )
    )
    record(
        "offering.reminded", municipality, by=by, on_behalf_of=on_behalf_of,
        year=str(year), people=len(schools), municipality=municipality.name,
    )  # fmt: skip
    return list(schools)
