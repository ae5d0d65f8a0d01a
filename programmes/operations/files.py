"""Files with offers and pupil flows: taken in, read with every fault named, shown, and then confirmed or dropped."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Count, Max, Q, Sum
from django.utils import translation
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now
from collab4m.errors import RuleBroken
from collab4m.school_year import SchoolYear
from collab4m.tables import Cell, Table, TableRefused, day, open_table, text, whole_number, yes_or_no
from organisations.models import Body, Municipality, RoleKind, School, User
from organisations.operations import seen_of
from programmes.models import (
    FIGURES,
    Answer,
    ColumnChoice,
    FileImport,
    FileKind,
    ImportRow,
    Offering,
    OfferingReport,
    Orientation,
    Programme,
    PupilFlow,
)
from programmes.operations.flows import NotYourFlow
from programmes.operations.reporting import (
    Catalogue,
    Intake,
    IntakeRefused,
    NotYourSchool,
    lock_schools,
    report_offerings,
)
from records.models import CameIn, Event, JobState, span
from records.operations import differences, order_job

MOST_PROBLEMS = 200  # told of at once; more help nobody
READ_AT_ONCE_BYTES = 100_000  # larger files are read by a job
WRITE_AT_ONCE_ROWS = 1_000
BATCH = 1_000
KEPT_FOR = timedelta(days=2)
LONGEST_SHOWN = 80
FLOW_KEY = ("home", "provider_municipality", "programme", "semester")

Progress = Callable[[int, int | None], None]  # rows done, and of about how many when that is known


@dataclass(frozen=True)
class Column:
    """Something that a file may tell: what it is called in the portal and in files, and whether it must be there."""

    name: str
    label: Any  # also its heading in the files that the portal itself makes
    headings: tuple[str, ...] = ()
    help: Any = ""  # what to write in it
    required: bool = False

    @property
    def known_headings(self) -> list[str]:
        """The headings by which the column is recognised, in small letters: the portal's own first."""
        return [*_in_every_language(self.label), *self.headings]


def _in_every_language(words: Any) -> list[str]:
    """A text in all the portal's languages, in small letters, so that a file may be made in one and read in another."""
    found = []
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            found.append(str(words).casefold())
    return found


_CODE = _("The code, for example BA, or the name as in the catalogue.")
_YEAR = _("As 2022/23. All rows are about the school year that you choose above.")
_NUMBER = _("A whole number. Empty means that nobody has said; 0 means none.")
OFFERING_COLUMNS = (
    Column("municipality", _("Municipality"), ("kommun", "kommunkod"), _("Name or code. Only your own municipality.")),
    Column(
        "school",
        _("School"),
        ("skola", "skolenhet", "skolenhetskod", "gymnasieskola"),
        _("The name as in the portal, or the school unit code."),
        required=True,
    ),
    Column("year", _("School year"), ("läsår", "lasar"), _YEAR),
    Column("programme", _("Programme code"), ("programkod", "program", "programme", "kod"), _CODE, required=True),
    Column(
        "orientation", _("Orientation code"), ("inriktningskod",), _("Empty when the row is about the whole programme.")
    ),
    Column("orientation_name", _("Orientation"), ("inriktning",), _("Read when there is no orientation code.")),
    Column(
        "offered",
        pgettext_lazy("noun", "Answer"),
        ("svar", "erbjuds", "finns", "offered"),
        _("Offered or not offered, or yes or no. Empty means offered. Not reported: the row is skipped."),
    ),
    Column("seats", _("Seats"), ("platser", "antal platser", "intagningsplatser", "org"), _NUMBER),
    Column("first_choice_applicants", _("First-choice applicants"), ("förstahandssökande", "1a_tot"), _NUMBER),
    Column("admitted", _("Admitted"), ("antagna", "antal antagna", "ant_tot"), _NUMBER),
    Column("workplace_learning_capacity", _("Places for workplace-based learning"), ("apl-platser", "apl"), _NUMBER),
    Column(
        "is_sum",
        _("Added up"),
        ("summerad",),
        _("Yes where the figures are sums over orientations: they are left aside."),
    ),
    Column(
        "as_of", _("Figures as of"), ("uppgift per", "per datum", "datum"), _("A day, as 2022-10-15 or 15/10 2022.")
    ),
)
_TOWN = _("The municipality's name, or its code of four figures.")
FLOW_COLUMNS = (
    Column("home", _("Home municipality"), ("hemkommun", "folkbokföringskommun"), _TOWN, required=True),
    Column(
        "provider_municipality",
        _("Municipality where they study"),
        ("skolkommun", "studiekommun", "anordnarkommun", "läser i"),
        _TOWN,
        required=True,
    ),
    Column("programme", _("Programme code"), ("programkod", "program", "programme", "kod"), _CODE, required=True),
    Column("year", _("School year"), ("läsår", "lasar"), _YEAR),
    Column("semester", _("Semester"), ("termin",), _("HT (autumn) or VT (spring)."), required=True),
    Column(
        "pupils", _("Pupils"), ("elever", "antal elever"), _("A whole number, 0 when there are none."), required=True
    ),
)
COLUMNS = {FileKind.OFFERINGS: OFFERING_COLUMNS, FileKind.FLOWS: FLOW_COLUMNS}


