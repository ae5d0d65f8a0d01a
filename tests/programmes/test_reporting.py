"""Reporting what schools offer: what may be said, by whom, what others saved meanwhile, and who is reminded."""

from datetime import date, timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from collab4m.clock import now
from collab4m.school_year import SchoolYear
from organisations.models import RoleKind
from programmes.models import Offering, OfferingReminder, OfferingReport, Orientation, Programme, ReportingDeadline
from programmes.operations import (
    HasSchools,
    Intake,
    IntakeRefused,
    NobodyToRemind,
    NothingToRemind,
    NotYourSchool,
    RemindedLately,
    ReportedMeanwhile,
    deadline_of,
    intakes_of,
    progress_of,
    remind_of_offering,
    report_no_school,
    report_of,
    report_offering,
    report_offerings,
    seen_of_report,
    set_deadline,
    suggested_intakes,
    whole_offers,
)
from programmes.operations.offer import Offer
from records.models import CameIn, Event, Outgoing, span
from records.operations import accept_correction, deliver_mail, propose_correction
from tests.factories import (
    MembershipFactory,
    OfferingFactory,
    OfferingReportFactory,
    OrientationFactory,
    ProgrammeFactory,
    ProviderFactory,
    RoleFactory,
)
from tests.programmes.offers import independent_school, own_school, report

YEAR = SchoolYear(2022)


@pytest.fixture
def school(home):
    return own_school(home, name="Westerlundska gymnasiet")


@pytest.fixture
def building(db):
    return ProgrammeFactory(code="BA")


@pytest.fixture
def houses(building):
    return OrientationFactory(programme=building, code="BAHUS", name_sv="Husbyggnad")


@pytest.fixture
def painting(building):
    return OrientationFactory(programme=building, code="BAMAL", name_sv="Måleri")


@pytest.fixture
def economics(db):
    return ProgrammeFactory(code="EK")


def intake(what, **facts):
    if isinstance(what, Orientation):
        return Intake(what.programme_id, what.pk, **facts)
    return Intake(what.pk, **facts)


@pytest.fixture
def say(school, owner, home):
    """Report for the school as its municipality's administrator, unless somebody else is named."""

    def report_rows(*rows, complete=False, **said):
        return report_offering(
            school, YEAR, rows, **{"complete": complete, "by": owner, "on_behalf_of": home.body, **said}
        )

    return report_rows


def seen(school):
    known = report_of(school, YEAR)
    return seen_of_report(known, intakes_of(known))


# What a report says


def test_a_first_report_is_written_whole(say, school, building, economics, owner, home):
    made = say(
        intake(building, seats=24, as_of=date(2022, 10, 15)),
        intake(economics, offered=False),
        complete=True,
        source_note="Antagningen",
        checked=True,
    )

    assert (made.provider, made.complete, made.verified, made.came_in) == (school.provider, True, True, CameIn.FORM)
    assert (made.on_behalf_of_id, made.source_note, made.example) == (home.pk, "Antagningen", False)
    rows = made.offerings.order_by("programme__code").values_list("programme__code", "offered", "seats", "as_of")
    assert list(rows) == [("BA", True, 24, date(2022, 10, 15)), ("EK", False, None, None)]
    event = Event.objects.get()
    assert (event.name, event.by, event.on_behalf_of_id) == ("offering_report.created", owner, home.pk)
    assert event.data == {"school": "Westerlundska gymnasiet", "year": "2022/23", "offered": 1, "complete": 1}


def test_a_later_report_changes_what_differs_and_history_tells_it_by_code(say, building, houses, painting, economics):
    made = say(intake(houses, seats=16), intake(painting, seats=8), intake(economics, offered=False))
    ids = dict(made.offerings.values_list("orientation__code", "pk"))

    say(intake(houses, seats=20), intake(painting, seats=8), complete=True, source_note="Rektorn")

    assert dict(made.offerings.values_list("orientation__code", "pk")) == {
        "BAHUS": ids["BAHUS"],
        "BAMAL": ids["BAMAL"],
    }
    assert Offering.objects.get(pk=ids["BAHUS"]).seats == 20
    event = Event.objects.get(name="offering_report.changed")
    assert event.changes == {
        "complete": ["false", "true"],
        "source_note": ["", "Rektorn"],
        "BAHUS:seats": ["16", "20"],
        "EK:offered": ["false", ""],
    }


