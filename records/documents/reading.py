"""A document in reading order: parts one after another, captions numbered, sources marked. All files are made of this.

Text comes in runs of one look: `t` the text, `b` strong, `a` an address, `soft` for what is missing, `e` for the mark
of an example, `s` the number of a source.
"""

from collections.abc import Iterator
from typing import Any

from records.documents import words
from records.documents.content import Content, figures
from records.documents.frame import Frame

Runs = list[dict[str, Any]]


class Reading:
    """The content with its frame, read once from beginning to end."""

    def __init__(self, content: Content, frame: Frame) -> None:
        self.content, self.frame = content, frame
        self._marked: list[str] = []  # keys of sources in the order of their marks
        self._counts = {"table": 0, "chart": 0}
        self.kind = frame.cover.get("kind") or content["kind"]
        self.parts = [part for section in frame.sections(content) for part in self._section(section, 1)]
        self.annexes = [
            [self._part(f"{words.FRAME['annex']} {number}. {annex['heading']}", 1, annex), *self._inner(annex, 1)]
            for number, annex in enumerate(content["annexes"], 1)
        ]

    @property
    def sources(self) -> list[Content]:
        """The sources of all figures, in the order of their numbers."""
        return [self.content["sources"][key] for key in self._marked]

    @property
    def all_parts(self) -> list[Content]:
        return [*self.parts, *(part for annex in self.annexes for part in annex)]

    def _section(self, section: Content, level: int) -> Iterator[Content]:
        yield self._part(section["heading"], level, section)
        yield from self._inner(section, level)

    def _inner(self, section: Content, level: int) -> Iterator[Content]:
        for inner in section["sections"]:
            yield from self._section(inner, level + 1)

    def _part(self, heading: str, level: int, section: Content) -> Content:
        return {
            "id": section["id"],
            "heading": heading,
            "level": level,
            "example": section["example"],
            "blocks": [self._block(block) for block in section["blocks"]],
        }

    def _block(self, block: Content) -> Content:
        match block["kind"]:
            case "list":
                return {**block, "items": [self._runs(item) for item in block["items"]]}
            case "decision":
                who = [{"t": f"{block['who']} {words.FRAME['decides']}"}]
                return {**block, "who": who, "points": [self._runs(point) for point in block["points"]]}
            case "table":
                return self._table(block, f"{self._numbered('table')} {block['caption']}")
            case "chart":
                caption = f"{self._numbered('chart')} {block['caption']}. {block['measure']}."
                number = self._counts["chart"]
                return {
                    "kind": "chart",
                    "id": block["id"],
                    "alt": block["alt"],
                    "caption": [{"t": caption}, *self._marks(block)],
                    "drawn_from": block,
                    "table": self._table(block, f"{self._numbered('table')} {words.FRAME['figures']} {number}"),
                }
            case _:
                return {**block, "text": self._runs(block["text"])}

    def _numbered(self, kind: str) -> str:
        self._counts[kind] += 1
        return f"{words.FRAME[kind]} {self._counts[kind]}."

    def _table(self, block: Content, caption: str) -> Content:
        """A table whose figures all have one source, or are all examples, says so once, in its caption.

        Otherwise a row is marked once when its figures have one source, and not at all when that is the source of the
        row above: a long list would else have thousands of marks.
        """
        own = [figure for _path, figure in figures(block["rows"])]
        once = len({figure["source"] for figure in own}) == 1
        all_examples = bool(own) and all(figure["example"] for figure in own)
        title: Runs = [{"t": caption}]
        if once:
            title += self._marks(block)
        if all_examples:
            title.append({"t": words.EXAMPLE, "e": True})
        rows, before, is_left_out = [], "", False
        for row in block["rows"]:
            keys = {figure["source"] for _path, figure in figures(row)}
            is_one = len(keys) == 1 and not once
            cells = [self._cell(cell, marks=len(keys) > 1, tag=not all_examples) for cell in row]
            if is_one and keys != {before}:
                last = max(place for place, cell in enumerate(row) if any(figures(cell)))
                cells[last]["runs"].append(self._mark(*keys))
            is_left_out = is_left_out or (is_one and keys == {before})
            before = next(iter(keys)) if len(keys) == 1 else "" if keys else before
            rows.append(cells)
        notes = [block.get("note", ""), words.FRAME["same_source"] if is_left_out else ""]
        note = " ".join(text for text in notes if text)
        return {
            "kind": "table",
            "id": block["id"],
            "caption": title,
            "columns": block["columns"],
            "rows": rows,
            "note": [{"t": note}] if note else [],
        }

    def _cell(self, cell: Any, *, marks: bool, tag: bool) -> Content:
        is_example = any(figure["example"] for _path, figure in figures(cell))
        return {"runs": self._runs(cell, marks=marks, tag=tag), "example": is_example}

    def _marks(self, block: Content) -> Runs:
        """One mark for each source of the figures in a block."""
        return [self._mark(key) for key in dict.fromkeys(figure["source"] for _path, figure in figures(block["rows"]))]

    def _mark(self, key: str) -> dict[str, Any]:
        is_first = key not in self._marked
        if is_first:
            self._marked.append(key)
        mark: dict[str, Any] = {"s": self._marked.index(key) + 1}
        return {**mark, "first": words.source(self.content["sources"][key])} if is_first else mark

    def _runs(self, inline: Any, *, marks: bool = True, tag: bool = True) -> Runs:
        """Running text. Several figures of one source, or that are all examples, are marked once, at its end."""
        own = [figure for _path, figure in figures(inline)]
        mark_once = marks and len(own) > 1 and len({figure["source"] for figure in own}) == 1
        tag_once = tag and len(own) > 1 and all(figure["example"] for figure in own)
        runs: Runs = []
        for part in inline if isinstance(inline, list) else [inline]:
            if not isinstance(part, dict):
                runs.append({"t": part})
            elif "text" in part:
                runs.append({"t": part["text"], "b": "strong" in part, "a": part.get("address", "")})
            else:
                figure = part.get("last_known") if "missing" in part else part
                runs.append({"t": words.shown(part), "soft": "missing" in part})
                if figure and marks and not mark_once:
                    runs.append(self._mark(figure["source"]))
                if figure and tag and not tag_once and figure["example"]:
                    runs.append({"t": words.EXAMPLE, "e": True})
        if mark_once:
            runs.append(self._mark(own[0]["source"]))
        if tag_once:
            runs.append({"t": words.EXAMPLE, "e": True})
        return [run for run in runs if run.get("t") or "s" in run]


def text_of(runs: Runs) -> str:
    """The runs' words, without marks of sources."""
    return " ".join("".join(f" {run['t']}" if run.get("e") else run.get("t", "") for run in runs).split(" "))