@dataclass(frozen=True)
class Problem:
    """One fault in a file: where it is, what stands there, and what to do."""

    line: int | None
    column: str
    heading: str
    value: str
    text: str

    def __str__(self) -> str:
        place = []
        if self.line:
            place.append(gettext("line %(line)s") % {"line": self.line})
        if self.column:
            place.append(gettext("column %(column)s") % {"column": self.column})
        if self.heading:
            place.append(gettext("“%(text)s”") % {"text": self.heading})
        return f"{', '.join(place)}: {self.text}" if place else self.text


class FileRefused(RuleBroken):
    """A file holds faults; nothing of it has been written. `problems` are the first ones, of `total`."""

    code = "file_refused"

    def __init__(self, name: str, problems: Sequence[Problem], total: int) -> None:
        first = str(problems[0])
        words = {"name": name, "first": first[:1].upper() + first[1:]}
        message = gettext("“%(name)s” cannot be used as it is. %(first)s") % words
        super().__init__(message, field="file")
        self.name, self.problems, self.total = name, problems, total


class ColumnsUnknown(RuleBroken):
    code = "columns_unknown"
    message = _("Choose which column of the file holds what.")


class FileGone(RuleBroken):
    code = "file_gone"
    message = _("The file is no longer here: it is imported, dropped, or older than two days. Send it again.")


class FileBusy(RuleBroken):
    code = "file_busy"
    message = _("The file is being read or imported just now. Wait until that is done.")


class ReportedSinceShown(RuleBroken):
    code = "reported_since_shown"
    message = _(
        "Somebody has reported since the rows were shown. Nothing is saved. Look at what stands now, and save again."
    )


class FileNotRead(RuleBroken):
    code = "file_not_read"
    message = _("The file has not been read without fault yet. Look at what is wrong in it, or send it again.")


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """A file that is no table is refused in the same way as one that holds faults."""
    try:
        yield
    except TableRefused as refused:
        raise FileRefused(name, [Problem(refused.line, refused.column, "", "", str(refused))], 1) from refused


# Taking in


@transaction.atomic
def take_in_file(
    kind: str,
    *,
    name: str,
    content: bytes,
    municipality: Municipality,
    school_year: SchoolYear,
    by: User,
    on_behalf_of: Body,
) -> FileImport:
    """Keep a file that somebody sends, find out what its columns hold, and read it, at once or by a job.

    What cannot be used leaves nothing behind: raises NotYourSchool or FileRefused.
    """
    if on_behalf_of.pk != municipality.pk or municipality.pk not in by.bodies_where(RoleKind.ADMINISTRATOR):
        raise NotYourSchool
    with _refusing(name):
        table = open_table(name, content)
        columns = known_columns(kind, municipality, table.headings)
        if columns is None and len(content) <= READ_AT_ONCE_BYTES:
            deque(table.rows(), maxlen=0)  # what cannot be read is told before anybody chooses columns
    file = FileImport.objects.create(
        kind=kind,
        municipality=municipality,
        school_year=school_year,
        name=name[:255],
        content=content,
        is_spreadsheet=table.is_spreadsheet,
        columns=columns,
        by=by,
        on_behalf_of=on_behalf_of,
        example=by.example,
    )
    if file.columns is None:
        if not guessed_columns(kind, table.headings):
            raise FileRefused(name, [_no_heading_known(kind, table)], 1)
        return file
    _read_or_order(file)
    return file