def test_the_same_again_writes_nothing(say, building):
    made = say(intake(building, seats=24), complete=True, checked=True)

    again = say(intake(building, seats=24), complete=True)

    assert (again.reported_at, again.verified) == (made.reported_at, True)
    assert Event.objects.count() == 1


def test_figures_move_between_the_levels_in_one_save(say, building, houses, painting):
    made = say(intake(building, seats=24), intake(houses))

    say(intake(building), intake(houses, seats=16), intake(painting, seats=8))
    assert set(made.offerings.values_list("orientation__code", "seats")) == {
        (None, None), ("BAHUS", 16), ("BAMAL", 8),
    }  # fmt: skip

    say(intake(building, seats=24), intake(houses), intake(painting))
    assert set(made.offerings.values_list("orientation__code", "seats")) == {
        (None, 24), ("BAHUS", None), ("BAMAL", None),
    }  # fmt: skip


def test_a_denial_turns_round_in_one_save(say, building, houses):
    made = say(intake(building, offered=False), intake(houses, offered=False))

    say(intake(building), intake(houses, seats=16))
    assert set(made.offerings.values_list("orientation__code", "offered")) == {(None, True), ("BAHUS", True)}

    say(intake(building, offered=False), intake(houses, offered=False))
    assert set(made.offerings.values_list("orientation__code", "offered")) == {(None, False), ("BAHUS", False)}


def test_a_row_that_somebody_proposes_to_correct_stays_itself_when_the_report_is_changed(
    say, building, school, owner, asker, home, neighbour
):
    row = say(intake(building, seats=24)).offerings.get()
    proposal = propose_correction(
        row, field="seats", proposed="30", reason="Antagningsbeskedet", by=asker, on_behalf_of=neighbour.body
    )

    say(intake(building, seats=26))
    accept_correction(proposal, by=owner, on_behalf_of=home.body, seen="26")

    row.refresh_from_db()
    assert row.seats == 30


WRONG = {
    "a programme that is not begun on": lambda own, other, closed: [intake(closed)],
    "an orientation of another programme": lambda own, other, closed: [
        Intake(other.pk, own.orientations.first().pk),
    ],
    "an orientation that is not begun on": lambda own, other, closed: [
        intake(OrientationFactory(programme=own, valid=span(None, date(2022, 6, 30))))
    ],
    "figures of what is not offered": lambda own, other, closed: [intake(own, offered=False, seats=10)],
    "a row twice": lambda own, other, closed: [intake(other, seats=1), intake(other, seats=2)],
    "figures at both levels": lambda own, other, closed: [
        intake(own, seats=24),
        intake(own.orientations.first(), admitted=10),
    ],
    "a denied programme with an orientation that is offered": lambda own, other, closed: [
        intake(own, offered=False),
        intake(own.orientations.first()),
    ],
    "a programme that is offered without any of its orientations": lambda own, other, closed: [
        intake(own),
        *(intake(one, offered=False) for one in own.orientations.all()),
    ],
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_right_is_refused_and_leaves_no_trace(say, building, houses, painting, economics, wrong):
    closed = ProgrammeFactory(code="HA", valid=span(None, date(2022, 6, 30)))
    rows = WRONG[wrong](building, economics, closed)

    with pytest.raises(IntakeRefused) as refused:
        say(*rows)

    assert refused.value.key in {row.key for row in rows} | {(building.pk, None)}
    assert not OfferingReport.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("first", "second", "constraint"),
    [
        ({"seats": 1}, {"orientation": True, "seats": 1}, "offering_figures_at_one_level"),
        ({"offered": False}, {"orientation": True}, "offering_of_what_is_not_denied"),
        ({}, {}, "offering_once_in_a_report"),
        ({"offered": False, "seats": 1}, None, "offering_counts_what_is_offered"),
        ({"orientation": "another's"}, None, "offering_orientation_of_its_programme"),
    ],
)
def test_the_database_refuses_what_gets_past_the_rules(db, building, houses, first, second, constraint):
    made = OfferingReportFactory()

    def write(facts):
        if facts.get("orientation"):
            facts = {**facts, "orientation": OrientationFactory() if facts["orientation"] == "another's" else houses}
        OfferingFactory(report=made, programme=building, **facts)

    if second is not None:
        write(first)
        first = second
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        write(first)

    assert refused.value.__cause__.diag.constraint_name == constraint


