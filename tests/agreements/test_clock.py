"""The yearly clock: when its days come, whose they are to change, and what comes with the portal."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements.models import ClockDay, ClockEvent
from agreements.operations import (
    ClockDayExists,
    ClockDayGone,
    ClockDayRefused,
    ClockNotYours,
    add_clock_day,
    change_clock_day,
    clock_year,
    coming_among,
    coming_days,
    day_in,
    facts_of,
    load_reference,
    remove_clock_day,
)
from collab4m.school_year import SchoolYear
from organisations.models import CollaborationArea
from organisations.operations import ChangedMeanwhile, seen_of
from organisations.operations import load_reference as load_organisations
from programmes.operations import load_reference as load_programmes
from records.models import CameIn, Event, Source
from tests.agreements.stories import draft, signed
from tests.factories import AreaFactory, ProgrammeFactory, RoleFactory

pytestmark = pytest.mark.django_db


def on_the_clock(area, event, month, day, year=None, **facts):
    return ClockDay.objects.create(area=area, event=event, month=month, day=day, year=year, **facts)


def coming(area, on):
    return [(day.isoformat(), event.value) for day, event, _one in coming_days(area, on)]


@pytest.fixture
def acting(owner, home):
    return {"by": owner, "on_behalf_of": home.body}


# When


def test_a_day_of_every_year_comes_on_the_day_itself_and_then_a_year_later(area):
    on_the_clock(area, "annex", 12, 15)

    assert coming(area, date(2026, 12, 15)) == [("2026-12-15", "annex")]
    assert coming(area, date(2026, 12, 16)) == [("2027-12-15", "annex")]


def test_the_29th_of_february_is_the_28th_in_other_years(area):
    on_the_clock(area, "follow_up", 2, 29)

    assert coming(area, date(2028, 1, 1)) == [("2028-02-29", "follow_up")]
    assert coming(area, date(2026, 2, 28)) == [("2026-02-28", "follow_up")]
    assert coming(area, date(2026, 3, 1)) == [("2027-02-28", "follow_up")]
    assert coming(area, date(2028, 2, 29)) == [("2028-02-29", "follow_up")]


def test_a_day_of_one_year_comes_once(area):
    on_the_clock(area, "application_opens", 1, 13, 2022)

    assert coming(area, date(2022, 1, 13)) == [("2022-01-13", "application_opens")]
    assert coming(area, date(2022, 1, 14)) == []


def test_a_day_of_one_year_stands_instead_of_the_one_of_every_year(area):
    on_the_clock(area, "annex", 12, 15)
    on_the_clock(area, "annex", 12, 1, 2026)

    assert coming(area, date(2026, 11, 1)) == [("2026-12-01", "annex")]
    assert coming(area, date(2026, 12, 2)) == [("2027-12-15", "annex")]
    assert coming(area, date(2025, 12, 16)) == [("2026-12-01", "annex")]


def test_days_come_in_order_and_other_areas_days_not_at_all(area):
    on_the_clock(area, "price_list", 1, 31)
    on_the_clock(area, "annex", 12, 15)
    on_the_clock(AreaFactory(), "rechoice", 12, 16)

    assert coming(area, date(2026, 12, 1)) == [("2026-12-15", "annex"), ("2027-01-31", "price_list")]


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.one_of(st.none(), st.integers(2020, 2030)),
        st.tuples(st.integers(1, 12), st.integers(1, 31)).filter(lambda one: one[1] <= (29 if one[0] == 2 else 30)),
        max_size=5,
    ),
    st.dates(date(2019, 1, 1), date(2032, 12, 31)),
)
def test_the_next_day_is_the_first_that_a_walk_through_the_calendar_meets(days, on):
    rows = [ClockDay(event="annex", year=year, month=month, day=day) for year, (month, day) in days.items()]
    met = None
    for year in range(on.year, on.year + 14):
        facts = days.get(year, days.get(None))
        if facts and (day := day_in(year, *facts)) >= on:
            met = day
            break

    assert [day for day, _event, _one in coming_among(rows, on)] == ([met] if met else [])


# A school year


def shown(found):
    return [
        (day.isoformat(), one.event) for month in found.months for day, one in month.days
    ]  # fmt: skip


def test_a_school_year_runs_from_july_and_says_what_is_not_set(area, owner):
    on_the_clock(area, "annex", 12, 15)
    on_the_clock(area, "final_admission", 7, 2, 2022)
    earlier = on_the_clock(area, "application_opens", 1, 13, 2022)

    found = clock_year(area, SchoolYear(2022), owner)

    assert [month.first_day for month in found.months] == [date(2022, m, 1) for m in range(7, 13)] + [
        date(2023, m, 1) for m in range(1, 7)
    ]
    assert shown(found) == [("2022-07-02", "final_admission"), ("2022-12-15", "annex")]
    unset = {event: (day, one) for event, day, one in found.unset}
    assert unset[ClockEvent.APPLICATION_OPENS] == (date(2022, 1, 13), earlier)
    assert unset[ClockEvent.RECHOICE] == (None, None)
    assert len(unset) == len(ClockEvent) - 2


def test_signed_agreements_own_days_are_shown_while_they_hold(area, home, neighbour, owner, outsider):
    agreement = signed(draft(area, [home, neighbour], programme=ProgrammeFactory()), annex_month=11, annex_day=30)
    draft(area, [home, neighbour])

    def annexes(year, reader=owner):
        found = clock_year(area, SchoolYear(year), reader)
        return [(one.day.isoformat(), one.event.value, one.agreement) for m in found.months for one in m.annexes]

    assert annexes(2022) == [
        ("2022-10-15", "follow_up", agreement), ("2022-11-30", "annex", agreement),
    ]  # fmt: skip
    assert annexes(2021) == []
    assert annexes(2022, outsider) == []


# Changing


def test_a_day_is_added_changed_and_removed_with_history(area, acting):
    made = add_clock_day(area, event="rechoice", month=4, day=22, year=2027, lead_days=14, **acting)
    changed = change_clock_day(made, day=23, lead_days=None, source_note="Antagningskansliet", checked=True, **acting)
    assert facts_of(changed) == {
        "year": 2027, "month": 4, "day": 23, "lead_days": None, "source_note": "Antagningskansliet",
    }  # fmt: skip
    assert changed.verified
    remove_clock_day(changed, **acting)

    assert not ClockDay.objects.exists()
    events = Event.objects.about(area).filter(name__startswith="clock_day.")
    assert [event.name for event in events] == ["clock_day.removed", "clock_day.changed", "clock_day.added"]
    assert events[1].changes == {
        "day": ["22", "23"], "lead_days": ["14", ""], "source_note": ["", "Antagningskansliet"],
    }  # fmt: skip


def test_a_changed_day_leaves_its_source_but_a_lead_time_says_nothing_of_the_day(area, acting):
    source = Source.objects.create(key="k")
    facts = {"source": source, "came_in": CameIn.REFERENCE, "verified": True}
    one = on_the_clock(area, "annex", 12, 15, **facts)

    one = change_clock_day(one, lead_days=30, **acting)
    assert (one.source, one.verified, one.came_in) == (source, True, CameIn.FORM)

    one = change_clock_day(one, day=16, **acting)
    assert (one.source, one.verified) == (None, False)


def test_a_save_on_top_of_anothers_is_refused_with_what_stands(area, acting):
    one = on_the_clock(area, "annex", 12, 15)
    seen = seen_of(facts_of(one))
    change_clock_day(one, day=16, seen=seen, **acting)

    with pytest.raises(ChangedMeanwhile) as told:
        change_clock_day(one, day=17, seen=seen, **acting)
    assert told.value.differs == {"day": 16}
    change_clock_day(one, day=16, seen=seen, **acting)  # what stands already

    one.refresh_from_db()
    assert one.day == 16


def test_what_somebody_has_removed_cannot_be_changed(area, acting):
    one = on_the_clock(area, "annex", 12, 15)
    remove_clock_day(one, **acting)
    one.pk = one.pk or 1

    with pytest.raises(ClockDayGone):
        change_clock_day(one, day=1, **acting)


def test_an_event_has_one_day_of_every_year_and_one_of_each_year(area, acting):
    add_clock_day(area, event="annex", month=12, day=15, **acting)
    other = add_clock_day(area, event="annex", month=12, day=15, year=2027, **acting)

    for year in (None, 2027):
        with pytest.raises(ClockDayExists):
            add_clock_day(area, event="annex", month=1, day=1, year=year, **acting)
    with pytest.raises(ClockDayExists):
        change_clock_day(other, year=None, **acting)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"month": 13}, "month"),
        ({"day": 31, "month": 4}, "day"),
        ({"day": 30, "month": 2}, "day"),
        ({"day": 29, "month": 2, "year": 2027}, "day"),
        ({"day": 0}, "day"),
        ({"year": 1999}, "year"),
        ({"lead_days": 366}, "lead_days"),
        ({"event": "nyår"}, "event"),
    ],
)
def test_a_day_that_is_not_in_the_calendar_is_refused(area, acting, facts, field):
    with pytest.raises(ClockDayRefused) as told:
        add_clock_day(area, **{"event": "annex", "month": 12, "day": 15, **facts}, **acting)
    assert told.value.field == field


def test_the_clock_is_set_by_administrators_of_members(
    area, home, neighbour, owner, asker, outsider, committee, elsewhere
):
    one = on_the_clock(area, "annex", 12, 15)
    for by, body in (
        (outsider, elsewhere),
        (outsider, home),
        (committee, home),
        (owner, neighbour),
        (owner, elsewhere),
    ):
        with pytest.raises(ClockNotYours):
            remove_clock_day(one, by=by, on_behalf_of=body.body)
        with pytest.raises(ClockNotYours):
            add_clock_day(area, event="rechoice", month=4, day=1, by=by, on_behalf_of=body.body)

    change_clock_day(one, day=16, by=asker, on_behalf_of=neighbour.body)


# What comes with the portal


@pytest.fixture
def loaded(db):
    load_organisations(history=False)
    load_programmes(history=False)
    load_reference(history=False)


def test_the_portals_days_are_of_their_year_and_carry_their_source(loaded):
    rows = {row.event: row for row in ClockDay.objects.select_related("source", "area")}

    assert {row.area.slug for row in rows.values()} == {"4m"}
    assert (rows["annex"].year, rows["annex"].month, rows["annex"].day) == (None, 12, 15)
    assert {event for event, row in rows.items() if row.year == 2022} == {
        "application_opens", "application_closes", "preliminary_admission", "rechoice", "final_admission",
        "last_answer", "reserves_from", "reserves_to",
    }  # fmt: skip
    assert all(row.source for row in rows.values())


def test_loading_again_changes_nothing(loaded):
    again = {one.file: one for one in load_reference(history=False)}["clock_days"]

    assert (again.created, again.changed, again.ended) == (0, 0, 0)


def test_a_day_that_was_removed_stays_away_when_the_files_are_loaded_again(loaded):
    area = CollaborationArea.objects.get(slug="4m")
    member = area.memberships.select_related("municipality").first().municipality
    user = RoleFactory(kind="administrator", body=member.body).user
    remove_clock_day(ClockDay.objects.get(event="annex"), by=user, on_behalf_of=member.body)

    again = {one.file: one for one in load_reference(history=False)}["clock_days"]

    assert not ClockDay.objects.filter(event="annex").exists()
    assert again.created == 0