def _no_heading_known(kind: str, table: Table) -> Problem:
    wanted = ", ".join(str(column.label) for column in COLUMNS[FileKind(kind)] if column.required)
    message = gettext("None of the headings is known. Put headings on the first line, among them: %(wanted)s.") % {
        "wanted": wanted
    }
    return Problem(table.line_of_headings, "", "", "", message)


def guessed_columns(kind: str, headings: Sequence[str]) -> dict[str, int]:
    """Which column seems to hold what, by its heading."""
    places = {heading.casefold(): place for place, heading in enumerate(headings)}
    found = {}
    for column in COLUMNS[FileKind(kind)]:
        place = next((places[heading] for heading in column.known_headings if heading in places), None)
        if place is not None:
            found[column.name] = place
    return found


def known_columns(kind: str, municipality: Municipality, headings: Sequence[str]) -> dict[str, int] | None:
    """What the municipality chose for a file with these headings, or what the headings say; None if too little."""
    choice = ColumnChoice.objects.filter(
        municipality=municipality, kind=kind, headings_sha256=_sum_of(headings)
    ).first()
    columns: dict[str, int] = choice.columns if choice else guessed_columns(kind, headings)
    required = {column.name for column in COLUMNS[FileKind(kind)] if column.required}
    return columns if required <= columns.keys() else None


def _sum_of(headings: Sequence[str]) -> str:
    return hashlib.sha256("\x1f".join(headings).encode()).hexdigest()


@transaction.atomic
def choose_columns(file: FileImport, columns: Mapping[str, int]) -> FileImport:
    """Say which column holds what, remember it for the municipality's next file with these headings, and read.

    Raises ColumnsUnknown if something that must be there is left out, FileRefused if the file holds faults, FileGone or
    FileBusy.
    """
    file = _locked(file)
    if is_busy(file):
        raise FileBusy
    required = {column.name for column in COLUMNS[FileKind(file.kind)] if column.required}
    if not required <= columns.keys():
        raise ColumnsUnknown
    with _refusing(file.name):
        table = open_table(file.name, bytes(file.content))
    if any(place >= len(table.headings) for place in columns.values()):
        raise ColumnsUnknown
    ColumnChoice.objects.update_or_create(
        municipality=file.municipality,
        kind=file.kind,
        headings_sha256=_sum_of(table.headings),
        defaults={"columns": dict(columns), "example": file.by.example},
    )
    file.columns, file.is_read, file.problems = dict(columns), False, []
    file.save(update_fields=["columns", "is_read", "problems"])
    _read_or_order(file)
    return file


def _locked(file: FileImport) -> FileImport:
    """Raises FileGone if it has been confirmed, dropped or forgotten meanwhile."""
    found = FileImport.objects.select_for_update().filter(pk=file.pk).first()
    if found is None:
        raise FileGone
    return found


def is_busy(file: FileImport) -> bool:
    """Whether a job reads or writes the file, or is going to."""
    return file.job is not None and file.job.state in (JobState.QUEUED, JobState.RUNNING)


def _read_or_order(file: FileImport) -> None:
    if len(file.content) <= READ_AT_ONCE_BYTES:
        read_file(file)
    else:
        _order(file, "programmes.read_file")


