"""What the timeline knows and tells: names hidden, parts and wholes, pools, kept times, odd days, few queries."""

from datetime import UTC, date, time, timedelta

import pytest
from django.db import transaction

from collab4m.clock import now, today
from organisations.models import RoleKind
from resources.models import Approval, Askers, Blocking, Booking, OpenRule, Resource, Rivalry, Takes, Unit
from resources.operations import (
    CellKind,
    Scale,
    SlotKind,
    block_resource,
    change_time,
    grid_of,
    lines_of,
    list_of,
    local,
    open_up,
    span_of,
    timeline_of,
    window_of,
)
from resources.operations.claiming import claim_time
from tests.factories import MembershipFactory, MunicipalityFactory, ResourceFactory, RoleFactory, SchoolFactory

NAMELESS = {"words": "", "booking": None, "body": ""}


@pytest.fixture
def third(area):
    """An administrator of a third municipality in the area: may see the resources, but is in none of the bookings."""
    place = MembershipFactory(area=area, municipality=MunicipalityFactory(name="Strängnäs", code="0486"), mark="St")
    return RoleFactory(kind=RoleKind.ADMINISTRATOR, body=place.municipality.body).user


def lines(reader):
    return lines_of(Resource.objects.visible_to(reader).in_swedish_order(), reader=reader)


def cells(scale, day, reader, place=0):
    return grid_of(scale, day, lines(reader), reader=reader).rows[place][1]


def kinds(cells_of_row):
    return [(cell.kind, cell.columns) for cell in cells_of_row]


def slots(resource, begins, ends, reader):
    return timeline_of([resource], begins, ends, reader=reader)[0].slots


def test_whose_it_is_is_told_to_those_whom_it_concerns_only(ask, van, at, owner, asker, third):
    booking = ask(van, at(9), at(11))

    for reader in (owner, asker):
        (slot,) = slots(van, at(0), at(24), reader)
        assert (slot.kind, slot.words, slot.booking, slot.body) == ("own", "Studiebesök", booking.pk, "Enköping")
    (slot,) = slots(van, at(0), at(24), third)
    assert (slot.kind, slot.starts_at, slot.ends_at) == ("busy", at(9), at(11))
    assert {"words": slot.words, "booking": slot.booking, "body": slot.body} == NAMELESS


def test_the_table_holds_no_more_than_that(ask, van, at, third):
    ask(van, at(9), at(11))

    assert [one.slots for one in cells(Scale.DAY, at(0).date(), third) if one.kind == SlotKind.BUSY] == [
        tuple(slots(van, at(0), at(24), third))
    ]


def test_a_booking_fills_its_hours_and_the_rest_is_free(ask, van, at, owner):
    ask(van, at(9), at(11))

    row = cells(Scale.DAY, at(0).date(), owner)

    assert kinds(row) == [("free", 1), ("free", 1), ("own", 2), *[("free", 1)] * 7]
    assert (row[3].starts_at, row[3].ends_at) == (at(11), at(12))


def test_blocked_and_closed(van, at, owner, asker, neighbour):
    OpenRule.objects.bulk_create(
        OpenRule(resource=van, weekday=weekday, opens="08:00", closes="16:30", in_breaks=True, on_red_days=True)
        for weekday in range(1, 8)
    )
    open_up(van)
    block_resource(
        van, starts_at=at(8), ends_at=at(10), reason="Service", seen=set(), by=asker, on_behalf_of=neighbour.body
    )

    row = cells(Scale.DAY, at(0).date(), owner)

    assert kinds(row) == [("closed", 1), ("blocked", 2), *[("free", 1)] * 7, ("closed", 1)]
    assert row[1].slots[0].words == "Service"
    assert (row[-2].starts_at, row[-2].ends_at) == (at(16), at(16, minute=30))


def test_a_request_that_waits_is_shown_though_it_holds_nothing(ask, van, at, owner, third):
    van.approval, van.rivalry = Approval.BY_OWNER, Rivalry.COMPETE
    van.save()
    ask(van, at(9), at(11))

    assert [slot.kind for slot in slots(van, at(0), at(24), owner)] == ["asked"]
    assert slots(van, at(0), at(24), third) == []


@pytest.mark.parametrize("rivalry", [Rivalry.HOLD, Rivalry.COMPETE])
def test_a_kept_time_is_shown_with_the_one_that_is_asked_for(ask, van, at, owner, home, rivalry):
    booking = ask(van, at(9), at(11))
    Resource.objects.filter(pk=van.pk).update(approval=Approval.BY_OWNER, rivalry=rivalry)
    booking = Booking.objects.get(pk=booking.pk)
    change_time(booking, starts_at=at(10), ends_at=at(12), by=owner, on_behalf_of=home.body)

    found = slots(van, at(0), at(24), owner)

    assert sorted((slot.kind, slot.starts_at, slot.ends_at) for slot in found) == [
        ("asked", at(10), at(12)),
        ("own", at(9), at(11)),
    ]


