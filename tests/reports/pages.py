"""The addresses of reports, and what each role meets there: a report with two versions, texts and a filled-in front."""

from typing import Any

from records.documents.files import MadeFile
from records.models import Version
from records.operations import freeze, next_version, save_part
from reports.models import Report
from reports.operations import content_of, cover_of, open_parts
from tests.factories import BoardFactory, ReportFactory
from tests.pages import Page
from tests.programmes.pages import with_offer
from tests.reports.texts import fill_in, part

ABOUT_GAPS = "## Läget\n\nFyra kommuner samverkar.\n\n- Västerås\n- Enköping"


def written(area: Any, home: Any, neighbour: Any, school: Any, owner: Any) -> Report:
    """A report on a real offer, with texts by an official of one member and that member's front filled in."""
    with_offer(home, neighbour, school)
    report = ReportFactory(area=area)
    open_parts(report)
    save_part(part(report, "sammanfattning"), text=ABOUT_GAPS, base_version=0, by=owner, on_behalf_of=home.body)
    board = BoardFactory(municipality=home, name="utbildningsnämnden", case_number_pattern="UAN{år}/{nr}")
    BoardFactory(municipality=neighbour, name="skolnämnden")
    fill_in(report, board, owner, case_number="UAN2022/17", decision_points="att godkänna")
    return report


def frozen(report: Report, municipality: Any) -> Version:
    """Its content made final, with files that only look like files, for that municipality's board."""
    board = municipality.boards.get()
    cover = cover_of(board, report.covers.filter(board=board).first())
    files = [
        MadeFile("pdf", municipality.code, "rapport.pdf", b"%PDF-1.7", cover),
        MadeFile("docx", municipality.code, "rapport.docx", b"PK", cover),
        MadeFile("csv", "utbud-netto", "netto.csv", b"a;b"),
    ]
    return freeze(next_version(report, content_of(report), by=None), files)


def a_report(area: Any, home: Any, neighbour: Any, school: Any, owner: Any) -> Report:
    report = written(area, home, neighbour, school, owner)
    frozen(report, home)
    background = part(report, "bakgrund")
    save_part(background, text="Nämnderna gav uppdragen.", base_version=0, by=owner, on_behalf_of=home.body)
    frozen(report, home)
    return report


def of_report(area: Any, home: Any, neighbour: Any, school: Any, owner: Any) -> list[Any]:
    return [a_report(area, home, neighbour, school, owner).pk]


def listed(area: Any, home: Any, neighbour: Any, school: Any, owner: Any) -> list[Any]:
    a_report(area, home, neighbour, school, owner)
    return []


def of_new_report(area: Any, home: Any, owner: Any) -> list[Any]:
    return [ReportFactory(area=area).pk]


def of_cover(area: Any, home: Any, neighbour: Any, school: Any, owner: Any) -> list[Any]:
    report = a_report(area, home, neighbour, school, owner)
    return [report.pk, home.boards.get().pk]


def of_comparison(area: Any, home: Any, neighbour: Any, school: Any, owner: Any) -> list[Any]:
    return [*of_report(area, home, neighbour, school, owner), 2]


READERS = ("owner", "asker", "principal", "committee", "council_member")
IN_THE_AREA = dict.fromkeys(READERS, 200)
WRITERS = {**dict.fromkeys(READERS, 403), "owner": 200, "asker": 200}
OWN_BOARD = {**dict.fromkeys(READERS, 403), "owner": 200, "committee": 200}

PAGES = [
    Page("reports", args=listed),
    Page("report", args=of_report, everyone=404, status=IN_THE_AREA),
    Page("report", args=of_report, query="?version=1", everyone=404, status=IN_THE_AREA),
    Page("report", args=of_report, query="?version=3", everyone=404, draws=False),
    Page("report", args=of_new_report, query="?ny", everyone=404, status=IN_THE_AREA),
    Page("report_work", args=of_report, everyone=404, status=WRITERS),
    Page(
        "report_build",
        args=of_report,
        method="post",
        draws=False,
        everyone=404,
        status={**WRITERS, "owner": 302, "asker": 302},
    ),  # fmt: skip
    Page("report_cover", args=of_cover, everyone=404, status=OWN_BOARD),
    Page("report_compare", args=of_comparison, everyone=404, status=IN_THE_AREA),
]
