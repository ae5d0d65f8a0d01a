"""Documents as PDF: for everyone to read (PDF/UA-1) and to keep (PDF/A-2a). The same content gives the same bytes."""

import json
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from records.documents import charts, fonts, theme, words
from records.documents.content import Content, has_examples
from records.documents.reading import Reading, Runs, text_of
from records.documents.typesetting import typeset

TEMPLATE = Path(__file__).with_name("document.typ")
STANDARDS = ["ua-1", "a-2a"]

BODY = 10.5  # points, as in the template
UPRIGHT, WIDE = 453.0, 728.0  # the width of the text on an upright and on a wide page, in points
LINE = UPRIGHT / BODY  # an upright page's line, in type sizes
INSET = 4.0
TALLEST_CHART = 560.0
LONGEST_HEAD = 90  # characters of the title at the top of each page
MOST_UPRIGHT = 8  # columns; a table with more, or with longer words than fit, gets wide pages
MOST_LINES_WHOLE = 16  # a table with more may break over pages
NARROWEST, WIDEST = 3.0, 24.0  # a column's share, in type sizes
MARGINS = 1.2  # inset and the mark of a source, in type sizes
SHORT_HEADING = 6.0  # type sizes; a heading up to that stays on one line
BOLD = 1.06  # the first column and the headings are bold


def pdf(reading: Reading) -> bytes:
    """The document as PDF, set in a process of its own. Raises TypesettingFailed, which content never causes."""
    return typeset(
        str(TEMPLATE),
        root=str(TEMPLATE.parent),
        fonts=str(fonts.folder()),
        inputs={"data": json.dumps(_data(reading), ensure_ascii=False)},
        format="pdf",
        pdf_standards=STANDARDS,
        timestamp=int(reading.frame.at.timestamp()),
    )


def made_with() -> dict[str, str]:
    """What must be the same for the same bytes."""
    return {
        "typst": version("typst"),
        "template": sha256(TEMPLATE.read_bytes()).hexdigest(),
        "fonts": fonts.made_from(),
        "vl-convert-python": version("vl-convert-python"),
        "vega-lite": charts.VEGA_LITE,
    }


def _data(reading: Reading) -> Content:
    """What the template takes: text that can be shown, with places to break wherever a line could be too long."""
    content, frame = reading.content, reading.frame
    title = fonts.showable(content["title"])
    return {
        "title": title,
        "head": title if len(title) <= LONGEST_HEAD else f"{title[: LONGEST_HEAD - 1]}…",
        "title_text": _text(content["title"], UPRIGHT / 22),
        "subtitle": _text(content.get("subtitle", ""), UPRIGHT / 13),
        "kind": _text(reading.kind, UPRIGHT / 13),
        "cover": {
            "organisation": _text(frame.cover["organisation"], LINE),
            "unit": _text(frame.cover.get("unit", ""), LINE),
            "facts": [[label, _text(text, LINE * 0.7)] for label, text in frame.facts()],
        }
        if frame.cover
        else None,
        "parts": [_part(part) for part in reading.parts],
        "annexes": [[_part(part) for part in annex] for annex in reading.annexes],
        "contents": len(reading.parts) > 6 or bool(reading.annexes),
        "send_to": [_text(receiver, LINE - 3) for receiver in frame.cover.get("send_to", [])],
        "sources": [_source(source) for source in reading.sources],
        "examples": has_examples(content),
        "stamp": frame.stamp,
        "draft": frame.is_draft,
        "hash": words.grouped(frame.sha256),
        "address": frame.address,
        "address_text": _text(frame.address, LINE),
        "words": words.FRAME,
        "colours": theme.colours(),
        "fonts": list(fonts.FAMILIES),
    }


def _text(text: str, room: float) -> str:
    return fonts.breakable(fonts.showable(text), room)


def _runs(runs: Runs, room: float) -> Runs:
    """Runs for lines of `room` type sizes. An address that is followed stays as it is."""
    broken: Runs = []
    for run in runs:
        rooms = {"t": room, "first": UPRIGHT / 9}
        texts = {key: _text(run[key], own) for key, own in rooms.items() if key in run}
        broken.append({**run, **texts})
    return broken


def _part(part: Content) -> Content:
    return {
        **part,
        "heading": _text(part["heading"], UPRIGHT / 16),
        "blocks": [_block(block) for block in part["blocks"]],
    }


