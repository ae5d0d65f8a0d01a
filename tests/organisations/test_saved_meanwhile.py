"""Two who change the same fact: the second is told, and loses nothing of what they wrote."""

import re
import threading
from datetime import date

import pytest
from django.db import connection

from collab4m.school_year import SchoolYear
from organisations.models import Contact, ContactPurpose, Semester
from organisations.operations import (
    ChangedMeanwhile,
    change_area,
    change_board,
    change_contact,
    change_school,
    change_school_year,
    change_site,
    held_by,
    seen_of,
)
from records.models import span
from tests.factories import BoardFactory, SiteFactory

pytestmark = pytest.mark.django_db
SEEN = re.compile(r'name="((?:\w+-)?seen)" value="(\w+)"')
BREAKS = {"lov-TOTAL_FORMS": "3", "lov-INITIAL_FORMS": "0"}


@pytest.fixture
def keeper(client, owner):
    owner.language = "en"
    owner.save()
    client.force_login(owner)
    return client


def seen_in(response):
    return dict(SEEN.findall(response.content.decode()))


def test_a_board_saved_meanwhile_is_told_and_the_next_save_goes_through(keeper, home, two_homes):
    board = BoardFactory(municipality=home, name="gymnasienämnden")
    url = f"/namnder/{board.pk}/andra/"
    mine = {"name": "skolnämnden", "administration": "skolförvaltningen"} | seen_in(keeper.get(url))
    change_board(board, name="utbildningsnämnden", valid=span(date(2019, 1, 1), None), by=two_homes)

    told = keeper.post(url, mine)

    board.refresh_from_db()
    assert (told.status_code, board.name) == (200, "utbildningsnämnden")
    errors = told.context["form"].errors
    assert errors["name"] == ["Name: now it says “utbildningsnämnden”."]
    assert errors["administration"] == ["Administration: empty now."]
    assert errors["first_day"] == ["First day: now it says “2019-01-01”."]
    assert "last_day" not in errors
    assert errors["__all__"][0].startswith(f"{two_homes.name} saved here ")
    assert 'value="skolnämnden"' in told.content.decode()

    assert keeper.post(url, mine | seen_in(told)).status_code == 302

    board.refresh_from_db()
    assert (board.name, board.administration) == ("skolnämnden", "skolförvaltningen")


def test_what_others_saved_just_as_one_wrote_it_is_no_conflict(keeper, home, two_homes):
    board = BoardFactory(municipality=home, name="gymnasienämnden")
    url = f"/namnder/{board.pk}/andra/"
    seen = seen_in(keeper.get(url))
    change_board(board, name="skolnämnden", by=two_homes)

    assert keeper.post(url, {"name": "skolnämnden"} | seen).status_code == 302


def test_area_school_and_site_are_guarded_too(client, area, home, school, system_administrator):
    site = SiteFactory(municipality=home, name="Västra")
    client.force_login(system_administrator)
    urls = {row: f"{row.get_absolute_url()}andra/" for row in (area, school, site)}
    seen = {row: seen_in(client.get(url)) for row, url in urls.items()}
    change_area(area, name="Mälarområdet", by=system_administrator)
    change_school(school, sites=[site], by=system_administrator)
    change_site(site, address="Storgatan 1", by=system_administrator)
    typed = {"name": "Nytt namn", "short_name": "N", "slug": area.slug}

    for row, url in urls.items():
        told = client.post(url, typed | seen[row])
        assert told.status_code == 200
        row.refresh_from_db()
        assert row.name != "Nytt namn"
        assert client.post(url, typed | seen_in(told)).status_code == 302


def test_contacts_saved_meanwhile_are_all_kept_back(keeper, home, two_homes):
    url = f"/kommuner/{home.pk}/kontakter/"
    mine = {"cookies-owner": "Nämnden", "accessibility-owner": "Styrelsen"} | seen_in(keeper.get(url))
    change_contact(home, ContactPurpose.COOKIES, owner="Kommunstyrelsen", by=two_homes)

    told = keeper.post(url, mine)

    assert [part.errors.get("owner") for part in told.context["parts"]] == [
        None,
        None,
        ["Who is responsible: now it says “Kommunstyrelsen”."],
    ]
    assert Contact.objects.get().owner == "Kommunstyrelsen"
    assert keeper.post(url, mine | seen_in(told)).status_code == 302
    assert Contact.objects.get(purpose=ContactPurpose.COOKIES).owner == "Nämnden"


def test_a_school_year_saved_meanwhile_tells_days_and_breaks(keeper, home, two_homes):
    url = f"/kommuner/{home.pk}/lasar/2022-23/"
    mine = BREAKS | {"ht_first": "2022-08-17", "ht_last": "2022-12-20"} | seen_in(keeper.get(url))
    change_school_year(
        home,
        SchoolYear.parse("2022/23"),
        semesters={"HT": (date(2022, 8, 15), date(2022, 12, 20))},
        breaks=[("höstlov", date(2022, 10, 31), date(2022, 11, 4))],
        by=two_homes,
    )

    told = keeper.post(url, mine)

    errors = told.context["form"].errors
    assert errors["ht_first"] == ["First day of the autumn semester: now it says “2022-08-15–2022-12-20”."]
    assert errors["__all__"][1] == "These breaks stand now: höstlov 2022-10-31–2022-11-04."
    assert keeper.post(url, mine | seen_in(told)).status_code == 302
    assert Semester.objects.get(municipality=home).first_day == date(2022, 8, 17)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_two_rivals_who_saw_the_same_one_is_told(home, owner):
    board = BoardFactory(municipality=home, name="gymnasienämnden")
    seen, start, answers = seen_of(held_by(board, ["name"])), threading.Barrier(2), []

    def save(name):
        try:
            start.wait()
            answers.append(change_board(board, name=name, seen=seen, by=owner))
        except ChangedMeanwhile as told:
            answers.append(told)
        finally:
            connection.close()

    rivals = [threading.Thread(target=save, args=[name]) for name in ("skolnämnden", "barnnämnden")]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join(timeout=300)

    assert sorted(type(answer).__name__ for answer in answers) == ["Board", "ChangedMeanwhile"]