# Meanwhile


def test_what_others_saved_meanwhile_is_told_and_kept(say, school, building, economics, two_homes):
    say(intake(building, seats=24))
    before = seen(school)
    say(intake(building, seats=30), by=two_homes)

    with pytest.raises(ReportedMeanwhile) as meanwhile:
        say(intake(building, seats=24), intake(economics), seen=before)

    assert meanwhile.value.now == {(building.pk, None): intake(building, seats=30)}
    assert str(two_homes) in str(meanwhile.value)
    assert intakes_of(report_of(school, YEAR)) == meanwhile.value.now

    say(intake(building, seats=24), intake(economics), seen=meanwhile.value.seen)
    assert len(intakes_of(report_of(school, YEAR))) == 2


def test_a_first_report_that_others_made_meanwhile_is_told(say, school, building, two_homes):
    before = seen(school)
    say(intake(building, seats=30), by=two_homes)

    with pytest.raises(ReportedMeanwhile):
        say(intake(building, seats=24), seen=before)


@pytest.mark.parametrize("change", [{"complete": True}, {"source_note": "Rektorn"}])
def test_what_holds_for_the_whole_report_is_seen_too(say, school, building, economics, change):
    say(intake(building))
    before = seen(school)
    say(intake(building), **change)

    with pytest.raises(ReportedMeanwhile):
        say(intake(economics), seen=before)


def test_what_others_saved_just_as_one_wrote_it_is_no_conflict(say, school, building, two_homes):
    before = seen(school)
    say(intake(building, seats=30), by=two_homes)

    say(intake(building, seats=30), seen=before)

    assert Event.objects.count() == 1


# Who


def test_a_principal_reports_for_the_own_school(say, school, building, principal):
    made = say(intake(building), by=principal, on_behalf_of=school.body)

    assert made.on_behalf_of_id == school.pk
    assert principal.has_perm("programmes.report_offering", school)


def test_an_administrator_reports_for_independent_schools_in_town_too(home, owner, building):
    school = independent_school(home)

    made = report_offering(
        school, YEAR, [intake(building)], complete=True, by=owner, on_behalf_of=home.body
    )  # fmt: skip

    assert (made.provider, made.on_behalf_of_id) == (school.provider, home.pk)
    assert owner.has_perm("programmes.report_offering", school)


@pytest.mark.parametrize("who", ["asker", "outsider", "committee", "council_member", "system_administrator"])
def test_nobody_else_reports(request, say, school, home, building, who):
    user = request.getfixturevalue(who)

    for body in (home.body, school.body, *(role.body for role in user.roles_today if role.body)):
        with pytest.raises(NotYourSchool):
            say(intake(building), by=user, on_behalf_of=body)

    assert not user.has_perm("programmes.report_offering", school)
    assert not OfferingReport.objects.exists()


def test_a_principal_does_not_report_for_another_school(home, principal, school, building):
    other = own_school(home)

    for body in (school.body, other.body, home.body):
        with pytest.raises(NotYourSchool):
            report_offering(other, YEAR, [intake(building)], complete=True, by=principal, on_behalf_of=body)
    assert not principal.has_perm("programmes.report_offering", other)


def test_an_administrator_reports_as_the_municipality_and_not_as_the_school(say, school, building):
    with pytest.raises(NotYourSchool):
        say(intake(building), on_behalf_of=school.body)


# Several schools at once


def test_reports_of_several_schools_are_written_together_or_not_at_all(home, owner, school, building, economics):
    other = own_school(home)
    rows = {school: [intake(building, seats=24)], other: [intake(economics, offered=False, seats=3)]}

    with pytest.raises(IntakeRefused):
        report_offerings(rows, YEAR, complete=True, by=owner, on_behalf_of=home.body)
    assert not OfferingReport.objects.exists()

    rows[other] = [intake(economics)]
    made = report_offerings(rows, YEAR, complete=True, by=owner, on_behalf_of=home.body)
    assert [(one.school, one.came_in, one.complete) for one in made] == [
        (school, CameIn.IMPORT, True),
        (other, CameIn.IMPORT, True),
    ]