def _order(file: FileImport, kind: str, **args: Any) -> Any:
    """Let a job do it. Its page leads back to the file's."""
    file.job = order_job(
        kind, str(file.pk), by=file.by, on_behalf_of=file.on_behalf_of,
        args={"file": file.pk, "page": file.get_absolute_url(), **args},
    )  # fmt: skip
    file.save(update_fields=["job"])
    return file.job


# Reading


def read_file(file: FileImport, progress: Progress | None = None) -> int:
    """Read the whole file into rows to confirm; returns how many. Raises FileRefused with every fault.

    Nothing but the file's own rows is written, and those go again when there is a fault.
    """
    with _refusing(file.name):
        table = open_table(file.name, bytes(file.content))
    reader = _READERS[FileKind(file.kind)](file, table)
    file.rows.all().delete()
    batch: list[ImportRow] = []
    done = 0
    try:
        for line, cells in table.rows():
            values = reader.read(line, cells)
            if values is not None:
                batch.append(ImportRow(file=file, line=line, values=values))
            done += 1
            if done % BATCH == 0:
                if not reader.problems:
                    ImportRow.objects.bulk_create(batch)
                batch = []
                if progress:
                    progress(done, table.about)
        reader.end()
    except TableRefused as refused:
        reader.note(Problem(refused.line, refused.column, "", "", str(refused)))
    if not reader.problems and not reader.is_any:
        reader.note(Problem(None, "", "", "", gettext("No row says anything. Fill in at least one row.")))
    if reader.problems:
        file.rows.all().delete()
        raise FileRefused(file.name, reader.problems, reader.total_problems)
    ImportRow.objects.bulk_create(batch)
    file.is_read, file.problems = True, []
    file.save(update_fields=["is_read", "problems"])
    return file.rows.count()


class _CellRefused(Exception):
    """A cell says what cannot be used; the text says what to write instead."""


@dataclass
class _Reader:
    """Turns the rows of a file into values, and notes every fault."""

    file: FileImport
    table: Table
    problems: list[Problem] = field(default_factory=list)
    total_problems: int = 0
    lines: dict[Any, int] = field(default_factory=dict)  # what a row is about -> its line

    @property
    def is_any(self) -> bool:
        return bool(self.lines)

    def __post_init__(self) -> None:
        self.columns: dict[str, int] = self.file.columns or {}
        self.prepare()

    def prepare(self) -> None:
        """Look up what the cells may refer to."""

    def read(self, line: int, cells: Sequence[Cell]) -> dict[str, Any] | None:
        raise NotImplementedError

    def end(self) -> None:
        """Judge what concerns several rows."""

    def note(self, problem: Problem) -> None:
        self.total_problems += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)

    def blame(self, line: int | None, name: str, value: Any, message: str) -> None:
        place = self.columns.get(name)
        column = self.table.place(place) if place is not None else ""
        heading = self.table.headings[place] if place is not None else ""
        self.note(Problem(line, column, heading, text(value)[:LONGEST_SHOWN], message))

    def is_new(self, line: int, key: Any, code: str) -> bool:
        """Whether no row above is about the same; else that is noted."""
        if key in self.lines:
            message = gettext("The same stands on line %(line)s. Keep one of the rows.")
            self.blame(line, "programme", code, message % {"line": self.lines[key]})
            return False
        self.lines[key] = line
        return True

    def cell(self, cells: Sequence[Cell], name: str) -> Cell:
        place = self.columns.get(name)
        return cells[place] if place is not None else None

    def value(self, line: int, cells: Sequence[Cell], name: str, read: Callable[[Cell], Any]) -> Any:
        """What the cell says, or None after the fault is noted."""
        cell = self.cell(cells, name)
        try:
            return read(cell)
        except (ValueError, _CellRefused) as error:
            self.blame(line, name, cell, str(error))
            return None

    def right_year(self, cell: Cell) -> None:
        said = text(cell)
        if not said:
            return
        try:
            year = SchoolYear.parse(said)
        except ValueError:
            raise _CellRefused(gettext("Write the school year as 2022/23.")) from None
        if year != self.file.school_year:
            message = gettext("The row is about %(found)s, but the file is for %(year)s. Send one file for each year.")
            raise _CellRefused(message % {"found": year, "year": self.file.school_year})

    def programme(self, cell: Cell) -> Programme | None:
        said = text(cell)
        if not said:
            raise _CellRefused(gettext("Write the programme's code, for example BA."))
        found = self.programmes.get(said.casefold())
        if found is None:
            message = gettext("“%(found)s” is no programme that new pupils can begin on in %(year)s.")
            raise _CellRefused(message % {"found": said[:LONGEST_SHOWN], "year": self.file.school_year})
        return found

    programmes: dict[str, Programme] = field(default_factory=dict)


