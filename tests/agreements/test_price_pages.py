"""The pages about price lists and compensation: what is shown, what is typed, and what is never lost."""

from __future__ import annotations

import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from agreements.models import PriceList, Statement, StatementState
from agreements.operations import lines_of
from records.models import Job, JobState
from records.operations import work_off_jobs
from tests.agreements.price_stories import (
    YEAR,
    a_locked_statement,
    a_ready_statement,
    a_statement,
    flow,
    made,
    own_cost,
)
from tests.factories import (
    MembershipFactory,
    OrientationFactory,
    PriceListFactory,
    PriceRowFactory,
    ProgrammeFactory,
)

pytestmark = pytest.mark.django_db

NEW, WRITE = "/avtal/prislistor/ny/", "/avtal/prislistor/skriv/"
FACTS = {
    "kind": "own_list", "year": "2023", "title": "Prislista 2023", "incl_meals": "ja", "incl_vat": "nej",
    "decided_on": "2023-01-31", "source_note": "Beslut i nämnden",
}  # fmt: skip


@pytest.fixture
def programme():
    return ProgrammeFactory(code="BA", name_sv="Bygg- och anläggningsprogrammet")


@pytest.fixture
def official(client, owner):
    """The administrator of Enköping, who reads English so that the texts stand here as in the code."""
    owner.language = "en"
    owner.save()
    client.force_login(owner)
    return client


def sent(client, content: bytes, **more):
    file = SimpleUploadedFile("lista.csv", content)
    return client.post(NEW, {**FACTS, "file": file, "steg": "las", **more})


def packet(response) -> str:
    return html.unescape(re.search(r'name="paket" value="([^"]+)"', response.content.decode())[1])


# Publishing


def test_a_file_is_shown_before_anything_is_saved_and_then_published_whole(official, home, programme):
    shown = sent(official, "Programkod;Pris;Benämning\r\nBA;137 000;Bygg\r\n".encode())
    assert not PriceList.objects.exists()
    assert "137,000" in shown.content.decode().replace("\u00a0", ",")

    answer = official.post(NEW, {"steg": "publicera", "paket": packet(shown)})

    published = PriceList.objects.get()
    assert answer.url == published.get_absolute_url()
    assert (published.kind, published.municipality, published.number, published.came_in) == (
        "own_list", home, 1, "import",
    )  # fmt: skip
    assert [(str(row.sek_per_pupil_year), row.label) for row in published.rows.all()] == [("137000.00", "Bygg")]


def test_what_is_wrong_in_a_file_is_told_by_line_and_nothing_typed_is_lost(official, programme):
    answer = sent(official, b"Programkod;Pris\r\nXX;1\r\nBA;gratis\r\n").content.decode()

    assert "Line 2" in answer
    assert "Line 3" in answer
    assert 'value="Beslut i nämnden"' in answer
    assert not PriceList.objects.exists()


def test_one_may_go_back_from_the_preview_with_all_that_was_written(official, programme):
    rows = {"rad-TOTAL_FORMS": "8", "rad-INITIAL_FORMS": "0", "rad-0-code": "BA", "rad-0-price": "137 000,50"}
    shown = official.post(WRITE, {**FACTS, **rows, "steg": "las"})

    back = official.post(WRITE, {"steg": "andra", "paket": packet(shown)}).content.decode()

    assert 'value="Prislista 2023"' in back
    assert 'value="137000,50"' in back
    assert 'value="BA"' in back


def test_prices_may_be_written_by_hand(official, home, programme):
    OrientationFactory(programme=programme, code="BAANL", name_sv="Anläggningsfordon")
    rows = {
        "rad-TOTAL_FORMS": "8", "rad-INITIAL_FORMS": "0", "rad-0-code": "BA", "rad-0-price": "137000",
        "rad-3-code": "baanl", "rad-3-price": "204 400",
    }  # fmt: skip
    shown = official.post(WRITE, {**FACTS, **rows, "steg": "las"})
    official.post(WRITE, {"steg": "publicera", "paket": packet(shown)})

    rows = PriceList.objects.get().rows.order_by("sek_per_pupil_year")
    assert [(row.orientation and row.orientation.code, row.sek_per_pupil_year) for row in rows] == [
        (None, 137000), ("BAANL", 204400),
    ]  # fmt: skip


def test_more_rows_keeps_what_is_written(official):
    rows = {"rad-TOTAL_FORMS": "8", "rad-INITIAL_FORMS": "0", "rad-0-code": "B", "rad-0-price": "x"}

    answer = official.post(WRITE, {**FACTS, "title": "Halv", **rows, "steg": "rader"}).content.decode()

    assert 'value="Halv"' in answer
    assert 'value="B"' in answer
    assert "rad-8-code" in answer


@pytest.mark.parametrize("packed", ["", "fel", "e30:1abc:xyz"])
def test_a_packet_that_was_not_made_here_is_not_published(official, packed):
    answer = official.post(NEW, {"steg": "publicera", "paket": packed})

    assert answer.status_code == 302
    assert not PriceList.objects.exists()


def test_somebody_elses_packet_is_not_published(official, client, asker, programme):
    shown = sent(official, b"Programkod;Pris\r\nBA;1\r\n")
    client.force_login(asker)

    client.post(NEW, {"steg": "publicera", "paket": packet(shown)})

    assert not PriceList.objects.exists()


def test_the_exported_list_can_be_published_anew(official, home, programme):
    price_list = own_cost(home, (programme, "137000.50"))
    content = official.get(f"/avtal/prislistor/{price_list.pk}/fil/csv/").content

    shown = sent(official, content, kind="self_cost", year="2022")
    official.post(NEW, {"steg": "publicera", "paket": packet(shown)})

    latest = PriceList.objects.order_by("-number").first()
    assert latest.number == 2
    assert str(latest.rows.get().sek_per_pupil_year) == "137000.50"


# Query counts


@pytest.mark.parametrize("number", [1, 3])
def test_price_lists_costs_the_same_however_many(official, home, number, django_assert_num_queries):
    for _nth in range(number):
        PriceRowFactory(price_list=PriceListFactory(number=_nth + 1))

    with django_assert_num_queries(7):
        official.get("/avtal/prislistor/")


@pytest.mark.parametrize("number", [1, 3])
def test_a_price_list_costs_the_same_however_many_prices(official, home, number, django_assert_num_queries):
    price_list = PriceListFactory()
    for _nth in range(number):
        PriceRowFactory(price_list=price_list)

    with django_assert_num_queries(9):
        official.get(f"/avtal/prislistor/{price_list.pk}/")


@pytest.mark.parametrize("number", [1, 3])
def test_statements_costs_the_same_however_many_pairs(
    official, area, home, programme, number, django_assert_num_queries
):
    for _nth in range(number):
        other = MembershipFactory(area=area).municipality
        flow(home, other, programme, 9)
        made(home, other)

    with django_assert_num_queries(16):
        official.get("/avtal/ersattning/?lasar=2022-23&termin=HT")


@pytest.mark.parametrize("number", [1, 3])
def test_a_statement_costs_the_same_however_many_lines(official, home, neighbour, number, django_assert_num_queries):
    for _nth in range(number):
        programme = ProgrammeFactory()
        own_cost(neighbour, (programme, "137000"), number=_nth + 1)
        flow(home, neighbour, programme, 9)
    statement = made(home, neighbour)

    with django_assert_num_queries(14):
        official.get(statement.get_absolute_url())


# Statements


def test_the_overview_shows_ones_own_pairs_only(client, official, area, home, neighbour, asker, programme):
    third = MembershipFactory(area=area).municipality
    flow(home, neighbour, programme, 9)
    flow(neighbour, third, programme, 8)

    mine = official.get("/avtal/ersattning/?lasar=2022-23&termin=HT").context["pairs"]
    client.force_login(asker)
    theirs = client.get("/avtal/ersattning/?lasar=2022-23&termin=HT").context["pairs"]

    assert len(mine) == 1
    assert len(theirs) == 2


def test_all_pairs_are_made_by_a_job_that_one_can_leave(official, home, neighbour, programme):
    flow(home, neighbour, programme, 9)

    answer = official.post("/avtal/ersattning/alla/", {"omrade": "4m", "lasar": "2022-23", "termin": "HT"})
    job = Job.objects.get()
    assert answer.url == job.get_absolute_url()
    assert "being made" in official.get("/avtal/ersattning/?lasar=2022-23&termin=HT").content.decode()
    work_off_jobs()

    job.refresh_from_db()
    assert job.state == JobState.DONE
    assert Statement.objects.get().school_year == YEAR


def test_kinds_of_price_are_shown_apart_with_a_word_about_it(official, home, neighbour, programme):
    other = ProgrammeFactory()
    own_cost(neighbour, (programme, "100000"))
    own_cost(neighbour, (other, "100000"), incl_meals=False)
    flow(home, neighbour, programme, 2)
    flow(home, neighbour, other, 2)
    statement = made(home, neighbour)

    page = official.get(statement.get_absolute_url())

    assert len(page.context["sums"]) == 2
    assert "They are shown apart and are not added together" in page.content.decode()


