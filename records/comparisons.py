"""What differs between two texts, for people to read."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

WORD = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True)
class Piece:
    """Some of the text: `same` in both, only in the `old`, or only in the `new` one."""

    kind: str
    text: str


def compared(old: str, new: str) -> list[Piece]:
    """Both texts as pieces in reading order: lines first, then words inside the lines that differ."""
    pieces = _pieces(old.splitlines(keepends=True), new.splitlines(keepends=True), by_words=True)
    return [
        Piece(kind, "".join(piece.text for piece in together))
        for kind, together in groupby(pieces, lambda piece: piece.kind)
    ]


def _pieces(old: Sequence[str], new: Sequence[str], *, by_words: bool = False) -> Iterator[Piece]:
    for what, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new).get_opcodes():
        before, after = "".join(old[old_from:old_to]), "".join(new[new_from:new_to])
        if what == "equal":
            yield Piece("same", before)
        elif what == "replace" and by_words:
            yield from _pieces(WORD.findall(before), WORD.findall(after))
        else:
            if before:
                yield Piece("old", before)
            if after:
                yield Piece("new", after)
