"""What is taught where, for programs: what comes out, what goes in, what is hidden; the same as pages and files."""

import csv
import io
import re
from datetime import date

import pytest
from django.utils.translation import gettext as _

from collab4m.school_year import SchoolYear
from organisations.models import TravelTime
from programmes.models import Answer, Offering, OfferingFact, OfferingReport, PupilFlow
from programmes.operations import GapState
from programmes.tables import fact_in_words, flow_headings, gap_headings, offer_headings
from records.models import Event, Source, span
from tests.factories import (
    MembershipFactory,
    MunicipalityFactory,
    OfferingReportFactory,
    OrientationFactory,
    ProgrammeFactory,
    ProviderFactory,
    PupilFlowFactory,
    SuccessionFactory,
)
from tests.programmes.offers import independent_school, own_school, report, say
from tests.programmes.test_offer_pages import rows_of

SOURCE = {"publisher": "Skolverket", "title": "Utbildningar", "year": "2022", "address": "https://x.example/"}
FACT = {"source", "source_note", "came_in", "verified", "example"}
DATED = {"first_day", "last_day"} | FACT
FIGURES = {"seats", "first_choice_applicants", "admitted", "workplace_learning_capacity"}
REPORTS, FLOWS, GAPS = "/api/v1/offering-reports/", "/api/v1/pupil-flows/", "/api/v1/programme-gaps/"


def results(response):
    assert response.status_code == 200, response.json()
    return response.json()["results"]


def send(client, method, path, **body):
    return getattr(client, method)(path, body, content_type="application/json")


@pytest.fixture
def source(db):
    return Source.objects.create(key="skolverket", **SOURCE)


@pytest.fixture
def school(home):
    return own_school(home, name="Westerlundska gymnasiet")


@pytest.fixture
def building(source):
    return ProgrammeFactory(
        code="BA", name_sv="Bygg", source=source, came_in="reference", verified=True,
        valid=span(date(2011, 7, 1), date(2025, 6, 30)),
    )  # fmt: skip


@pytest.fixture
def houses(building):
    return OrientationFactory(programme=building, code="BAHUS", name_sv="Husbyggnad")


@pytest.fixture
def own_way(building):
    """An orientation without an official code."""
    return OrientationFactory(programme=building, name_sv="Annan väg")


@pytest.fixture
def economics(db):
    return ProgrammeFactory(code="EK", name_sv="Ekonomi", kind="preparatory")


# The catalogue


def test_programmes_come_with_orientations_days_and_source(reader, building, own_way, houses):
    row = reader.get(f"/api/v1/programmes/{building.pk}/").json()

    assert set(row) == {
        "id", "code", "name_sv", "name_en", "kind", "curriculum", "family", "outcome_sv", "outcome_en", "orientations",
    } | DATED  # fmt: skip
    assert row["orientations"] == [
        {"id": own_way.pk, "code": None, "name_sv": "Annan väg"},
        {"id": houses.pk, "code": "BAHUS", "name_sv": "Husbyggnad"},
    ]
    assert (row["first_day"], row["last_day"], row["source"]) == ("2011-07-01", "2025-06-30", SOURCE)


def test_programmes_are_filtered(reader, building, economics):
    def codes(query):
        return [row["code"] for row in results(reader.get(f"/api/v1/programmes/?{query}"))]

    assert codes("") == ["BA", "EK"]
    assert codes("ordering=-code") == ["EK", "BA"]
    assert codes("code=EK") == ["EK"]
    assert codes("kind=vocational") == ["BA"]
    assert codes("family=BA&curriculum=gy11") == ["BA"]
    assert codes("q=byggg") == ["BA"]
    assert codes("school_year=2024/25") == ["BA", "EK"]
    assert codes("school_year=2025/26") == ["EK"]
    assert codes("valid_on=2025-07-01") == ["EK"]


def test_orientations_name_their_programme(reader, building, houses, own_way):
    rows = results(reader.get("/api/v1/orientations/?programme=BA"))

    assert [row["code"] for row in rows] == [None, "BAHUS"]
    assert rows[1]["programme"] == {"id": building.pk, "code": "BA", "name_sv": "Bygg"}
    assert set(rows[1]) == {"id", "code", "name_sv", "name_en", "programme"} | DATED
    assert results(reader.get("/api/v1/orientations/?programme=EK")) == []


