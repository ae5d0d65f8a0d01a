"""Which hours the tables of a day and a week show: what is open for less than a day decides. All can be asked for."""

from datetime import time, timedelta

import pytest

from collab4m.clock import today
from resources.models import OpenRule, Resource
from resources.operations import CellKind, Scale, grid_of, lines_of, local, open_up, window_of
from tests.factories import ResourceFactory

PATH = "/resurser/tidslinje/"
USUAL_DAY = [(hour, hour + 1) for hour in range(7, 18)]
USUAL_WEEK = [(8, 10), (10, 12), (12, 14), (14, 16)]
ALL_DAY = [(hour, hour + 1) for hour in range(24)]
ALL_WEEK = [(0, 6), (6, 8), *USUAL_WEEK, (16, 18), (18, 20), (20, 22), (22, 24)]


@pytest.fixture
def tuesday():
    """In two weeks or three, so that the day before and the day after are days to come too."""
    return window_of(Scale.WEEK, today() + timedelta(days=14))[0] + timedelta(days=1)


@pytest.fixture
def open_at(van):
    """A resource, the van if it is not said, is open every day from an hour to an hour; 24 is midnight."""

    def opened(*spans, resource=van):
        for first, last in spans:
            OpenRule.objects.bulk_create(
                OpenRule(
                    resource=resource, weekday=weekday, opens=time(first), closes=time(last % 24), in_breaks=True,
                    on_red_days=True,
                )
                for weekday in range(1, 8)
            )  # fmt: skip
        open_up(resource)

    return opened


def grid(scale, day, reader, **more):
    rows = Resource.objects.visible_to(reader).in_swedish_order()
    return grid_of(scale, day, lines_of(rows, reader=reader), reader=reader, **more)


def hours(scale, day, reader, **more):
    return [(one.hour, one.until) for one in grid(scale, day, reader, **more).columns if one.day == day]


@pytest.mark.parametrize(
    ("spans", "first", "last"),
    [
        ([(8, 16)], 7, 18),
        ([(7, 22)], 7, 22),
        ([(5, 9), (13, 20)], 5, 20),
        ([(18, 6)], 0, 24),
    ],
)
def test_a_day_shows_the_hours_in_which_something_is_open(open_at, tuesday, owner, spans, first, last):
    open_at(*spans)

    assert hours(Scale.DAY, tuesday, owner) == [(hour, hour + 1) for hour in range(first, last)]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(8, 16)], USUAL_WEEK),
        ([(7, 18)], USUAL_WEEK),
        ([(7, 19)], [(6, 8), *USUAL_WEEK, (16, 18), (18, 20)]),
        ([(8, 22)], [*USUAL_WEEK, (16, 18), (18, 20), (20, 22)]),
        ([(9, 12), (20, 23)], [*USUAL_WEEK, (20, 22), (22, 24)]),
        ([(18, 6)], [(0, 6), *USUAL_WEEK, (18, 20), (20, 22), (22, 24)]),
    ],
)
def test_a_week_shows_them_in_pieces_that_can_be_booked(open_at, tuesday, owner, spans, expected):
    open_at(*spans)

    assert hours(Scale.WEEK, tuesday, owner) == expected


def test_open_around_the_clock_says_nothing_of_the_hours(open_at, tuesday, owner, neighbour, buses):
    open_at((0, 24))
    ResourceFactory(name="Aldrig stängd", municipality=neighbour, category=buses)

    assert hours(Scale.DAY, tuesday, owner) == USUAL_DAY
    assert hours(Scale.WEEK, tuesday, owner) == USUAL_WEEK

    open_at((8, 22), resource=ResourceFactory(name="Aula", municipality=neighbour, category=buses))

    assert hours(Scale.DAY, tuesday, owner)[-1] == (21, 22)
    assert hours(Scale.WEEK, tuesday, owner)[-1] == (20, 22)


def test_the_evening_can_be_booked_to_the_minute_at_which_it_closes(open_at, tuesday, owner, ask, van):
    open_at((8, 21))
    ask(van, local(tuesday, time(18)), local(tuesday, time(20)))

    row = grid(Scale.WEEK, tuesday, owner).rows[0][1]

    evening = [cell for cell in row if local(tuesday, time(16)) <= cell.starts_at <= local(tuesday, time(23))]
    assert [(cell.kind, cell.starts_at, cell.ends_at) for cell in evening] == [
        (CellKind.FREE, local(tuesday, time(16)), local(tuesday, time(18))),
        ("own", local(tuesday, time(18)), local(tuesday, time(20))),
        (CellKind.FREE, local(tuesday, time(20)), local(tuesday, time(21))),
    ]