def test_rows_that_a_file_does_not_name_stay_unless_it_is_the_whole_offer(
    home, owner, say, school, building, economics
):
    say(intake(building, seats=24), intake(economics, seats=60))

    def send(complete):
        rows = {school: [intake(economics, seats=64)]}
        report_offerings(rows, YEAR, complete=complete, by=owner, on_behalf_of=home.body)
        return {row.programme: row.seats for row in intakes_of(report_of(school, YEAR)).values()}

    assert send(complete=False) == {building.pk: 24, economics.pk: 64}
    assert send(complete=True) == {economics.pk: 64}


# Carried forward


@pytest.fixture
def real_school(enkoping):
    return enkoping.schools.filter(provider__municipality=enkoping).order_by("pk").first()


def named(intakes):
    """The rows by code: seats and places for workplace-based learning."""
    codes = {(None, pk): code for pk, code in Programme.objects.values_list("pk", "code")}
    codes |= {
        (pk, programme): code for pk, programme, code in Orientation.objects.values_list("pk", "programme", "code")
    }
    return {codes[row.orientation, row.programme]: (row.seats, row.workplace_learning_capacity) for row in intakes}


def test_without_an_earlier_report_nothing_is_suggested(school):
    assert suggested_intakes(school, YEAR) == (None, [])


def test_last_years_offer_is_carried_forward_without_what_came_of_the_admission(say, school, building, economics):
    say(
        intake(building, seats=24, first_choice_applicants=30, admitted=24, workplace_learning_capacity=10),
        intake(economics, offered=False),
        complete=True,
    )

    last, rows = suggested_intakes(school, SchoolYear(2023))

    assert last == report_of(school, YEAR)
    assert rows == [intake(building, seats=24, workplace_learning_capacity=10)]
    assert suggested_intakes(school, YEAR) == (None, [])


def test_what_has_changed_its_code_is_carried_forward_under_the_one_that_holds(real_school, reporter, catalogue):
    orientations = {one.code: one for one in Orientation.objects.exclude(code=None)}
    said = {
        catalogue["EK"]: {"seats": 60},
        catalogue["BA"]: {},
        orientations["BAANL"]: {"seats": 16, "workplace_learning_capacity": 12},
        orientations["BAMAR"]: {"seats": 8},
        orientations["BAHUS"]: {"seats": 10},
        catalogue["HV"]: {},
        orientations["HVFRS"]: {"seats": 14},
        catalogue["IMS"]: {"seats": 5},
    }
    rows = [intake(what, **facts) for what, facts in said.items()]
    municipality = real_school.municipality
    report_offering(
        real_school, SchoolYear(2024), rows, complete=True, by=reporter, on_behalf_of=municipality.body
    )  # fmt: skip

    _last, rows = suggested_intakes(real_school, SchoolYear(2025))

    assert named(rows) == {
        "EK25": (60, None),
        "BA25": (None, None),
        "BAMAA": (24, 12),  # two that are merged
        "BAHUD": (10, None),
        "FR25": (14, None),  # an orientation that is now a programme
        "IMS": (5, None),
    }
    report_offering(
        real_school, SchoolYear(2025), rows, complete=True, by=reporter, on_behalf_of=municipality.body
    )  # fmt: skip


def test_seats_of_an_orientation_that_is_gone_are_not_carried_to_the_programme(say, school, building, houses):
    say(intake(houses, seats=16))
    Orientation.objects.filter(pk=houses.pk).update(valid=span(None, date(2023, 6, 30)))

    _last, rows = suggested_intakes(school, SchoolYear(2023))

    assert rows == [intake(building)]


# No school


def test_a_municipality_says_once_that_it_runs_no_school(home, owner):
    first = report_no_school(home, YEAR, by=owner, on_behalf_of=home.body)
    again = report_no_school(home, YEAR, by=owner, on_behalf_of=home.body)

    assert (first, first.school, first.complete) == (again, None, True)
    assert (first.provider.municipality, first.provider.kind) == (home, "municipal")
    assert [event.name for event in Event.objects.all()] == ["offering_report.no_school"]


