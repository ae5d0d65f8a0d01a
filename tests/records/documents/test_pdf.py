"""The PDF: structure for those who listen, pages for those who look, the same bytes for those who compare."""

import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from records.documents import theme, words
from records.documents.content import sha256_of
from records.documents.files import draft_file
from records.documents.fonts import BREAK, HYPHEN
from records.documents.pdf import pdf
from tests.records.documents.conftest import AT, SITE
from tests.records.documents.content import AWKWARD, COVER, OTHER_COVER, WORD, awkward, small

POINTS_PER_MM = 72 / 25.4
SIDE, WIDE_SIDE = 25 * POINTS_PER_MM, 20 * POINTS_PER_MM
FAINT = 250  # lighter than this is paper


def opened(data: bytes) -> pikepdf.Pdf:
    return pikepdf.open(BytesIO(data))


def elements(document: pikepdf.Pdf) -> list[pikepdf.Dictionary]:
    """The structure elements in reading order."""
    return list(_below(document.Root.StructTreeRoot))


def _below(node: pikepdf.Object) -> Iterator[pikepdf.Dictionary]:
    if not isinstance(node, pikepdf.Dictionary):
        return
    if "/S" in node:
        yield node
    kids = node.get("/K", [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        yield from _below(kid)


def names(found: list[pikepdf.Dictionary]) -> list[str]:
    return [str(element.S).strip("/") for element in found]


def pages(data: bytes) -> list[str]:
    """Each page's text as a reader would copy it."""
    with pypdfium2.PdfDocument(data) as document:
        return [_text(document[number]) for number in range(len(document))]


def _text(page: pypdfium2.PdfPage) -> str:
    text: str = page.get_textpage().get_text_range()
    for invisible in (HYPHEN, BREAK, "\ufffe", "\r"):
        text = text.replace(invisible, "")
    return text.replace("\u00a0", " ")


def test_metadata_say_what_it_is_in_which_language_and_by_which_standards(read):
    document = opened(pdf(read(small(), COVER)))

    assert str(document.Root.Lang) == "sv-SE"
    assert document.Root.MarkInfo.Marked
    assert document.Root.ViewerPreferences.DisplayDocTitle
    assert document.docinfo["/CreationDate"] == "D:20220913100000Z"
    with document.open_metadata() as metadata:
        assert metadata["dc:title"] == "Fördjupad samverkan i 4M"
        assert metadata["pdfuaid:part"] == "1"
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("2", "A")


def test_structure_is_in_reading_order_with_heads_captions_and_alternatives(read):
    document = opened(pdf(read(small(), COVER)))
    found = elements(document)
    headings = [(str(one.S).strip("/"), str(one.T).strip()) for one in found if str(one.S).startswith("/H")]

    assert headings == [
        ("H1", "Innehåll"),
        ("H1", "Förslag till beslut"),
        ("H1", "Sammanfattning"),
        ("H1", "Ärendet"),
        ("H2", "Uppdrag 1 (exempel)"),
        ("H1", "Beslut"),
        ("H1", "Beslutet skickas till"),
        ("H1", "Bilaga 1. Matris"),
        ("H1", "Källor"),
        ("H1", "Så kontrollerar du handlingen"),
    ]
    counted = {name: names(found).count(name) for name in ("Title", "Table", "TH", "Figure", "Note", "L")}
    assert counted == {"Title": 1, "Table": 3, "TH": 2 + 3 + 3, "Figure": 2, "Note": 2, "L": 6}
    assert [str(one.Alt)[:13] for one in found if one.S == "/Figure"] == ["Stapeldiagram", "Linjediagram:"]
    scopes = [str(entry.Scope) for one in found if one.S == "/TH" for entry in one.A if "/Scope" in entry]
    assert scopes == ["/Column"] * 8


def test_bookmarks_lead_to_every_heading(read):
    with opened(pdf(read(small()))).open_outline() as outline:
        assert [(mark.title, [inner.title.strip() for inner in mark.children]) for mark in outline.root] == [
            ("Sammanfattning", []),
            ("Ärendet", ["Uppdrag 1 (exempel)"]),
            ("Beslut", []),
            ("Bilaga 1. Matris", []),
            ("Källor", []),
            ("Så kontrollerar du handlingen", []),
        ]


@pytest.mark.parametrize("content", [small, awkward])
def test_nothing_is_drawn_that_is_neither_tagged_nor_marked_as_decoration(read, content):
    document = opened(pdf(read(content(), COVER)))

    for page in document.pages:
        depth = 0
        assert page.get("/Tabs") == "/S"
        for operands, operator in pikepdf.parse_content_stream(page):
            match str(operator):
                case "BDC" | "BMC":
                    depth += 1
                case "EMC":
                    depth -= 1
                case "Tj" | "TJ" | "'" | '"' | "f" | "F" | "f*" | "B" | "B*" | "S" | "s" | "b" | "Do" | "sh":
                    assert depth > 0, f"{operator} {operands} is outside of every tag"


def test_all_fonts_come_with_the_file_and_from_the_set_up(read):
    fonts = set()
    for page in opened(pdf(read(awkward(), COVER))).pages:
        for font in page.Resources.Font.values():
            inner = font.DescendantFonts[0]
            descriptor = inner.FontDescriptor
            assert "/FontFile2" in descriptor or "/FontFile3" in descriptor
            fonts.add(str(inner.BaseFont).partition("+")[2].partition("-")[0])

    assert fonts == {"SourceSans3", "NotoSansArabic", "NotoSansHebrew", "DejaVuSansMono"}


def test_pages_are_numbered_and_tell_version_checksum_and_examples(read):
    content = small()
    found = pages(pdf(read(content, COVER)))
    text = " ".join(" ".join(found).split())

    for number, page in enumerate(found, 1):
        assert f"{number} ({len(found)})" in page
        assert f"Version 3, 13 september 2022. Kontrollsumma {words.grouped(sha256_of(content))[:19]}" in page
    here = [words.FRAME["examples_here"] in page for page in found]
    assert [words.FRAME["examples_somewhere"] in page for page in found] == [not one for one in here]
    assert here == ["(exempel)" in page for page in found]
    assert words.grouped(sha256_of(content)) in text
    assert f"{SITE}/verifiera/{sha256_of(content)}/" in text.replace(" ", "")


def test_figures_have_their_sources_as_footnotes_and_in_a_list(read):
    found = pages(pdf(read(small())))
    text = " ".join(found[-1].split())

    line = "Skolverket, Gymnasieskolans elever, 2022. Uppgiften är kontrollerad mot källan."
    assert line in " ".join(found[0].split())
    assert f"1. {line} Inläst från fil. https://www.skolverket.se/skolutveckling/statistik" in text
    assert "2. Enkät till programråden, 2021. Uppgiften är inte kontrollerad mot källan. Ifyllt i formulär." in text


def test_what_is_written_is_never_read_as_markup(read):
    text = " ".join(" ".join(pages(pdf(read(awkward())))).split())

    assert AWKWARD[0].split(" = ")[0] in text
    assert "root:" not in text
    assert "Tecken [U+1F600] [U+1F469][U+1F3EB] [U+26F7] och U+0000" in text
    assert WORD in text.replace("- ", "").replace(" ", "")
    assert "é ñ" in text
    assert "שלום" in text or "םולש" in text


def test_a_table_of_300_rows_repeats_its_head_on_every_page(read):
    data = pdf(read(awkward()))
    document = opened(data)
    rows = [names(list(_below(table))).count("TR") for table in elements(document) if table.S == "/Table"]

    assert rows == [301, 9]
    with_rows = [page for page in pages(data) if page.count("Westerlundska gymnasiet") > 1]
    assert len(with_rows) > 5
    assert all("Skola" in page for page in with_rows)


@pytest.mark.parametrize("content", [small, awkward])
def test_nothing_runs_over_the_margins(read, content):
    with pypdfium2.PdfDocument(pdf(read(content(), COVER))) as document:
        for number in range(len(document)):
            page = document[number]
            is_wide = page.get_width() > page.get_height()
            margin = WIDE_SIDE if is_wide else SIDE
            image = page.render(scale=1.5).to_pil().convert("L")
            ink = image.point(lambda shade: 255 if shade < FAINT else 0).getbbox()
            assert ink is not None, f"page {number + 1} is empty"
            assert ink[0] >= (margin - 1) * 1.5, f"page {number + 1} runs out to the left"
            assert ink[2] <= image.width - (margin - 1) * 1.5, f"page {number + 1} runs out to the right"
            assert ink[3] <= image.height - 20, f"page {number + 1} runs out below"


def test_cells_of_twelve_columns_do_not_run_into_each_other(read):
    with pypdfium2.PdfDocument(pdf(read(awkward()))) as document:
        wide = [document[number] for number in range(len(document)) if document[number].get_width() > 800]
        assert wide
        text = wide[0].get_textpage()
        heads = []
        for name in ["Program", *[f"Kommun {place}" for place in range(11)]]:
            place, count = text.search(name).get_next()
            boxes = [text.get_charbox(number) for number in range(place, place + count)]
            heads.append((min(box[0] for box in boxes), max(box[2] for box in boxes)))

    assert all(left[1] < right[0] for left, right in pairwise(heads))


def test_the_colours_are_those_of_the_pages():
    sheet = (Path(theme.settings.BUILD_DIR) / "theme/collab4m.css").read_text()

    assert all(colour in sheet.lower() for colour in theme.colours().values())
    assert theme.colours()["series"] == "#0b4f5e"


MAKE_ELSEWHERE = """
import sys, django
django.setup()
from datetime import UTC, datetime
from hashlib import sha256
from records.documents.files import make_files
from tests.records.documents.content import COVER, small
at = datetime(2022, 9, 13, 10, 0, tzinfo=UTC)
made = make_files(small(), number=3, at=at, site="https://portal.example", covers={"0381": COVER})
print("\\n".join(f"{file.kind} {file.variant} {file.sha256}" for file in made))
"""


def test_another_process_makes_the_same_bytes_of_every_file():
    first, second = (
        subprocess.run([sys.executable, "-c", MAKE_ELSEWHERE], capture_output=True, text=True, check=True).stdout
        for _time in range(2)
    )

    assert first.splitlines() == second.splitlines()
    assert len(first.splitlines()) == 1 + 3 + 1 + 3


def test_another_municipalitys_cover_differs_only_on_the_first_page(read):
    ours, theirs = (pages(pdf(read(small(), cover))) for cover in (COVER, OTHER_COVER))

    assert ours[0] != theirs[0]
    assert ours[1:] == theirs[1:]
    assert "Västerås stad" in theirs[0]
    assert "Enköpings kommun" not in theirs[0]


def test_a_draft_says_so_and_cannot_be_taken_for_what_is_final():
    made = pages(draft_file(small(), "pdf", at=AT).data)

    assert f"Utkast, {words.day(AT.date())}" in made[0]
    assert words.FRAME["draft_note"][:40] in " ".join(made[0].split())
    assert all("Utkast" in page for page in made)
    assert not any(words.FRAME["checksum"] in page or words.FRAME["how_to_verify"] in page for page in made)
