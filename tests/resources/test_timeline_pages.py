"""The pages of the timeline: what is written there for whom, ways on, pages of many, odd addresses, few queries."""

from datetime import time, timedelta

import pytest

from collab4m.clock import today
from organisations.models import RoleKind
from resources.models import Resource, Takes, Unit
from resources.operations import block_resource, local, request_booking
from tests.factories import (
    CategoryFactory,
    MembershipFactory,
    MunicipalityFactory,
    ResourceFactory,
    RoleFactory,
)

PATH = "/resurser/tidslinje/"
SECRETS = ["Studiebesök", "Enköping, ", "/resurser/bokningar/"]


@pytest.fixture
def day():
    """A Tuesday three weeks from now."""
    return today() + timedelta(days=23 - today().isoweekday())


@pytest.fixture
def third(area):
    place = MembershipFactory(area=area, municipality=MunicipalityFactory(name="Strängnäs", code="0486"), mark="St")
    return RoleFactory(kind=RoleKind.ADMINISTRATOR, body=place.municipality.body).user


@pytest.fixture
def booked(van, day, owner, home):
    return request_booking(
        van, starts_at=local(day, time(9)), ends_at=local(day, time(11)), purpose="Studiebesök", by=owner,
        on_behalf_of=home.body,
    )  # fmt: skip


@pytest.fixture
def read(client, day):
    def page(reader, query="", **more):
        client.force_login(reader)
        response = client.get(f"{PATH}?datum={day}&{query}", **more)
        assert response.status_code == 200
        return response.content.decode()

    return page


@pytest.mark.parametrize("query", ["vy=dag", "vy=vecka", "vy=dag&form=lista", "vy=vecka&form=lista"])
def test_others_read_that_it_is_taken_and_nothing_more(read, booked, owner, asker, third, query):
    page = read(third, query)

    assert "Upptagen" in page
    assert [secret for secret in SECRETS if secret in page and secret != "/resurser/bokningar/"] == []
    assert f"/resurser/bokningar/{booked.pk}/" not in page
    for reader in (owner, asker):
        assert f"/resurser/bokningar/{booked.pk}/" in (mine := read(reader, query))
        assert "Studiebesök" in mine


@pytest.mark.parametrize("place", range(7))
def test_the_week_of_today_begins_today_and_all_of_it_can_be_seen(client, van, owner, monkeypatch, place):
    monday = today() + timedelta(days=29 - today().isoweekday())
    now_day = monday + timedelta(days=place)
    for module in ("resources.views.timelines", "resources.forms.timelines"):
        monkeypatch.setattr(f"{module}.today", lambda: now_day)
    client.force_login(owner)

    text = client.get(PATH, {"vy": "vecka"})
    whole = client.get(PATH, {"vy": "vecka", "datum": monday.isoformat()})

    folds = 0 < place < 5
    assert text.context["first_day"] == (now_day if folds else monday)
    assert (f"datum={monday}" in text.text and "Hela veckan" in text.text) is folds
    assert (whole.context["first_day"], "Hela veckan" in whole.text) == (monday, False)
    assert text.context["before"] == whole.context["before"] == monday - timedelta(days=1)


@pytest.mark.parametrize("query", ["vy=manad", "vy=lasar"])
def test_longer_times_tell_shares_only(read, booked, owner, query):
    page = read(owner, query)

    assert "Studiebesök" not in page
    assert f"/resurser/bokningar/{booked.pk}/" not in page


def test_what_has_been_is_not_called_closed(client, van, owner):
    client.force_login(owner)

    page = client.get(PATH, {"vy": "lasar", "datum": "2001-03-01"}).text

    assert '<div class="c-slot" data-kind="past">' in page
    assert '<div class="c-slot" data-kind="closed">' not in page


def test_a_free_cell_says_resource_time_and_state_and_leads_to_booking(read, van, owner, day):
    page = read(owner, "vy=dag")

    assert f'href="/resurser/{van.pk}/boka/?fran={day}T09:00&amp;till={day}T10:00"' in page
    assert page.count(f"Ledig: Minibuss A, tisdag {day.day} ") == 11
    assert f'<h2 id="tid">Tisdag {day.day} ' in page


def test_one_who_may_not_ask_reads_what_is_free_without_ways_to_book(read, van, committee):
    page = read(committee, "vy=dag")

    assert page.count("<b>Ledig</b>") == 11
    assert "/boka/" not in page
    assert "/boka/" not in read(committee, "vy=dag&form=lista")