class _OfferingReader(_Reader):
    def prepare(self) -> None:
        year = self.file.school_year
        in_year = span(year.first_day, year.last_day)
        schools = School.objects.filter(municipality=self.file.municipality, valid__overlap=in_year)
        self.schools: dict[str, School] = {}
        for school in schools.select_related("provider", "municipality"):
            self.schools[school.name.casefold()] = school
            if school.school_unit_code:
                self.schools[school.school_unit_code] = school
        self.elsewhere = {
            name.casefold(): municipality
            for name, municipality in School.objects.exclude(municipality=self.file.municipality).values_list(
                "name", "municipality__name"
            )
        }
        self.catalogue = Catalogue(year)
        self.programmes = _by_words(self.catalogue.programmes.values())
        self.orientations: dict[int, dict[str, Orientation]] = defaultdict(dict)
        for orientation in self.catalogue.orientations.values():
            words = self.orientations[orientation.programme_id]
            words[orientation.name_sv.casefold()] = orientation
            if orientation.code:
                words[orientation.code.casefold()] = orientation
            if orientation.name_en:
                words.setdefault(orientation.name_en.casefold(), orientation)
        self.intakes: dict[int, list[Intake]] = defaultdict(list)
        self.answers = {"finns": Answer.OFFERED, "finns inte": Answer.NOT_OFFERED}
        for answer in Answer:
            self.answers |= dict.fromkeys([answer.value, *_in_every_language(answer.label)], answer)

    def read(self, line: int, cells: Sequence[Cell]) -> dict[str, Any] | None:
        before = self.total_problems
        answer = self.value(line, cells, "offered", self._answer)
        if answer == Answer.NOT_REPORTED:
            if any(text(self.cell(cells, name)) for name in FIGURES):
                message = gettext("The row has figures but no answer. Write offered or not offered.")
                self.blame(line, "offered", self.cell(cells, "offered"), message)
            return None
        self.value(line, cells, "municipality", self._own_municipality)
        self.value(line, cells, "year", self.right_year)
        school = self.value(line, cells, "school", self._school)
        programme = self.value(line, cells, "programme", self.programme)
        where = "orientation" if text(self.cell(cells, "orientation")) else "orientation_name"
        orientation = self.value(line, cells, where, lambda cell: self._orientation(programme, cell))
        figures: dict[str, int | None] = dict.fromkeys(FIGURES)
        if not self.value(line, cells, "is_sum", yes_or_no):  # a sum over orientations, which have rows of their own
            figures = {name: self.value(line, cells, name, whole_number) for name in FIGURES}
        as_of: date | None = self.value(line, cells, "as_of", day)
        if self.total_problems > before or school is None or programme is None:
            return None
        offered = answer != Answer.NOT_OFFERED
        intake = Intake(programme.pk, orientation.pk if orientation else None, offered=offered, as_of=as_of, **figures)
        if not self.is_new(line, (school.pk, *intake.key), programme.code):
            return None
        self.intakes[school.pk].append(intake)
        return {**asdict(intake), "school": school.pk, "as_of": as_of.isoformat() if as_of else None}

    def end(self) -> None:
        for school, intakes in self.intakes.items():
            try:
                self.catalogue.check(intakes)
            except IntakeRefused as refused:
                line = self.lines.get((school, *refused.key))
                self.blame(line, "programme", self.catalogue.name(refused.key), str(refused))

    def _own_municipality(self, cell: Cell) -> None:
        said = text(cell)
        own = self.file.municipality
        is_own = said.zfill(4) == own.code or said.casefold() in (own.name.casefold(), own.official_name.casefold())
        if said and not is_own:
            message = gettext("The row belongs to %(found)s. You send in the offer of %(own)s.")
            raise _CellRefused(message % {"found": said[:LONGEST_SHOWN], "own": own.name})

    def _school(self, cell: Cell) -> School:
        said = text(cell)
        if not said:
            raise _CellRefused(gettext("Write the school's name or its school unit code."))
        found = self.schools.get(said.casefold())
        if found:
            return found
        words = {"school": said[:LONGEST_SHOWN], "own": self.file.municipality.name}
        if other := self.elsewhere.get(said.casefold()):
            message = gettext("%(school)s lies in %(other)s. You send in the offer of %(own)s.")
            raise _CellRefused(message % {**words, "other": other})
        message = gettext("%(own)s has no school called “%(school)s” that year. Write the name as in the portal.")
        raise _CellRefused(message % words)

    def _orientation(self, programme: Programme | None, cell: Cell) -> Orientation | None:
        said = text(cell)
        if not said or programme is None:
            return None
        found = self.orientations[programme.pk].get(said.casefold())
        if found is None:
            message = gettext("%(programme)s has no orientation “%(found)s” for new pupils in %(year)s.")
            words = {"programme": programme.code, "found": said[:LONGEST_SHOWN], "year": self.file.school_year}
            raise _CellRefused(message % words)
        return found

    def _answer(self, cell: Cell) -> Answer:
        """What a row says; one without an answer tells of what there is."""
        said = text(cell).casefold()
        if said in self.answers:
            return self.answers[said]
        return Answer.NOT_OFFERED if yes_or_no(cell) is False else Answer.OFFERED


