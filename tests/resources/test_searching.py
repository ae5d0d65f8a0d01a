"""Searching: what fits whole comes first, with its reasons; what is closed, taken or not to be had is said."""

from datetime import time, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from collab4m.clock import now, today
from organisations.models import TravelTime
from records.models import span
from resources.models import Feature, OpenRule, PriceRule, ResourceUnit, Takes, Unit, UnmetNeed
from resources.operations import (
    Need,
    Standing,
    block_resource,
    catalogue,
    date_by_date,
    keep_unmet,
    open_up,
    other_times,
    request_booking,
    search_resources,
    similar_resources,
    standings,
    unknown_capacity,
    with_reasons,
)
from tests.factories import CategoryFactory, MembershipFactory, MunicipalityFactory, ResourceFactory


@pytest.fixture
def tow_bar(db):
    return Feature.objects.create(name_sv="Dragkrok", slug="dragkrok")


@pytest.fixture
def weekly(at):
    """Nine to two, three weeks in a row."""
    return tuple((at(9, day=7 * week), at(14, day=7 * week)) for week in range(3))


def travel(origin, destination, minutes):
    return TravelTime.objects.create(
        origin=origin, destination=destination, mode="car", minutes=minutes, valid=span(today(), None)
    )


def priced(resource, sek, unit="hour"):
    PriceRule.objects.create(resource=resource, number=1, unit=unit, sek=sek, valid=span(today(), None))


def named(found):
    return [one.resource.name for one in with_reasons(list(found), Need())]


def book(resource, time, by, body, **more):
    return request_booking(
        resource, starts_at=time[0], ends_at=time[1], purpose="Studiebesök", by=by, on_behalf_of=body, **more
    )


def test_whole_fits_come_before_what_is_free_now_and_then(van, buses, home, neighbour, owner, asker, weekly):
    other = ResourceFactory(name="Minibuss B", municipality=home, category=buses, capacity=9)
    book(other, weekly[1], owner, home.body)

    found = search_resources(owner, Need(capacity=9, times=weekly, from_municipality=home))

    assert named(found) == ["Minibuss A", "Minibuss B"]
    assert [one.standings for one in found] == [["free", "free", "free"], ["free", "busy", "free"]]
    assert [one.fits for one in found] == [True, False]


def test_the_nearest_comes_first_then_the_cheapest(area, van, buses, home, neighbour, owner, asker, weekly):
    far = MunicipalityFactory()
    MembershipFactory(area=area, municipality=far)
    ResourceFactory(name="Långt bort", municipality=far, category=buses, capacity=9)
    cheap = ResourceFactory(name="Billig", municipality=neighbour, category=buses, capacity=9)
    ResourceFactory(name="Hemma", municipality=home, category=buses, capacity=9)
    travel(home, neighbour, 32)
    travel(far, home, 61)
    priced(van, 100)
    priced(cheap, 50)

    found = search_resources(owner, Need(times=weekly, from_municipality=home))

    assert named(found) == ["Hemma", "Billig", "Minibuss A", "Långt bort"]
    assert [one.travel_minutes for one in found] == [0, 32, 32, 61]
    assert [one.price_sek for one in found] == [None, Decimal(750), Decimal(1500), None]


def test_each_says_why_it_stands_there(van, home, neighbour, owner, asker, weekly):
    van.permits, van.capacity = "Körkort B", 11
    van.save()
    priced(van, 0, "occasion")
    travel(home, neighbour, 42)

    need = Need(capacity=9, times=weekly, from_municipality=home)
    (found,) = with_reasons(search_resources(owner, need), need)

    assert [reason.words for reason in found.reasons] == [
        "2 platser över", "42 minuter bort", "0 kr för alla tre gångerna", "godkänns direkt", "kräver: Körkort B",
    ]  # fmt: skip
    assert [reason.fact.minutes for reason in found.reasons if reason.fact] == [42]


