"""Documents as web pages: the reading view for everyone, on the portal and as a file of its own."""

from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone, translation

from records.documents import charts, theme, words
from records.documents.content import Content, has_examples
from records.documents.reading import Reading


def page_context(reading: Reading) -> Content:
    """What `records/document.html` shows of a document, below a heading of level 1."""
    frame = reading.frame
    return {
        "reading": reading,
        "parts": [_drawn(part) for part in reading.all_parts],
        "facts": frame.facts(),
        "send_to": frame.cover.get("send_to", []),
        "sources": [
            {"text": f"{words.source(source)} {words.CAME_IN[source['came_in']].capitalize()}.", **source}
            for source in reading.sources
        ],
        "examples": has_examples(reading.content),
        "day": words.day(timezone.localtime(frame.at).date()),
        "words": words.FRAME,
        "hash": words.grouped(frame.sha256),
    }


def _drawn(part: Content) -> Content:
    return {**part, "blocks": [_block(block) for block in part["blocks"]], "level": part["level"] + 1}


def _block(block: Content) -> Content:
    match block["kind"]:
        case "chart":
            drawing = charts.for_page(charts.svg(block["drawn_from"]))
            return {**block, "drawing": drawing, "table": _block(block["table"])}
        case "table":
            return {**block, "lines": [list(zip(block["columns"], row, strict=True)) for row in block["rows"]]}
        case _:
            return block


def html(reading: Reading) -> bytes:
    """The document as one file that needs nothing else."""
    context: dict[str, Any] = {"document": page_context(reading), "colours": theme.colours()}
    with translation.override("sv"):
        return render_to_string("records/document_file.html", context).encode()