def _by_words(programmes: Any) -> dict[str, Programme]:
    found = {}
    for programme in programmes:
        for word in filter(None, (programme.name_en, programme.name_sv, programme.code)):
            found[word.casefold()] = programme
    return found


class _FlowReader(_Reader):
    def prepare(self) -> None:
        self.programmes = _by_words(Programme.objects.all().order_by("curriculum"))
        for programme in Programme.objects.for_intake(self.file.school_year):
            self.programmes[programme.name_sv.casefold()] = programme
        self.municipalities: dict[str, Municipality] = {}
        for municipality in Municipality.objects.all():
            for word in (municipality.name, municipality.code, municipality.official_name):
                self.municipalities[word.casefold()] = municipality

    def read(self, line: int, cells: Sequence[Cell]) -> dict[str, Any] | None:
        before = self.total_problems
        self.value(line, cells, "year", self.right_year)
        home = self.value(line, cells, "home", self._municipality)
        other = self.value(line, cells, "provider_municipality", self._municipality)
        programme = self.value(line, cells, "programme", self.programme)
        semester = self.value(line, cells, "semester", self._semester)
        pupils = self.value(line, cells, "pupils", self._pupils)
        if self.total_problems > before:
            return None
        if self.file.municipality_id not in (home.pk, other.pk):
            message = gettext("The row is not about %(own)s. You send in what concerns your own municipality.")
            self.blame(line, "home", home.name, message % {"own": self.file.municipality.name})
            return None
        key = (home.pk, other.pk, programme.pk, semester)
        if not self.is_new(line, key, programme.code):
            return None
        return {**dict(zip(FLOW_KEY, key, strict=True)), "pupils": pupils}

    def _municipality(self, cell: Cell) -> Municipality:
        said = text(cell)
        if not said:
            raise _CellRefused(gettext("Write the municipality's name or its code of four figures."))
        found = self.municipalities.get(said.casefold()) or self.municipalities.get(said.zfill(4))
        if found is None:
            message = gettext("“%(found)s” is no municipality. Write its name or its code of four figures.")
            raise _CellRefused(message % {"found": said[:LONGEST_SHOWN]})
        return found

    def _semester(self, cell: Cell) -> str:
        said = text(cell).upper().replace(" ", "")
        if not re.fullmatch(r"(HT|VT)([0-9]{2}|[0-9]{4})?", said):
            raise _CellRefused(gettext("Write the semester as HT or VT."))
        return said[:2]

    def _pupils(self, cell: Cell) -> int:
        pupils = whole_number(cell)
        if pupils is None:
            raise _CellRefused(gettext("Write how many pupils, 0 if there are none."))
        return pupils