def test_a_municipality_with_schools_cannot_say_that_it_runs_none(home, owner, school):
    with pytest.raises(HasSchools):
        report_no_school(home, YEAR, by=owner, on_behalf_of=home.body)


def test_independent_schools_are_not_its_own(home, owner):
    independent_school(home)

    assert report_no_school(home, YEAR, by=owner, on_behalf_of=home.body)


def test_only_the_municipality_says_that_it_runs_none(home, asker, neighbour, principal):
    for user, body in [(asker, home.body), (asker, neighbour.body), (principal, home.body)]:
        with pytest.raises(NotYourSchool):
            report_no_school(home, YEAR, by=user, on_behalf_of=body)


def test_its_word_no_longer_counts_once_it_runs_a_school(home, owner, economics):
    report_no_school(home, YEAR, by=owner, on_behalf_of=home.body)
    own_school(home)

    (member,) = Offer(YEAR, [(home, None)]).members

    assert (member.denial, member.is_complete) == (None, False)


# How far it has come


def test_progress_counts_own_schools_that_have_reported_all_some_or_nothing(area, home, neighbour, economics):
    report(own_school(home), economics)
    begun = own_school(home)
    report(begun, economics, complete=False)
    silent = own_school(home)
    independent_school(home)
    OfferingReport.objects.create(
        provider=ProviderFactory(municipality=neighbour), school_year=YEAR, complete=True
    )  # fmt: skip

    mine, theirs = progress_of(area, YEAR)

    assert (mine.whole, mine.begun, mine.member.is_complete) == (1, 1, False)
    assert [one.school for one in mine.member.missing] == [begun, silent]
    assert (theirs.member.is_complete, theirs.member.missing) == (True, [])


@pytest.mark.parametrize("number", [1, 3])
def test_progress_costs_the_same_for_any_number(area, number, django_assert_num_queries):
    for _one in range(number):
        municipality = MembershipFactory(area=area).municipality
        OfferingReminder.objects.create(municipality=municipality, school_year=YEAR)
        for _school in range(number):
            report(own_school(municipality), ProgrammeFactory())

    with django_assert_num_queries(8):
        rows = progress_of(area, YEAR)
        assert all(row.reminded and row.member.own[0].report for row in rows)


# The last day


def test_the_last_day_is_set_and_moved_and_history_tells_it(area, owner, home):
    for day in (date(2022, 11, 30), date(2022, 12, 15), date(2022, 12, 15)):
        set_deadline(area, YEAR, last_day=day, by=owner, on_behalf_of=home.body)

    assert deadline_of(area, YEAR).last_day == date(2022, 12, 15)
    assert deadline_of(area, SchoolYear(2023)) is None
    assert [event.changes for event in Event.objects.order_by("pk")] == [
        {"last_day": ["", "2022-11-30"]},
        {"last_day": ["2022-11-30", "2022-12-15"]},
    ]


# Reminders


@pytest.fixture
def remind(home, asker, neighbour):
    """The neighbour's administrator reminds the school's municipality."""

    def send_reminder(**said):
        return remind_of_offering(home, YEAR, **{"by": asker, "on_behalf_of": neighbour.body, **said})

    return send_reminder


def test_a_reminder_goes_once_to_each_who_answers_for_the_schools(
    remind, home, area, school, owner, principal, committee
):
    other = own_school(home, name="Enögla")
    done = own_school(home, name="Klara")
    report(done)
    ReportingDeadline.objects.create(area=area, school_year=YEAR, last_day=date(2022, 11, 30))

    assert remind() == [owner, principal]
    deliver_mail()
    deliver_mail()

    told = {message.to[0]: message.body for message in mail.outbox}
    assert [message.to for message in mail.outbox] == [[owner.email], [principal.email]]
    assert "Västerås" in told[owner.email]
    assert "30 november 2022" in told[owner.email]
    for user, schools in [(owner, [school, other]), (principal, [school])]:
        for one in (school, other, done):
            assert (f"/program/rapportering/{one.pk}/2022-23/" in told[user.email]) is (one in schools)
    event = Event.objects.get()
    assert (event.name, event.data["people"]) == ("offering.reminded", 2)


