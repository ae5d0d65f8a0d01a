"""What content must hold before it is made final, and its one form in bytes."""

import copy
import json
from decimal import Decimal
from hashlib import sha256

import pytest
from django.utils import translation

from records.documents import blocks, words
from records.documents.content import (
    ContentRefused,
    canonical,
    check,
    check_cover,
    figures,
    has_examples,
    section_hashes,
    sha256_of,
)
from tests.records.documents.content import COVER, SCHOOLS, awkward, small


@pytest.fixture(autouse=True)
def english():
    translation.activate("en")


def changed(path: str, value: object) -> dict:
    """The small document with one thing in it changed; `...` takes it away."""
    content = copy.deepcopy(small())
    *steps, last = [int(step) if step.isdecimal() else step for step in path.split("/")]
    place = content
    for step in steps:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return content


CELL = "sections/1/sections/0/blocks/0/rows/0/1"


def test_content_with_every_kind_of_block_can_be_made_final():
    check(small())
    check(awkward())
    check_cover(COVER, small())


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (f"{CELL}/0/source", ..., "/sections/1/sections/0/blocks/0"),
        (f"{CELL}/0/source", "", "/sections/1/sections/0/blocks/0"),
        (f"{CELL}/0/source", "nobody:1", "the source “nobody:1” is not among the document's sources"),
        (f"{CELL}/0/example", ..., "/sections/1/sections/0/blocks/0"),
        (f"{CELL}/0/value", 12.5, "/sections/1"),
        (f"{CELL}/0/value", "12,5", "/sections/1"),
        (f"{CELL}/0", 1250, "/sections/1"),
        (CELL, "1 250", "row 1 holds a number without its source"),
        (CELL, "1\u00a0250 kr", "row 1 holds a number without its source"),
        (CELL, "många", "each value is a figure or missing"),
        ("annexes/0/blocks/1/rows/1/1", "12", "row 2 holds a number without its source"),
        ("annexes/0/blocks/1/rows/1", ["El"], "row 2 does not have a cell for each column"),
        ("annexes/0/id", "arendet", "The id “arendet” stands twice."),
        ("sections/1/sections/0/blocks/0/alt", "Diagram", "/sections/1"),
        ("sections/2/blocks/0/points/0", "Att", "/sections/2"),
        ("sources/skolverket:2022/publisher", ..., "/sources"),
        ("sections/0/blocks/0/text", "\x07", "can be neither kept nor shown"),
        ("sections/0/blocks/0/text", "\ud800", "can be neither kept nor shown"),
        ("extra", "x", "extra"),
        ("title", "", "/title"),
    ],
)
def test_content_that_lacks_something_is_refused_and_says_where(path, value, said):
    with pytest.raises(ContentRefused) as refused:
        check(changed(path, value))

    assert said in str(refused.value)


def test_no_figure_anywhere_passes_without_its_source():
    content = small()
    places = [path for path, _figure in figures(content)]

    assert len(places) == 1 + 3 + 24 + 2
    for path in places:
        with pytest.raises(ContentRefused):
            check(changed(f"{path.strip('/')}/source", ...))


def test_sections_go_three_levels_deep():
    deep = blocks.section("a", "A", sections=[blocks.section("b", "B", sections=[blocks.section("c", "C")])])
    check(changed("sections/0", deep))

    with pytest.raises(ContentRefused, match="three levels"):
        check(changed("sections/0", blocks.section("z", "Z", sections=[deep])))


def test_a_cover_orders_and_heads_only_sections_that_there_are():
    order = ["arendet", "sammanfattning", "beslut"]
    check_cover({**COVER, "order": order, "headings": {"uppdrag-1": "Samverkansavtal"}}, small())

    for wrong in ({"order": order[:2]}, {"order": [*order, "x"]}, {"headings": {"x": "X"}}, {"case_number": 7}):
        with pytest.raises(ContentRefused):
            check_cover({**COVER, **wrong}, small())


def test_canonical_form_does_not_depend_on_order_space_or_composition():
    content = small("Återredovisning")
    other = json.loads(json.dumps(dict(reversed(content.items())), indent=3).replace("\\u00c5", "A\\u030a"))

    assert canonical(other) == canonical(content)
    assert sha256_of(content) == sha256(canonical(content)).hexdigest()
    assert sha256_of(small("Annat")) != sha256_of(content)


def test_each_section_has_its_hash():
    before, after = section_hashes(small()), section_hashes(changed("sections/2/heading", "Beslut 2"))

    assert list(before) == ["sammanfattning", "arendet", "uppdrag-1", "beslut", "matris"]
    assert [name for name in before if before[name] != after[name]] == ["beslut"]


def test_example_is_known_from_figures_and_sections():
    assert has_examples(small())
    plain = blocks.document(kind="A", title="B", sections=[blocks.section("a", "A")], sources={})
    assert not has_examples(plain)


@pytest.mark.parametrize(
    ("value", "kept", "shown"),
    [
        (1234567, 1234567, "1\u00a0234\u00a0567"),
        (Decimal("-12.50"), "-12.50", "−12,50"),
        (Decimal("1E+3"), 1000, "1\u00a0000"),
        (0, 0, "0"),
    ],
)
def test_figures_are_written_as_swedes_write_them(value, kept, shown):
    figure = blocks.figure(value, source=SCHOOLS)

    assert figure["value"] == kept
    assert words.shown(figure) == shown
    assert words.shown({**figure, "unit": "kr"}) == f"{shown}\u00a0kr"


def test_what_is_missing_is_said_in_words():
    assert words.shown(blocks.not_reported()) == "ej rapporterat"
    assert words.shown(blocks.not_reported(blocks.figure(7, source=SCHOOLS), "2020/21")) == (
        "ej rapporterat, senast känt 7 (2020/21)"
    )
    assert words.shown(blocks.masked()) == "färre än 5"


def test_paragraphs_are_what_blank_lines_part():
    assert blocks.paragraphs("Ett\r\nstycke.\r\n\r\n\r\n\r\nEtt till.\n") == [
        blocks.paragraph("Ett stycke."),
        blocks.paragraph("Ett till."),
    ]