def test_exact_fit_owner_who_decides_and_no_price_are_said(van, home, neighbour, owner, asker, at):
    van.approval, van.decide_hours = "by_owner", 48
    van.save()

    need = Need(capacity=9, times=((at(9), at(14)),), from_municipality=home)
    (found,) = with_reasons(search_resources(owner, need), need)

    assert [reason.words for reason in found.reasons] == [
        "ryms precis", "restid okänd", "inget pris satt", "ägaren svarar inom 48 timmar",
    ]  # fmt: skip


def test_closed_and_blocked_do_not_fit(van, buses, neighbour, owner, asker, at):
    closed = ResourceFactory(name="Minibuss B", municipality=neighbour, category=buses)
    OpenRule.objects.create(resource=closed, weekday=at(9).isoweekday() % 7 + 1, opens=time(8), closes=time(16))
    open_up(closed)
    block_resource(
        van, starts_at=at(0), ends_at=at(12), reason="Service", seen=[], by=asker, on_behalf_of=neighbour.body
    )

    found = search_resources(owner, Need(times=((at(9), at(14)),)))

    assert {one.pk: (one.standings, one.fits) for one in found} == {
        van.pk: (["busy"], False),
        closed.pk: (["closed"], False),
    }


def test_the_owners_rule_and_askers_are_minded(van, buses, neighbour, owner, asker, at):
    van.lead_minutes = 14 * 24 * 60
    van.save()
    ResourceFactory(name="Bara egna", municipality=neighbour, category=buses, askers="owner")
    ResourceFactory(name="Korta lån", municipality=neighbour, category=buses, longest_minutes=120)

    found = search_resources(owner, Need(times=((at(9), at(14)),)))

    assert sorted((one.standings, one.may_ask, one.fits) for one in found) == [
        (["free"], False, False),
        (["refused"], True, False),
        (["refused"], True, False),
    ]
    assert not any(one.fits for one in found)


def test_retired_is_not_found(van, owner, asker):
    van.is_retired = True
    van.save()

    assert search_resources(owner, Need()) == []


def test_an_outsider_finds_nothing(van, outsider, asker, owner, at):
    assert search_resources(outsider, Need(times=((at(9), at(14)),))) == []
    assert catalogue(outsider) == []


def test_turnaround_and_touching_ends(van, home, owner, asker, at):
    van.turnaround_minutes = 30
    van.save()
    book(van, (at(9), at(11)), owner, home.body)

    def stands(begins, ends):
        return standings([van], [(begins, ends)])[van.pk]

    assert stands(at(11), at(12)) == [Standing.BUSY]
    assert stands(at(11, minute=30), at(12)) == [Standing.FREE]
    assert stands(at(8), at(9)) == [Standing.BUSY]
    assert stands(at(8), at(8, minute=30)) == [Standing.FREE]


def test_a_pool_is_free_while_enough_pieces_are(neighbour, home, owner, asker, at):
    units = [Unit.objects.create(owner=neighbour.body, name=f"iPad {number}") for number in range(1, 4)]
    pool = ResourceFactory(name="Surfplattor", municipality=neighbour, takes=Takes.SOME, units=units)
    book(pool, (at(9), at(12)), owner, home.body, quantity=2)
    during = ((at(10), at(11)),)

    assert [one.standings for one in search_resources(owner, Need(times=during, quantity=1))] == [["free"]]
    assert [one.standings for one in search_resources(owner, Need(times=during, quantity=2))] == [["busy"]]
    assert search_resources(owner, Need(times=during, quantity=4)) == []


def test_a_booked_half_takes_the_whole(neighbour, home, owner, asker, at):
    left, right = (Unit.objects.create(owner=neighbour.body, name=name) for name in ("Vänster", "Höger"))
    half = ResourceFactory(name="Halva hallen", municipality=neighbour, units=[left])
    whole = ResourceFactory(name="Hela hallen", municipality=neighbour, units=[left, right])
    book(half, (at(9), at(12)), owner, home.body)

    found = standings([half, whole], [(at(10), at(11)), (at(12), at(13))])

    assert found == {half.pk: ["busy", "free"], whole.pk: ["busy", "free"]}