def test_a_journey_of_days_does_not_fill_the_table_with_nights(tuesday, owner, ask, van):
    ask(van, local(tuesday - timedelta(days=1), time(15)), local(tuesday + timedelta(days=1), time(7)))

    assert hours(Scale.DAY, tuesday, owner) == USUAL_DAY
    assert [cell.kind for cell in grid(Scale.DAY, tuesday, owner).rows[0][1]] == ["own"]
    assert hours(Scale.WEEK, tuesday, owner) == USUAL_WEEK


def test_a_night_that_is_booked_is_shown_undivided(tuesday, owner, ask, van):
    ask(van, local(tuesday, time(20)), local(tuesday + timedelta(days=1), time(5)))

    assert hours(Scale.WEEK, tuesday, owner) == [*USUAL_WEEK, (18, 24)]
    assert hours(Scale.WEEK, tuesday + timedelta(days=1), owner) == [(0, 8), *USUAL_WEEK]


def test_the_whole_day_can_be_asked_for(open_at, tuesday, owner):
    open_at((8, 16))

    assert hours(Scale.DAY, tuesday, owner, whole=True) == ALL_DAY
    assert hours(Scale.WEEK, tuesday, owner, whole=True) == ALL_WEEK


def test_the_whole_day_stays_in_the_address(client, owner, van, tuesday):
    client.force_login(owner)

    page = client.get(f"{PATH}?vy=dag&datum={tuesday}&dygnet=hela&slag=vehicle").content.decode()

    assert f'href="/resurser/{van.pk}/boka/?fran={tuesday}T22:00&amp;till={tuesday}T23:00"' in page
    assert '<input type="hidden" name="dygnet" value="hela">' in page
    assert "&amp;dygnet=hela&amp;slag=vehicle&amp;datum=" in page  # the day before, the day after
    assert f'href="?vy=vecka&amp;datum={tuesday}&amp;dygnet=hela&amp;slag=vehicle"' in page
    assert f'href="?vy=dag&amp;datum={tuesday}&amp;slag=vehicle"' in page  # back to the usual hours
    usual = client.get(f"{PATH}?vy=dag&datum={tuesday}&slag=vehicle").content.decode()
    assert "T22:00" not in usual
    assert f'href="?vy=dag&amp;datum={tuesday}&amp;slag=vehicle&amp;dygnet=hela"' in usual


@pytest.mark.parametrize("query", ["vy=manad", "vy=lasar", "form=lista", "vy=vecka&form=lista"])
def test_only_the_tables_of_days_and_weeks_have_hours_to_choose(client, owner, van, query):
    client.force_login(owner)

    assert "Vanliga timmar" not in client.get(f"{PATH}?{query}&dygnet=hela").content.decode()


def test_the_page_of_a_resource_has_them_too(client, owner, van):
    client.force_login(owner)

    response = client.get(f"/resurser/{van.pk}/?dygnet=hela")

    assert [one.until for one in response.context["timeline"]["grid"].columns[:10]] == [end for _start, end in ALL_WEEK]
    usual = client.get(f"/resurser/{van.pk}/").context["timeline"]
    days = (usual["last_day"] - usual["first_day"]).days + 1
    assert len(usual["grid"].columns) == days * len(USUAL_WEEK)


@pytest.mark.parametrize(("day", "first"), [(0, 0), (2, 2), (4, 4), (5, 7), (6, 7)])
def test_the_page_of_a_resource_begins_its_week_today_and_on_a_weekend_with_the_next(
    client, owner, van, monkeypatch, day, first
):
    monday = today() + timedelta(days=29 - today().isoweekday())
    monkeypatch.setattr("resources.views.finding.today", lambda: monday + timedelta(days=day))
    client.force_login(owner)

    response = client.get(f"/resurser/{van.pk}/")

    timeline = response.context["timeline"]
    assert (timeline["first_day"], timeline["last_day"].isoweekday()) == (monday + timedelta(days=first), 7)
    assert {column.day for column in timeline["grid"].columns} == {
        timeline["first_day"] + timedelta(days=place)
        for place in range((timeline["last_day"] - timeline["first_day"]).days + 1)
    }


def test_a_whole_day_or_week_has_fewer_resources_on_a_page(client, owner, neighbour, buses):
    client.force_login(owner)
    for number in range(26):
        ResourceFactory(name=f"Buss {number:02}", municipality=neighbour, category=buses)

    assert "Buss 25" in client.get(PATH).content.decode()
    assert "Buss 25" not in client.get(f"{PATH}?dygnet=hela").content.decode()
    assert "Buss 25" in client.get(f"{PATH}?dygnet=hela&sida=2").content.decode()