def _block(block: Content) -> Content:
    match block["kind"]:
        case "list":
            return {**block, "items": [_runs(item, LINE - 4) for item in block["items"]]}
        case "decision":
            points = [_runs(point, LINE - 4) for point in block["points"]]
            return {**block, "who": _runs(block["who"], LINE), "points": points}
        case "table":
            return _table(block)
        case "chart":
            drawing = charts.svg(block["drawn_from"])
            return {
                "kind": "chart",
                "alt": fonts.showable(block["alt"]),
                "svg": drawing,
                "height": min(UPRIGHT * charts.height(drawing), TALLEST_CHART),
                "caption": _runs(block["caption"], LINE),
                "table": _table(block["table"]),
            }
        case _:
            return {**block, "text": _runs(block["text"], LINE - 2)}


def _source(source: Content) -> Content:
    address = source["address"]
    return {
        "text": _text(f"{words.source(source)} {words.CAME_IN[source['came_in']].capitalize()}.", LINE - 4),
        "address": address if address.startswith(("http://", "https://")) else "",
        "shown": _text(address, LINE - 4),
    }


# Tables


def _table(table: Content) -> Content:
    columns, rows = table["columns"], table["rows"]
    asked = [_asked(column["label"], [row[place]["runs"] for row in rows]) for place, column in enumerate(columns)]
    size = 7.5 if len(columns) > MOST_UPRIGHT else 8.0 if len(columns) > 6 else 9.0
    is_wide = len(columns) > MOST_UPRIGHT or sum(need for need, _want in asked) > UPRIGHT / size
    text_width = WIDE if is_wide else UPRIGHT
    widths = [size * width for width in _shared_out(asked, text_width / size)]
    rooms = [(width - 2 * INSET) / size for width in widths]
    lines = sum(max(_lines(cell["runs"], room) for cell, room in zip(row, rooms, strict=True)) for row in rows)
    return {
        "kind": "table",
        "caption": _runs(table["caption"], text_width / BODY),
        "wide": is_wide,
        "whole": lines <= MOST_LINES_WHOLE,
        "size": size,
        "widths": widths,
        "kinds": [column["kind"] for column in columns],
        "head": [_text(column["label"], room) for column, room in zip(columns, rooms, strict=True)],
        "rows": [
            [{**cell, "runs": _runs(cell["runs"], room)} for cell, room in zip(row, rooms, strict=True)] for row in rows
        ],
        "note": _runs(table["note"], text_width / BODY),
    }


def _asked(label: str, cells: list[Runs]) -> tuple[float, float]:
    """How much room a column needs for its longest word, and wants for its longest cell, in type sizes."""
    heading = fonts.showable(label)
    texts = [fonts.showable(text_of(runs)) for runs in cells]
    words_there = [heading] if fonts.width(heading) <= SHORT_HEADING else heading.split(" ")
    words_there += [word for text in texts for word in text.split(" ")]
    longest_word = max(fonts.width(word) for word in words_there)
    longest = max((fonts.width(text) for text in texts), default=0)
    least = min(max(longest_word * BOLD, NARROWEST), WIDEST)
    return least + MARGINS, max(least, min(longest * BOLD, WIDEST)) + MARGINS


def _shared_out(asked: list[tuple[float, float]], room: float) -> list[float]:
    """The columns' widths, together `room`: first what the words need, then what is left to whoever wants more.

    Where the words need more than there is, those of the widest columns are broken.
    """
    least = [need for need, _want in asked]
    if sum(least) > room:
        return _capped(least, room)
    wanting = [want - need for need, want in asked]
    if not sum(wanting):
        return [room * need / sum(least) for need in least]
    left = room - sum(least)
    return [need + left * more / sum(wanting) for need, more in zip(least, wanting, strict=True)]


def _capped(needs: list[float], room: float) -> list[float]:
    """The needs with the largest cut to the same size, so that they make up `room`."""
    left, columns = room, len(needs)
    for need in sorted(needs):
        if need * columns >= left:
            break
        left, columns = left - need, columns - 1
    return [min(need, left / columns) for need in needs]


def _lines(runs: Runs, room: float) -> int:
    """How many lines the text takes at most."""
    return 1 + int(fonts.width(text_of(runs)) * 1.2 / max(room, 1))
