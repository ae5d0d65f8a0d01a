"""Fifty thousand offering rows from a file: how long it takes to send, read and write them, and the memory it takes."""

import csv
import io
import resource
import sys
from collections.abc import Callable
from itertools import islice
from time import perf_counter
from typing import TypeVar

from django.test.utils import setup_databases, teardown_databases
from openpyxl import Workbook

from benchmarks.national import SINCE
from benchmarks.offers import load_catalogue
from collab4m.school_year import SchoolYear
from organisations.models import Municipality, Provider, ProviderKind, Role, RoleKind, School, User
from programmes.models import FileKind, Offering, Orientation, Programme
from programmes.operations import read_file, take_in_file, write_file

ROWS = 50_000
MOST_MEGABYTES = 300
YEAR = SchoolYear(2022)
T = TypeVar("T")
HEADINGS = ["Skola", "Läsår", "Programkod", "Inriktning", "Svar", "Platser", "Förstahandssökande", "Antagna"]


def measure_import() -> None:
    """Import the rows as CSV and as XLSX, and print the seconds of each step and the process's peak of memory."""
    config = setup_databases(verbosity=0, interactive=False)
    try:
        user, municipality = _cast()
        rows = _rows(municipality)
        print(f"\nImport of {ROWS} offering rows (aim: at most {MOST_MEGABYTES} MB at any moment)")
        print(f"{'':<12} {'MB sent':>8} {'send s':>8} {'read s':>8} {'write s':>8} {'told':>6} {'peak MB':>8}")
        for name, content in (("utbud.csv", _csv(rows)), ("utbud.xlsx", _xlsx(rows))):
            _import(name, content, user, municipality)
    finally:
        teardown_databases(config, verbosity=0)


def _import(name: str, content: bytes, user: User, municipality: Municipality) -> None:
    Offering.objects.all().delete()
    told: list[int] = []
    send_s, file = _seconds(
        lambda: take_in_file(
            FileKind.OFFERINGS, name=name, content=content, municipality=municipality, school_year=YEAR, by=user,
            on_behalf_of=municipality.body,
        )
    )  # fmt: skip
    read_s, read = _seconds(lambda: read_file(file, lambda line, _of: told.append(line)))
    write_s, written = _seconds(lambda: write_file(file, complete=True))
    if not read == written == Offering.objects.count() == ROWS:
        raise SystemExit(f"{name}: {read} rows were read and {written} written instead of {ROWS}.")
    size = len(content) / 1_000_000
    print(f"{name:<12} {size:8.1f} {send_s:8.1f} {read_s:8.1f} {write_s:8.1f} {len(told):6} {peak_megabytes():8.0f}")


def _seconds(step: Callable[[], T]) -> tuple[float, T]:
    start = perf_counter()
    done = step()
    return perf_counter() - start, done


def peak_megabytes(whose: int = resource.RUSAGE_SELF) -> float:
    """The most memory that this process has had since it began, or the largest of those it has started and ended."""
    peak = resource.getrusage(whose).ru_maxrss
    return peak / 1_000_000 if sys.platform == "darwin" else peak / 1_000


def _cast() -> tuple[User, Municipality]:
    """A municipality with so many schools that their whole offer fills the file, and its administrator."""
    load_catalogue()
    place = Municipality.objects.create(code="0001", name="Stad", full_name="Stads kommun", valid=SINCE)
    provider = Provider.objects.create(name=place.name, kind=ProviderKind.MUNICIPAL, municipality=place)
    user = User.objects.create(email="handlaggare@kommun.example", name="Handläggare")
    Role.objects.create(user=user, kind=RoleKind.ADMINISTRATOR, body=place.body, valid=SINCE)
    for nth in range(ROWS // Orientation.objects.for_intake(YEAR).count() + 1):
        School.objects.create(name=f"Skola {nth:04}", municipality=place, provider=provider, valid=SINCE)
    return user, place


def _rows(municipality: Municipality) -> list[list[str]]:
    offered = Programme.objects.for_intake(YEAR)
    orientations = Orientation.objects.for_intake(YEAR).filter(programme__in=offered).select_related("programme")
    names = [(one.programme.code, one.code or one.name_sv) for one in orientations]
    schools = municipality.schools.order_by("pk").values_list("name", flat=True)
    rows = (
        [school, str(YEAR), programme, orientation, "ja", "32", "35", "32"]
        for school in schools
        for programme, orientation in names
    )
    return list(islice(rows, ROWS))


def _csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([HEADINGS, *rows])
    return text.getvalue().encode("utf-8-sig")


def _xlsx(rows: list[list[str]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in [HEADINGS, *rows]:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
