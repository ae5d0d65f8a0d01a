"""What could be had instead: the nearest time of the same, or another of its kind at the time wanted."""

from datetime import time, timedelta

from resources.models import OpenRule, Takes, Unit
from resources.operations import (
    alternatives,
    alternatives_to,
    alternatives_to_each,
    block_resource,
    open_up,
    request_booking,
)
from tests.factories import ResourceFactory


def book(resource, begins, ends, by, body, **more):
    return request_booking(
        resource, starts_at=begins, ends_at=ends, purpose="Studiebesök", by=by, on_behalf_of=body, **more
    )


def times(found, resource):
    return [(one.starts_at, one.ends_at) for one in found if one.resource == resource]


def test_the_nearest_time_of_the_same_keeps_the_length(van, home, owner, asker, at):
    book(van, at(9), at(11), owner, home.body)

    found = alternatives_to(van, at(10), at(12), user=owner)

    assert times(found, van)[0] == (at(11), at(13))
    assert len(found) == 3


def test_another_of_its_kind_at_the_time_wanted_comes_before_more_times(van, buses, home, neighbour, owner, asker, at):
    other = ResourceFactory(name="Minibuss B", municipality=home, category=buses, capacity=9)
    ResourceFactory(name="För liten", municipality=home, category=buses, capacity=5)
    ResourceFactory(name="Bara egna", municipality=neighbour, category=buses, capacity=9, askers="owner")
    busy = ResourceFactory(name="Upptagen", municipality=home, category=buses, capacity=9, turnaround_minutes=60)
    book(busy, at(12, minute=30), at(15), owner, home.body)
    book(van, at(9), at(11), owner, home.body)

    found = alternatives_to(van, at(10), at(12), user=owner)

    assert [one.resource.name for one in found] == ["Minibuss A", "Minibuss B", "Minibuss A"]
    assert times(found, other) == [(at(10), at(12))]


def test_turnaround_before_the_next_booking_is_left(van, home, owner, asker, at):
    van.turnaround_minutes = 60
    van.save()
    block_resource(van, starts_at=at(0), ends_at=at(8), reason="Service", seen=[], by=asker, on_behalf_of=van.owner)
    book(van, at(12), at(20), owner, home.body)

    found = alternatives_to(van, at(11), at(13), user=owner)

    assert times(found, van)[0] == (at(9), at(11))


def test_only_open_time_is_offered(van, home, owner, asker, at):
    for weekday in range(1, 8):
        OpenRule.objects.create(
            resource=van, weekday=weekday, opens=time(8), closes=time(12), in_breaks=True, on_red_days=True
        )
    open_up(van)
    book(van, at(8), at(12), owner, home.body)

    found = alternatives_to(van, at(9), at(11), user=owner)

    assert {start.astimezone(at(9).tzinfo).hour for start, _end in times(found, van)} == {9}
    assert at(9) not in [start for start, _end in times(found, van)]


def test_a_pool_offers_the_time_when_enough_pieces_are_back(neighbour, home, owner, asker, at):
    units = [Unit.objects.create(owner=neighbour.body, name=f"iPad {number}") for number in range(1, 4)]
    pool = ResourceFactory(name="Surfplattor", municipality=neighbour, takes=Takes.SOME, units=units)
    book(pool, at(9), at(11), owner, home.body, quantity=2)

    one = alternatives_to(pool, at(9), at(10), user=owner, quantity=1)
    three = alternatives_to(pool, at(9), at(10), user=owner, quantity=3)

    assert times(one, pool)[0] == (at(9), at(10))
    assert times(three, pool)[0] in [(at(8), at(9)), (at(11), at(12))]


def test_when_two_weeks_are_full_a_later_time_is_offered(van, neighbour, owner, asker, at):
    block_resource(
        van, starts_at=at(0) - timedelta(days=7), ends_at=at(0, day=20), reason="Ombyggnad", seen=[], by=asker,
        on_behalf_of=neighbour.body,
    )  # fmt: skip

    found = alternatives_to(van, at(9), at(12), user=owner)

    assert times(found, van)[0] == (at(9, day=20), at(12, day=20))


def test_nothing_for_an_end_before_its_start(van, owner, asker, at):
    assert alternatives_to(van, at(9), at(9), user=owner) == []


def test_many_times_are_answered_at_once(van, buses, home, neighbour, owner, asker, at, django_assert_num_queries):
    ResourceFactory(name="Minibuss B", municipality=neighbour, category=buses, capacity=9)
    owner.around_today  # noqa: B018
    wanted = [(at(9, day=7 * week), at(12, day=7 * week)) for week in range(20)]

    with django_assert_num_queries(8):
        found = alternatives_to_each(van, wanted, user=owner)

    assert [{one.resource.name for one in each} for each in found] == [{"Minibuss A", "Minibuss B"}] * 20


def test_those_beyond_the_first_that_are_looked_at_are_found_too(
    van, buses, home, neighbour, owner, asker, at, monkeypatch
):
    monkeypatch.setattr(alternatives, "LOOKED_AT_FIRST", 1)
    busy = ResourceFactory(name="Minibuss B", municipality=neighbour, category=buses, capacity=9)
    other = ResourceFactory(name="Minibuss C", municipality=neighbour, category=buses, capacity=9)
    book(busy, at(9), at(12), owner, home.body)

    found = alternatives_to(van, at(9), at(12), user=owner)

    assert (times(found, busy), times(found, other)) == ([], [(at(9), at(12))])


def test_a_night_is_not_offered_to_whoever_asked_for_the_day(van, home, owner, at):
    book(van, at(9), at(23), owner, home.body)

    found = alternatives_to(van, at(9), at(14), user=owner)

    assert {one.starts_at.astimezone(at(9).tzinfo).hour for one in found} == {9}
