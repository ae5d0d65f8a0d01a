"""The search page and a resource's page: what is said, to whom, and with how many queries."""

import re
from datetime import time, timedelta

import pytest

from collab4m.clock import today
from resources.models import Feature, OpenRule, PriceRule, Takes, Unit, UnmetNeed
from resources.operations import local, request_booking
from tests.factories import CategoryFactory, ResourceFactory

DAY = today() + timedelta(days=8)
SEARCH_QUERIES, CATALOGUE_QUERIES, RESOURCE_QUERIES = 19, 12, 23
THREE_WEEKS = {"dag": DAY.isoformat(), "fran": "9.00", "till": "14", "veckor": "3"}


@pytest.fixture
def page(client, owner):
    client.force_login(owner)

    def fetched(query=None, address="/resurser/"):
        response = client.get(address, query or {})
        assert response.status_code == 200
        return re.sub(r"\s+", " ", response.content.decode())

    return fetched


def heading(text):
    return re.sub(r"<[^>]*>", "", re.search(r"<h1>(.*?)</h1>", text)[1]).strip()


def test_whoever_runs_the_portal_is_in_no_area(client, system_administrator, van):
    client.force_login(system_administrator)

    text = client.get("/resurser/").content.decode()
    assert "Resurser visas för den som arbetar i ett samverkansområde" in text
    assert "i ditt område" not in text
    assert "Du arbetar inte i något samverkansområde" in client.get("/resurser/tidslinje/").content.decode()


def test_an_area_that_shares_nothing_is_told_what_to_do(page):
    text = page()

    assert heading(text) == "Inget delas i ditt område än"
    assert "Börja med något som står still" in text


def test_the_catalogue_counts_by_category(page, van, asker):
    text = page()

    assert heading(text) == "Hitta fordon, lokaler och utrustning"
    assert '<a href="?kategori=minibuss">Minibuss</a> <span class="c-count">1</span>' in text


def test_three_weeks_in_a_row_are_searched_from_ones_own_municipality(page, van, asker):
    hook = Feature.objects.create(name_sv="Dragkrok", slug="dragkrok")
    van.features.add(hook)

    text = page({"platser": "9", "egenskap": "dragkrok", **THREE_WEEKS})

    assert heading(text) == "En resurs är ledig alla tre gångerna"
    assert text.count('<li data-kind="free">') == 3
    assert "Ryms precis" in text
    assert "Godkänns direkt" in text
    assert not UnmetNeed.objects.exists()


def test_hours_in_several_weeks_are_said_as_one_stretch(page, van, asker):
    weeks = [DAY.isocalendar(), (DAY + timedelta(days=7)).isocalendar()]
    first, last = (f"{one.year}-{one.week:02}" for one in weeks)

    text = page({"timmar": "3", "vecka": first, "till_vecka": last})

    assert f"tre timmar i v. {weeks[0].week}–{weeks[1].week}." in text


def test_a_day_with_a_pause_says_once_that_it_is_open_in_breaks_too(page, van, asker):
    for opens, closes in ((8, 12), (13, 17)):
        OpenRule.objects.create(resource=van, weekday=2, opens=time(opens), closes=time(closes), in_breaks=True)

    text = page(address=van.get_absolute_url())

    assert "<dt>Tisdag</dt><dd>8–12, 13–17, även på lov</dd>" in text
    assert "<dt>Onsdag–söndag</dt><dd>stängt</dd>" in text


def test_the_way_to_asking_has_the_series_filled_in(page, van, asker):
    text = page(THREE_WEEKS)

    last = DAY + timedelta(days=14)
    filled = f"fran={DAY}T09%3A00&amp;till={DAY}T14%3A00&amp;varje=1&amp;sista={last}"
    assert f'href="/resurser/{van.pk}/boka/?{filled}"' in text


def test_what_is_not_found_whole_is_kept_once(page, van, home, asker):
    for _time in range(2):
        text = page({"platser": "40", **THREE_WEEKS})

    assert heading(text) == "Ingen resurs är det du söker"
    assert "utan vem som sökte" in text
    assert [(row.from_municipality, row.sought["capacity"]) for row in UnmetNeed.objects.all()] == [(home, 40)]


def test_a_taken_date_gets_a_substitute_and_other_times(page, van, buses, home, neighbour, owner, asker):
    other = ResourceFactory(name="Minibuss B", municipality=neighbour, category=buses, capacity=9)
    for resource, week in ((van, 0), (other, 1)):
        begins = local(DAY + timedelta(weeks=week), time(9))
        request_booking(
            resource, starts_at=begins, ends_at=begins + timedelta(hours=5), purpose="Hemligt", by=owner,
            on_behalf_of=home.body,
        )  # fmt: skip

    text = page({"kategori": "minibuss", **THREE_WEEKS})

    assert heading(text) == "Ingen resurs är ledig alla gånger"
    assert "Datum för datum" in text
    assert "Andra tider för samma:" in text
    assert "Hemligt" not in text