def test_a_booked_half_takes_the_whole_and_leaves_the_other_half(ask, neighbour, buses, at, third):
    left = Unit.objects.create(owner=neighbour.body, name="Vänster")
    right = Unit.objects.create(owner=neighbour.body, name="Höger")
    ResourceFactory(name="Hall", municipality=neighbour, category=buses, units=[left, right])
    half = ResourceFactory(name="Hall, vänster", municipality=neighbour, category=buses, units=[left])
    ResourceFactory(name="Hall, höger", municipality=neighbour, category=buses, units=[right])
    ask(half, at(9), at(11))

    grid = grid_of(Scale.DAY, at(0).date(), lines(third), reader=third)

    assert {line.name: any(cell.kind == "busy" for cell in row) for line, row in grid.rows} == {
        "Hall": True,
        "Hall, höger": False,
        "Hall, vänster": True,
    }


def test_a_pool_says_how_many_are_left_and_can_be_booked_until_none_is(ask, neighbour, buses, at, owner, third):
    units = [Unit.objects.create(owner=neighbour.body, name=f"Surfplatta {number}") for number in range(30)]
    tablets = ResourceFactory(municipality=neighbour, category=buses, takes=Takes.SOME, units=units)
    ask(tablets, at(8), at(10), quantity=18)
    ask(tablets, at(9), at(10), quantity=12)

    row = cells(Scale.DAY, at(0).date(), third)
    assert [(cell.kind, cell.free) for cell in row[:4]] == [("free", 30), ("free", 12), ("busy", 0), ("free", 30)]
    mine = cells(Scale.DAY, at(0).date(), owner)
    assert [(cell.kind, cell.free, len(cell.slots)) for cell in mine[1:3]] == [("free", 12, 1), ("own", 0, 2)]


def test_turnaround_is_not_offered_before_or_after(ask, van, at, owner):
    van.turnaround_minutes = 30
    van.save()
    ask(van, at(9), at(11))

    row = cells(Scale.DAY, at(0).date(), owner)

    free = [(cell.starts_at, cell.ends_at) for cell in row if cell.kind == CellKind.FREE]
    assert free[:3] == [(at(7), at(8)), (at(8), at(8, minute=30)), (at(11, minute=30), at(12))]


def test_what_has_passed_cannot_be_booked(van, owner):
    yesterday = today() - timedelta(days=1)

    assert kinds(cells(Scale.DAY, yesterday, owner)) == [("past", 11)]
    assert {cell.kind for cell in cells(Scale.MONTH, yesterday, owner) if cell.ends_at <= now()} == {"past"}


def test_what_the_owner_wants_to_know_of_earlier_is_late_and_not_past(van, owner):
    van.lead_minutes = 3 * 24 * 60
    van.save()

    assert kinds(cells(Scale.DAY, today() + timedelta(days=1), owner)) == [("late", 11)]


def test_each_day_begins_with_a_cell_of_its_own(van, owner):
    row = cells(Scale.WEEK, today() - timedelta(days=14), owner)

    assert [cell.is_first for cell in row] == [True] * 7


def test_the_day_grows_with_what_is_booked(ask, van, at, owner):
    ask(van, at(20), at(22))

    grid = grid_of(Scale.DAY, at(0).date(), lines(owner), reader=owner)

    assert (grid.columns[0].hour, grid.columns[-1].until) == (7, 22)


def test_a_night_is_one_booking_over_two_days_of_the_week(ask, van, owner):
    monday = window_of(Scale.WEEK, today() + timedelta(days=14))[0]
    ask(van, local(monday, time(15)), local(monday + timedelta(days=1), time(7)))

    row = cells(Scale.WEEK, monday, owner)

    assert [cell.columns for cell in row if cell.kind == "own"] == [4]  # 14–16, 16–18, the evening, the early morning


def test_a_weekend_is_shown_when_something_is_open_then(van, owner):
    monday = window_of(Scale.WEEK, today() + timedelta(days=14))[0]
    assert len(grid_of(Scale.WEEK, monday, lines(owner), reader=owner).heads) == 7
    OpenRule.objects.create(resource=van, weekday=2, opens="08:00", closes="16:00", in_breaks=True, on_red_days=True)
    open_up(van)

    assert len(grid_of(Scale.WEEK, monday, lines(owner), reader=owner).heads) == 5


@pytest.mark.parametrize(
    ("day", "hours", "columns"), [(date(2026, 3, 29), 23, 23), (date(2026, 10, 25), 25, 24), (date(2026, 6, 1), 24, 24)]
)
def test_the_nights_when_the_clocks_change(van, owner, asker, day, hours, columns):
    begins, ends = local(day, time()), local(day + timedelta(days=1), time())
    blocking = Blocking.objects.create(resource=van, during=span_of(begins, ends), reason="Service", by=asker)
    with transaction.atomic():
        claim_time(van, blocking.during, blocking=blocking)

    grid = grid_of(Scale.DAY, day, lines(owner), reader=owner, whole=True)

    assert ends.astimezone(UTC) - begins.astimezone(UTC) == timedelta(hours=hours)
    assert len(grid.columns) == columns
    assert kinds(grid.rows[0][1]) == [("blocked", columns)]
    assert [one.starts_at for one in grid.columns[1:]] == [one.ends_at for one in grid.columns[:-1]]


@pytest.mark.parametrize(
    ("scale", "day", "first", "last", "columns"),
    [
        (Scale.WEEK, date(2026, 12, 31), date(2026, 12, 28), date(2027, 1, 3), None),  # week 53, over the new year
        (Scale.WEEK, date(2027, 1, 3), date(2026, 12, 28), date(2027, 1, 3), None),
        (Scale.MONTH, date(2028, 2, 29), date(2028, 2, 1), date(2028, 2, 29), 29),
        (Scale.MONTH, date(2027, 2, 28), date(2027, 2, 1), date(2027, 2, 28), 28),
        (Scale.MONTH, date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31), 31),
        (Scale.YEAR, date(2026, 11, 26), date(2026, 6, 29), date(2027, 7, 4), 53),
        (Scale.YEAR, date(2027, 6, 30), date(2026, 6, 29), date(2027, 7, 4), 53),
    ],
)
def test_windows(van, owner, scale, day, first, last, columns):
    grid = grid_of(scale, day, lines(owner), reader=owner)

    assert (grid.first_day, grid.last_day) == (first, last)
    assert columns is None or len(grid.columns) == columns


def test_the_share_that_is_free_of_a_day_and_of_a_week(ask, van, at, owner):
    OpenRule.objects.bulk_create(
        OpenRule(resource=van, weekday=weekday, opens="08:00", closes="16:00", in_breaks=True, on_red_days=True)
        for weekday in range(1, 6)
    )
    open_up(van)
    monday = window_of(Scale.WEEK, today() + timedelta(days=14))[0]
    ask(van, local(monday, time(8)), local(monday, time(10)))

    month = {cell.starts_at.date(): cell.share for cell in cells(Scale.MONTH, monday, owner)}
    assert (month[monday].is_open, month[monday].free) == (True, 0.75)
    year = {cell.starts_at.date(): cell.share for cell in cells(Scale.YEAR, monday, owner)}
    assert year[monday].free == pytest.approx(0.95)


def test_the_share_of_a_pool_counts_its_pieces_and_of_a_hall_its_halves_together(ask, neighbour, buses, at, owner):
    units = [Unit.objects.create(owner=neighbour.body, name=f"Del {number}") for number in range(2)]
    ResourceFactory(name="A", municipality=neighbour, category=buses, units=units)
    pool = ResourceFactory(name="B", municipality=neighbour, category=buses, takes=Takes.SOME, units=units)
    ask(pool, at(0), at(12))

    grid = grid_of(Scale.MONTH, at(0).date(), lines(owner), reader=owner)

    place = at(0).day - 1
    whole, half = ((at(hour).astimezone(UTC) - at(0).astimezone(UTC)) for hour in (24, 12))  # 23 to 25 hours
    assert [row[place].share.free for _line, row in grid.rows] == [
        pytest.approx(1 - half / whole), pytest.approx(1 - half / whole / 2),
    ]  # fmt: skip


def test_the_list_tells_each_time_to_the_minute(ask, van, at, third):
    ask(van, at(9, minute=15), at(11))

    ((_line, ((_day, stretches),)),) = list_of(Scale.DAY, at(0).date(), lines(third), reader=third)

    assert [(one.kind, one.starts_at, one.ends_at) for one in stretches] == [
        ("free", at(0), at(9, minute=15)),
        ("busy", at(9, minute=15), at(11)),
        ("free", at(11), at(24)),
    ]


@pytest.mark.parametrize("who", ["owner", "asker", "outsider", "principal", "committee", "council_member", "two_homes"])
def test_who_may_ask_is_what_the_rule_says(request, van, neighbour, buses, home, who):
    reader = request.getfixturevalue(who)
    ResourceFactory(municipality=neighbour, category=buses, askers=Askers.OWNER)
    ResourceFactory(municipality=home, category=buses, askers=Askers.OWNER)
    their = SchoolFactory(municipality=neighbour)
    ResourceFactory(municipality=neighbour, owner=their.body, category=buses, askers=Askers.OWNER)

    found = {line.pk: line.may_ask for line in lines(reader)}

    assert found == {pk: reader.has_perm("resources.ask", Resource.objects.get(pk=pk)) for pk in found}


@pytest.mark.parametrize(("scale", "number"), [(Scale.DAY, 4), (Scale.WEEK, 4), (Scale.MONTH, 2), (Scale.YEAR, 2)])
@pytest.mark.parametrize("resources", [1, 10, 60])
def test_as_many_queries_whatever_there_is(
    django_assert_num_queries, neighbour, buses, at, ask, owner, scale, number, resources
):
    for _nth in range(resources):
        ask(ResourceFactory(municipality=neighbour, category=buses), at(9), at(11))
    owner.around_today  # noqa: B018  read once per request

    with django_assert_num_queries(number):
        grid_of(scale, at(0).date(), lines(owner), reader=owner)
