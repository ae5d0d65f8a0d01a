"""The rule of levels: what a report says of a programme and of its orientations, whatever it says of which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab4m.school_year import SchoolYear
from programmes.models import Answer, about_orientation, about_programme, together
from programmes.operations import Figures, Offer
from tests.factories import OrientationFactory, ProgrammeFactory
from tests.programmes.offers import independent_school, own_school, report, say

OFFERED, NOT_OFFERED, NOT_REPORTED = Answer.OFFERED, Answer.NOT_OFFERED, Answer.NOT_REPORTED
VALID = (1, 2, 3)

anything_said = st.dictionaries(st.sampled_from([None, *VALID]), st.booleans())
answers = st.lists(st.sampled_from(Answer))


def contradicts_itself(said):
    """What neither a form nor the database lets anybody say."""
    parts = [said[key] for key in VALID if key in said]
    return (said.get(None) is False and any(parts)) or (said.get(None) is True and parts == [False] * len(VALID))


what_may_be_said = anything_said.filter(lambda said: not contradicts_itself(said))


@given(what_may_be_said, st.booleans())
def test_a_programme_is_offered_when_any_of_it_is(said, complete):
    assert (about_programme(said, VALID, complete) == OFFERED) is any(said.values())


@given(what_may_be_said)
def test_a_programme_is_not_offered_only_when_that_is_said_of_the_whole_or_of_every_orientation(said):
    is_denied = said.get(None) is False or all(said.get(orientation) is False for orientation in VALID)

    assert (about_programme(said, VALID, complete=False) == NOT_OFFERED) is is_denied


@given(what_may_be_said)
def test_a_whole_offer_leaves_no_programme_open(said):
    assert about_programme(said, VALID, complete=True) != NOT_REPORTED


@given(what_may_be_said, st.sampled_from(VALID), st.booleans())
def test_the_levels_never_contradict_each_other(said, orientation, complete):
    whole, part = about_programme(said, VALID, complete), about_orientation(said, orientation, complete)

    if part == OFFERED:
        assert whole == OFFERED
    if whole == NOT_OFFERED:
        assert part == NOT_OFFERED


@given(what_may_be_said, st.sampled_from(VALID))
def test_saying_that_the_offer_is_whole_changes_no_answer_that_is_given(said, orientation):
    for about in (
        lambda complete: about_programme(said, VALID, complete),
        lambda complete: about_orientation(said, orientation, complete),
    ):
        assert about(False) in (NOT_REPORTED, about(True))


@given(st.sampled_from(VALID), st.booleans())
def test_a_programme_offered_only_as_a_whole_does_not_tell_which_orientations_there_are(orientation, complete):
    assert about_orientation({None: True}, orientation, complete) == NOT_REPORTED


@pytest.mark.parametrize(("complete", "answer"), [(True, NOT_OFFERED), (False, NOT_REPORTED)])
def test_an_orientation_that_is_left_out_beside_another_is_not_offered_only_in_a_whole_offer(complete, answer):
    assert about_orientation({1: True}, 2, complete) == answer
    assert about_orientation({None: True, 1: True}, 2, complete) == answer


def test_a_programme_without_orientations_is_open_until_something_is_said():
    assert about_programme({}, [], complete=False) == NOT_REPORTED
    assert about_programme({None: False}, [], complete=False) == NOT_OFFERED


@given(answers)
def test_one_school_that_offers_is_enough_and_all_must_deny(said):
    answer = together(said)

    assert (answer == OFFERED) is (OFFERED in said)
    assert (answer == NOT_OFFERED) is (bool(said) and set(said) == {NOT_OFFERED})


@given(st.lists(st.one_of(st.none(), st.integers(0, 500)), min_size=2))
def test_figures_are_unknown_only_where_nobody_says_anything(seats):
    total = Figures.added([Figures(seats=number) for number in seats])

    known = [number for number in seats if number is not None]
    assert total.seats == (sum(known) if known else None)
    assert total.is_sum


# The same through the tables


@pytest.fixture
def one_school(home):
    """What the one school of a municipality offers, read as the pages read it."""
    school = own_school(home)

    def offer():
        found = Offer(SchoolYear(2022), [(home, None)])
        return found, found.members[0].own[0]

    return school, offer


def test_seats_of_orientations_are_added_up_for_the_programme_and_say_so(one_school):
    school, offer = one_school
    programme = ProgrammeFactory()
    first, second = OrientationFactory(programme=programme), OrientationFactory(programme=programme)
    said = report(school, programme)
    say(said, first, seats=16)
    say(said, second, seats=8)

    found, one = offer()

    whole = found.at_school(one, programme)
    assert (whole.figures.seats, whole.figures.is_sum) == (24, True)
    assert found.at_school(one, programme, first).figures == Figures(seats=16)


def test_seats_of_a_programme_are_not_those_of_its_orientations(one_school):
    school, offer = one_school
    orientation = OrientationFactory()
    said = report(school, orientation)
    say(said, orientation.programme, seats=24)

    found, one = offer()

    assert found.at_school(one, orientation.programme).figures == Figures(seats=24)
    cell = found.at_school(one, orientation.programme, orientation)
    assert (cell.answer, cell.figures) == (OFFERED, Figures())


def test_schools_of_a_municipality_answer_together(home):
    programme = ProgrammeFactory()
    said = [report(own_school(home)) for _number in range(2)]
    say(said[0], programme, seats=10)
    say(said[1], programme, seats=20)
    own_school(home)  # which is silent

    offer = Offer(SchoolYear(2022), [(home, None)])

    cell = offer.at_municipality(offer.members[0], programme)
    assert (cell.answer, cell.figures.seats, cell.figures.is_sum) == (OFFERED, 30, True)
    assert cell.reports == said


def test_other_providers_schools_in_town_never_answer_for_the_municipality(home):
    programme = ProgrammeFactory()
    report(own_school(home))
    report(independent_school(home), programme)

    offer = Offer(SchoolYear(2022), [(home, None)])

    assert offer.at_municipality(offer.members[0], programme).answer == NOT_OFFERED
