"""The other files: .docx, data, web page, zip."""

import csv
import json
import re
from datetime import datetime
from hashlib import sha256
from io import BytesIO, StringIO
from zipfile import ZipFile

import docx
import pytest
from docx.oxml.ns import qn

from records.documents import docx as working_copy
from records.documents import sheets, words
from records.documents.content import sha256_of
from records.documents.files import count_of_files, draft_file, make_files
from records.documents.page import html
from tests.records.documents.conftest import AT, SITE
from tests.records.documents.content import AWKWARD, COVER, OTHER_COVER, awkward, small


def made(content: dict, **covers: dict) -> dict[tuple[str, str], bytes]:
    files = list(make_files(content, number=3, at=AT, site=SITE, covers=covers))
    assert len(files) == count_of_files(content, covers)
    return {(file.kind, file.variant): file.data for file in files}


@pytest.fixture
def word(read):
    return docx.Document(BytesIO(working_copy.word(read(small(), COVER))))


def test_docx_has_styles_for_everything(word):
    styled = [(line.style.name, line.text) for line in word.paragraphs if line.style.name != "Normal"]
    headings = [(name, text) for name, text in styled if name.startswith("Heading")]

    assert headings == [
        ("Heading 1", "Förslag till beslut"),
        ("Heading 1", "Sammanfattning"),
        ("Heading 1", "Ärendet"),
        ("Heading 2", "Uppdrag 1 (exempel)"),
        ("Heading 1", "Beslut"),
        ("Heading 1", "Beslutet skickas till"),
        ("Heading 1", "Bilaga 1. Matris"),
        ("Heading 1", "Källor"),
        ("Heading 1", "Så kontrollerar du handlingen"),
    ]
    assert ("Title", "Fördjupad samverkan i 4M") in styled
    assert ("List Number", "att godkänna återredovisningen") in styled
    assert [text.partition(".")[0] for name, text in styled if name == "Caption"] == [
        "Diagram 1", "Tabell 1", "Diagram 2", "Tabell 2", "Tabell 3",
    ]  # fmt: skip


def test_docx_is_swedish_and_says_that_it_is_a_working_copy(word):
    languages = {element.get(qn("w:val")) for element in word.styles.element.iter(qn("w:lang"))}

    assert languages == {"sv-SE"}
    assert word.core_properties.language == "sv-SE"
    assert word.core_properties.title == "Fördjupad samverkan i 4M"
    assert word.core_properties.created == AT
    assert "Arbetskopia" in word.sections[0].header.paragraphs[0].text
    assert "NUMPAGES" in word.sections[0].footer._element.xml


def test_docx_tables_have_a_head_and_a_caption_and_pictures_their_alternative(word):
    for table in word.tables:
        assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
        assert [row for row in table.rows[1:] if row._tr.trPr is not None] == []
        assert table._tbl.tblPr.find(qn("w:tblCaption")).get(qn("w:val")).startswith("Tabell")
    described = [shape._inline.docPr.get("descr")[:13] for shape in word.inline_shapes]

    assert described == ["Stapeldiagram", "Linjediagram:"]
    assert [cell.text for cell in word.tables[0].rows[2].cells] == ["Eskilstuna", "900 (exempel)"]  # as the row above


def test_each_numbered_list_of_the_docx_begins_with_one(word):
    lists = [line._p.pPr.numPr.numId.val for line in word.paragraphs if line.style.name == "List Number"]

    assert len(lists) == 2 + 2 + 1 + 2
    assert len(set(lists)) == 4


def test_docx_loses_nothing_of_what_is_awkward(read):
    document = docx.Document(BytesIO(working_copy.word(read(awkward()))))
    texts = [line.text for line in document.paragraphs]

    assert all(text in texts for text in AWKWARD)
    assert len(document.tables[0].rows) == 301
    assert [section.page_width > section.page_height for section in document.sections] == [False, True, False]


def test_csv_tells_unit_source_and_example_beside_each_figure():
    content = small()
    table = sheets.tables_of(content)[0]
    data = sheets.comma_separated(table, content)
    rows = list(csv.reader(StringIO(data.decode("utf-8-sig")), delimiter=";"))

    source = "Skolverket, Gymnasieskolans elever, 2022. Uppgiften är kontrollerad mot källan."
    assert rows[0] == ["Kommun", "Platser", "Platser, enhet", "Platser, källa", "Platser, exempel"]
    assert rows[1] == ["Västerås", "1250", "", source, "nej"]
    assert rows[2] == ["Eskilstuna", "900", "", source, "ja"]
    assert rows[4] == ["Strängnäs", "ej rapporterat", "", "", ""]
    assert b"Bygg;Finns;12,5;%;" in sheets.comma_separated(sheets.tables_of(content)[2], content)


