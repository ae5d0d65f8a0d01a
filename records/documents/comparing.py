"""What differs between two documents, for people to read: texts by section, figures by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from records.comparisons import Piece, compared
from records.documents import words
from records.documents.content import Content, sections_of


@dataclass(frozen=True)
class TextChange:
    """A section whose text differs, piece by piece."""

    heading: str
    pieces: list[Piece]


@dataclass(frozen=True)
class CellChange:
    """A place in a table that says something else. `before` or `after` is empty where the row was not there."""

    row: str
    column: str
    before: str
    after: str


@dataclass(frozen=True)
class TableChange:
    caption: str
    cells: list[CellChange]


@dataclass(frozen=True)
class Difference:
    """Everything that differs. `only_before` and `only_after` are headings of sections that one of the two lacks."""

    texts: list[TextChange] = field(default_factory=list)
    tables: list[TableChange] = field(default_factory=list)
    only_before: list[str] = field(default_factory=list)
    only_after: list[str] = field(default_factory=list)

    @property
    def is_none(self) -> bool:
        return not (self.texts or self.tables or self.only_before or self.only_after)


def compare_contents(before: Content, after: Content) -> Difference:
    old, new = _sections(before), _sections(after)
    texts = []
    for key in [key for key in new if key in old]:
        was, is_now = _text(old[key]), _text(new[key])
        if was != is_now:
            texts.append(TextChange(new[key]["heading"], compared(was, is_now)))
    return Difference(
        texts=texts,
        tables=list(_tables(before, after)),
        only_before=[section["heading"] for key, section in old.items() if key not in new],
        only_after=[section["heading"] for key, section in new.items() if key not in old],
    )


def _sections(content: Content) -> dict[str, Content]:
    return {section["id"]: section for section, _level in sections_of(content)}


def _text(section: Content) -> str:
    """The section's own text, a line for each paragraph and point, without its tables and what lies inside it."""
    lines = []
    for block in section["blocks"]:
        if block["kind"] in ("paragraph", "note"):
            lines.append(words.shown(block["text"]))
        elif block["kind"] == "list":
            lines += [f"– {words.shown(item)}" for item in block["items"]]
        elif block["kind"] == "decision":
            lines += block["points"]
    return "".join(f"{line}\n" for line in lines)


def _tables(before: Content, after: Content) -> Iterator[TableChange]:
    old = {block["id"]: block for block in _grids(before)}
    for block in _grids(after):
        cells = list(_cells(old.get(block["id"]), block))
        if cells:
            yield TableChange(block["caption"], cells)
    new = {block["id"] for block in _grids(after)}
    for key, block in old.items():
        if key not in new:
            yield TableChange(block["caption"], list(_cells(block, None)))


def _grids(content: Content) -> Iterator[Content]:
    for section, _level in sections_of(content):
        yield from (block for block in section["blocks"] if block["kind"] in ("table", "chart"))


def _cells(before: Content | None, after: Content | None) -> Iterator[CellChange]:
    old, new = _said(before), _said(after)
    for place in [*new, *(place for place in old if place not in new)]:
        was, is_now = old.get(place, ""), new.get(place, "")
        if was != is_now:
            yield CellChange(*place[:2], was, is_now)


def _said(block: Content | None) -> dict[tuple[str, str, int], str]:
    """What each cell says, by its row's labels and its column; rows that are labelled alike are counted apart."""
    said: dict[tuple[str, str, int], str] = {}
    for row in block["rows"] if block else ():
        columns = block["columns"] if block else ()
        labels = [words.shown(cell) for column, cell in zip(columns, row, strict=True) if column["kind"] == "label"]
        label = ", ".join(text for text in labels if text) or words.shown(row[0])
        number = sum(place[0] == label and place[1] == "" for place in said)
        said[label, "", number] = ""
        for column, cell in zip(columns, row, strict=True):
            if column["kind"] != "label":
                said[label, column["label"], number] = words.shown(cell)
    return said