def test_successions_go_from_one_thing_to_another(reader, building, houses, economics):
    new = ProgrammeFactory(code="BA25", family="BA")
    SuccessionFactory(kind="curriculum", from_programme=building, to_programme=new, since=date(2025, 7, 1))
    SuccessionFactory(kind="replaced", from_orientation=houses, to_programme=economics)

    first, second = results(reader.get("/api/v1/successions/?programme=BA"))

    assert (first["from_programme"]["code"], first["to_programme"]["code"]) == ("BA", "BA25")
    assert (first["kind"], first["since"], first["from_orientation"]) == ("curriculum", "2025-07-01", None)
    assert second["from_orientation"]["programme"]["code"] == "BA"
    assert len(results(reader.get("/api/v1/successions/?programme=EK"))) == 1
    assert len(results(reader.get("/api/v1/successions/?kind=curriculum"))) == 1


# The offer


def test_offerings_tell_where_when_and_how_many(reader, home, school, building, houses, source):
    made = report(school)
    say(made, houses, seats=16, first_choice_applicants=20, as_of=date(2022, 10, 15), source=source)

    (row,) = results(reader.get("/api/v1/offerings/"))

    assert set(row) == {
        "id", "report", "school_year", "municipality", "school", "programme", "orientation", "offered", "as_of",
    } | FIGURES | FACT  # fmt: skip
    assert (row["report"], row["school_year"]) == (made.pk, "2022/23")
    assert row["municipality"] == {"id": home.pk, "code": "0381", "name": "Enköping"}
    assert row["school"] == {"id": school.pk, "name": "Westerlundska gymnasiet"}
    assert (row["programme"]["code"], row["orientation"]["code"]) == ("BA", "BAHUS")
    assert (row["seats"], row["first_choice_applicants"], row["admitted"]) == (16, 20, None)
    assert (row["as_of"], row["source"]) == ("2022-10-15", SOURCE)


def test_offerings_and_reports_are_filtered(reader, area, home, neighbour, elsewhere, school, building, economics):
    report(school, building, denied=[economics])
    report(own_school(neighbour), building, complete=False, school_year=SchoolYear(2021))
    report(own_school(elsewhere), economics)
    OfferingReportFactory(
        school=None, provider=ProviderFactory(municipality=MunicipalityFactory(code="0486")), complete=True
    )  # fmt: skip

    def count(route, query):
        return len(results(reader.get(f"/api/v1/{route}/?{query}")))

    for query, offerings, reports in [
        ("", 4, 4),
        ("area=4m", 3, 2),
        ("municipality=0381", 2, 1),
        ("municipality=0486", 0, 1),
        (f"school={school.pk}", 2, 1),
        ("school_year=2021/22", 1, 1),
        ("school_year=2022/23&area=4m", 2, 1),
        ("ordering=-school", 4, 4),
    ]:
        assert (count("offerings", query), count("offering-reports", query)) == (offerings, reports), query
    assert count("offerings", "programme=EK&offered=true") == 1
    assert count("offering-reports", "complete=false") == 1


def test_what_open_sources_say_stands_apart(reader, home, school, building, source):
    OfferingFact.objects.create(
        municipality=home, school=school, programme=building, year="2021", source=source, came_in="reference"
    )

    (row,) = results(reader.get("/api/v1/offering-facts/?municipality=0381&programme=BA"))

    assert set(row) == {"id", "municipality", "school", "programme", "orientation", "year", "offered"} | FACT
    assert (row["year"], row["offered"], row["source"], row["came_in"]) == ("2021", True, SOURCE, "reference")
    assert results(reader.get("/api/v1/offerings/")) == []


@pytest.mark.parametrize("route", ["programmes", "orientations", "offerings", "offering-reports", "pupil-flows"])
@pytest.mark.parametrize("year", ["2022", "2022/24", "22/23", "x", "0001/02", "9999/00", "2022/23/24"])
def test_a_school_year_that_is_none_is_refused(reader, home, route, year):
    response = reader.get(f"/api/v1/{route}/?school_year={year}")

    assert (response.status_code, list(response.json()["fields"])) == (400, ["school_year"])


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("route", "queries"),  # six are the throttle's
    [
        ("programmes/", 11),
        ("orientations/", 10),
        ("successions/", 10),
        ("offerings/", 10),
        ("offering-reports/", 11),
        ("offering-facts/", 10),
        ("pupil-flows/", 10),
        ("programme-gaps/?municipality=0381&school_year=2022/23", 18),
    ],
)
def test_lists_cost_the_same_for_any_number(
    reader, area, home, source, route, queries, rows, django_assert_num_queries
):
    report(own_school(home))
    for _number in range(rows):
        there = MembershipFactory(area=area).municipality
        orientation = OrientationFactory(programme__source=source, source=source)
        programme = orientation.programme
        heir = ProgrammeFactory(valid=span(date(2025, 7, 1), None))
        SuccessionFactory(from_programme=programme, to_programme=heir, source=source)
        SuccessionFactory(from_orientation=orientation, to_programme=heir)
        for one in (own_school(there), independent_school(there)):
            made = report(one, programme, source=source)
            say(made, orientation, source=source)
        OfferingFact.objects.create(municipality=home, programme=programme, orientation=orientation, source=source)
        PupilFlowFactory(home=home, provider_municipality=there, programme=programme, source=source)
        TravelTime.objects.create(origin=home, destination=there, mode="rail", minutes=30, source=source)
    reader.get("/api/v1/areas/")  # dates the key

    with django_assert_num_queries(queries):
        assert len(results(reader.get(f"/api/v1/{route}"))) >= rows


