"""Two people who report at the same instant: no report is lost without a word."""

import os
from functools import partial

import pytest

from collab4m.school_year import SchoolYear
from organisations.models import RoleKind
from programmes.models import OfferingReminder, OfferingReport, PupilFlow, Succession
from programmes.operations import (
    Intake,
    RemindedLately,
    ReportedMeanwhile,
    intakes_of,
    remind_of_offering,
    report_flow,
    report_no_school,
    report_of,
    report_offering,
    report_offerings,
    seen_of_report,
    set_deadline,
)
from records.models import Event, Outgoing
from records.operations import accept_correction, propose_correction
from tests.factories import ProgrammeFactory, RoleFactory, SuccessionFactory
from tests.organisations.test_directory_races import at_once
from tests.programmes.offers import own_school

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
ROUNDS = range(int(os.environ.get("RACE_ROUNDS", "5")))
YEAR = SchoolYear(2022)


@pytest.fixture
def school(home):
    return own_school(home)


@pytest.fixture
def reporters(home, owner, two_homes, school):
    """Four who may report for the school, and the body as which each does."""
    principal = RoleFactory(kind=RoleKind.PRINCIPAL, body=school.body).user
    other = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body).user
    people = [(owner, home.body), (two_homes, home.body), (other, home.body), (principal, school.body)]
    for user, _body in people:
        assert user.roles_today
    return people


def rows_of(school):
    return intakes_of(report_of(school, YEAR))


def seen(school):
    known = report_of(school, YEAR)
    return seen_of_report(known, intakes_of(known))


@pytest.mark.parametrize("round_", ROUNDS)
@pytest.mark.parametrize("is_first", [True, False])
def test_of_four_who_report_the_same_school_one_is_saved_and_the_others_are_told(
    school, reporters, home, round_, is_first
):
    programmes = [ProgrammeFactory() for _number in range(4)]
    if not is_first:
        report_offering(
            school, YEAR, [Intake(programmes[0].pk)], complete=False, by=reporters[0][0], on_behalf_of=home.body
        )  # fmt: skip
    shown = seen(school)

    def report(place):
        user, body = reporters[place]
        rows = [Intake(programmes[place].pk, seats=place + 1)]
        return report_offering(school, YEAR, rows, complete=True, by=user, on_behalf_of=body, seen=shown)

    answers = at_once(*(partial(report, place) for place in range(4)))

    saved = [place for place, answer in enumerate(answers) if isinstance(answer, OfferingReport)]
    told = [answer for answer in answers if isinstance(answer, ReportedMeanwhile)]
    assert (len(saved), len(told)) == (1, 3), answers
    (place,) = saved
    stands = {(programmes[place].pk, None): Intake(programmes[place].pk, seats=place + 1)}
    assert rows_of(school) == stands
    assert all(meanwhile.now == stands and meanwhile.seen == seen(school) for meanwhile in told)
    assert Event.objects.filter(name__startswith="offering_report.").count() == (1 if is_first else 2)


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_file_and_a_form_at_once_leave_both_their_rows_or_a_word(school, reporters, home, round_):
    by_form, by_file = ProgrammeFactory(), ProgrammeFactory()
    shown = seen(school)
    (user, body), (other, _body), *_others = reporters

    answers = at_once(
        lambda: report_offering(
            school, YEAR, [Intake(by_form.pk)], complete=False, by=user, on_behalf_of=body, seen=shown
        ),
        lambda: report_offerings(
            {school: [Intake(by_file.pk)]}, YEAR, complete=False, by=other, on_behalf_of=home.body
        ),
    )

    assert isinstance(answers[1], list), answers
    named = {programme for programme, _orientation in rows_of(school)}
    if isinstance(answers[0], ReportedMeanwhile):
        assert named == {by_file.pk}
    else:
        assert named == {by_form.pk, by_file.pk}


