"""Documents as web pages: the reading view for everyone, on the portal and as a file of its own."""

from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.template.loader import render_to_string
from django.utils import timezone, translation

from records.documents import charts, theme, words
from records.documents.content import Content, has_examples, sha256_of
from records.documents.reading import Reading

Drawer = Callable[[list[Content]], list[str]]


def draw(drawn: list[Content]) -> list[str]:
    """The charts as SVG, in the colours of paper."""
    return [charts.svg(chart) for chart in drawn]


def draw_once(drawn: list[Content]) -> list[str]:
    """The same, kept in the cache by what they show: drawing takes a page a second and a web server 100 MB."""
    keys = [f"chart-{charts.VEGA_LITE}-{sha256_of(chart)}" for chart in drawn]
    known = cache.get_many(keys)
    new = {key: charts.svg(chart) for key, chart in zip(keys, drawn, strict=True) if key not in known}
    if new:
        cache.set_many(new, timeout=None)
    return [{**known, **new}[key] for key in keys]


def page_context(reading: Reading, drawer: Drawer = draw) -> Content:
    """What `records/document.html` shows of a document, below a heading of level 1."""
    frame = reading.frame
    blocks = [block for part in reading.all_parts for block in part["blocks"] if block["kind"] == "chart"]
    drawings = drawer([block["drawn_from"] for block in blocks])
    by_id = {block["id"]: charts.for_page(one) for block, one in zip(blocks, drawings, strict=True)}
    return {
        "reading": reading,
        "parts": [_drawn(part, by_id) for part in reading.all_parts],
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


def _drawn(part: Content, drawings: dict[str, str]) -> Content:
    return {**part, "blocks": [_block(block, drawings) for block in part["blocks"]], "level": part["level"] + 1}


def _block(block: Content, drawings: dict[str, str]) -> Content:
    match block["kind"]:
        case "chart":
            return {**block, "drawing": drawings[block["id"]], "table": _block(block["table"], drawings)}
        case "table":
            return {**block, "lines": [list(zip(block["columns"], row, strict=True)) for row in block["rows"]]}
        case _:
            return block


def html(reading: Reading) -> bytes:
    """The document as one file that needs nothing else."""
    context: dict[str, Any] = {"document": page_context(reading), "colours": theme.colours()}
    with translation.override("sv"):
        return render_to_string("records/document_file.html", context).encode()