# Reporting


def body_for(school, *offerings, **said):
    return {"school": school.pk, "school_year": "2022/23", "complete": True, "offerings": list(offerings), **said}


def test_a_report_is_created_with_its_rows(program, owner, home, school, building, houses, own_way, economics):
    rows = [
        {"programme": "BA"},
        {"programme": "BA", "orientation": "BAHUS", "seats": 16, "as_of": "2022-10-15"},
        {"programme": "BA", "orientation": own_way.pk, "seats": 8},
        {"programme": "EK", "offered": False},
    ]

    response = send(
        program(owner, may_write=True), "post", REPORTS, **body_for(school, *rows, source_note="Rektorn", verified=True)
    )

    assert response.status_code == 201, response.json()
    made = response.json()
    assert set(made) == {
        "id", "school_year", "municipality", "school", "provider", "complete", "reported_at", "on_behalf_of", "seen",
        "offerings",
    } | FACT  # fmt: skip
    assert (made["school_year"], made["complete"], made["source_note"], made["verified"]) == (
        "2022/23", True, "Rektorn", True,
    )  # fmt: skip
    assert made["on_behalf_of"] == {"id": home.pk, "kind": "municipality", "name": "Enköping"}
    shown = [
        (row["programme"]["code"], row["orientation"] and row["orientation"]["name_sv"], row["offered"], row["seats"])
        for row in made["offerings"]
    ]
    assert shown == [
        ("BA", "Husbyggnad", True, 16),
        ("BA", None, True, None),
        ("BA", "Annan väg", True, 8),
        ("EK", None, False, None),
    ]
    assert Event.objects.get(name="offering_report.created").by == owner


def test_a_principal_reports_as_the_school(program, principal, school, economics):
    response = send(program(principal, may_write=True), "post", REPORTS, **body_for(school, {"programme": "EK"}))

    assert (response.status_code, response.json()["on_behalf_of"]["id"]) == (201, school.pk)


@pytest.mark.parametrize("who", ["asker", "outsider", "committee", "council_member", "system_administrator"])
def test_others_may_not_report(request, program, school, economics, who):
    client = program(request.getfixturevalue(who), may_write=True)
    made = report(school)

    assert send(client, "post", REPORTS, **body_for(school, {"programme": "EK"})).status_code == 403
    for method in ("put", "patch"):
        sent = {"complete": False, "offerings": [], "seen": "x"}
        assert send(client, method, f"{REPORTS}{made.pk}/", **sent).status_code == 403
    assert not Offering.objects.exists()


def test_a_key_for_reading_does_not_report(program, owner, school):
    response = send(program(owner), "post", REPORTS, **body_for(school))

    assert (response.status_code, response.json()["code"]) == (403, "token_read_only")


def test_a_word_that_there_is_no_school_is_not_replaced_here(program, owner, home):
    provider = ProviderFactory(municipality=home)
    made = OfferingReportFactory(school=None, provider=provider, complete=True)
    client = program(owner, may_write=True)

    assert client.get(f"{REPORTS}{made.pk}/").json()["municipality"]["code"] == "0381"
    assert send(client, "patch", f"{REPORTS}{made.pk}/", complete=False, seen="x").status_code == 403