@pytest.mark.parametrize("round_", ROUNDS)
def test_files_with_the_same_schools_in_another_order_wait_for_each_other(school, home, reporters, round_):
    schools = [school, own_school(home), own_school(home)]
    programme = ProgrammeFactory()
    (user, _body), (other, _other_body), *_others = reporters

    def send(by, order, seats):
        rows = {schools[place]: [Intake(programme.pk, seats=seats)] for place in order}
        return lambda: report_offerings(rows, YEAR, complete=True, by=by, on_behalf_of=home.body)

    answers = at_once(send(user, [0, 1, 2], 10), send(other, [2, 1, 0], 20))

    assert [type(answer) for answer in answers] == [list, list], answers
    seats = {rows_of(one)[programme.pk, None].seats for one in schools}
    assert seats in ({10}, {20})


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_correction_decided_while_the_school_reports_is_told_or_kept(
    school, reporters, home, asker, neighbour, round_
):
    programme = ProgrammeFactory()
    (user, body), (other, _body), *_others = reporters
    made = report_offering(
        school, YEAR, [Intake(programme.pk, seats=24)], complete=True, by=user, on_behalf_of=body
    )  # fmt: skip
    proposal = propose_correction(
        made.offerings.get(), field="seats", proposed="30", reason="x", by=asker, on_behalf_of=neighbour.body
    )
    shown = seen(school)

    answers = at_once(
        lambda: report_offering(
            school, YEAR, [Intake(programme.pk, seats=26)], complete=True, by=user, on_behalf_of=body, seen=shown
        ),
        lambda: accept_correction(proposal, by=other, on_behalf_of=home.body, seen="24"),
    )

    names = [type(answer).__name__ for answer in answers]
    seats = rows_of(school)[programme.pk, None].seats
    assert (names, seats) in (
        (["OfferingReport", "FigureChanged"], 26),
        (["ReportedMeanwhile", "Correction"], 30),
    )


@pytest.mark.parametrize("round_", ROUNDS)
def test_of_four_reminders_at_once_one_is_sent(school, home, neighbour, asker, owner, round_):
    assert asker.roles_today

    answers = at_once(*[lambda: remind_of_offering(home, YEAR, by=asker, on_behalf_of=neighbour.body)] * 4)

    assert [type(answer) for answer in answers].count(RemindedLately) == 3, answers
    assert (OfferingReminder.objects.count(), Outgoing.objects.count()) == (1, 1)


@pytest.mark.parametrize("round_", ROUNDS)
def test_four_who_say_at_once_that_there_is_no_school_say_it_once(home, owner, round_):
    assert owner.roles_today

    answers = at_once(*[lambda: report_no_school(home, YEAR, by=owner, on_behalf_of=home.body)] * 4)

    assert len({answer.pk for answer in answers}) == 1, answers
    assert Event.objects.count() == 1


@pytest.mark.parametrize("round_", ROUNDS)
def test_both_municipalities_report_the_same_flow_at_once(home, neighbour, owner, asker, round_):
    programme = ProgrammeFactory()

    def report(user, body, pupils):
        assert user.roles_today
        return lambda: report_flow(
            home=home, provider_municipality=neighbour, programme=programme, school_year=YEAR, semester="HT",
            pupils=pupils, by=user, on_behalf_of=body,
        )  # fmt: skip

    answers = at_once(report(owner, home.body, 10), report(asker, neighbour.body, 12))

    flow = PupilFlow.objects.get()
    assert [answer.pk for answer in answers] == [flow.pk, flow.pk], answers
    changes = [event.changes["pupils"] for event in Event.objects.order_by("pk")]
    assert changes in ([["", "10"], ["10", "12"]], [["", "12"], ["12", "10"]])
    assert str(flow.pupils) == changes[-1][1]


@pytest.mark.parametrize("round_", ROUNDS)
def test_last_days_set_at_once_follow_each_other(area, home, neighbour, owner, asker, round_):
    days = [YEAR.first_day, YEAR.last_day]

    answers = at_once(
        lambda: set_deadline(area, YEAR, last_day=days[0], by=owner, on_behalf_of=home.body),
        lambda: set_deadline(area, YEAR, last_day=days[1], by=asker, on_behalf_of=neighbour.body),
    )

    assert answers[0].pk == answers[1].pk, answers
    (first, second) = [event.changes["last_day"] for event in Event.objects.order_by("pk")]
    assert first == ["", second[0]]


@pytest.mark.parametrize("round_", ROUNDS)
def test_two_steps_at_once_do_not_close_a_circle(round_):
    one, other = ProgrammeFactory(), ProgrammeFactory()

    at_once(
        partial(SuccessionFactory, from_programme=one, to_programme=other),
        partial(SuccessionFactory, from_programme=other, to_programme=one),
    )

    assert Succession.objects.count() == 1
