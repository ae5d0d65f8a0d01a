"""What a document says: its canonical form, its hash, and what it must hold before it can be made final."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from collab4m.errors import RuleBroken
from collab4m.middleware import UNUSABLE, texts_in

Content: TypeAlias = dict[str, Any]

SCHEMA = Path(__file__).with_name("schema.json")
# A cell that is nothing but a number says a figure, and a figure says where it is from.
_BARE_NUMBER = re.compile(r"[-−+]?\d[\d\s\u00a0\u202f]*([.,]\d+)?[\s\u00a0]*(%|kr|tkr|mnkr|st)?")


class ContentRefused(RuleBroken):
    code = "content_refused"
    message = gettext_lazy("The content cannot be made final as it is.")


def canonical(content: Content) -> bytes:
    """The content's one form in bytes: composed characters, keys in order, no space, UTF-8.

    The form of RFC 8785 for content without fractions, which are kept as text. Raises ContentRefused for floats.
    """
    try:
        return json.dumps(
            _composed(content), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
        ).encode()
    except UnicodeEncodeError as error:
        raise ContentRefused(_unusable()) from error


def _unusable() -> str:
    return _("The text holds a character that can be neither kept nor shown. Delete it and try again.")


def _composed(value: Any, path: str = "") -> Any:
    match value:
        case float():
            raise ContentRefused(_("%(path)s: write a number with decimals as text, such as 12.5.") % {"path": path})
        case str():
            return unicodedata.normalize("NFC", value)
        case dict():
            return {key: _composed(inner, f"{path}/{key}") for key, inner in value.items()}
        case list() | tuple():
            return [_composed(inner, f"{path}/{place}") for place, inner in enumerate(value)]
        case _:
            return value


def composed(content: Content) -> Content:
    """The content as it is kept: what `canonical` writes, read back."""
    kept: Content = json.loads(canonical(content))
    return kept


def sha256_of(content: Content) -> str:
    """The hash that boards decide on, 64 characters."""
    return sha256(canonical(content)).hexdigest()


def section_hashes(content: Content) -> dict[str, str]:
    """The hash of each section and annex, inner ones too, by its id."""
    return {section["id"]: sha256_of(section) for section, _level in sections_of(content)}


def sections_of(content: Content) -> Iterator[tuple[Content, int]]:
    """Every section and annex with its level, from 1, in reading order."""
    heap = [(section, 1) for section in reversed([*content["sections"], *content["annexes"]])]
    while heap:
        section, level = heap.pop()
        yield section, level
        heap += [(inner, level + 1) for inner in reversed(section["sections"])]


def blocks_of(content: Content) -> Iterator[Content]:
    for section, _level in sections_of(content):
        yield from section["blocks"]


def figures(value: Any, path: str = "") -> Iterator[tuple[str, Content]]:
    """Every figure anywhere in the content, with the path where it stands."""
    match value:
        case {"value": _value}:
            yield path, value
        case dict():
            for key, inner in value.items():
                yield from figures(inner, f"{path}/{key}")
        case list():
            for place, inner in enumerate(value):
                yield from figures(inner, f"{path}/{place}")


def has_examples(content: Content) -> bool:
    """Whether anything in the content is made up for the demonstration."""
    return any(figure["example"] for _path, figure in figures(content)) or any(
        section["example"] for section, _level in sections_of(content)
    )


@cache
def _validator(of: str) -> Draft202012Validator:
    schema = json.loads(SCHEMA.read_text())
    return Draft202012Validator({"$defs": schema["$defs"], "$ref": f"#/$defs/{of}"} if of else schema)


def check(content: Content) -> None:
    """Raises ContentRefused, which says where, unless the content can be made final.

    It follows the schema, every figure names a source that the document tells of, and no number stands without one.
    """
    _follow("", content)
    canonical(content)
    if any(UNUSABLE.search(text) for text in texts_in(content)):
        raise ContentRefused(_unusable())
    for path, figure in figures(content):
        if figure["source"] not in content["sources"]:
            said = {"path": path, "source": figure["source"]}
            raise ContentRefused(_("%(path)s: the source “%(source)s” is not among the document's sources.") % said)
    for block in blocks_of(content):
        if block["kind"] in ("table", "chart"):
            _check_grid(block)
    ids = Counter(section["id"] for section, _level in sections_of(content))
    ids.update(block["id"] for block in blocks_of(content) if "id" in block)
    if twice := [name for name, count in ids.items() if count > 1]:
        raise ContentRefused(_("The id “%(id)s” stands twice.") % {"id": twice[0]})
    if max(level for _section, level in sections_of(content)) > 3:
        raise ContentRefused(_("Sections go at most three levels deep."))


def check_cover(cover: Content, content: Content) -> None:
    """Raises ContentRefused unless the cover follows the schema and orders only sections that there are."""
    _follow("cover", cover)
    known = {section["id"] for section in content["sections"]}
    unknown = {*cover.get("order", ()), *cover.get("headings", {})} - {
        section["id"] for section, _level in sections_of(content)
    }
    if unknown or set(cover.get("order", known)) != known:
        raise ContentRefused(_("The cover's order must name each of the document's sections once."))
    if closing := cover.get("closing"):
        _check_closing(closing, content)


def _check_closing(closing: Content, content: Content) -> None:
    """It comes after the content, so it may not take an id there, and it has no figures whose sources it could tell."""
    taken = {section["id"] for section, _level in sections_of(content)}
    taken |= {block["id"] for block in blocks_of(content) if "id" in block}
    own = [closing["id"], *(block["id"] for block in closing["blocks"] if "id" in block)]
    if twice := [name for name in own if name in taken]:
        raise ContentRefused(_("The id “%(id)s” stands twice.") % {"id": twice[0]})
    if closing["sections"] or any(figures(closing)):
        raise ContentRefused(_("What closes a document has neither sections nor figures of its own."))
    for block in closing["blocks"]:
        if block["kind"] in ("table", "chart"):
            _check_grid(block)


def _follow(of: str, value: Content) -> None:
    error = best_match(_validator(of).iter_errors(value))
    if error is not None:
        path = "/" + "/".join(str(step) for step in error.absolute_path)
        raise ContentRefused(_("%(path)s: %(fault)s") % {"path": path, "fault": error.message[:300]})


def _check_grid(block: Content) -> None:
    for row_number, row in enumerate(block["rows"], 1):
        where = {"id": block["id"], "row": row_number}
        if len(row) != len(block["columns"]):
            raise ContentRefused(_("Table %(id)s, row %(row)s does not have a cell for each column.") % where)
        for column, cell in zip(block["columns"], row, strict=True):
            if column["kind"] != "label" and isinstance(cell, str) and _BARE_NUMBER.fullmatch(cell.strip()):
                raise ContentRefused(_("Table %(id)s, row %(row)s holds a number without its source.") % where)
            if block["kind"] == "chart" and column["kind"] == "number" and not _is_drawable(cell):
                raise ContentRefused(_("Chart %(id)s, row %(row)s: each value is a figure or missing.") % where)
    kinds = [column["kind"] for column in block["columns"]]
    if block["kind"] == "chart" and (kinds[0] != "label" or set(kinds[1:]) != {"number"}):
        raise ContentRefused(_("Chart %(id)s has labels in its first column and numbers in the others.") % block)


def _is_drawable(cell: Any) -> bool:
    return (
        isinstance(cell, list)
        and len(cell) == 1
        and isinstance(cell[0], dict)
        and {"value", "missing"} & set(cell[0]) != set()
    )
