"""The directory for programs: what comes out, what goes in, and what it costs."""

from datetime import date

import pytest

from organisations.models import Board, CollaborationArea, Membership, School, Site
from records.models import Event, Source, span
from tests.factories import (
    BoardFactory,
    MembershipFactory,
    MunicipalityFactory,
    ProviderFactory,
    SchoolFactory,
    SiteFactory,
)

SOURCE = {"publisher": "Enköpings kommun", "title": "Gymnasieskolor", "year": "2022", "address": "https://x.example/"}
FACT = {"source", "source_note", "came_in", "verified", "example"}
DATED = {"first_day", "last_day"} | FACT


def results(response):
    assert response.status_code == 200, response.json()
    return response.json()["results"]


def codes(response):
    return [row["code"] for row in results(response)]


# Reading


def test_areas_list_their_members_in_the_agreed_order(reader, area, home, neighbour):
    row = reader.get("/api/v1/areas/4m/").json()

    assert set(row) == {"slug", "name", "short_name", "members"} | FACT
    assert [(member["municipality"]["name"], member["mark"]) for member in row["members"]] == [
        ("Enköping", "En"),
        ("Västerås", "V"),
    ]


def test_municipalities_tell_their_areas_of_today(reader, home, area):
    MembershipFactory(municipality=home, valid=span(date(2000, 1, 1), date(2001, 1, 1)))

    row = reader.get(f"/api/v1/municipalities/{home.pk}/").json()

    assert set(row) == {"id", "code", "name", "full_name", "county", "areas"} | DATED
    assert row["areas"] == [{"slug": "4m", "name": "Fyra Mälarstäder", "short_name": "4M"}]


def test_schools_carry_provider_sites_and_source(reader, home):
    source = Source.objects.create(key="x", **SOURCE)
    school = SchoolFactory(
        municipality=home, provider=ProviderFactory(name="Enköping"), source=source, came_in="reference",
        valid=span(date(2022, 7, 1), date(2030, 6, 30)),
    )  # fmt: skip
    site = SiteFactory(municipality=home, name="Korsängen")
    school.sites.add(site)

    row = reader.get(f"/api/v1/schools/{school.pk}/").json()

    assert row["municipality"] == {"id": home.pk, "code": "0381", "name": "Enköping"}
    assert (row["provider"]["name"], row["sites"]) == ("Enköping", [{"id": site.pk, "name": "Korsängen"}])
    assert {key: row[key] for key in DATED} == {
        "first_day": "2022-07-01",
        "last_day": "2030-06-30",
        "source": SOURCE,
        "source_note": "",
        "came_in": "reference",
        "verified": False,
        "example": False,
    }


def test_boards_and_sites_come_with_their_municipality(reader, home):
    board, site = BoardFactory(municipality=home), SiteFactory(municipality=home, latitude="59.63520")

    assert reader.get(f"/api/v1/boards/{board.pk}/").json()["municipality"]["code"] == "0381"
    assert reader.get(f"/api/v1/sites/{site.pk}/").json()["latitude"] == "59.63520"


def test_municipalities_are_filtered_by_area_day_and_words(reader, home, neighbour, elsewhere):
    MunicipalityFactory(code="0001", name="Gammal", valid=span(None, date(2010, 12, 31)))
    path = "/api/v1/municipalities/"

    assert codes(reader.get(f"{path}?area=4m")) == ["0381", "1980"]
    assert codes(reader.get(f"{path}?municipality=1980")) == ["1980"]
    assert "0001" in codes(reader.get(f"{path}?valid_on=2010-12-31"))
    assert "0001" not in codes(reader.get(f"{path}?valid_on=2011-01-01"))
    assert codes(reader.get(f"{path}?q=vesteras")) == ["1980"]
    assert codes(reader.get(f"{path}?area=finns-inte")) == []


@pytest.mark.parametrize(
    ("route", "factory"), [("boards", BoardFactory), ("schools", SchoolFactory), ("sites", SiteFactory)]
)
def test_what_municipalities_have_is_filtered_by_area_municipality_and_words(
    reader, home, neighbour, elsewhere, route, factory
):
    mine = factory(municipality=home, name="Körjournalen")
    for other in (neighbour, elsewhere):
        factory(municipality=other)

    def ids(query):
        return [row["id"] for row in results(reader.get(f"/api/v1/{route}/?{query}"))]

    assert len(ids("area=4m")) == 2
    assert ids("municipality=0381") == [mine.pk]
    assert ids("q=journal") == [mine.pk]
    assert len(ids("ordering=-municipality")) == 3


def test_areas_are_filtered_by_member(reader, area, home, elsewhere):
    assert [row["slug"] for row in results(reader.get("/api/v1/areas/?municipality=0381"))] == ["4m"]


@pytest.mark.parametrize("query", ["valid_on=2026-13-01", "valid_on=03/04/2026", "valid_on=x", "valid_on=99999-01-01"])
def test_a_day_that_is_none_is_refused(reader, home, query):
    response = reader.get(f"/api/v1/schools/?{query}")

    assert (response.status_code, list(response.json()["fields"])) == (400, ["valid_on"])


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("route", "queries"),
    [("areas", 11), ("municipalities", 11), ("boards", 10), ("schools", 11), ("sites", 10)],  # six are the throttle's
)
def test_lists_cost_the_same_for_any_number(reader, home, route, queries, rows, django_assert_num_queries):
    for number in range(rows):
        source = Source.objects.create(key=str(number))
        site = SiteFactory(municipality=home, source=source)
        SchoolFactory(municipality=home, provider=ProviderFactory(), source=source).sites.add(site)
        BoardFactory(municipality=home, source=source)
        MembershipFactory(municipality=MunicipalityFactory(source=source))
    reader.get("/api/v1/areas/")  # dates the key

    with django_assert_num_queries(queries):
        assert len(results(reader.get(f"/api/v1/{route}/"))) >= rows