def test_any_three_hours_in_some_weeks(page, van, asker):
    first = today() + timedelta(days=7 - today().weekday())
    weeks = [first + timedelta(weeks=step) for step in range(3)]
    values = [f"{day.isocalendar().year}-{day.isocalendar().week:02}" for day in weeks]

    text = page({"timmar": "3", "vecka": values[0], "till_vecka": values[2], "tidigast": "8", "senast": "16"})

    assert heading(text) == "En resurs är ledig"
    assert text.count('<li data-kind="free">') == 3


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"fran": "9", "till": "10"}, "Skriv vilken dag."),
        ({"dag": DAY.isoformat()}, "Skriv från vilket klockslag till vilket"),
        ({"dag": DAY.isoformat(), "fran": "14", "till": "9"}, "Skriv ett slut som kommer efter starten"),
        ({"dag": "2020-01-01", "fran": "9", "till": "10"}, "Den dagen har passerat"),
        ({"dag": "9999-12-31", "fran": "9", "till": "24"}, "Det är för långt fram"),
        ({"dag": "0001-01-01", "fran": "9", "till": "10"}, "Den dagen har passerat"),
        ({"dag": DAY.isoformat(), "fran": "kvart över", "till": "10"}, "Skriv tiden i timmar och minuter"),
        ({"timmar": "3"}, "Välj från vilken vecka."),
        ({"vardag": "2"}, "Skriv hur många timmar"),
        ({"tidigast": "0"}, "Skriv hur många timmar"),
        ({"senast": "12", "dag": DAY.isoformat(), "fran": "9", "till": "10"}, "Lämna det andra tomt."),
        ({"timmar": "3", **THREE_WEEKS}, "Lämna det andra tomt."),
        ({"platser": "många"}, "med siffror"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_written_stays(page, van, asker, query, words):
    text = page(query)

    assert words in text
    assert 'role="alert"' in text
    for value in query.values():
        assert f'value="{value}"' in text


def test_an_outsider_sees_nothing_of_the_area(client, van, outsider, asker, owner):
    client.force_login(outsider)

    assert "Minibuss A" not in client.get("/resurser/", {"q": "minibuss"}).content.decode()
    assert client.get(f"/resurser/{van.pk}/").status_code == 404


@pytest.mark.parametrize("number", [1, 3])
def test_the_queries_of_a_search_are_fixed(client, owner, asker, neighbour, buses, number, django_assert_num_queries):
    for _number in range(number):
        ResourceFactory(municipality=neighbour, category=buses, capacity=9)
    client.force_login(owner)
    client.get("/resurser/", THREE_WEEKS)

    with django_assert_num_queries(SEARCH_QUERIES):
        assert client.get("/resurser/", THREE_WEEKS).status_code == 200


@pytest.mark.parametrize("number", [1, 3])
def test_the_queries_of_the_catalogue_are_fixed(
    client, owner, asker, neighbour, buses, number, django_assert_num_queries
):
    for _number in range(number):
        ResourceFactory(municipality=neighbour, category=CategoryFactory())
    client.force_login(owner)
    client.get("/resurser/")

    with django_assert_num_queries(CATALOGUE_QUERIES):
        assert client.get("/resurser/").status_code == 200


def test_the_page_of_a_resource_says_what_it_is(page, van, neighbour, asker):
    van.permits, van.terms, van.turnaround_minutes, van.longest_minutes = "Körkort B", "Tankas efteråt", 30, 1440
    van.save()
    PriceRule.objects.create(resource=van, number=1, unit="hour", sek=0, valid=(today(), None))

    text = page(address=f"/resurser/{van.pk}/")

    for words in (
        "Körkort B", "Ägaren har inte bekräftat det än.", "Tankas efteråt", "30 minuter", "1 dag", "0 kr per timme",
        "Nästa lediga tider", "Alltid. Ägaren har inte satt några tider.", "Godkänns direkt".lower(),
    ):  # fmt: skip
        assert words in text
    assert "För dig som har hand om den" not in text


def test_the_next_free_times_lead_to_asking_for_them(client, page, van, asker, council_member):
    way = f'<a href="/resurser/{van.pk}/boka/?fran='

    assert way in page(address=f"/resurser/{van.pk}/")
    client.force_login(council_member)
    assert way not in client.get(f"/resurser/{van.pk}/").content.decode()


def test_the_owner_has_the_ways_to_change_it(client, van, asker, owner):
    client.force_login(asker)

    assert "För dig som har hand om den" in client.get(f"/resurser/{van.pk}/").content.decode()


def test_ones_own_bookings_are_shown_and_others_are_not(client, page, van, home, owner, asker, principal, at):
    request_booking(van, starts_at=at(9), ends_at=at(11), purpose="Studiebesök", by=owner, on_behalf_of=home.body)

    assert "Studiebesök" in page(address=f"/resurser/{van.pk}/")
    client.force_login(principal)
    assert "Studiebesök" not in client.get(f"/resurser/{van.pk}/").content.decode()


def test_a_whole_and_its_parts_lead_to_each_other(page, neighbour, asker):
    left, right = (Unit.objects.create(owner=neighbour.body, name=name) for name in ("Vänster", "Höger"))
    half = ResourceFactory(name="Halva hallen", municipality=neighbour, units=[left])
    whole = ResourceFactory(name="Hela hallen", municipality=neighbour, units=[left, right], takes=Takes.ALL)

    text = page(address=f"/resurser/{whole.pk}/")
    assert ("en del av den här" in text, "2, bokas som en helhet" in text) == (True, True)
    assert "helheten som den här är en del av" in page(address=f"/resurser/{half.pk}/")


@pytest.mark.parametrize("number", [1, 3])
def test_the_queries_of_a_resources_page_are_fixed(
    client, van, home, owner, asker, at, number, django_assert_num_queries
):
    for place in range(number):
        request_booking(
            van, starts_at=at(9 + place), ends_at=at(10 + place), purpose="Besök", by=owner, on_behalf_of=home.body
        )
    client.force_login(owner)
    client.get(f"/resurser/{van.pk}/")

    with django_assert_num_queries(RESOURCE_QUERIES):
        assert client.get(f"/resurser/{van.pk}/").status_code == 200