def test_any_three_hours_in_some_weeks(van, home, neighbour, owner, asker, at):
    windows = tuple((at(8, day=day), at(17, day=day)) for day in range(5))
    block_resource(
        van, starts_at=at(0), ends_at=at(24), reason="Service", seen=[], by=asker, on_behalf_of=neighbour.body
    )
    book(van, (at(8, day=1), at(9, minute=10, day=1)), owner, home.body)
    book(van, (at(10, day=2), at(15, day=2)), owner, home.body)

    (found,) = search_resources(owner, Need(windows=windows, length=timedelta(hours=3)))

    assert found.free == [
        (at(9, day=1, minute=30), at(12, day=1, minute=30)),
        (at(8, day=3), at(11, day=3)),
        (at(8, day=4), at(11, day=4)),
    ]
    assert found.fits


def test_hours_are_sought_to_the_last_of_the_days(van, neighbour, owner, asker, at):
    windows = tuple((at(8, day=day), at(17, day=day)) for day in range(12))
    for first, last in ((0, 3), (4, 10)):
        block_resource(
            van, starts_at=at(0, day=first), ends_at=at(24, day=last), reason="Service", seen=[], by=asker,
            on_behalf_of=neighbour.body,
        )  # fmt: skip

    (found,) = search_resources(owner, Need(windows=windows, length=timedelta(hours=3)))

    assert (found.free, found.fits) == ([(at(8, day=11), at(11, day=11))], True)


def test_hours_that_are_nowhere_free_do_not_fit(van, neighbour, owner, asker, at):
    block_resource(
        van, starts_at=at(10), ends_at=at(15), reason="Service", seen=[], by=asker, on_behalf_of=neighbour.body
    )

    (found,) = search_resources(owner, Need(windows=((at(8), at(17)),), length=timedelta(hours=3)))

    assert (found.free, found.fits) == ([], False)


def test_date_by_date_gives_a_substitute(van, buses, home, neighbour, owner, asker, weekly):
    other = ResourceFactory(name="Minibuss B", municipality=neighbour, category=buses, capacity=9)
    book(van, weekly[0], owner, home.body)
    book(other, weekly[1], owner, home.body)
    need = Need(times=weekly)

    dates = date_by_date(search_resources(owner, need), need)

    assert [{one.pk for one in date.found} for date in dates] == [{other.pk}, {van.pk}, {van.pk, other.pk}]


def test_another_time_of_the_same_is_the_nearest_that_day(van, home, owner, asker, at):
    book(van, (at(9), at(12)), owner, home.body)
    need = Need(times=((at(10), at(12)),))
    found = with_reasons(search_resources(owner, need), need)

    other_times(found, need)

    assert [(one.starts_at, one.ends_at) for one in found[0].instead] == [(at(12), at(14))]


def test_what_lacks_a_feature_or_a_place_is_similar(van, buses, neighbour, owner, asker, tow_bar, at):
    small = ResourceFactory(name="Minibuss C", municipality=neighbour, category=buses, capacity=8)
    small.features.add(tow_bar)
    need = Need(category=buses, features=[tow_bar], capacity=9, times=((at(9), at(14)),))

    assert search_resources(owner, need) == []
    similar = with_reasons(similar_resources(owner, need), need)

    assert {one.resource.name: one.reasons[0].words for one in similar} == {
        "Minibuss A": "saknar dragkrok",
        "Minibuss C": "1 plats för få",
    }


def test_what_has_the_words_but_lacks_the_only_feature_is_similar(van, owner, asker, tow_bar, at):
    van.features.clear()
    need = Need(words="minibuss", features=[tow_bar], times=((at(9), at(14)),))

    assert [one.pk for one in similar_resources(owner, need)] == [van.pk]


def test_those_of_unknown_capacity_are_counted_not_dropped(van, buses, neighbour, owner, asker):
    ResourceFactory(name="Minibuss B", municipality=neighbour, category=buses, capacity=None)
    need = Need(category=buses, capacity=9)

    assert named(search_resources(owner, need)) == ["Minibuss A"]
    assert unknown_capacity(owner, need) == 1