def test_a_report_is_replaced_by_whoever_has_seen_it(program, owner, school, building, economics):
    client = program(owner, may_write=True)
    made = send(client, "post", REPORTS, **body_for(school, {"programme": "BA", "seats": 24})).json()
    path = f"{REPORTS}{made['id']}/"
    assert client.get(path).json() == made

    replaced = send(
        client, "put", path, complete=False, offerings=[{"programme": "EK"}], source_note="Ny", seen=made["seen"]
    )
    assert replaced.status_code == 200, replaced.json()
    assert [row["programme"]["code"] for row in replaced.json()["offerings"]] == ["EK"]
    assert (replaced.json()["complete"], replaced.json()["seen"] != made["seen"]) == (False, True)

    changed = send(client, "patch", path, complete=True, seen=replaced.json()["seen"])
    assert changed.status_code == 200, changed.json()
    assert changed.json()["complete"] is True
    assert changed.json()["source_note"] == "Ny"
    assert changed.json()["offerings"] == replaced.json()["offerings"]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_what_others_saved_meanwhile_is_409_with_what_stands(
    program, owner, two_homes, school, building, economics, method
):
    mine, theirs = program(owner, may_write=True), program(two_homes, may_write=True)
    made = send(mine, "post", REPORTS, **body_for(school, {"programme": "BA", "seats": 24})).json()
    path, wanted = f"{REPORTS}{made['id']}/", {"complete": True, "offerings": [{"programme": "EK"}]}
    send(theirs, "patch", path, offerings=[{"programme": "BA", "seats": 30}], seen=made["seen"])

    response = send(mine, method, path, **wanted, seen=made["seen"])

    assert response.status_code == 409
    answer = response.json()
    assert (set(answer), answer["code"]) == ({"code", "detail", "fields", "stands"}, "reported_meanwhile")
    assert answer["stands"] == mine.get(path).json()
    assert [row["seats"] for row in answer["stands"]["offerings"]] == [30]
    assert send(mine, method, path, **wanted, seen=answer["stands"]["seen"]).status_code == 200


def test_a_second_first_report_is_409_unless_it_says_the_same(program, owner, school, building):
    client = program(owner, may_write=True)
    body = body_for(school, {"programme": "BA", "seats": 24})
    made = send(client, "post", REPORTS, **body).json()

    assert send(client, "post", REPORTS, **body).json() == made

    response = send(client, "post", REPORTS, **body_for(school, {"programme": "BA", "seats": 30}))
    assert (response.status_code, response.json()["stands"]) == (409, made)


@pytest.mark.parametrize("method", ["put", "patch"])
def test_nobody_replaces_a_report_unseen(program, owner, school, method):
    made = report(school)

    response = send(program(owner, may_write=True), method, f"{REPORTS}{made.pk}/", complete=True, offerings=[])

    assert (response.status_code, list(response.json()["fields"])) == (400, ["seen"])


@pytest.mark.parametrize(
    ("rows", "fields"),
    [
        ([{"programme": "BA"}, {"programme": "XX"}], ["offerings.1.programme"]),
        ([{"programme": "BA", "orientation": "XX"}], ["offerings.0.orientation"]),
        ([{"programme": "BA", "orientation": 10**30}], ["offerings.0.orientation"]),
        ([{"programme": "BA", "orientation": True}], ["offerings.0.orientation"]),
        ([{"programme": "BA", "orientation": [1]}], ["offerings.0.orientation"]),
        ([{"programme": "BA", "seats": -1}], ["offerings.0.seats"]),
        ([{"programme": "BA", "seats": 40000}], ["offerings.0.seats"]),
        ([{"programme": "BA", "seats": "många"}], ["offerings.0.seats"]),
        ([{"programme": "BA", "as_of": "0001-01-01"}], ["offerings.0.as_of"]),
        ([{"orientation": "BAHUS"}], ["offerings.0.programme"]),
        (["BA"], ["offerings.0"]),
        ({"programme": "BA"}, ["offerings"]),
    ],
)
def test_rows_that_cannot_be_read_are_named(program, owner, school, building, houses, rows, fields):
    body = {**body_for(school), "offerings": rows}

    response = send(program(owner, may_write=True), "post", REPORTS, **body)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert list(response.json()["fields"]) == fields
    assert not OfferingReport.objects.exists()


@pytest.mark.parametrize(
    ("rows", "row"),
    [
        ([{"programme": "EK"}, {"programme": "BA", "offered": False, "seats": 3}], 1),
        ([{"programme": "EK"}, {"programme": "BA"}, {"programme": "EK", "seats": 2}], 2),
        ([{"programme": "BA", "seats": 3}, {"programme": "BA", "orientation": "BAHUS", "seats": 3}], 0),
        ([{"programme": "EK", "orientation": "BAHUS"}], 0),
        ([{"programme": "EK"}, {"programme": "HA"}], 1),
    ],
)
def test_a_row_that_breaks_a_rule_is_409_and_named(program, owner, school, building, houses, economics, rows, row):
    ProgrammeFactory(code="HA", valid=span(None, date(2022, 6, 30)))

    response = send(program(owner, may_write=True), "post", REPORTS, **body_for(school, *rows))

    assert (response.status_code, response.json()["code"]) == (409, "intake_refused")
    assert response.json()["fields"] == {f"offerings.{row}": [response.json()["detail"]]}
    assert not OfferingReport.objects.exists()


