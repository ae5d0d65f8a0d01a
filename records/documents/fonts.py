"""The typefaces of documents, which the set-up fetches: what they cannot show, and how wide a text is."""

import unicodedata
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from fontTools.ttLib import TTFont

FAMILIES = ("Source Sans 3", "Noto Sans Arabic", "Noto Sans Hebrew")
HYPHEN, BREAK = "\u00ad", "\u200b"  # invisible: where a word may break with a hyphen, and without


def folder() -> Path:
    return Path(settings.BUILD_DIR) / "document-font"


def made_from() -> str:
    """A hash of the font files."""
    digest = sha256()
    for path in sorted(folder().glob("*.ttf")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def _widths() -> dict[int, float]:
    """How wide each character is that we can show, as a share of the type size. The heavier weight, which is wider."""
    widths: dict[int, float] = {}
    for name in ("SourceSans3", "NotoSansArabic", "NotoSansHebrew"):
        with TTFont(folder() / f"{name}_600SemiBold.ttf", lazy=True) as font:
            advances, units = font["hmtx"], font["head"].unitsPerEm
            for code, glyph in font.getBestCmap().items():
                widths.setdefault(code, advances[glyph][0] / units)
    return widths


def width(text: str) -> float:
    """How wide the text is at most, as a share of the type size."""
    return sum(_widths().get(ord(character), 0) for character in text)


def _is_shown(character: str) -> bool:
    return character.isspace() or character in (HYPHEN, BREAK) or ord(character) in _widths()


def _vanishes(character: str) -> bool:
    """Joiners, marks of direction and variants say how their neighbours look; without them nothing is lost."""
    return unicodedata.category(character) == "Cf" or 0xFE00 <= ord(character) <= 0xFE0F


def unshowable(text: str) -> list[str]:
    """The characters that a document can only name, each once: what an author is warned of."""
    return list(dict.fromkeys(char for char in text if not _is_shown(char) and not _vanishes(char)))


def showable(text: str) -> str:
    """The text with what the fonts lack made visible: [U+1F600]. Nothing is left out in silence."""
    shown: list[str] = []
    for char in unicodedata.normalize("NFC", text):
        if _vanishes(char) and (not _is_shown(char) or shown[-1:] and shown[-1].startswith("[U+")):
            continue
        shown.append(char if _is_shown(char) else f"[U+{ord(char):04X}]")
    return "".join(shown)


def breakable(text: str, room: float) -> str:
    """The text with places to break in every word wider than `room`, a share of the type size."""
    if width(text) <= room:
        return text
    return "".join(_in_pieces(word, room) if width(word) > room else word for word in _words(text))


def _words(text: str) -> Iterator[str]:
    """Words and the spaces between them, in order; a no-break space is part of its word."""
    start = 0
    for place, char in enumerate(text):
        if char.isspace() and char != "\u00a0":
            yield text[start:place]
            yield char
            start = place + 1
    yield text[start:]


def _in_pieces(word: str, room: float) -> str:
    pieces = [""]
    for cluster in _clusters(word):
        if pieces[-1] and width(pieces[-1] + cluster + "-") > room:
            pieces.append("")
        pieces[-1] += cluster
    return (HYPHEN if word.isalpha() else BREAK).join(pieces)


def _clusters(word: str) -> Iterator[str]:
    """Characters with the marks that sit on them."""
    cluster = ""
    for char in word:
        if cluster and not unicodedata.combining(char):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster
