"""Price lists and statements for programs."""

from __future__ import annotations

import pytest

from agreements.models import PriceList, Statement
from agreements.operations import lines_of
from records.operations import work_off_jobs
from tests.agreements.price_stories import a_locked_statement, a_ready_statement, a_statement, flow, made, own_cost
from tests.factories import OrientationFactory, PriceListFactory, PriceRowFactory, ProgrammeFactory

pytestmark = pytest.mark.django_db

LISTS, STATEMENTS = "/api/v1/price-lists/", "/api/v1/statements/"


@pytest.fixture
def programme():
    return ProgrammeFactory(code="BA", name_sv="Bygg- och anläggningsprogrammet")


@pytest.fixture
def official(program, owner):
    return program(owner, may_write=True)


def body(**more):
    return {
        "kind": "own_list", "municipality": "0381", "year": 2023, "title": "Prislista", "incl_meals": True,
        "incl_vat": None, "rows": [{"programme": "BA", "sek_per_pupil_year": "137000.50", "label": "Bygg"}], **more,
    }  # fmt: skip


def post(client, address, data):
    return client.post(address, data, content_type="application/json")


# Price lists


def test_price_lists_are_listed_and_one_comes_with_its_prices(reader, home, programme):
    price_list = own_cost(home, (programme, "137000"))

    listed = reader.get(LISTS).json()["results"]
    alone = reader.get(f"{LISTS}{price_list.pk}/").json()

    assert [one["id"] for one in listed] == [price_list.pk]
    assert "rows" not in listed[0]
    assert [(row["programme"], row["sek_per_pupil_year"]) for row in alone["rows"]] == [("BA", "137000.00")]


def test_price_lists_are_filtered(reader, home, programme):
    own_cost(home, (programme, "137000"))
    PriceListFactory(year=2023)

    found = reader.get(f"{LISTS}?kind=self_cost&year=2022&municipality=0381").json()["results"]

    assert [one["kind"] for one in found] == ["self_cost"]


def test_a_list_is_published_whole(official, home, programme):
    answer = post(official, LISTS, body())

    assert answer.status_code == 201
    assert (answer.json()["number"], answer.json()["came_in"]) == (1, "connector")
    assert PriceList.objects.get().rows.get().label == "Bygg"


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"municipality": "1980"}, 409),
        ({"rows": []}, 409),
        ({"rows": [{"programme": "BA", "sek_per_pupil_year": "1"}] * 2}, 409),
        ({"rows": [{"programme": "XX", "sek_per_pupil_year": "1"}]}, 400),
        ({"rows": [{"programme": "BA", "sek_per_pupil_year": "-1"}]}, 400),
        ({"rows": "BA"}, 400),
        ({"kind": "fixed"}, 400),
        ({"year": 1}, 400),
    ],
)
def test_what_is_wrong_with_a_list_is_answered(official, home, neighbour, programme, wrong, status):
    answer = post(official, LISTS, body(**wrong))

    assert answer.status_code == status
    assert not PriceList.objects.exists()


def test_an_orientation_of_another_programme_is_refused(official, home, programme):
    other = OrientationFactory()

    answer = post(official, LISTS, body(rows=[{"programme": "BA", "orientation": other.pk, "sek_per_pupil_year": "1"}]))

    assert answer.status_code == 400


@pytest.mark.parametrize("number", [1, 3])
def test_price_lists_cost_the_same_however_many(reader, number, django_assert_num_queries):
    for nth in range(number):
        PriceRowFactory(price_list=PriceListFactory(number=nth + 1))

    with django_assert_num_queries(11):
        reader.get(LISTS)


# Statements


def test_statements_are_for_the_two_municipalities(program, outsider, official, home, neighbour):
    statement = a_ready_statement(home, neighbour)

    mine = official.get(STATEMENTS).json()["results"]
    theirs = program(outsider).get(STATEMENTS).json()["results"]

    assert [one["id"] for one in mine] == [statement.pk]
    assert theirs == []
    assert program(outsider).get(f"{STATEMENTS}{statement.pk}/").status_code == 404


def test_a_statement_comes_with_lines_and_a_sum_for_each_kind_of_price(official, home, neighbour):
    statement = a_statement(home, neighbour)

    found = official.get(f"{STATEMENTS}{statement.pk}/").json()

    assert [
        (line["home"]["code"], line["programme"], line["pupils"], line["amount_sek"]) for line in found["lines"]
    ] == [
        ("0381", "BA", 12, "822000.00"),
        ("0381", "EK", 5, None),
        ("0381", "ES", 3, None),
        ("1980", "BA", 7, "472500.00"),
    ]
    assert found["sums"] == [
        {
            "kind": "self_cost", "incl_meals": True, "incl_vat": False, "first_owes_sek": "822000.00",
            "second_owes_sek": "472500.00", "net_sek": "349500.00",
        }
    ]  # fmt: skip


def test_a_statement_is_made_and_made_anew(official, home, neighbour, programme):
    own_cost(neighbour, (programme, "100000"))
    pupils = flow(home, neighbour, programme, 2)
    asked = {"municipalities": ["1980", "0381"], "school_year": "2022/23", "semester": "HT"}

    first = post(official, STATEMENTS, asked)
    pupils.pupils = 3
    pupils.save()
    again = post(official, STATEMENTS, asked)

    assert (first.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert again.json()["lines"][0]["amount_sek"] == "150000.00"


def test_making_a_statement_between_others_or_of_nothing_is_refused(official, program, outsider, home, neighbour):
    asked = {"municipalities": ["1980", "0381"], "school_year": "2022/23", "semester": "HT"}

    assert post(official, STATEMENTS, asked).json()["code"] == "no_pupils"
    assert post(program(outsider, may_write=True), STATEMENTS, asked).json()["code"] == "not_your_statement"
    assert post(official, STATEMENTS, {**asked, "municipalities": ["0381", "0381"]}).status_code == 409


def test_a_price_is_chosen_among_the_candidates(official, home, neighbour):
    statement = a_statement(home, neighbour)
    line = next(line for line in lines_of(statement) if line.programme.code == "ES")
    candidates = official.get(f"{STATEMENTS}{statement.pk}/lines/{line.pk}/candidates/").json()

    asked = {"line": line.pk, "choice": candidates[0]["key"], "why": "Alla läser musik."}
    answer = post(official, f"{STATEMENTS}{statement.pk}/choose-price/", asked)
    wrong = post(official, f"{STATEMENTS}{statement.pk}/choose-price/", {**asked, "choice": "row:1"})

    chosen = next(one for one in answer.json()["lines"] if one["id"] == line.pk)
    assert (chosen["basis"], chosen["amount_sek"]) == ("chosen", "237150.00")
    assert (wrong.status_code, wrong.json()["code"]) == (409, "not_a_price_to_choose")


def test_a_dispute_stands_in_the_way_of_the_lock_until_it_is_settled(official, home, neighbour):
    statement = a_ready_statement(home, neighbour)
    address = f"{STATEMENTS}{statement.pk}/"
    line = lines_of(statement)[0]

    disputed = post(official, f"{address}dispute/", {"line": line.pk, "text": "Två har flyttat."}).json()
    refused = post(official, f"{address}lock/", {})
    dispute = disputed["lines"][0]["disputes"][0]["id"]
    post(official, f"{address}settle/", {"dispute": dispute, "text": "De räknas."})
    locked = post(official, f"{address}lock/", {"seen": official.get(address).json()["seen"]})

    assert (refused.status_code, refused.json()["code"]) == (409, "lines_disputed")
    assert (locked.status_code, locked.json()["state"]) == (200, "locked")
    assert len(locked.json()["content_sha256"]) == 64


def test_an_old_sum_of_what_was_seen_does_not_lock(official, home, neighbour):
    statement = a_ready_statement(home, neighbour)

    answer = post(official, f"{STATEMENTS}{statement.pk}/lock/", {"seen": "0" * 16})

    assert (answer.status_code, answer.json()["code"]) == (409, "changed_since_shown")


@pytest.mark.parametrize(
    ("what", "data"), [("dispute", {"text": "Nej."}), ("choose-price", {"choice": "row:1", "why": "x"})]
)
def test_a_locked_statement_takes_nothing_more(official, home, neighbour, what, data):
    statement = a_locked_statement(home, neighbour)
    line = lines_of(statement)[0]

    answer = post(official, f"{STATEMENTS}{statement.pk}/{what}/", {"line": line.pk, **data})

    assert (answer.status_code, answer.json()["code"]) == (409, "statement_locked")
    work_off_jobs()


def test_the_committee_reads_and_does_not_work(program, committee, home, neighbour):
    statement = a_ready_statement(home, neighbour)
    reader = program(committee, may_write=True)

    assert reader.get(f"{STATEMENTS}{statement.pk}/").status_code == 200
    assert post(reader, f"{STATEMENTS}{statement.pk}/lock/", {}).status_code == 403


@pytest.mark.parametrize("number", [1, 3])
def test_a_statement_costs_the_same_however_many_lines(official, home, neighbour, number, django_assert_num_queries):
    for nth in range(number):
        other = ProgrammeFactory()
        own_cost(neighbour, (other, "137000"), number=nth + 1)
        flow(home, neighbour, other, 9)
    statement = made(home, neighbour)

    with django_assert_num_queries(13):
        official.get(f"{STATEMENTS}{statement.pk}/")
    assert Statement.objects.count() == 1