def test_a_second_reminder_has_to_wait_a_day(remind, school, owner):
    remind()

    with pytest.raises(RemindedLately):
        remind()
    assert Outgoing.objects.count() == 1

    OfferingReminder.objects.update(sent_at=now() - timedelta(hours=24, seconds=1))
    assert remind() == [owner]
    assert Outgoing.objects.count() == 2


def test_another_years_reminder_does_not_stand_in_the_way(remind, home, school, owner, asker, neighbour):
    remind_of_offering(home, SchoolYear(2023), by=asker, on_behalf_of=neighbour.body)

    assert remind() == [owner]


def test_nobody_is_reminded_when_all_is_reported(remind, school, owner):
    report(school)

    with pytest.raises(NothingToRemind):
        remind()


def test_nobody_can_be_reminded_where_nobody_answers(remind, home, school):
    with pytest.raises(NobodyToRemind):
        remind()
    assert not OfferingReminder.objects.exists()


def test_nobody_reminds_themselves(home, school, owner, principal):
    assert remind_of_offering(home, YEAR, by=owner, on_behalf_of=home.body) == [principal]


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("owner", True),
        ("asker", True),
        ("outsider", False),
        ("principal", False),
        ("committee", False),
        ("council_member", False),
        ("system_administrator", False),
    ],
)
def test_administrators_of_the_area_may_remind_and_set_the_last_day(request, home, area, school, who, may):
    user = request.getfixturevalue(who)

    assert user.has_perm("programmes.remind", home) is may
    assert user.has_perm("programmes.set_deadline", area) is may


def test_a_role_that_has_ended_reminds_nobody(home, area, owner):
    owner.roles.filter(kind=RoleKind.ADMINISTRATOR).update(valid=span(None, date(2022, 12, 31)))

    assert not owner.has_perm("programmes.remind", home)


def test_a_colleague_in_another_municipality_is_not_told(remind, school, owner, elsewhere):
    RoleFactory(kind=RoleKind.ADMINISTRATOR, body=elsewhere.body)

    assert remind() == [owner]


# Real reports over examples


@pytest.fixture
def invented(home, school, building, economics):
    """A report that the demonstration made."""
    by = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body, user__example=True).user
    rows = [Intake(building.pk, seats=20), Intake(economics.pk, seats=30)]
    return report_offering(school, YEAR, rows, complete=True, by=by, on_behalf_of=home.body)


def test_whoever_reports_for_real_over_an_example_makes_every_row_real(
    invented, school, owner, home, building, economics
):
    assert invented.example
    rows = [Intake(building.pk, seats=20), Intake(economics.pk, seats=31)]

    report_offering(school, YEAR, rows, complete=True, by=owner, on_behalf_of=home.body)

    invented.refresh_from_db()
    assert not invented.example
    assert [(row.seats, row.example) for row in invented.offerings.order_by("seats")] == [(20, False), (31, False)]


def test_the_first_real_rows_of_a_file_take_the_place_of_what_was_invented(
    invented, school, owner, home, building, economics
):
    report_offerings({school: [Intake(building.pk, seats=24)]}, YEAR, complete=False, by=owner, on_behalf_of=home.body)

    invented.refresh_from_db()
    assert (invented.example, invented.complete) == (False, False)
    assert [(row.programme, row.seats, row.example) for row in invented.offerings.all()] == [(building, 24, False)]


def test_the_short_answer_of_who_has_reported_is_that_of_the_whole_offer(area, home, neighbour, owner, economics):
    third, fourth = (MembershipFactory(area=area).municipality for _number in range(2))
    report(own_school(home), economics)
    report(own_school(neighbour), complete=False)
    own_school(neighbour)
    independent_school(third)
    report(independent_school(fourth), economics)
    report_no_school(fourth, YEAR, by=RoleFactory(body=fourth.body).user, on_behalf_of=fourth.body)
    members = [(municipality, None) for municipality in (home, neighbour, third, fourth)]

    short = whole_offers([municipality.pk for municipality, _membership in members], YEAR)

    assert short == {home.pk: True, neighbour.pk: False, third.pk: None, fourth.pk: True}
    for member in Offer(YEAR, members).members:
        assert member.is_complete is (short[member.municipality.pk] is True)