@pytest.mark.parametrize("text", ["=1+1", "+1x", "-x", "@x"])
def test_csv_holds_no_formula(text):
    table = {"columns": [{"label": "A", "kind": "label"}], "rows": [[text]]}

    assert sheets.comma_separated(table, {}).decode("utf-8-sig") == f"A\r\n'{text}\r\n"


def test_xlsx_has_a_sheet_for_each_table_with_numbers_as_numbers(read):
    with ZipFile(BytesIO(sheets.workbook(small(), read(small()).frame))) as archive:
        book = archive.read("xl/workbook.xml").decode()
        first = archive.read("xl/worksheets/sheet1.xml").decode()

    assert re.findall(r'sheet name="([^"]+)"', book) == [
        "1 Flest platser finns i Västerå", "2 Behovet ökar", "3 Utbudet", "Källor", "Om",
    ]  # fmt: skip
    assert "<v>1250</v>" in first
    assert "<f>" not in first


def test_page_is_whole_escaped_and_tells_sources(read):
    page = html(read(small())).decode()
    awkward_page = html(read(awkward())).decode()

    assert page.startswith('<!doctype html>\n<html lang="sv">')
    assert page.count("<table") == page.count("<caption>") == 3
    assert page.count('<th scope="row"') == 4 + 12 + 3
    assert 'role="img" aria-label="Stapeldiagram' in page
    assert "jan 2022" in page
    assert set(re.findall(r'href="#(dokumentkalla-\d)"', page)) == {"dokumentkalla-1", "dokumentkalla-2"}
    assert 'id="dokumentkalla-2"' in page
    assert "http-equiv" not in page
    assert "<script" not in page
    assert "&lt;a href=&quot;x&quot;&gt;&amp;amp;" in awkward_page
    assert '<a href="x">' not in awkward_page


def test_zip_holds_everything_with_a_manifest_of_hashes():
    content = small()
    files = made(content, **{"0381": COVER, "1980": OTHER_COVER})
    with ZipFile(BytesIO(files["zip", "0381"])) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        inside = {info.filename: archive.read(info) for info in archive.infolist()}

    assert manifest["content_sha256"] == sha256_of(content) == sha256(inside["content.json"]).hexdigest()
    assert manifest["version"] == 3
    assert datetime.fromisoformat(manifest["final_at"]) == AT
    assert {one["name"] for one in manifest["files"]} == set(inside) - {"manifest.json"}
    for one in manifest["files"]:
        assert (sha256(inside[one["name"]]).hexdigest(), len(inside[one["name"]])) == (one["sha256"], one["size"])
    assert files["pdf", "0381"] in inside.values()
    assert files["pdf", "1980"] not in inside.values()
    assert list(manifest["sections"]) == ["arendet", "beslut", "matris", "sammanfattning", "uppdrag-1"]


def test_without_covers_there_is_one_of_each():
    assert [key for key in made(small()) if key[0] != "csv"] == [
        ("html", ""), ("xlsx", ""), ("pdf", ""), ("docx", ""), ("zip", ""),
    ]  # fmt: skip


def test_a_cover_may_order_and_head_the_sections_anew(read):
    cover = {**COVER, "order": ["beslut", "arendet", "sammanfattning"], "headings": {"uppdrag-1": "Avtal"}}
    reading = read(small(), cover)

    assert [part["heading"] for part in reading.parts] == [
        "Förslag till beslut", "Beslut", "Ärendet", "Avtal", "Sammanfattning",
    ]  # fmt: skip
    assert reading.frame.sha256 == sha256_of(small())


def test_a_draft_as_docx_says_so_and_has_no_checksum():
    made = draft_file(small(), "docx", at=AT)
    document = docx.Document(BytesIO(made.data))

    assert made.name.endswith("-utkast.docx")
    section = document.sections[0]
    assert section.header.paragraphs[0].text.startswith("Utkast")
    assert section.footer.paragraphs[0].text.startswith("Utkast, 13 september 2022.")
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert any(words.FRAME["draft_note"] in text for text in texts)
    assert words.FRAME["how_to_verify"] not in texts