def test_a_category_holds_what_is_below_it(van, buses, neighbour, owner, asker):
    vehicles = CategoryFactory(name_sv="Fordon", slug="fordon")
    buses.parent = vehicles
    buses.save()
    ResourceFactory(name="Svetshall", municipality=neighbour, category=CategoryFactory(kind="premises"))

    assert named(search_resources(owner, Need(category=vehicles))) == ["Minibuss A"]
    assert named(search_resources(owner, Need(kind="premises"))) == ["Svetshall"]
    counts = {count.category: (count.number, [below.category for below in count.below]) for count in catalogue(owner)}
    assert counts[vehicles] == (1, [buses])


@pytest.mark.parametrize("words", ["minib", "röd", "dragkrok", "minibuss dragkrok"])
def test_words_are_sought_in_name_description_and_features(van, tow_bar, owner, asker, words):
    van.description = "En röd buss"
    van.save()
    van.features.add(tow_bar)

    assert named(search_resources(owner, Need(words=words))) == ["Minibuss A"]
    assert search_resources(owner, Need(words=f"{words} helikopter")) == []


@pytest.mark.parametrize("words", ["fordon", "vehicles"])
def test_the_sort_above_is_sought_in_both_languages(van, buses, owner, asker, words):
    buses.parent = CategoryFactory(name_sv="Fordon", name_en="Vehicles", slug="fordon")
    buses.save()

    assert named(search_resources(owner, Need(words=words))) == ["Minibuss A"]


def test_an_unmet_need_is_kept_once_a_day_and_without_who(van, home, neighbour, owner, asker, area, at):
    need = Need(words="  Helikopter ", capacity=9, times=((at(9), at(14)),), from_municipality=home)

    keep_unmet(need, by=owner)
    keep_unmet(need, by=owner)
    keep_unmet(Need(words="helikopter", from_municipality=neighbour), by=asker)

    first, second = UnmetNeed.objects.order_by("pk")
    assert (first.area, first.from_municipality, first.day) == (area, home, today())
    assert first.sought == {
        "words": "helikopter", "capacity": 9, "times": [[at(9).isoformat(), at(14).isoformat()]],
    }  # fmt: skip
    assert second.sought == {"words": "helikopter"}
    assert not [field.name for field in UnmetNeed._meta.get_fields() if "user" in field.name or field.name == "by"]


@pytest.mark.parametrize("number", [10, 60])
def test_the_queries_are_as_many_whatever_there_is(buses, neighbour, home, owner, asker, weekly, number):
    for _number in range(number):
        ResourceFactory(municipality=neighbour, category=buses, capacity=9)
    need = Need(capacity=9, times=weekly, from_municipality=home)
    owner.around_today  # noqa: B018 - once per request

    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = search_resources(owner, need)

    assert (len(found), len(queries)) == (number, 6)


@pytest.mark.parametrize("number", [10, 60])
def test_hours_at_any_time_are_as_many_queries_whatever_there_is(buses, neighbour, home, owner, asker, at, number):
    for _number in range(number):
        ResourceFactory(municipality=neighbour, category=buses, capacity=9)
    windows = tuple((at(8, day=day), at(17, day=day)) for day in range(15))
    need = Need(windows=windows, length=timedelta(hours=3), from_municipality=home)
    owner.around_today  # noqa: B018

    with CaptureQueriesContext(connection) as queries:
        found = search_resources(owner, need)

    assert (len(found), len(queries)) == (number, 6)
    assert all(one.fits for one in found)


def test_one_without_pieces_is_never_free(van, owner, asker, at):
    ResourceUnit.objects.filter(resource=van).delete()

    (found,) = search_resources(owner, Need(times=((at(9), at(14)),)))

    assert found.standings == ["busy"]


def test_a_time_that_has_passed_cannot_be_asked_for(van, owner, asker):
    begins = now() - timedelta(hours=2)

    assert standings([van], [(begins, begins + timedelta(hours=1))]) == {van.pk: ["refused"]}