_READERS: dict[FileKind, type[_Reader]] = {FileKind.OFFERINGS: _OfferingReader, FileKind.FLOWS: _FlowReader}


# Confirming and dropping


def seen_beside(file: FileImport) -> str:
    """A short sum of what the municipality has reported of the file's kind and year, as whoever looks through it sees.

    By it a confirmation tells whether others have reported since.
    """
    if file.kind == FileKind.OFFERINGS:
        reports = OfferingReport.objects.filter(
            school__municipality=file.municipality, school_year=file.school_year
        ).order_by("pk")
        return seen_of({str(pk): at for pk, at in reports.values_list("pk", "reported_at")})
    flows = PupilFlow.objects.filter(
        Q(home=file.municipality) | Q(provider_municipality=file.municipality), school_year=file.school_year
    )
    return seen_of(flows.aggregate(rows=Count("pk"), pupils=Sum("pupils"), latest=Max("pk")))


def confirm_file(file: FileImport, *, complete: bool, seen: str = "") -> Any:
    """Write what the file says, at once or by a job; returns the job when there is one.

    `seen` is what `seen_beside` answered when the rows were shown. Raises FileGone, FileNotRead,
    ReportedSinceShown, and whatever the report of a school raises: then nothing is written.
    """
    if file.rows.count() <= WRITE_AT_ONCE_ROWS:
        write_file(file, complete=complete, seen=seen)
        return None
    with transaction.atomic():
        file = _locked(file)
        return file.job if is_busy(file) else _order(file, "programmes.write_file", complete=complete, seen=seen)


@transaction.atomic
def write_file(file: FileImport, *, complete: bool, seen: str = "") -> int:
    """Write all rows of a read file, or none, and take the file away; returns how many rows there were."""
    file = _locked(file)
    if not file.is_read:
        raise FileNotRead
    if file.kind == FileKind.OFFERINGS:
        lock_schools(file.municipality.schools.values_list("pk", flat=True))
    if seen and seen != seen_beside(file):
        raise ReportedSinceShown
    written = _write_offerings(file, complete) if file.kind == FileKind.OFFERINGS else _write_flows(file)
    file.delete()
    return written


def rows_of(file: FileImport) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line and values of each row, in the file's order."""
    yield from file.rows.order_by("line").values_list("line", "values").iterator(chunk_size=BATCH)


def intake_of(values: Mapping[str, Any]) -> Intake:
    """The intake that a row's values stand for."""
    known = {name: value for name, value in values.items() if name != "school"}
    return Intake(**{**known, "as_of": date.fromisoformat(known["as_of"]) if known["as_of"] else None})


def _write_offerings(file: FileImport, complete: bool) -> int:
    by_school: dict[int, list[Intake]] = defaultdict(list)
    for _line, values in rows_of(file):
        by_school[values["school"]].append(intake_of(values))
    schools = School.objects.filter(pk__in=by_school).select_related("provider", "municipality")
    report_offerings(
        {school: by_school[school.pk] for school in schools},
        file.school_year,
        complete=complete,
        by=file.by,
        on_behalf_of=file.on_behalf_of,
        source_note=gettext("From the file %(name)s.") % {"name": file.name},
    )
    return sum(map(len, by_school.values()))


