"""Documents as .docx: a working copy to go on writing in. The original is the PDF."""

from copy import deepcopy
from datetime import UTC
from io import BytesIO
from itertools import count
from typing import Any

import docx
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.text.paragraph import Paragraph

from records.documents import charts, fonts, theme, words
from records.documents.archive import zipped_again
from records.documents.content import Content, has_examples
from records.documents.reading import Reading, Runs
from records.documents.typesetting import typeset

LANGUAGE = "sv-SE"
TYPEFACE = "Calibri"
TEXT_WIDTH, WIDE_WIDTH = Cm(16), Cm(25)
MOST_UPRIGHT = 8  # columns; a table with more gets wide pages
PIXELS_PER_INCH = 200


def word(reading: Reading) -> bytes:
    """The document as .docx."""
    return zipped_again(_Writer(reading).written(), reading.frame.at)


class _Writer:
    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.document: Any = docx.Document()
        self.ids = count(1)
        self._set_up()

    def written(self) -> bytes:
        reading, frame = self.reading, self.reading.frame
        if frame.cover:
            self._paragraph([{"t": frame.cover["organisation"], "b": True}])
            if unit := frame.cover.get("unit"):
                self._paragraph([{"t": unit}])
            for label, text in frame.facts():
                self._paragraph([{"t": f"{label}: {text}"}])
        self._paragraph([{"t": reading.kind}], "Subtitle")
        self._paragraph([{"t": reading.content["title"]}], "Title")
        if reading.content.get("subtitle"):
            self._paragraph([{"t": reading.content["subtitle"]}], "Subtitle")
        if frame.is_draft:
            self._paragraph([{"t": f"{frame.stamp}. {words.FRAME['draft_note']}"}])
        for part in reading.parts:
            self._part(part)
        if receivers := frame.cover.get("send_to"):
            self._heading(words.FRAME["send_to"], 1)
            for receiver in receivers:
                self._paragraph([{"t": receiver}], "List Bullet")
        for annex in reading.annexes:
            self.document.add_page_break()
            for part in annex:
                self._part(part)
        self._sources()
        if not frame.is_draft:
            self._how_to_verify()
        out = BytesIO()
        self.document.save(out)
        return out.getvalue()

    # The frame

    def _set_up(self) -> None:
        reading, frame = self.reading, self.reading.frame
        page = self.document.sections[0]
        page.page_width, page.page_height = Cm(21), Cm(29.7)
        page.left_margin = page.right_margin = Cm(2.5)
        self._styles()
        core = self.document.core_properties
        core.title, core.language, core.author = reading.content["title"], LANGUAGE, "collab4m"
        core.comments = words.FRAME["draft_note" if frame.is_draft else "working_copy"]
        core.created = core.modified = frame.at.astimezone(UTC).replace(tzinfo=None)
        core.last_modified_by, core.revision = "collab4m", frame.number or 1
        head = page.header.paragraphs[0]
        head.text = words.FRAME["draft" if frame.is_draft else "working_copy"]
        if has_examples(reading.content):
            head.add_run(f" {words.FRAME['examples_somewhere']}.")
        foot = page.footer.paragraphs[0]
        checksum = "" if frame.is_draft else f" {words.FRAME['checksum']} {words.grouped(frame.sha256)[:19]} …"
        foot.text = f"{frame.stamp}.{checksum}\t"
        _field(foot, "PAGE")
        foot.add_run(" (")
        _field(foot, "NUMPAGES")
        foot.add_run(")")

    def _styles(self) -> None:
        ink = RGBColor.from_string(theme.colours()["ink"].removeprefix("#").upper())
        sizes = {
            "Normal": 11,
            "Title": 22,
            "Subtitle": 12,
            "Heading 1": 15,
            "Heading 2": 12,
            "Heading 3": 11,
            "Caption": 10,
        }
        for name, size in sizes.items():
            style = self.document.styles[name]
            style.font.name, style.font.size, style.font.color.rgb, style.font.italic = TYPEFACE, Pt(size), ink, False
            properties = style.element.get_or_add_rPr()
            own = properties.find(qn("w:rFonts"))
            for slot in ("ascii", "hAnsi", "cs", "eastAsia"):
                own.set(qn(f"w:{slot}"), TYPEFACE)
            for slot in ("asciiTheme", "hAnsiTheme", "cstheme", "eastAsiaTheme"):
                own.attrib.pop(qn(f"w:{slot}"), None)
        for language in self.document.styles.element.iter(qn("w:lang")):
            language.set(qn("w:val"), LANGUAGE)

    def _sources(self) -> None:
        if not self.reading.sources:
            return
        self._heading(words.FRAME["sources"], 1)
        numbering = self._new_numbering()
        for source in self.reading.sources:
            text = f"{words.source(source)} {words.CAME_IN[source['came_in']].capitalize()}."
            line = self._paragraph([{"t": text}], "List Number", numbering)
            if address := source["address"]:
                line.add_run(" ")
                self._link(line, address, address)

    def _how_to_verify(self) -> None:
        frame = self.reading.frame
        self._heading(words.FRAME["how_to_verify"], 1)
        self._paragraph([{"t": words.FRAME["working_copy"]}])
        self._paragraph([{"t": words.FRAME["verify"]}])
        self._paragraph([{"t": f"{frame.stamp}. {words.FRAME['checksum']}: {words.grouped(frame.sha256)}"}])
        self._paragraph([{"t": frame.address, "a": frame.address}])

    # Parts and blocks

    def _part(self, part: Content) -> None:
        example = f" ({words.EXAMPLE})" if part["example"] else ""
        self._heading(part["heading"] + example, part["level"])
        for block in part["blocks"]:
            self._block(block)

    def _heading(self, text: str, level: int) -> None:
        self.document.add_heading(text, level)

    def _block(self, block: Content) -> None:
        match block["kind"]:
            case "list":
                numbering = self._new_numbering() if block["ordered"] else None
                for item in block["items"]:
                    self._paragraph(item, "List Number" if block["ordered"] else "List Bullet", numbering)
            case "decision":
                self._paragraph(block["who"])
                numbering = self._new_numbering()
                for point in block["points"]:
                    self._paragraph(point, "List Number", numbering)
            case "table":
                self._table(block)
            case "chart":
                self._chart(block)
            case _:
                self._paragraph(block["text"])

    def _chart(self, block: Content) -> None:
        self._paragraph(block["caption"], "Caption").paragraph_format.keep_with_next = True
        drawing = charts.svg(block["drawn_from"])
        tall = charts.height(drawing)
        width = TEXT_WIDTH if tall < 1.3 else int(TEXT_WIDTH * 1.3 / tall)
        picture = self.document.add_picture(BytesIO(_as_png(drawing)), width=width)
        described = picture._inline.docPr
        described.set("descr", block["alt"])
        described.set("id", str(next(self.ids)))
        self._table(block["table"])

    def _table(self, table: Content) -> None:
        is_wide = len(table["columns"]) > MOST_UPRIGHT
        if is_wide:
            self._turn(to_wide=True)
        self._paragraph(table["caption"], "Caption").paragraph_format.keep_with_next = True
        grid = self.document.add_table(rows=1, cols=len(table["columns"]), style="Light List")
        grid.alignment, grid.autofit = WD_TABLE_ALIGNMENT.LEFT, True
        caption = OxmlElement("w:tblCaption")
        caption.set(qn("w:val"), table["caption"][0]["t"])
        grid._tbl.tblPr.append(caption)
        _first_row_is_head(grid)
        numbers = [column["kind"] == "number" for column in table["columns"]]
        for cell, column, is_number in zip(grid.rows[0].cells, table["columns"], numbers, strict=True):
            self._cell(cell, [{"t": column["label"], "b": True}], is_number)
        blank = deepcopy(grid.rows[0]._tr)
        for properties in blank.findall(qn("w:trPr")):
            blank.remove(properties)
        for row in table["rows"]:
            line = deepcopy(blank)  # far quicker than add_row for hundreds of them
            grid._tbl.append(line)
            for place, (element, cell) in enumerate(zip(line.findall(qn("w:tc")), row, strict=True)):
                paragraph = element.find(qn("w:p"))
                for run in paragraph.findall(qn("w:r")):
                    paragraph.remove(run)
                self._write(Paragraph(paragraph, grid), cell["runs"], bold=place == 0)
        if table["note"]:
            self._paragraph(table["note"])
        if is_wide:
            self._turn(to_wide=False)

    def _turn(self, *, to_wide: bool) -> None:
        section = self.document.add_section()
        section.orientation = WD_ORIENT.LANDSCAPE if to_wide else WD_ORIENT.PORTRAIT
        section.page_width, section.page_height = (Cm(29.7), Cm(21)) if to_wide else (Cm(21), Cm(29.7))

    def _cell(self, cell: Any, runs: Runs, is_number: bool) -> None:
        paragraph = cell.paragraphs[0]
        if is_number:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        self._write(paragraph, runs)

    # Text

    def _paragraph(self, runs: Runs, style: str | None = None, numbering: int | None = None) -> Any:
        paragraph = self.document.add_paragraph(style=style)
        if numbering is not None:
            properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
            properties.get_or_add_numId().val = numbering
            properties.get_or_add_ilvl().val = 0
        self._write(paragraph, runs)
        return paragraph

    def _write(self, paragraph: Any, runs: Runs, *, bold: bool = False) -> None:
        for run in runs:
            if "s" in run:
                paragraph.add_run(f"[{run['s']}]").font.superscript = True
            elif run.get("a"):
                self._link(paragraph, run["t"], run["a"])
            else:
                text = f" ({run['t']})" if run.get("e") else run["t"]
                paragraph.add_run(text).bold = bold or run.get("b") or None

    def _link(self, paragraph: Any, text: str, address: str) -> None:
        link = OxmlElement("w:hyperlink")
        link.set(qn("r:id"), paragraph.part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
        run = paragraph.add_run(text)
        run.underline = True
        link.append(run._r)
        paragraph._p.append(link)

    def _new_numbering(self) -> int:
        """A numbered list of its own, from 1, looking like the style's."""
        numbering = self.document.part.numbering_part.element
        style = self.document.styles["List Number"].element
        own = numbering.num_having_numId(style.pPr.numPr.numId.val)
        again = numbering.add_num(own.abstractNumId.val)
        again.add_lvlOverride(ilvl=0).add_startOverride(1)
        return int(again.numId)


def _first_row_is_head(grid: Any) -> None:
    properties = grid.rows[0]._tr.get_or_add_trPr()
    for name in ("w:cantSplit", "w:tblHeader"):
        properties.append(OxmlElement(name))


def _field(paragraph: Any, name: str) -> None:
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), name)
    run = OxmlElement("w:r")
    text = OxmlElement("w:t")
    text.text = "1"
    run.append(text)
    field.append(run)
    paragraph._p.append(field)


def _as_png(drawing: str) -> bytes:
    """The drawing as an image, by the same engine and fonts as in the PDF."""
    page = (
        '#set page(width: 160mm, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: "svg", width: 100%)'
    )
    return typeset(page, fonts=str(fonts.folder()), inputs={"svg": drawing}, format="png", ppi=PIXELS_PER_INCH)
