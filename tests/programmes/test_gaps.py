"""What a municipality does not offer itself: every branch of the rule, who is near, and what it costs."""

from datetime import date

import pytest

from collab4m.school_year import SchoolYear
from organisations.models import TravelTime
from programmes.models import OfferingReport, ProgrammeKind
from programmes.operations import GapState, gaps_of
from records.models import span
from tests.factories import (
    MembershipFactory,
    MunicipalityFactory,
    OrientationFactory,
    ProgrammeFactory,
    ProviderFactory,
    PupilFlowFactory,
    SchoolFactory,
)
from tests.programmes.offers import independent_school, own_school, report, say

YEAR = SchoolYear(2022)
NEAR, NOWHERE, UNKNOWN = GapState.NEIGHBOUR_OFFERS, GapState.NOBODY_OFFERS, GapState.NOT_REPORTED


@pytest.fixture
def programme(db):
    return ProgrammeFactory(code="BA")


@pytest.fixture
def own(home):
    return own_school(home)


@pytest.fixture
def near(neighbour):
    return own_school(neighbour)


def gaps(municipality, reader=None, **chosen):
    return gaps_of(municipality, YEAR, reader=reader, **chosen).rows


def states(municipality):
    return {row.key: row.state for row in gaps(municipality)}


# The state


def answer(school, programme, said):
    """Let a school offer a programme, deny it, leave it out of its whole offer, or say nothing."""
    if said == "offers":
        report(school, programme, complete=False)
    elif said == "denies":
        report(school, denied=[programme], complete=False)
    elif said == "leaves out":
        report(school)
    elif said == "has begun":
        report(school, complete=False)


@pytest.mark.parametrize(
    ("at_home", "at_neighbour", "state"),
    [
        ("denies", "offers", NEAR),
        ("leaves out", "offers", NEAR),
        ("denies", "denies", NOWHERE),
        ("leaves out", "leaves out", NOWHERE),
        ("denies", "is silent", UNKNOWN),
        ("denies", "has begun", UNKNOWN),
        ("is silent", "offers", UNKNOWN),
        ("is silent", "denies", UNKNOWN),
        ("has begun", "offers", UNKNOWN),
        ("offers", "offers", None),
        ("offers", "is silent", None),
    ],
)
def test_the_state_follows_from_what_the_schools_say(programme, home, own, near, at_home, at_neighbour, state):
    answer(own, programme, at_home)
    answer(near, programme, at_neighbour)

    assert states(home) == ({"BA": state} if state else {})


def test_a_neighbour_that_offers_is_enough_while_another_is_silent(programme, area, home, own, near):
    silent = MembershipFactory(area=area).municipality
    waited_for = own_school(silent)
    report(own)
    report(near, programme)

    (gap,) = gaps(home)

    assert gap.state == NEAR
    assert [offer.school.school for offer in gap.offers] == [near]
    assert gap.silent == [silent]
    assert [one.school for one in gap.waits_for] == [waited_for]


def test_one_own_school_that_is_silent_leaves_it_open(programme, home, own, near):
    silent = own_school(home)
    report(own)
    report(near, programme)

    (gap,) = gaps(home)

    assert (gap.state, [one.school for one in gap.waits_for]) == (UNKNOWN, [silent])


def test_who_says_to_run_no_school_offers_nothing(programme, home, neighbour):
    for municipality in (home, neighbour):
        provider = ProviderFactory(kind="municipal", municipality=municipality)
        OfferingReport.objects.create(provider=provider, school_year=YEAR, complete=True)

    assert states(home) == {"BA": NOWHERE}


def test_without_schools_and_without_a_word_it_is_not_reported(programme, home, neighbour):
    (gap,) = gaps(home)

    assert (gap.state, gap.silent) == (UNKNOWN, [home, neighbour])


def test_without_neighbours_it_is_about_oneself(programme, db):
    alone = MunicipalityFactory()
    report(own_school(alone))

    assert states(alone) == {"BA": NOWHERE}


def test_who_was_no_member_that_year_is_no_neighbour(programme, area, home, own):
    later = MembershipFactory(area=area, valid=span(date(2023, 7, 1), None)).municipality
    report(own_school(later), programme)
    report(own)

    assert states(home) == {"BA": NOWHERE}


def test_another_years_reports_say_nothing(programme, home, own):
    report(own, programme, school_year=SchoolYear(2021))

    assert states(home) == {"BA": UNKNOWN}


def test_what_new_pupils_cannot_begin_on_is_no_gap(home, own):
    ProgrammeFactory(code="HA", valid=span(date(2011, 7, 1), date(2022, 6, 30)))
    ProgrammeFactory(code="BA25", valid=span(date(2025, 7, 1), None))
    report(own)

    assert states(home) == {}


def test_kinds_are_chosen(home, own):
    ProgrammeFactory(code="BA", kind=ProgrammeKind.VOCATIONAL)
    ProgrammeFactory(code="IMS", kind=ProgrammeKind.INTRODUCTORY)
    report(own)

    assert [row.key for row in gaps(home)] == ["BA", "IMS"]
    assert [row.key for row in gaps(home, kinds=[ProgrammeKind.INTRODUCTORY])] == ["IMS"]


# Who is near