@pytest.mark.parametrize(
    "change",
    [{"school": 10**30}, {"school": "x"}, {"school_year": "2022"}, {"complete": None}, {"offerings": None}],
)
def test_a_report_of_nothing_real_is_refused(program, owner, school, change):
    response = send(program(owner, may_write=True), "post", REPORTS, **{**body_for(school), **change})

    assert (response.status_code, list(response.json()["fields"])) == (400, list(change))


def test_numbers_of_pupils_and_rows_without_end_are_refused(program, owner, school, building):
    client = program(owner, may_write=True)
    many = [{"programme": "BA"}] * 1001

    assert send(client, "post", REPORTS, **body_for(school, *many)).status_code == 400
    for number in ("1e400", "1" + "0" * 400, "0.5", '"x"', "[]"):
        text = (
            f'{{"school": {school.pk}, "school_year": "2022/23", "complete": true, "offerings": [{{"programme": "BA", '
        )
        for field in ("seats", "orientation"):
            body = f'{text}"{field}": {number}}}]}}'
            assert client.post(REPORTS, body, content_type="application/json").status_code == 400, body


# Pupil flows


def test_flows_are_shown_as_each_reader_may_see_them(program, owner, asker, outsider, home, neighbour, building):
    flow = PupilFlowFactory(home=home, provider_municipality=neighbour, programme=building, pupils=4)
    open_to_all = PupilFlowFactory(home=home, provider_municipality=neighbour, semester="VT", pupils=5)

    def shown(user):
        client = program(user)
        rows = {row["id"]: (row["pupils"], row["masked"]) for row in results(client.get(FLOWS))}
        row = client.get(f"{FLOWS}{flow.pk}/").json()
        assert (row["pupils"], row["masked"]) == rows[flow.pk]
        assert rows[open_to_all.pk] == (5, False)
        return rows[flow.pk]

    assert shown(owner) == (4, False)
    assert shown(asker) == (4, False)
    assert shown(outsider) == (None, True)


def test_flows_tell_between_whom_of_what_and_when(reader, home, neighbour, building):
    PupilFlowFactory(home=home, provider_municipality=neighbour, programme=building)

    (row,) = results(reader.get(f"{FLOWS}?home=0381&provider_municipality=1980&programme=BA&semester=HT"))

    assert set(row) == {
        "id", "home", "provider_municipality", "programme", "school_year", "semester", "pupils", "masked",
    } | FACT  # fmt: skip
    assert (row["home"]["code"], row["provider_municipality"]["code"]) == ("0381", "1980")
    assert (row["programme"]["code"], row["school_year"], row["semester"]) == ("BA", "2022/23", "HT")
    assert results(reader.get(f"{FLOWS}?home=1980")) == []


FLOW = {
    "home": "0381",
    "provider_municipality": "1980",
    "programme": "BA",
    "school_year": "2022/23",
    "semester": "HT",
    "pupils": 3,
}


@pytest.mark.parametrize("who", ["owner", "asker"])
def test_either_municipality_reports_a_flow(request, program, home, neighbour, building, who):
    user = request.getfixturevalue(who)
    client = program(user, may_write=True)

    made = send(client, "post", FLOWS, **FLOW, source_note="Elevregistret")
    again = send(client, "post", FLOWS, **{**FLOW, "pupils": 12})

    assert (made.status_code, made.json()["pupils"], made.json()["source_note"]) == (201, 3, "Elevregistret")
    assert (again.json()["id"], again.json()["pupils"]) == (made.json()["id"], 12)
    assert PupilFlow.objects.get().pupils == 12
    assert Event.objects.get(name="pupil_flow.reported").on_behalf_of_id == user.bodies_today()[0]


@pytest.mark.parametrize(
    ("who", "status", "code"),
    [
        ("outsider", 409, "not_your_flow"),
        ("principal", 403, "permission_denied"),
        ("committee", 403, "permission_denied"),
        ("system_administrator", 403, "permission_denied"),
    ],
)
def test_nobody_else_reports_a_flow(request, program, home, neighbour, building, who, status, code):
    response = send(program(request.getfixturevalue(who), may_write=True), "post", FLOWS, **FLOW)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert not PupilFlow.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"home": "9999"},
        {"programme": "XX"},
        {"school_year": "2022"},
        {"semester": "ST"},
        {"pupils": -1},
        {"pupils": 10**9},
        {"pupils": None},
    ],
)
def test_a_flow_that_cannot_be_is_refused(program, owner, home, neighbour, building, change):
    response = send(program(owner, may_write=True), "post", FLOWS, **{**FLOW, **change})

    assert (response.status_code, list(response.json()["fields"])) == (400, list(change))


@pytest.mark.parametrize("query", ["ordering=pupils", "ordering=-pupils", "ordering=masked"])
def test_flows_are_not_ordered_by_what_may_be_hidden(reader, home, query):
    assert reader.get(f"{FLOWS}?{query}").status_code == 400


# Gaps


def gaps_of(client, query="municipality=0381&school_year=2022/23"):
    return results(client.get(f"{GAPS}?{query}"))


def test_a_gap_tells_why_who_offers_it_and_by_which_sources(
    program, committee, home, neighbour, school, building, source
):
    near, beside = own_school(neighbour, name="Wijkmanska"), independent_school(home, name="Friskolan")
    report(school, source_note="Rektorn", verified=True)
    say(report(near), building, seats=16, first_choice_applicants=24)
    report(beside, building)
    TravelTime.objects.create(origin=home, destination=neighbour, mode="rail", minutes=25, source=source)
    PupilFlowFactory(home=home, provider_municipality=neighbour, programme=building, pupils=4)

    (row,) = gaps_of(program(committee))

    assert set(row) == {
        "key", "state", "programme", "orientation", "own", "offers", "beside", "silent", "waits_for", "demand",
        "example",
    }  # fmt: skip
    assert (row["key"], row["state"], row["programme"]["code"]) == ("BA", "neighbour_offers", "BA")
    assert (row["orientation"], row["silent"], row["waits_for"]) == (None, [], [])
    assert (row["own"]["answer"], row["own"]["last_known"]) == ("not_offered", None)
    (ground,) = row["own"]["sources"]
    assert set(ground) == {"reported_at"} | FACT
    assert (ground["source_note"], ground["verified"], ground["came_in"]) == ("Rektorn", True, "form")
    (offer,) = row["offers"]
    assert set(offer) == {
        "municipality", "school", "provider", "added_up", "travel_minutes", "travel_source", "sources", "example",
    } | FIGURES  # fmt: skip
    assert (offer["municipality"]["code"], offer["school"]["name"]) == ("1980", "Wijkmanska")
    assert (offer["seats"], offer["first_choice_applicants"], offer["travel_minutes"]) == (16, 24, 25)
    assert (offer["travel_source"]["source"], len(offer["sources"])) == (SOURCE, 1)
    assert [one["school"]["name"] for one in row["beside"]] == ["Friskolan"]
    assert row["demand"] == {"pupils": None, "at_least": 0, "masked": True}


def test_a_gap_that_is_not_reported_tells_whom_it_waits_for_and_what_was_known(reader, home, school, building, source):
    OfferingFact.objects.create(municipality=home, school=school, programme=building, year="2021", source=source)

    (row,) = gaps_of(reader)

    assert (row["state"], row["own"]["answer"]) == ("not_reported", "not_reported")
    assert [one["code"] for one in row["silent"]] == ["0381"]
    assert [one["id"] for one in row["waits_for"]] == [school.pk]
    assert (row["own"]["last_known"]["year"], row["own"]["sources"][0]["source"]) == ("2021", SOURCE)
    assert row["own"]["sources"][0]["reported_at"] is None
    assert row["demand"] is None


def test_a_gap_that_nobody_fills_says_so(reader, home, neighbour, school, building):
    report(school)
    report(own_school(neighbour))

    assert [(row["key"], row["state"]) for row in gaps_of(reader)] == [("BA", "nobody_offers")]


def test_gaps_are_of_the_national_programmes_unless_another_kind_is_asked_for(
    reader, home, school, building, economics
):
    ProgrammeFactory(code="IMS", kind="introductory")
    report(school)

    def keys(kind):
        return [row["key"] for row in gaps_of(reader, f"municipality=0381&school_year=2022/23{kind}")]

    assert keys("") == keys("&kind=national") == ["BA", "EK"]
    assert keys("&kind=preparatory") == ["EK"]
    assert keys("&kind=introductory") == ["IMS"]
    assert keys("&kind=all") == ["BA", "EK", "IMS"]
    assert keys("&page_size=1&page=2") == ["EK"]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", ["municipality", "school_year"]),
        ("municipality=0381", ["school_year"]),
        ("school_year=2022/23", ["municipality"]),
        ("municipality=9999&school_year=2022/23", ["municipality"]),
        ("municipality=Enköping&school_year=2022/23", ["municipality"]),
        ("municipality=0381&school_year=2022", ["school_year"]),
        ("municipality=0381&school_year=2022/24", ["school_year"]),
        ("municipality=0381&school_year=9999/00", ["school_year"]),
        ("municipality=0381&school_year=2022/23&kind=x", ["kind"]),
        ("municipality=0381&school_year=2022/23&page=0", ["page"]),
    ],
)
def test_gaps_of_nowhere_are_refused_with_what_to_do(reader, home, query, fields):
    response = reader.get(f"{GAPS}?{query}")

    assert (response.status_code, list(response.json()["fields"])) == (400, fields)