def test_a_price_is_chosen_on_the_lines_page(official, home, neighbour):
    statement = a_statement(home, neighbour)
    line = next(line for line in lines_of(statement) if line.programme.code == "ES")
    address = f"/avtal/ersattning/{statement.pk}/rad/{line.pk}/"
    choice = official.get(address).context["candidates"][0][0].key

    without_why = official.post(address, {"gor": "pris", "pris-choice": choice})
    official.post(address, {"gor": "pris", "pris-choice": choice, "pris-why": "Alla läser musik."})

    assert without_why.status_code == 200
    line.refresh_from_db()
    assert (line.basis, line.chosen_why) == ("chosen", "Alla läser musik.")


def test_a_line_is_disputed_and_settled_on_its_page(official, home, neighbour):
    statement = a_ready_statement(home, neighbour)
    line = lines_of(statement)[0]
    address = f"/avtal/ersattning/{statement.pk}/rad/{line.pk}/"

    official.post(address, {"gor": "invand", "invand-text": "Två har flyttat."})
    assert "disputed by Enköping" in official.get(statement.get_absolute_url()).content.decode()
    official.post(address, {"gor": "los", "los-settlement": "De räknas till oktober."})

    dispute = line.disputes.get()
    assert (dispute.text, dispute.settlement) == ("Två har flyttat.", "De räknas till oktober.")


def test_lock_needs_the_tick_and_gives_a_page_of_what_was_locked(official, home, neighbour):
    statement = a_ready_statement(home, neighbour)
    address = f"/avtal/ersattning/{statement.pk}/las/"
    seen = official.get(address).context["form"]["seen"].value()

    official.post(address, {"seen": seen})
    statement.refresh_from_db()
    assert statement.state == StatementState.DRAFT
    official.post(address, {"seen": seen, "sure": "on"})

    statement.refresh_from_db()
    assert statement.state == StatementState.LOCKED
    page = official.get(statement.get_absolute_url()).content.decode()
    assert "The files are being made" in page
    work_off_jobs()
    assert "PDF, sealed" in official.get(statement.get_absolute_url()).content.decode()


def test_a_locked_page_keeps_its_names_when_they_change(official, home, neighbour):
    statement = a_locked_statement(home, neighbour)
    type(neighbour).objects.filter(pk=neighbour.pk).update(name="Nya Västerås")
    PriceList.objects.update(title="Annat namn")

    page = official.get(statement.get_absolute_url())

    assert page.context["document"]["hash"]
    assert "Ersättning Enköping–Västerås, HT 2022/23" in page.content.decode()
    assert "Annat namn" not in page.content.decode()


def test_a_locked_statement_takes_no_more_work(official, home, neighbour):
    statement = a_locked_statement(home, neighbour)
    line = lines_of(statement)[0]

    answers = [
        official.post(f"/avtal/ersattning/{statement.pk}/rad/{line.pk}/", {"gor": "invand", "invand-text": "Nej."}),
        official.post(f"/avtal/ersattning/{statement.pk}/las/", {"sure": "on"}),
    ]

    assert [answer.url for answer in answers] == [statement.get_absolute_url()] * 2
    assert not line.disputes.exists()


def test_a_correction_is_begun_from_the_locked_page(official, home, neighbour):
    statement = a_locked_statement(home, neighbour)

    answer = official.post(
        "/avtal/ersattning/gor/", {"ena": "0381", "andra": "1980", "lasar": "2022-23", "termin": "HT"}
    )

    correction = Statement.objects.get(number=2)
    assert answer.url == correction.get_absolute_url()
    assert f'href="{correction.get_absolute_url()}"' in official.get(statement.get_absolute_url()).content.decode()


def test_the_drafts_table_holds_every_line_with_its_source(official, home, neighbour):
    statement = a_statement(home, neighbour)

    rows = official.get(f"/avtal/ersattning/{statement.pk}/fil/csv/").content.decode("utf-8-sig").splitlines()

    assert len(rows) == 1 + len(lines_of(statement))
    assert rows[1].startswith("Enköping;Västerås;BA;Bygg- och anläggningsprogrammet;12;")


@pytest.mark.parametrize("query", ["?lasar=x", "?lasar=9999-00", "?termin=XX", "?omrade=finns-inte", "?omrade=%C3%A5"])
def test_an_address_that_cannot_be_is_not_found(official, query):
    assert official.get(f"/avtal/ersattning/{query}").status_code == 404