# Writing


def send(client, method, path, **body):
    return getattr(client, method)(path, body, content_type="application/json")


def test_an_area_is_created_and_changed(writer, db):
    made = send(writer, "post", "/api/v1/areas/", name="Nya området", short_name="NO", slug="nya")
    assert (made.status_code, made.json()["slug"], made.json()["members"]) == (201, "nya", [])

    changed = send(writer, "patch", "/api/v1/areas/nya/", short_name="NYA")
    assert (changed.status_code, changed.json()["short_name"], changed.json()["name"]) == (200, "NYA", "Nya området")
    assert [event.name for event in Event.objects.exclude(name="token.created").order_by("pk")] == [
        "area.created",
        "area.changed",
    ]


def test_a_broken_rule_is_409_with_its_code_and_field(writer, area):
    response = send(writer, "post", "/api/v1/areas/", name="Fyra Mälarstäder", short_name="4M", slug="annan")

    assert response.status_code == 409
    answer = response.json()
    assert (answer["code"], list(answer["fields"])) == ("area_name_taken", ["name"])
    assert CollaborationArea.objects.count() == 1


def test_boards_schools_and_sites_are_created(writer, home):
    site = send(writer, "post", "/api/v1/sites/", municipality="0381", name="Korsängen", latitude="59.6").json()
    provider = ProviderFactory()
    school = send(
        writer, "post", "/api/v1/schools/", municipality="0381", name="Nya skolan", provider=provider.pk,
        sites=[site["id"]], first_day="2026-08-01",
    ).json()  # fmt: skip
    board = send(writer, "post", "/api/v1/boards/", municipality="0381", name="Nämnden").json()

    assert (Site.objects.get().pk, Site.objects.get().came_in) == (site["id"], "form")
    row = School.objects.get(pk=school["id"])
    assert (row.name, row.provider, row.first_day, row.last_day) == ("Nya skolan", provider, date(2026, 8, 1), None)
    assert Board.objects.get(pk=board["id"]).municipality == home


def test_an_administrator_changes_the_municipalitys_own_facts(program, owner, asker, home, neighbour):
    board = BoardFactory(municipality=home, name="Nämnden")
    path = f"/api/v1/boards/{board.pk}/"

    assert send(program(asker, may_write=True), "patch", path, name="Annan").status_code == 403
    response = send(program(owner, may_write=True), "patch", path, name="Utbildningsnämnden")

    assert (response.status_code, response.json()["name"]) == (200, "Utbildningsnämnden")
    event = Event.objects.get(name="board.changed")
    assert (event.by, event.on_behalf_of_id) == (owner, home.pk)


@pytest.mark.parametrize("route", ["areas", "boards", "schools", "sites"])
def test_creating_is_for_the_system_administrator(program, owner, home, route):
    response = send(program(owner, may_write=True), "post", f"/api/v1/{route}/", name="x", municipality="0381")

    assert response.status_code == 403


def test_only_what_is_sent_is_changed(writer, home):
    school = SchoolFactory(municipality=home, status="kommunal", valid=span(date(2020, 1, 1), None))

    response = send(writer, "patch", f"/api/v1/schools/{school.pk}/", last_day="2027-06-30")

    school.refresh_from_db()
    assert response.status_code == 200
    assert (school.status, school.first_day, school.last_day) == ("kommunal", date(2020, 1, 1), date(2027, 6, 30))


@pytest.mark.parametrize(
    "body",
    [
        {"last_day": "2019-12-31"},
        {"last_day": "9999-12-31"},
        {"first_day": "0001-01-01"},
        {"sites": [10**30]},
        {"sites": "x"},
        {"sites": [[1]]},
        {"provider": 10**30},
        {"provider": True},
        {"name": None},
        {"name": "x" * 151},
        {"school_unit_code": [1]},
    ],
)
def test_input_that_cannot_be_is_refused(writer, home, body):
    school = SchoolFactory(municipality=home, valid=span(date(2020, 1, 1), None))

    response = send(writer, "patch", f"/api/v1/schools/{school.pk}/", **body)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize("latitude", ["NaN", "Infinity", "1e999", 91, "x", [], True])
def test_a_place_off_the_globe_is_refused(writer, home, latitude):
    assert send(writer, "post", "/api/v1/sites/", municipality="0381", name="x", latitude=latitude).status_code == 400


def test_membership_is_read_only_here(writer, area, home):
    send(writer, "patch", "/api/v1/areas/4m/", members=[])

    assert Membership.objects.count() == 1


@pytest.mark.parametrize("path", ["areas", "boards", "schools", "sites"])
@pytest.mark.parametrize("value", ["1e400", "-1e400", "[1e400]", '{"a": 1e400}', "1" + "0" * 400, "0.5", "true"])
def test_numbers_without_end_are_refused(writer, home, path, value):
    fields = "name slug short_name municipality provider school_unit_code latitude longitude first_day last_day address"
    everything = ", ".join(f'"{field}": {value}' for field in [*fields.split(), "sites", "status"])
    ids = f'"sites": [{value}], "provider": {value}, "municipality": "0381", "name": "A"'

    for body in (f"{{{everything}}}", f"{{{ids}}}"):
        response = writer.post(f"/api/v1/{path}/", body, content_type="application/json")

        assert response.status_code in (201, 400)


@pytest.mark.parametrize("body", ['{"provider": 1e400}', '{"sites": [1e400]}', '{"sites": [1e400, true]}'])
def test_an_id_without_end_is_said_to_be_no_id(writer, school, body):
    response = writer.patch(f"/api/v1/schools/{school.pk}/", body, content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