# The same as the pages and the files, row by row, as the committee sees them


@pytest.fixture
def world(area, home, neighbour, school, building, houses, own_way, economics, source, committee):
    """Every state and kind of row: own and others' schools, figures at both levels, facts, silence, small numbers."""
    silent = MembershipFactory(area=area, municipality=MunicipalityFactory(name="Strängnäs", code="0486")).municipality
    silent_school = own_school(silent, name="Thomasgymnasiet")
    near, beside = own_school(neighbour, name="Wijkmanska"), independent_school(neighbour, name="Friskolan")
    care, hotel, music = (ProgrammeFactory(code=code, name_sv=code) for code in ("VO", "HT", "ES"))
    mine = report(school, building, denied=[hotel], source_note="=rektorn", verified=True)
    say(mine, houses, seats=16, first_choice_applicants=20, as_of=date(2022, 10, 15))
    theirs = report(near, economics, complete=True, example=True)
    say(theirs, care, seats=30, first_choice_applicants=44, admitted=30, workplace_learning_capacity=12)
    say(theirs, own_way, seats=8)
    say(theirs, houses, seats=12)
    report(beside, music)
    report(silent_school, denied=[music], complete=False)
    OfferingFact.objects.create(
        municipality=silent, school=silent_school, programme=hotel, year="2021", source=source, came_in="reference"
    )
    TravelTime.objects.create(origin=home, destination=neighbour, mode="rail", minutes=25, source=source)
    for programme, pupils in [(care, 4), (economics, 22)]:
        PupilFlowFactory(home=home, provider_municipality=neighbour, programme=programme, pupils=pupils)
    PupilFlowFactory(home=neighbour, provider_municipality=silent, programme=care, pupils=2)
    return [home, neighbour, silent]


@pytest.fixture
def seen_by_committee(client, committee):
    client.force_login(committee)
    return client


def rows_of_file(response):
    assert response.status_code == 200
    heading, *rows = csv.reader(io.StringIO(response.content.decode("utf-8-sig")), delimiter=";")
    return heading, rows


def as_text(value):
    return "" if value is None else str(value)


def gap_cells_of_api(row):
    """A row of the API as the file writes it, without the words for sources."""
    demand = row["demand"]
    words = "" if demand is None else demand["pupils"] if not demand["masked"] else "masked"
    head = [
        str(GapState(row["state"]).label), row["programme"]["code"], row["programme"]["name_sv"],
        as_text(row["orientation"] and row["orientation"]["code"]),
        as_text(row["orientation"] and row["orientation"]["name_sv"]), as_text(words),
    ]  # fmt: skip
    waits = ", ".join(one["name"] for one in row["silent"])
    offers = [
        [
            offer["municipality"]["name"], offer["school"]["name"], offer["provider"]["name"], as_text(offer["seats"]),
            as_text(offer["first_choice_applicants"]), as_text(offer["travel_minutes"]),
        ]
        for offer in (*row["offers"], *row["beside"])
    ]  # fmt: skip
    return [[*head, *cells, waits] for cells in offers or [[""] * 6]]


def test_gaps_are_the_same_on_the_page_in_the_file_and_for_programs(world, seen_by_committee):
    for municipality in world:
        asked = f"municipality={municipality.code}&school_year=2022/23&page_size=200"
        address = f"kommun={municipality.code}&lasar=2022-23"
        rows = gaps_of(seen_by_committee, asked)
        heading, file = rows_of_file(seen_by_committee.get(f"/program/saknas/fil/csv/?{address}"))
        shown = seen_by_committee.get(f"/program/saknas/?{address}")
        page, drawn = shown.context, rows_of(shown)

        assert heading == gap_headings()
        written = [["masked" if i == 5 and not cell.isdigit() and cell else cell for i, cell in enumerate(row[:13])]
                   for row in file]  # fmt: skip
        assert written == [cells for row in rows for cells in gap_cells_of_api(row)]
        lists = [row[0] for row in (*page["near"], *page["nowhere"])] + page["unknown"]
        assert sorted((gap.key, gap.state) for gap in lists) == sorted((row["key"], row["state"]) for row in rows)
        assert {row["state"] for row in rows} <= set(GapState.values)
        for gap in lists:
            row = next(row for row in rows if row["key"] == gap.key)
            assert [offer.school.school.pk for offer in gap.offers] == [one["school"]["id"] for one in row["offers"]]
            assert [offer.school.school.pk for offer in gap.beside] == [one["school"]["id"] for one in row["beside"]]
            assert [offer.cell.figures.seats for offer in gap.offers] == [one["seats"] for one in row["offers"]]
            assert gap.example is row["example"]
            assert gap.demand.number == (row["demand"] or {"pupils": None})["pupils"]
            assert_drawn(drawn[f"rad-{gap.anchor}"], row)