def test_blocked_says_why_and_a_pool_how_many(read, van, day, asker, neighbour, owner, home, buses):
    block_resource(
        van, starts_at=local(day, time(8)), ends_at=local(day, time(10)), reason="Service & <tvätt>", seen=set(),
        by=asker, on_behalf_of=neighbour.body,
    )  # fmt: skip
    units = [Unit.objects.create(owner=home.body, name=f"Surfplatta {number}") for number in range(30)]
    tablets = ResourceFactory(
        name="Surfplattor", municipality=home, category=buses, takes=Takes.SOME, units=units, description=""
    )
    request_booking(
        tablets, starts_at=local(day, time(9)), ends_at=local(day, time(10)), quantity=18, purpose="Prov", by=asker,
        on_behalf_of=neighbour.body,
    )  # fmt: skip

    for query in ("vy=dag", "vy=dag&form=lista"):
        page = read(owner, query)
        assert "Service &amp; &lt;tvätt&gt;" in page
        assert "12 av 30 lediga" in page


def test_filters_narrow_and_stay_on_the_way(read, van, home, neighbour, owner):
    hall = ResourceFactory(
        name="Idrottshall", municipality=home, category=CategoryFactory(slug="hall"), kind="premises"
    )

    assert f"/resurser/{hall.pk}/" not in read(owner, f"agare={neighbour.code}")
    assert f"/resurser/{van.pk}/" not in read(owner, "kategori=hall")
    page = read(owner, "slag=premises&vy=manad")
    assert (f"/resurser/{van.pk}/" in page, f"/resurser/{hall.pk}/" in page) == (False, True)
    assert "?vy=dag&amp;datum=" in page
    assert "&amp;slag=premises" in page
    assert "Ingen resurs passar" in read(owner, "kategori=hall&slag=vehicle")


def test_nothing_outside_ones_area(read, van, outsider):
    assert f"/resurser/{van.pk}/" not in read(outsider)


def test_fifty_resources_of_a_week_and_two_hundred_of_a_day(read, neighbour, buses, owner):
    for number in range(51):
        ResourceFactory(name=f"Buss {number:02}", municipality=neighbour, category=buses)

    assert "Buss 50" not in read(owner)
    assert "Buss 50" in read(owner, "sida=2")
    assert "Buss 50" in read(owner, "vy=dag")


def test_ways_to_the_time_before_and_after(client, van, owner):
    client.force_login(owner)

    for query, before, after in [
        ("vy=dag&datum=2028-02-29", "2028-02-28", "2028-03-01"),
        ("vy=vecka&datum=2020-12-31", "2020-12-27", "2021-01-04"),
        ("vy=manad&datum=2027-01-31", "2026-12-31", "2027-02-01"),
        ("vy=lasar&datum=2027-03-01", "2026-06-14", "2027-07-19"),
    ]:
        response = client.get(f"{PATH}?{query}")
        assert (str(response.context["before"]), str(response.context["after"])) == (before, after)
    assert "Vecka 53, 28 december–3 januari 2021" in client.get(f"{PATH}?datum=2020-12-31").content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "datum=0001-01-01", "datum=9999-12-31", "datum=x%00", "datum=2026-02-30", "datum=" + "9" * 400, "vy=x",
        "vy=%00", "kategori=x&agare=%00&slag=x", "form=%00&sida=-1", "sida=9999999999999999999999",
        "vy=lasar&form=lista", "datum=2000-07-03&vy=lasar", "datum=2100-06-27&vy=lasar",
        "datum=2100-06-27&vy=vecka&form=lista",
    ],
)  # fmt: skip
def test_nonsense_in_the_address_is_no_choice(client, van, owner, query):
    client.force_login(owner)

    response = client.get(f"{PATH}?{query}")

    assert response.status_code in (200, 400)  # control characters are refused at the door
    assert response.status_code == 400 or "Minibuss A" in response.content.decode()


def test_a_day_that_cannot_be_shown_is_said(client, van, owner):
    client.force_login(owner)

    assert "Skriv dagen som år-månad-dag" in client.get(f"{PATH}?datum=snart").content.decode()


@pytest.mark.parametrize("query", ["", "vy=dag", "form=lista", "vy=manad", "vy=lasar"])
def test_as_many_queries_for_one_row_as_for_many(
    client, django_assert_num_queries, van, neighbour, buses, day, owner, home, query
):
    client.force_login(owner)
    number = {"vy=manad": 9, "vy=lasar": 9}.get(query, 11)
    for more in (0, 2, 57):
        for _nth in range(more):
            resource = ResourceFactory(municipality=neighbour, category=buses)
            request_booking(
                resource, starts_at=local(day, time(9)), ends_at=local(day, time(11)), purpose="Studiebesök", by=owner,
                on_behalf_of=home.body,
            )  # fmt: skip
        with django_assert_num_queries(number):
            client.get(f"{PATH}?datum={day}&{query}")
    assert Resource.objects.count() == 60
