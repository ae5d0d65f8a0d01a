"""The report's section on agreements: what is signed, from the data alone, and what is on its way only as a count."""

from datetime import date

import pytest

from agreements.chapter import MANDATE, chapter
from agreements.models import RevisionKind
from agreements.operations import start_revision, withdraw_revision
from collab4m.school_year import SchoolYear
from records.documents.blocks import document, section
from records.documents.content import blocks_of, canonical, check, figures, has_examples
from records.documents.words import shown
from reports.operations import content_of
from tests.agreements.stories import building, draft, fill_in, on_referral, revision_of, sign_all, signed, to_decision
from tests.factories import AreaFactory, BoardFactory, ProgrammeFactory, ReportFactory

pytestmark = pytest.mark.django_db

YEAR = SchoolYear(2022)


@pytest.fixture
def agreement(area, home, neighbour, owner, asker):
    return draft(area, [home, neighbour], owner, programme=building())


def content(area, year=YEAR):
    """The section in a document of its own, which is right."""
    made = chapter(area, year)
    assert made.mandate == MANDATE
    whole = document(
        kind="Återredovisning",
        title="Avtal",
        sections=[section("uppdrag-1", "Avtal", *made.blocks, sections=made.sections)],
        annexes=made.annexes,
        sources=dict(made.sources),
    )
    check(whole)
    return whole


def tables(content):
    """The cells of each table, as words."""
    found = (block for block in blocks_of(content) if block["kind"] == "table")
    return {block["id"]: [[shown(cell) for cell in row] for row in block["rows"]] for block in found}


def text(content):
    """What is said outside the tables."""
    return " ".join(shown(block["text"]) for block in blocks_of(content) if "text" in block)


def numbers(content):
    return [figure["value"] for _path, figure in figures(content)]


def test_without_agreements_it_says_so(area, agreement):
    said = content(area)

    assert text(said) == "Inget avtal mellan kommunerna är undertecknat i portalen för läsåret 2022/23 eller senare."
    assert not tables(said)


def test_a_signed_agreement_is_listed_with_its_decisions(area, agreement, home):
    BoardFactory(municipality=home, name="utbildningsnämnden")
    signed(agreement)

    said = content(area)

    assert tables(said)["avtal-undertecknade"] == [
        [
            agreement.number, "Bygg och anläggning", "Enköping, Västerås", "Bygg- och anläggningsprogrammet (BA)",
            "1 juli 2022", "tills vidare",
        ]
    ]  # fmt: skip
    assert [row[2:4] + row[5:] for row in tables(said)["avtal-beslut"]] == [
        ["Enköping", "utbildningsnämnden", "§ 84", "2022/17"],
        ["Västerås", "utbildningsnämnden", "§ 84", "2022/17"],
    ]
    assert text(said) == "1 avtal som gäller läsåret 2022/23 eller senare är undertecknat."
    assert numbers(said) == [1]
    assert not has_examples(said)


def test_what_is_sent_is_counted_and_drafts_are_not(area, agreement, home, neighbour, owner):
    on_referral(agreement)
    deciding = draft(area, [home, neighbour], owner, programme=ProgrammeFactory(), title="Hemligt")
    fill_in(deciding)
    to_decision(deciding)
    draft(area, [home, neighbour], owner, programme=ProgrammeFactory())
    gone = draft(area, [home, neighbour], owner, programme=ProgrammeFactory())
    on_referral(gone)
    withdraw_revision(gone, reason="Det behövs inte.", by=owner, on_behalf_of=home.body)

    said = content(area)

    assert numbers(said) == [2]
    assert "2 är på remiss" in text(said)
    assert "Hemligt" not in canonical(said).decode()


def test_one_that_ended_before_the_year_is_left_out(area, agreement):
    signed(agreement, is_open_ended=False, last_day=date(2023, 6, 30))

    assert numbers(content(area)) == [1]
    assert "Inget avtal" in text(content(area, SchoolYear(2023)))


def test_decisions_on_an_annex_stand_beside_those_on_the_agreement(area, agreement, home, owner):
    signed(agreement)
    start_revision(agreement, kind=RevisionKind.ANNEX, by=owner, on_behalf_of=home.body, applies_from=SchoolYear(2024))
    revision_of(agreement).terms.update(seats=4)
    sign_all(agreement)

    assert [row[1] for row in tables(content(area))["avtal-beslut"]] == ["avtal"] * 2 + ["årlig bilaga"] * 2


def test_examples_are_marked(area, home, neighbour, owner):
    signed(draft(area, [home, neighbour], owner, programme=building(), example=True))

    said = content(area)

    assert has_examples(said)
    assert tables(said)["avtal-undertecknade"][0][1] == "Bygg och anläggning (exempel)"


def test_the_same_data_give_the_same_bytes_and_other_areas_stay_out(area, agreement):
    signed(agreement)

    assert canonical(content(area)) == canonical(content(area))
    assert "Inget avtal" in text(content(AreaFactory()))


def test_the_report_has_both_chapters_under_the_first_mandate(area, agreement):
    signed(agreement)
    report = ReportFactory(area=area)

    said = content_of(report)

    check(said)
    (first,) = [inner for one in said["sections"] for inner in one["sections"] if inner["id"] == "uppdrag-1"]
    assert "avtal" in [one["id"] for one in first["sections"]]
    assert "avtal:undertecknade" in said["sources"]
