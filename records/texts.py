"""Written texts: plain text with paragraphs, headings and lists, and what is made of pasted HTML.

A line that begins with `## ` is a heading, with `- ` a point in a list, with `1. ` a numbered point; an empty line
parts paragraphs. Nothing else is read into a text, and it is escaped wherever it is shown.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

import nh3

from records.values import one_newline

HEADING = re.compile(r"#{1,6}\s+(?P<text>\S.*)")
BULLET = re.compile(r"[-*•–]\s+(?P<text>\S.*)")
NUMBER = re.compile(r"(?P<number>\d{1,3})[.)]\s+(?P<text>\S.*)")

HEADINGS = {f"h{level}" for level in range(1, 7)}
LISTS = {"ul", "ol"}
LINES = {"address", "article", "blockquote", "div", "li", "p", "pre", "section", "table", "tr"} | HEADINGS | LISTS
KEPT_TAGS = LINES | {"br", "td", "th"}
DROPPED_WITH_CONTENT = {"script", "style", "title"}
# Written by programs, not by people: `<5` and `a < b` are text.
MARKUP = re.compile(
    r"<(?:!--|!doctype\b|/?(?:a|b|body|em|font|form|head|html|i|iframe|img|input|link|meta|o:p|object|small|span|strong"
    rf"|sub|sup|svg|tbody|thead|u|{'|'.join(sorted(KEPT_TAGS | DROPPED_WITH_CONTENT))})\b[^<>]*>)",
    re.IGNORECASE,
)
HTML_SPACE = re.compile(r"[ \t\n\r\f]+")


@dataclass
class Block:
    """A heading (one line), a paragraph, a list of bullets or a list of numbers that begins at `start`."""

    kind: str
    lines: list[str] = field(default_factory=list)
    start: int = 1


def blocks_of(text: str) -> list[Block]:
    """What a written text consists of, for pages and documents. There is one level of headings."""
    blocks: list[Block] = []
    is_open = False  # whether the next line may belong to the last block
    for line in text.split("\n"):
        kind, words, number = _read(line)
        if is_open and words and blocks[-1].kind == kind:
            blocks[-1].lines.append(words)
        elif is_open and kind == "paragraph" and words and line[:1].isspace() and blocks[-1].kind != "heading":
            blocks[-1].lines[-1] += f" {words}"  # an indented line goes on with the point above it
        elif words:
            blocks.append(Block(kind, [words], number))
        is_open = bool(words) and kind != "heading"
    return blocks


def _read(line: str) -> tuple[str, str, int]:
    """What kind of block the line belongs to, its words, and its number."""
    line = line.strip()
    if found := HEADING.fullmatch(line):
        return "heading", found["text"], 1
    if found := BULLET.fullmatch(line):
        return "bullets", found["text"], 1
    if found := NUMBER.fullmatch(line):
        return "numbers", found["text"], int(found["number"])
    return "paragraph", line, 1


def clean_text(text: str) -> str:
    """The text as we keep it: lines that end with LF and without trailing spaces, pasted HTML read as text."""
    text = one_newline(text)
    if MARKUP.search(text):
        text = _from_html(text)
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def _from_html(html: str) -> str:
    """The words of `html` with its paragraphs, headings and lists; scripts and styles are dropped whole."""
    reader = _HtmlReader(is_whole=html.lstrip().startswith("<") and html.rstrip().endswith(">"))
    reader.feed(nh3.clean(html, tags=KEPT_TAGS, attributes={}, clean_content_tags=DROPPED_WITH_CONTENT))
    reader.close()
    return "".join(reader.result()).strip()


class _HtmlReader(HTMLParser):
    """Reads cleaned HTML as written text. Line breaks in the source count only where it is not HTML as a whole."""

    def __init__(self, *, is_whole: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.is_whole = is_whole
        self.found: list[tuple[str, str]] = []  # (tag, text)
        self.words = ""
        self.tag = ""
        self.lists: list[tuple[str, int]] = []  # (tag, points so far)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.words += "\v"
        elif tag in ("td", "th"):
            self.words += " "
        elif tag in LINES and not (self.tag == "li" and tag in ("p", "div")):
            self._end(tag)
            if tag in LISTS:
                self.lists.append((tag, 0))

    def handle_endtag(self, tag: str) -> None:
        if tag in LINES and not (self.tag == "li" and tag in ("p", "div")):
            self._end("")
            if tag in LISTS and self.lists:
                self.lists.pop()

    def handle_data(self, data: str) -> None:
        self.words += HTML_SPACE.sub(" ", data) if self.is_whole else data

    def close(self) -> None:
        super().close()
        self._end("")

    def _end(self, following: str) -> None:
        """The line that was being read is at its end; what follows belongs to the tag `following`."""
        lines = [line.strip(" ") for line in self.words.split("\v")]
        if any(line.strip() for line in lines):
            if self.tag in HEADINGS:
                text = "## " + " ".join(lines)
            elif self.tag == "li":
                text = self._mark() + " ".join(lines)
            else:
                text = "\n".join(lines)
            self.found.append((self.tag, text))
        self.words, self.tag = "", following

    def _mark(self) -> str:
        tag, points = self.lists.pop() if self.lists else ("ul", 0)
        self.lists.append((tag, points + 1))
        return f"{points + 1}. " if tag == "ol" else "- "

    def result(self) -> Iterator[str]:
        before = ""
        for tag, text in self.found:
            yield "\n" if tag in ("li", "tr") and before == tag else "\n\n"
            yield text
            before = tag
