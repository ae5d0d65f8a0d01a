"""The directory under rivals at the same instant."""

import os
import threading
from datetime import date

import pytest
from django.db import connection, transaction

from collab4m.school_year import SchoolYear
from organisations.models import Membership, Municipality, SchoolBreak
from organisations.operations import (
    BoardExists,
    MarkTaken,
    PositionTaken,
    ProviderExists,
    SchoolExists,
    SiteExists,
    TravelTimeExists,
    add_member,
    change_school_year,
    change_travel_time,
    create_board,
    create_provider,
    create_school,
    create_site,
    create_travel_time,
    load_reference,
)
from organisations.operations.facts import locked
from records.models import Event, span
from records.operations import record
from tests.factories import MunicipalityFactory

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
ROUNDS = range(int(os.environ.get("RACE_ROUNDS", "5")))


def at_once(*rivals):
    """What each rival answered or raised, all started at the same instant."""
    start, answers = threading.Barrier(len(rivals)), [None] * len(rivals)

    def run(place):
        try:
            start.wait()
            answers[place] = rivals[place]()
        except Exception as error:
            answers[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[place]) for place in range(len(rivals))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
        assert not thread.is_alive()
    return answers


@pytest.mark.parametrize("round_", ROUNDS)
@pytest.mark.parametrize(("marks", "error"), [("ABCDEFGH", PositionTaken), ("AAAAAAAA", MarkTaken)])
def test_of_eight_who_want_a_place_in_an_area_one_gets_it(area, system_administrator, round_, marks, error):
    def join(municipality, mark, place):
        return lambda: add_member(
            area,
            municipality,
            first_day=date(2023, 7, 1),
            position=1 if error is PositionTaken else place,
            mark=mark,
            by=system_administrator,
        )

    rivals = [join(MunicipalityFactory(), mark, place) for place, mark in enumerate(marks, start=1)]

    answers = at_once(*rivals)

    assert [type(answer) for answer in answers].count(error) == 7
    assert Membership.objects.count() == 1


@pytest.mark.parametrize("round_", ROUNDS)
@pytest.mark.parametrize(
    ("create", "error"),
    [
        (lambda home, by: create_board(municipality=home, name="gymnasienämnden", by=by), BoardExists),
        (lambda home, by: create_site(municipality=home, name="Västra", by=by), SiteExists),
        (lambda home, by: create_provider(name="Skolbolaget", kind="independent", by=by), ProviderExists),
        (lambda home, by: create_school(municipality=home, name="Nya gymnasiet", by=by), SchoolExists),
        (lambda home, by: _travel_from(home, by), TravelTimeExists),
    ],
)
def test_of_four_who_create_the_same_thing_one_does(home, neighbour, system_administrator, round_, create, error):
    answers = at_once(*[lambda: create(home, system_administrator)] * 4)

    assert [type(answer) for answer in answers].count(error) == 3


@pytest.mark.parametrize("round_", ROUNDS)
def test_of_two_who_move_travel_times_to_the_same_days_one_does(home, neighbour, system_administrator, round_):
    way = {"origin": home, "destination": neighbour, "mode": "rail", "by": system_administrator}
    early = create_travel_time(**way, valid=span(None, date(2021, 12, 31)))
    late = create_travel_time(**way, valid=span(date(2024, 1, 1), None))

    answers = at_once(
        lambda: change_travel_time(early, valid=span(None, date(2023, 12, 31)), by=system_administrator),
        lambda: change_travel_time(late, valid=span(date(2022, 1, 1), None), by=system_administrator),
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["AnotherTravelTime", "TravelTime"]


def _travel_from(home, by):
    there = Municipality.objects.get(code="1980")
    return create_travel_time(origin=home, destination=there, mode="rail", by=by)


def test_history_may_name_a_municipality_that_somebody_is_changing(home, owner):
    def write_history():
        with transaction.atomic():
            connection.cursor().execute("SET LOCAL lock_timeout = '2s'")
            return record("area.changed", home, by=owner, on_behalf_of=home.body, area="x")

    with transaction.atomic():
        locked(home)
        answers = at_once(write_history)

    assert isinstance(answers[0], Event)


@pytest.mark.parametrize("round_", ROUNDS)
def test_two_who_change_a_school_year_leave_one_whole_year(home, owner, two_homes, round_):
    def change(user, name, day):
        breaks = [
            (name, date(2022, 10, day), date(2022, 10, day + 3)),
            (f"{name} 2", date(2023, 2, day), date(2023, 2, day)),
        ]
        return lambda: change_school_year(
            home, SchoolYear(2022), semesters={}, breaks=breaks, by=user, on_behalf_of=home.body
        )

    assert at_once(change(owner, "ett", 1), change(two_homes, "två", 2)) == [None, None]

    names = set(SchoolBreak.objects.filter(municipality=home).values_list("name", flat=True))
    assert names in ({"ett", "ett 2"}, {"två", "två 2"})


def test_three_loaders_at_once_bring_each_fact_once(db):
    answers = at_once(load_reference, load_reference, load_reference)

    assert sorted(sum(file.created for file in answer) for answer in answers)[:2] == [0, 0]
    assert Municipality.objects.count() == 290