def test_independent_schools_stand_beside_and_close_no_gap(programme, home, own, neighbour, near):
    in_town, next_door = independent_school(home), independent_school(neighbour)
    for school in (in_town, next_door):
        report(school, programme)
    report(own)
    report(near)

    (gap,) = gaps(home)

    assert (gap.state, gap.offers) == (NOWHERE, [])
    assert {(offer.municipality, offer.school.school) for offer in gap.beside} == {
        (home, in_town),
        (neighbour, next_door),
    }


def test_independent_schools_that_are_silent_are_not_waited_for(programme, home, own, near, neighbour):
    independent_school(home)
    independent_school(neighbour)
    report(own)
    report(near)

    (gap,) = gaps(home)

    assert (gap.state, gap.waits_for) == (NOWHERE, [])


def test_a_regions_school_at_a_neighbour_counts_as_public(programme, home, own, neighbour, near):
    regional = SchoolFactory(municipality=neighbour, provider=ProviderFactory(kind="regional"))
    report(own)
    report(near)
    report(regional, programme)

    (gap,) = gaps(home)

    assert (gap.state, [offer.school.school for offer in gap.offers]) == (NEAR, [regional])


def test_an_offer_tells_seats_applicants_and_the_shortest_known_way(programme, home, own, neighbour, near):
    report(own)
    say(report(near), programme, seats=16, first_choice_applicants=24)
    for mode, minutes in [("road", 55), ("rail", 30), ("bus", None)]:
        TravelTime.objects.create(origin=neighbour, destination=home, mode=mode, minutes=minutes)

    (gap,) = gaps(home)

    (offer,) = gap.offers
    assert (offer.cell.figures.seats, offer.cell.figures.first_choice_applicants) == (16, 24)
    assert (offer.travel_minutes, gap.more_apply_than_fit) == (30, True)


def test_a_way_that_nobody_has_measured_is_unknown(programme, home, own, neighbour, near):
    report(own)
    report(near, programme)
    TravelTime.objects.create(origin=home, destination=neighbour, mode="rail", minutes=None)

    (gap,) = gaps(home)

    assert gap.offers[0].travel_minutes is None


# Orientations


def test_orientations_are_gaps_only_where_the_programme_is_offered(home, own, near):
    programme, other = ProgrammeFactory(code="BA"), ProgrammeFactory(code="EE")
    here, there = OrientationFactory(programme=programme), OrientationFactory(programme=programme)
    not_here = OrientationFactory(programme=other)
    report(own, here)
    report(near, there, not_here)

    rows = {row.key: (row.state, row.orientation) for row in gaps(home)}

    assert rows == {f"BA:{there.pk}": (NEAR, there), "EE": (NEAR, None)}


def test_a_programme_reported_only_as_a_whole_leaves_its_orientations_open(home, own):
    orientation = OrientationFactory(programme__code="BA")
    report(own, orientation.programme)

    assert states(home) == {f"BA:{orientation.pk}": UNKNOWN}


def test_an_orientation_at_a_neighbour_that_only_names_the_programme_is_not_reported(home, own, near):
    programme = ProgrammeFactory(code="BA")
    here, missing = OrientationFactory(programme=programme), OrientationFactory(programme=programme)
    report(own, here)
    report(near, programme)

    assert states(home) == {f"BA:{missing.pk}": UNKNOWN}


# Demand


def test_demand_counts_own_pupils_elsewhere_by_the_key_of_statistics(area, home, neighbour, own, owner):
    old, new = (
        ProgrammeFactory(code="HA", family="FS", valid=span(None, date(2022, 6, 30))),
        ProgrammeFactory(code="FS"),
    )
    other = MembershipFactory(area=area).municipality
    for programme, at, pupils, semester in [
        (old, neighbour, 7, "VT"),
        (new, other, 12, "VT"),
        (new, neighbour, 90, "HT"),  # another semester
        (new, home, 80, "VT"),  # at home
    ]:
        PupilFlowFactory(
            home=home, provider_municipality=at, programme=programme, pupils=pupils, semester=semester
        )  # fmt: skip
    PupilFlowFactory(home=neighbour, provider_municipality=home, programme=new, semester="VT")
    report(own)

    (gap,) = gaps(home, owner)

    assert (gap.key, gap.demand.number, gap.demand.parts) == ("FS", 19, 2)


def test_demand_that_nobody_has_told_is_unknown(programme, home, own):
    report(own)

    (gap,) = gaps(home)

    assert (gap.demand.number, gap.demand.parts) == (None, 0)


# What it costs


@pytest.mark.parametrize("number", [1, 3])
def test_gaps_cost_the_same_for_any_number(area, home, own, owner, number, django_assert_num_queries):
    report(own)
    for _one in range(number):
        programme = OrientationFactory().programme
        there = MembershipFactory(area=area).municipality
        for _school in range(number):
            say(report(own_school(there)), programme, seats=10)
        report(independent_school(there), programme)
        TravelTime.objects.create(origin=home, destination=there, mode="rail", minutes=30)
        PupilFlowFactory(home=home, provider_municipality=there, programme=programme)
    assert owner.roles_today

    with django_assert_num_queries(9):
        rows = gaps(home, owner)
        assert all(
            offer.travel.source is None and offer.cell.reports[0].source is None for row in rows for offer in row.offers
        )

    assert len(rows) == number
