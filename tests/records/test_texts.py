"""What is read into a written text, what is made of pasted HTML, and what differs between two texts."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.comparisons import compared
from records.texts import Block, blocks_of, clean_text


def test_blocks_are_headings_paragraphs_and_lists():
    text = "## Bakgrund\nFyra kommuner.\nLika.\n\n\nMer.\n- Enköping\n• Västerås\n  med Skultuna\n\n3. Tre\n4) Fyra"
    text += "\n\n#utan"

    assert blocks_of(text) == [
        Block("heading", ["Bakgrund"]),
        Block("paragraph", ["Fyra kommuner.", "Lika."]),
        Block("paragraph", ["Mer."]),
        Block("bullets", ["Enköping", "Västerås med Skultuna"]),
        Block("numbers", ["Tre", "Fyra"], start=3),
        Block("paragraph", ["#utan"]),
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "   "])
def test_nothing_is_no_blocks(text):
    assert blocks_of(text) == []


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("aå1.-#* \n<>&"), max_size=80))
def test_no_word_is_lost_between_text_and_blocks(text):
    kept = "".join(line for block in blocks_of(text) for line in block.lines)

    assert set("aå<>&") & set(text) == set("aå<>&") & set(kept)


@pytest.mark.parametrize(
    "text",
    ["färre än <5 & fler än >3", "a < b och c > d", "AT&amp;T", "# $ \" ' \\", "x <y@kommun.example>", "1 < 2 <b 3"],
)
def test_clean_text_leaves_what_people_write(text):
    assert clean_text(text) == text


def test_clean_text_ends_lines_in_one_way():
    assert clean_text("\n a \r\nb\t\n\n") == " a\nb"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hej <b>du</b></p><p>igen &amp; igen</p>", "Hej du\n\nigen & igen"),
        ("<h2 onclick='x'>Rubrik</h2>\n<ul>\n <li>Ett</li>\n <li><p>Två</p></li></ul><p>Slut</p>",
         "## Rubrik\n\n- Ett\n- Två\n\nSlut"),
        ("<ol><li>Ett</li><li>Två</li></ol>", "1. Ett\n2. Två"),
        ("<p>Före<script>alert(1)</script><style>p{}</style> efter</p>", "Före efter"),
        ("Skrivet\n\n<img src=x onerror=alert(1)>\nmer", "Skrivet\n\n\nmer"),
        ("Rad ett\nRad <b>två</b>\n\n- punkt", "Rad ett\nRad två\n\n- punkt"),
        ("<div>Rad<br>till</div>", "Rad\ntill"),
        ("<table><tr><td>A</td><td>B</td></tr><tr><td>C</td></tr></table>", "A B\nC"),
        ("<script>alert(1)</script>", ""),
    ],
)  # fmt: skip
def test_clean_text_reads_pasted_html_as_text(html, text):
    assert clean_text(html) == text


def test_compared_tells_lines_and_words_apart():
    assert [(piece.kind, piece.text) for piece in compared("Ett\nTvå tre\n", "Ett\nTvå fyra\nFem\n")] == [
        ("same", "Ett\nTvå "),
        ("old", "tre\n"),
        ("new", "fyra\nFem\n"),
    ]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab \n", max_size=60), st.text(alphabet="ab \n", max_size=60))
def test_both_texts_can_be_read_out_of_their_comparison(old, new):
    pieces = compared(old, new)

    assert "".join(piece.text for piece in pieces if piece.kind != "new") == old
    assert "".join(piece.text for piece in pieces if piece.kind != "old") == new


@pytest.mark.parametrize(
    ("old", "new"), [("a " * 10_000, "b a " * 5_000), ("a\n" * 10_000, "b\na\n" * 5_000), ("å" * 20_000, "å" * 19_999)]
)
def test_long_texts_of_few_words_are_compared_without_end_of_time(old, new):
    began = time.process_time()

    assert compared(old, new)

    assert time.process_time() - began < 5
