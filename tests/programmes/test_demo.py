"""The demonstration: the whole offer of 2022/23, marked, loaded as often as one likes, and gone without a trace."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import call_command

from collab4m.clock import today
from collab4m.school_year import SchoolYear
from organisations.models import CollaborationArea, Municipality, School
from programmes.demo import load_demo
from programmes.models import (
    Answer,
    Offering,
    OfferingReport,
    Programme,
    PupilFlow,
    ReportingDeadline,
)
from programmes.operations import (
    NATIONAL,
    GapState,
    gaps_of,
    latest_year,
    offer_of,
    suggested_intakes,
)
from records.models import Event
from tests.organisations.test_demo import everything, person

pytestmark = pytest.mark.django_db

YEAR = SchoolYear(2022)
TOWNS = {"1980": "Västerås", "0484": "Eskilstuna", "0381": "Enköping", "0486": "Strängnäs"}


@pytest.fixture
def demo(demonstration):
    """The demonstration."""


@pytest.fixture
def offer(demo):
    return offer_of(CollaborationArea.objects.get(), YEAR, NATIONAL)


def gaps_by_state(code, kinds=NATIONAL):
    """The codes of the programmes that the municipality lacks, by state."""
    gaps = gaps_of(Municipality.objects.get(code=code), YEAR, reader=None, kinds=kinds)
    found = {state: set() for state in GapState}
    for row in gaps.rows:
        if row.orientation is None:
            found[row.state].add(row.programme.code)
    return found


def test_every_school_of_the_year_has_reported(offer):
    unfinished = [one.school.name for one in offer.schools.values() if not one.is_complete]

    assert len(offer.schools) == 19
    assert all(one.report for one in offer.schools.values())
    assert unfinished == ["Rinmangymnasiet"]


def test_all_of_it_is_marked(demo):
    for model in (OfferingReport, Offering, PupilFlow, ReportingDeadline):
        assert set(model.objects.values_list("example", flat=True)) == {True}
    for model in (OfferingReport, PupilFlow):
        assert all(note.startswith("Exempel") for note in model.objects.values_list("source_note", flat=True))


def test_principals_report_for_the_schools_they_lead(demo):
    events = Event.objects.filter(name="offering_report.created").select_related("by", "on_behalf_of")
    thomas = events.get(subject_id=OfferingReport.objects.get(school__reference_key="thomas", school_year=YEAR).pk)
    europe = events.get(subject_id=OfferingReport.objects.get(school__reference_key="europaskolan-strangnas").pk)

    assert (thomas.by, str(thomas.on_behalf_of)) == (person("rektor.strangnas"), "Thomasgymnasiet")
    assert (europe.by, str(europe.on_behalf_of)) == (person("handlaggare.strangnas"), "Strängnäs")


@pytest.mark.parametrize(
    ("code", "neighbours", "nobody", "unknown"),
    [
        ("1980", {"HT", "RL"}, {"HV", "NB"}, set()),
        ("0484", {"HU", "RL"}, {"HV", "NB"}, {"FS", "VF"}),
        ("0381", {"FS", "FT", "HT", "HU", "RL", "VF"}, {"HV", "NB"}, set()),
        ("0486", {"BA", "BF", "ES", "FT", "HT", "HU", "IN", "NA", "VF"}, {"HV", "NB"}, set()),
    ],
)
def test_every_municipality_has_gaps_worth_looking_at(demo, code, neighbours, nobody, unknown):
    assert gaps_by_state(code) == {
        GapState.NEIGHBOUR_OFFERS: neighbours,
        GapState.NOBODY_OFFERS: nobody,
        GapState.NOT_REPORTED: unknown,
    }


def test_an_independent_school_in_town_stands_beside_a_gap(demo):
    gaps = gaps_of(Municipality.objects.get(code="0484"), YEAR, reader=None)
    crafts = next(row for row in gaps.rows if row.key == "HV")

    assert crafts.state == GapState.NOBODY_OFFERS
    assert [one.school.school.name for one in crafts.beside] == ["JB-gymnasiet"]


def test_figures_stand_at_one_level(demo):
    levels = Counter()
    for row in Offering.objects.filter(report__school_year=YEAR):
        if row.counts_something:
            levels[row.report_id, row.programme_id, row.orientation_id is None] += 1

    assert not [key for key in levels if (*key[:2], not key[2]) in levels]
    assert {is_whole for _report, _programme, is_whole in levels} == {True, False}


def test_some_programmes_have_more_applicants_than_seats_and_none_admits_more_than_it_has(demo):
    rows = list(Offering.objects.filter(seats__isnull=False))

    pressed = {row.programme.code for row in rows if (row.first_choice_applicants or 0) > row.seats}
    assert {"BA", "EE", "FT", "TE", "NA"} <= pressed
    assert [row for row in rows if row.admitted > row.seats] == []
    assert all(row.as_of == YEAR.first_day.replace(month=10, day=15) for row in rows if row.report.school_year == YEAR)


def test_only_where_pupils_learn_at_work_are_there_places_for_it(demo):
    rows = Offering.objects.filter(workplace_learning_capacity__isnull=False)

    assert set(rows.values_list("programme__kind", flat=True)) <= {"vocational", "introductory", "national_intake"}


def test_the_flows_cover_both_semesters_between_all_four(demo):
    pairs = Counter(PupilFlow.objects.values_list("home__code", "provider_municipality__code", "semester"))

    assert set(pairs) == {(home, other, semester) for home in TOWNS for other in TOWNS for semester in ("HT", "VT")}
    small = set(PupilFlow.objects.filter(pupils__lt=5).values_list("pupils", flat=True))
    assert small == {0, 1, 2, 3, 4}


def test_pupils_go_only_where_the_programme_is_offered(offer):
    offered = {
        (one.school.municipality_id, programme)
        for one in offer_of(CollaborationArea.objects.get(), YEAR).schools.values()
        for programme in one.rows
        if any(row.offered for row in one.rows[programme].values())
    }

    flows = PupilFlow.objects.filter(pupils__gt=0)
    assert {(flow.provider_municipality_id, flow.programme_id) for flow in flows} - offered == set()


def test_the_deadline_is_still_to_come(demo):
    deadline = ReportingDeadline.objects.get()

    assert (deadline.area.reference_key, deadline.school_year) == ("4m", YEAR)
    assert deadline.last_day == today() + timedelta(weeks=4)


def test_pages_open_on_the_year_and_last_years_report_is_carried_forward(demo):
    thomas = School.objects.get(reference_key="thomas")

    last, carried = suggested_intakes(thomas, YEAR)

    assert latest_year(Municipality.objects.values_list("pk", flat=True)) == YEAR
    assert last.school_year == SchoolYear(2021)
    codes = {Programme.objects.get(pk=row.programme).code for row in carried}
    assert codes == {"EE", "EK", "FS", "RL", "SA", "TE", "VO"}


def test_load_demo_a_second_time_adds_nothing(demo):
    before = everything()

    assert load_demo() == 0

    assert everything() == before


def test_remove_demo_leaves_the_facts(demo):
    call_command("remove_demo")

    offer = offer_of(CollaborationArea.objects.get(), YEAR, NATIONAL)
    thomas = next(one for one in offer.schools.values() if one.school.reference_key == "thomas")
    food = next(one for one in offer.programmes if one.code == "RL")
    cell = offer.at_school(thomas, food)
    assert not OfferingReport.objects.exists()
    assert (cell.answer, cell.fact.year) == (Answer.NOT_REPORTED, "2018/19")