def _write_flows(file: FileImport) -> int:
    """As `report_flow` for each row, but many at once: what is new, and what differs from what stands."""
    if file.on_behalf_of_id not in file.by.bodies_where(RoleKind.ADMINISTRATOR):
        raise NotYourFlow
    ours = Q(home=file.municipality) | Q(provider_municipality=file.municipality)
    there = PupilFlow.objects.filter(ours, school_year=file.school_year).select_for_update(no_key=True).order_by("pk")
    stands = {_flow_key(flow): flow for flow in there}
    municipalities, programmes = Municipality.objects.in_bulk(), Programme.objects.in_bulk()
    facts = {"source_note": gettext("From the file %(name)s.") % {"name": file.name}}
    written, rows = 0, rows_of(file)
    while batch := [values for _line, values in islice(rows, BATCH)]:
        told: list[tuple[str, PupilFlow, dict[str, list[str]]]] = []
        for values in batch:
            facts["pupils"] = values["pupils"]
            flow = stands.get(tuple(values[name] for name in FLOW_KEY))
            if flow is None:
                flow = PupilFlow(school_year=file.school_year, semester=values["semester"], example=file.by.example)
                name, changes = "pupil_flow.reported", {key: ["", str(value)] for key, value in facts.items()}
            elif changes := differences(flow, facts):
                name = "pupil_flow.changed"
            else:
                continue
            flow.home, flow.provider_municipality, flow.programme = (
                municipalities[values["home"]],
                municipalities[values["provider_municipality"]],
                programmes[values["programme"]],
            )
            flow.pupils, flow.source_note = facts["pupils"], facts["source_note"]
            flow.came_in, flow.source, flow.verified = CameIn.IMPORT, None, False
            told.append((name, flow, changes))
        written += len(batch)
        _save_flows([flow for _name, flow, _changes in told])
        _tell(file, told)
    return written


def _flow_key(flow: PupilFlow) -> tuple[Any, ...]:
    return flow.home_id, flow.provider_municipality_id, flow.programme_id, flow.semester


def _save_flows(flows: list[PupilFlow]) -> None:
    """New or there already, in one statement; what somebody else reports at this very moment is replaced."""
    PupilFlow.objects.bulk_create(
        flows,
        update_conflicts=True,
        unique_fields=["school_year", *FLOW_KEY],
        update_fields=["pupils", "source_note", "came_in", "source", "verified"],
    )


def _tell(file: FileImport, told: Sequence[tuple[str, PupilFlow, dict[str, list[str]]]]) -> None:
    """History of many flows in one query."""
    subject_type = ContentType.objects.get_for_model(PupilFlow)
    Event.objects.bulk_create(
        Event(
            name=name,
            subject_type=subject_type,
            subject_id=flow.pk,
            by=file.by,
            on_behalf_of_id=file.on_behalf_of_id,
            changes=changes,
            data={"flow": str(flow)},
        )
        for name, flow, changes in told
    )


@transaction.atomic
def drop_file(file: FileImport) -> None:
    """Forget a file without writing anything of it.

    Raises FileGone if it is imported or dropped already, FileBusy if a job is at work with it.
    """
    file = _locked(file)
    if is_busy(file):
        raise FileBusy
    file.delete()


def forget_files() -> int:
    """Drop files that nobody has confirmed; returns how many."""
    deleted, _by_model = FileImport.objects.filter(at__lt=now() - KEPT_FOR).delete()
    return deleted


def stands_now(file: FileImport, rows: Sequence[ImportRow]) -> dict[int, Any]:
    """What stands in the portal now for each of the rows shown, by line: an Intake or a PupilFlow. One query."""
    if file.kind == FileKind.FLOWS:
        flows = PupilFlow.objects.filter(school_year=file.school_year)
        flows = flows.filter(home__in={row.values["home"] for row in rows})
        there = {_flow_key(flow): flow for flow in flows}
        return {row.line: there.get(tuple(row.values[name] for name in FLOW_KEY)) for row in rows}
    offerings = Offering.objects.filter(
        report__school_year=file.school_year, report__school__in={row.values["school"] for row in rows}
    ).select_related("report")
    found = {(one.report.school_id, one.programme_id, one.orientation_id): one for one in offerings}
    names = ("school", "programme", "orientation")
    return {row.line: found.get(tuple(row.values[name] for name in names)) for row in rows}
