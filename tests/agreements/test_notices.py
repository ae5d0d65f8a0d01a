"""Notice: the last day by the agreement's rule, what is lost, and taking it back together."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from agreements.models import Cover, NoticeEffect, NoticeEnds
from agreements.operations import (
    AgreementRefused,
    NewTerm,
    NoticeGiven,
    NotYourParty,
    Phase,
    WrongState,
    agree_to_withdrawal,
    consequences_of_end,
    consequences_of_notice,
    effective_day,
    give_notice,
    last_day_for_notice,
    losses_of,
    validity_of,
)
from collab4m.clock import today
from collab4m.school_year import SchoolYear
from records.models import Event, Outgoing
from tests.agreements.stories import administrator_of, building, draft, party_of, signed
from tests.factories import MembershipFactory, MunicipalityFactory

DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))
MONTHS = st.integers(0, 48)
EFFECTS = st.sampled_from(NoticeEffect.values)


def ends_plainly(received_on: date, months: int, effect: str) -> date:
    """The rule again, day by day: the period passes, and what is then under way comes to its end."""
    month = received_on.month - 1 + months
    year, month = received_on.year + month // 12, month % 12 + 1
    day = received_on.day
    while True:
        try:
            passed = date(year, month, day)
            break
        except ValueError:
            day -= 1
    last_days = {
        NoticeEffect.DAY: lambda one: True,
        NoticeEffect.SCHOOL_YEAR: lambda one: (one.month, one.day) == (6, 30),
        NoticeEffect.SEMESTER: lambda one: (one.month, one.day) in ((6, 30), (12, 31)),
        NoticeEffect.CALENDAR_YEAR: lambda one: (one.month, one.day) == (12, 31),
    }
    while not last_days[NoticeEffect(effect)](passed):
        passed += timedelta(days=1)
    return passed


# The rule


@pytest.mark.parametrize(
    ("received_on", "months", "effect", "last_day"),
    [
        (date(2022, 6, 30), 12, NoticeEffect.SCHOOL_YEAR, date(2023, 6, 30)),
        (date(2022, 7, 1), 12, NoticeEffect.SCHOOL_YEAR, date(2024, 6, 30)),
        (date(2024, 2, 29), 12, NoticeEffect.DAY, date(2025, 2, 28)),
        (date(2023, 2, 28), 12, NoticeEffect.DAY, date(2024, 2, 28)),
        (date(2023, 8, 31), 6, NoticeEffect.DAY, date(2024, 2, 29)),
        (date(2023, 12, 31), 6, NoticeEffect.SEMESTER, date(2024, 6, 30)),
        (date(2024, 1, 1), 6, NoticeEffect.SEMESTER, date(2024, 12, 31)),
        (date(2023, 12, 31), 12, NoticeEffect.CALENDAR_YEAR, date(2024, 12, 31)),
        (date(2024, 1, 1), 12, NoticeEffect.CALENDAR_YEAR, date(2025, 12, 31)),
        (date(2022, 9, 1), 0, NoticeEffect.DAY, date(2022, 9, 1)),
    ],
)
def test_the_last_day(received_on, months, effect, last_day):
    assert effective_day(received_on, months, effect) == last_day


@given(received_on=DAYS, months=MONTHS, effect=EFFECTS)
@example(received_on=date(2024, 2, 29), months=12, effect="day")
@example(received_on=date(2023, 3, 31), months=11, effect="day")
def test_the_last_day_equals_the_rule_counted_day_by_day(received_on, months, effect):
    assert effective_day(received_on, months, effect) == ends_plainly(received_on, months, effect)


@given(received_on=DAYS, months=MONTHS, effect=EFFECTS)
def test_a_day_later_never_ends_earlier(received_on, months, effect):
    assert effective_day(received_on, months, effect) <= effective_day(received_on + timedelta(days=1), months, effect)


@given(end=DAYS, months=st.integers(0, 24), effect=EFFECTS)
@example(end=date(2023, 2, 28), months=1, effect="day")
@example(end=date(2024, 2, 29), months=12, effect="day")
@example(end=date(2023, 6, 30), months=12, effect="school_year")
def test_the_last_day_for_notice_is_the_largest_that_ends_it_in_time(end, months, effect):
    found = last_day_for_notice(end, months, effect)

    days = (end + timedelta(days=1) - timedelta(days=nth) for nth in range(1600))
    assert found == next(day for day in days if effective_day(day, months, effect) <= end)


@given(received_on=DAYS, months=st.integers(1, 24))
def test_notice_one_day_after_the_last_day_for_it_ends_a_year_later(received_on, months):
    end = effective_day(received_on, months, NoticeEffect.SCHOOL_YEAR)

    late = last_day_for_notice(end, months, NoticeEffect.SCHOOL_YEAR) + timedelta(days=1)

    assert effective_day(late, months, NoticeEffect.SCHOOL_YEAR) == date(end.year + 1, 6, 30)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("moment", "is_in_force"),
    [
        (datetime(2024, 6, 30, 21, 59, 59, tzinfo=UTC), True),
        (datetime(2024, 6, 30, 22, 0, 0, tzinfo=UTC), False),
    ],
)
def test_it_ends_at_midnight_in_stockholm(monkeypatch, area, home, neighbour, owner, asker, moment, is_in_force):
    last_day = date(2024, 6, 30)
    made = signed(draft(area, [home, neighbour], owner, programme=building()), is_open_ended=False, last_day=last_day)
    monkeypatch.setattr(timezone, "now", lambda: moment)

    assert validity_of(made).is_in_force(today()) is is_in_force


# Giving it


@pytest.fixture
def agreement(area, home, neighbour, owner, asker):
    return signed(draft(area, [home, neighbour], owner, programme=building()))


def notice(agreement, municipality, received_on=None, **more):
    received_on = received_on or today()
    values = {"given_on": received_on, "received_on": received_on} | more
    return give_notice(
        party_of(agreement, municipality),
        by=administrator_of(municipality),
        on_behalf_of=municipality.body,
        **values,
    )


def test_notice_keeps_the_rule_shortens_cover_and_tells_all(agreement, home, neighbour):
    made = notice(agreement, home, reason="  Eget program startar.  ")

    end = effective_day(today(), 12, NoticeEffect.SCHOOL_YEAR)
    assert (made.months, made.effect, made.ends, made.effective_on) == (12, "school_year", "for_all", end)
    assert made.reason == "Eget program startar."
    assert {cover.years.upper for cover in Cover.objects.all()} == {end.year}
    assert validity_of(agreement).ended_by == "notice"
    assert Event.objects.about(agreement).filter(name="agreement.notice_given").count() == 1
    told = set(Outgoing.objects.filter(kind="agreements.notice").values_list("to", flat=True))
    assert told == {administrator_of(home).email, administrator_of(neighbour).email}


@pytest.mark.parametrize(
    ("given_on", "received_on", "field"),
    [
        (1, 1, "given_on"),
        (0, 1, "received_on"),
        (0, -1, "received_on"),
        (date(1926, 5, 1), date(1926, 5, 1), "given_on"),
        (date(2022, 6, 30), date(2022, 7, 1), "given_on"),
    ],
)
def test_days_that_cannot_be_right_are_refused(agreement, home, given_on, received_on, field):
    """A number is days from today."""
    given_on, received_on = (
        today() + timedelta(days=day) if isinstance(day, int) else day for day in (given_on, received_on)
    )

    with pytest.raises(AgreementRefused) as refused:
        notice(agreement, home, given_on=given_on, received_on=received_on)

    assert refused.value.field == field
    assert not agreement.notices.exists()


def test_a_party_gives_notice_once(agreement, home, neighbour):
    notice(agreement, home)

    with pytest.raises(NoticeGiven):
        notice(agreement, home)

    assert notice(agreement, neighbour)


def test_nobody_gives_notice_for_another(agreement, home, neighbour, asker):
    with pytest.raises(NotYourParty):
        give_notice(
            party_of(agreement, home), given_on=today(), received_on=today(), by=asker, on_behalf_of=neighbour.body
        )


def test_a_draft_and_an_agreement_that_has_ended_take_no_notice(area, home, neighbour, owner, asker):
    begun = draft(area, [home, neighbour], owner)
    ended = signed(
        draft(area, [home, neighbour], owner, programme=building()), is_open_ended=False, last_day=date(2024, 6, 30)
    )

    for agreement in (begun, ended):
        with pytest.raises(WrongState):
            notice(agreement, home)
        with pytest.raises(WrongState):
            consequences_of_notice(agreement, home, today())


# What is lost


def test_what_is_lost_is_told_before_anybody_gives_notice(agreement, home, neighbour, owner):
    consequence = consequences_of_notice(agreement, home, today())

    end = effective_day(today(), 12, NoticeEffect.SCHOOL_YEAR)
    assert (consequence.effective_on, consequence.ends) == (end, NoticeEnds.FOR_ALL)
    losses = losses_of(consequence, owner)
    assert [(loss.cover.orientation.code, loss.first_lost, loss.still) for loss in losses] == [
        ("BAHUS", SchoolYear(end.year), None),
        ("BAMAR", SchoolYear(end.year), None),
    ]
    assert not agreement.notices.exists()
    assert {cover.years.upper for cover in Cover.objects.all()} == {None}
    notice(agreement, home)
    assert {cover.years.upper for cover in Cover.objects.all()} == {loss.first_lost.starts for loss in losses}


def test_a_party_that_leaves_takes_only_its_own_cover_with_it(area, home, neighbour, owner, asker):
    third = MembershipFactory(area=area, municipality=MunicipalityFactory(name="Strängnäs", code="0486")).municipality
    programme = building()
    terms = [NewTerm(home, neighbour, programme), NewTerm(third, neighbour, programme)]
    made = signed(draft(area, [home, neighbour, third], owner, terms=terms), notice_ends=NoticeEnds.FOR_PARTY)

    consequence = consequences_of_notice(made, third, today())
    notice(made, third)

    assert {cover.home for cover, _first in consequence.shortened} == {third}
    ends = {cover.home: cover.years.upper for cover in Cover.objects.select_related("home")}
    assert ends == {home: None, third: consequence.effective_on.year}
    assert validity_of(made).last_day is None


def test_between_two_parties_notice_ends_it_whatever_the_rule_says(area, home, neighbour, owner, asker):
    made = signed(draft(area, [home, neighbour], owner, programme=building()), notice_ends=NoticeEnds.FOR_PARTY)

    assert consequences_of_notice(made, home, today()).ends == NoticeEnds.FOR_ALL
    assert notice(made, home).ends == NoticeEnds.FOR_ALL


def test_cover_by_another_agreement_is_told(area, home, neighbour, owner, asker):
    programme = building()
    made = signed(draft(area, [home, neighbour], owner, programme=programme, standing="primary"))
    beside = signed(draft(area, [home, neighbour], owner, programme=programme, standing="secondary"))

    losses = losses_of(consequences_of_notice(made, home, today()), owner)

    assert {loss.still for loss in losses} == {beside}


def test_an_end_on_a_day_loses_the_intakes_after_it(agreement):
    consequence = consequences_of_end(agreement, date(2030, 8, 14))

    assert {first for _cover, first in consequence.shortened} == {2030}


# Taking it back


def test_it_is_withdrawn_when_all_have_agreed_and_cover_is_as_before(agreement, home, neighbour):
    made = notice(agreement, home)

    agree_to_withdrawal(made, party_of(agreement, home), by=administrator_of(home), on_behalf_of=home.body)
    assert validity_of(agreement).last_day == made.effective_on
    with pytest.raises(WrongState):
        agree_to_withdrawal(made, party_of(agreement, home), by=administrator_of(home), on_behalf_of=home.body)
    agree_to_withdrawal(
        made, party_of(agreement, neighbour), by=administrator_of(neighbour), on_behalf_of=neighbour.body
    )

    assert validity_of(agreement).last_day is None
    assert {cover.years.upper for cover in Cover.objects.all()} == {None}
    assert validity_of(agreement).phase(today()) == Phase.IN_FORCE
    assert notice(agreement, home)


def test_a_notice_that_has_taken_effect_stands(agreement, home):
    this_year = SchoolYear.of(today())
    made = notice(agreement, home, date(this_year.starts - 1, 6, 30))

    with pytest.raises(WrongState):
        agree_to_withdrawal(made, party_of(agreement, home), by=administrator_of(home), on_behalf_of=home.body)