def assert_drawn(text, row):
    """What the page's row says in words: every school in the API's order, with its figures."""
    for offer in (*row["offers"], *row["beside"]):
        _before, name, text = text.partition(offer["school"]["name"])
        assert name
        for number in (offer["seats"], offer["first_choice_applicants"], offer["travel_minutes"]):
            assert number is None or re.search(rf"\b{number}\b", text[:120])


def test_checked_and_example_are_marked_alike_in_the_file_and_for_programs(world, seen_by_committee):
    home = world[0]
    rows = gaps_of(seen_by_committee, f"municipality={home.code}&school_year=2022/23&page_size=200")
    _heading, file = rows_of_file(seen_by_committee.get(f"/program/saknas/fil/csv/?kommun={home.code}&lasar=2022-23"))

    expected = []
    for row in rows:
        for part in (*row["offers"], *row["beside"]) or (row["own"],):
            grounds = part["sources"]
            marks = [all(one["verified"] for one in grounds), any(one["example"] for one in grounds)]
            expected.append([(_("yes") if mark else _("no")) if grounds else "" for mark in marks])
    assert [row[-2:] for row in file] == expected


def test_every_state_is_among_what_is_compared(world, seen_by_committee):
    states = {
        row["state"]
        for municipality in world
        for row in gaps_of(seen_by_committee, f"municipality={municipality.code}&school_year=2022/23")
    }

    assert states == set(GapState.values)


def test_the_offer_is_the_same_on_the_page_in_the_file_and_for_programs(world, seen_by_committee):
    address = "omrade=4m&lasar=2022-23&typ=alla"
    heading, file = rows_of_file(seen_by_committee.get(f"/program/utbud/fil/csv/?{address}"))
    page = seen_by_committee.get(f"/program/utbud/?{address}&visning=skola").context["matrix"]
    rows = results(seen_by_committee.get("/api/v1/offerings/?area=4m&school_year=2022/23&page_size=200"))

    assert heading == offer_headings()
    words = {answer: str(answer.label) for answer in Answer}
    on_page = {
        (column.school.school.name, line.programme.code, line.orientation.name if line.orientation else ""): [
            words[cell.answer], *(as_text(getattr(cell.figures, name)) for name in sorted(FIGURES)),
            fact_in_words(cell.fact),
        ]
        for _kind, lines in page.groups
        for line in lines
        for column, cell in zip(page.columns, line.cells, strict=True)
        if column.school
    }  # fmt: skip
    places = [heading.index(name) for name in offer_headings()[9:13]]
    by_name = dict(
        zip(("seats", "first_choice_applicants", "admitted", "workplace_learning_capacity"), places, strict=True)
    )
    in_file = {
        (row[1], row[4], row[7]): [row[8], *(row[by_name[name]] for name in sorted(FIGURES)), row[15]] for row in file
    }
    assert in_file == on_page
    assert rows
    for row in rows:
        orientation = row["orientation"]["name_sv"] if row["orientation"] else ""
        answer, *figures, _fact = in_file[row["school"]["name"], row["programme"]["code"], orientation]
        assert answer == words[Answer.OFFERED if row["offered"] else Answer.NOT_OFFERED]
        if any(row[name] is not None for name in FIGURES):
            assert figures == [as_text(row[name]) for name in sorted(FIGURES)]


def test_flows_are_the_same_on_the_page_in_the_file_and_for_programs(world, seen_by_committee):
    heading, file = rows_of_file(seen_by_committee.get("/program/elevstrommar/fil/csv/?omrade=4m&termin=HT-2022-23"))
    page = seen_by_committee.get("/program/elevstrommar/?omrade=4m&termin=HT-2022-23").context["flows"]
    rows = results(seen_by_committee.get(f"{FLOWS}?school_year=2022/23&semester=HT&ordering=programme"))

    assert heading == flow_headings()
    api = [
        [row["home"]["name"], row["provider_municipality"]["name"], row["programme"]["code"], row["school_year"],
         row["semester"], as_text(row["pupils"])]
        for row in rows
    ]  # fmt: skip
    assert [[row[0], row[1], row[2], row[4], row[5], row[6] if row[6].isdigit() else ""] for row in file] == api
    assert [as_text(page.counts[flow.pk].number) for flow in page.rows] == [row[-1] for row in api]
    assert [row["masked"] for row in rows].count(True) == 2
