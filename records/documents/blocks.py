"""The parts of a document, for apps that write one: each gives the piece of content that `schema.json` describes."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeAlias

from records.documents.content import Content
from records.texts import blocks_of

Inline: TypeAlias = Any  # text, or a list of texts, figures, strong words and links


def document(
    *,
    kind: str,
    title: str,
    sections: Iterable[Content],
    sources: dict[str, Content],
    annexes: Iterable[Content] = (),
    subtitle: str = "",
) -> Content:
    """A whole document. `kind` is what it is, such as "Återredovisning"; `sources` are named by its figures."""
    return {
        "schema": "document/1",
        "lang": "sv",
        "kind": kind,
        "title": title,
        "subtitle": subtitle,
        "sections": list(sections),
        "annexes": list(annexes),
        "sources": sources,
    }


def section(
    id: str, heading: str, *blocks: Content, sections: Iterable[Content] = (), example: bool = False
) -> Content:
    """A chapter, or a section in one; `example` marks text that is made up for the demonstration."""
    return {"id": id, "heading": heading, "example": example, "blocks": list(blocks), "sections": list(sections)}


def paragraph(text: Inline) -> Content:
    return {"kind": "paragraph", "text": text}


def paragraphs(text: str) -> list[Content]:
    """What somebody wrote in a field, a blank line between paragraphs."""
    return [paragraph(" ".join(part.split())) for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]


def written(text: str) -> list[Content]:
    """A text that officials have written, as blocks of a document: a heading in it becomes a strong line."""
    made = []
    for block in blocks_of(text):
        if block.kind == "heading":
            made.append(paragraph([strong(block.lines[0])]))
        elif block.kind == "paragraph":
            made.append(paragraph(" ".join(block.lines)))
        else:
            made.append(bullets(*block.lines, ordered=block.kind == "numbers"))
    return made


def note(text: Inline) -> Content:
    """One fact about what follows, set apart: what is not reported, what is an example."""
    return {"kind": "note", "text": text}


def bullets(*items: Inline, ordered: bool = False) -> Content:
    return {"kind": "list", "ordered": ordered, "items": list(items)}


def decision(who: str, *points: str) -> Content:
    """What `who` decides: points that begin with "att" and stand alone in an extract."""
    return {"kind": "decision", "who": who, "points": list(points)}


def figure(value: int | Decimal, unit: str = "", *, source: str, example: bool = False) -> Content:
    """A number with its unit and the key of its source."""
    whole = isinstance(value, int) or "." not in f"{value:f}"
    return {"value": int(value) if whole else f"{value:f}", "unit": unit, "source": source, "example": example}


def not_reported(last_known: Content | None = None, when: str = "") -> Content:
    """The third answer. The last known figure may stand beside it, with when it held; it is never counted."""
    return {"missing": "not_reported", **({"last_known": last_known, "last_known_when": when} if last_known else {})}


def masked() -> Content:
    """A number of pupils under five, which outsiders do not see."""
    return {"missing": "masked"}


def strong(text: str) -> Content:
    return {"text": text, "strong": True}


def link(text: str, address: str) -> Content:
    return {"text": text, "address": address}


def said(sentence: str, **parts: Inline) -> list[Inline]:
    """A translated sentence with parts where their names stand: said(_("%(all)s schools"), all=figure(…))."""
    inline: list[Inline] = []
    for place, piece in enumerate(re.split(r"%\((\w+)\)s", sentence)):
        part = parts[piece] if place % 2 else piece.replace("%%", "%")
        inline += part if isinstance(part, list) else [part] if part else []
    return inline


def column(label: str, kind: str = "text") -> Content:
    """`label` for names, years and codes, `number` for figures, `text` for all else. A unit belongs in the label."""
    return {"label": label, "kind": kind}


def table(
    id: str, caption: str, columns: Iterable[Content], rows: Iterable[Iterable[Inline]], note: str = ""
) -> Content:
    """A table; its caption says what it shows. Cells are text, or lists as in running text."""
    return {"kind": "table", "id": id, "caption": caption, "columns": list(columns), "rows": _cells(rows), "note": note}


def chart(
    id: str,
    form: str,
    caption: str,
    measure: str,
    alt: str,
    columns: Iterable[Content],
    rows: Iterable[Iterable[Inline]],
) -> Content:
    """A chart with its table: `bars` or `line`, one or two series.

    The caption says what is found, `measure` what is measured and in what, `alt` the finding for who does not see it.
    Labels of the form 2022-01 are drawn as months.
    """
    return {
        "kind": "chart", "id": id, "form": form, "caption": caption, "measure": measure, "alt": alt,
        "columns": list(columns), "rows": _cells(rows),
    }  # fmt: skip


def _cells(rows: Iterable[Iterable[Inline]]) -> list[list[Inline]]:
    return [[[cell] if isinstance(cell, dict) else cell for cell in row] for row in rows]


def source_of(source: Any, *, came_in: str, verified: bool, note: str = "") -> Content:
    """A row of `records.Source` as documents keep it; None for what has only a note."""
    return {
        "publisher": source.publisher if source else "",
        "title": source.title if source else "",
        "year": source.year if source else "",
        "address": source.address if source else "",
        "came_in": came_in,
        "verified": verified,
        "note": note,
    }
