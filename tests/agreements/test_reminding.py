"""Reminders: each party is told of what is coming at its own two lead times, once, and never of what has passed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from agreements.models import ClockDay, NoticeEffect, Reminder
from agreements.operations import coming_of, give_notice, remind_due
from records.models import Outgoing
from tests.agreements.stories import administrator_of, building, draft, party_of, signed

END = date(2030, 6, 30)
LONG_BEFORE = date(2029, 7, 1)


@pytest.fixture
def agreement(area, home, neighbour, owner, asker):
    made = draft(area, [home, neighbour], owner, programme=building(), title="Bygg")
    made.parties.filter(municipality=home).update(first_lead_days=100, second_lead_days=30)
    made.parties.filter(municipality=neighbour).update(first_lead_days=60, second_lead_days=60)
    signed(made, is_open_ended=False, last_day=END)
    Outgoing.objects.all().delete()
    return made


@pytest.fixture
def open_ended(area, home, neighbour, owner, asker):
    made = signed(draft(area, [home, neighbour], owner, programme=building(), title="Utan slut"))
    Outgoing.objects.all().delete()
    return made


def told() -> list[str]:
    """To whom mail about the clock was written, in order."""
    return list(Outgoing.objects.filter(kind="agreements.clock").order_by("pk").values_list("to", flat=True))


def test_each_party_is_told_at_its_own_lead_times(agreement, owner, asker):
    by_day = {}
    day = LONG_BEFORE
    while day <= END + timedelta(days=2):
        before = len(told())
        remind_due(day)
        if len(told()) > before:
            by_day[day] = told()[before:]
        day += timedelta(days=1)

    assert by_day == {
        END - timedelta(days=100): [owner.email],
        END - timedelta(days=60): [asker.email],
        END - timedelta(days=30): [owner.email],
    }
    assert set(Reminder.objects.values_list("municipality__name", "about")) == {
        ("Enköping", "end:2030-06-30:1"),
        ("Enköping", "end:2030-06-30:2"),
        ("Västerås", "end:2030-06-30:1"),
        ("Västerås", "end:2030-06-30:2"),
    }


def test_running_twice_tells_once(agreement, owner):
    day = END - timedelta(days=100)

    assert (remind_due(day), remind_due(day)) == (1, 0)
    assert told() == [owner.email]


def test_what_came_due_during_downtime_is_told_once(agreement, owner, asker):
    assert remind_due(END - timedelta(days=103)) == 0
    assert remind_due(END - timedelta(days=97)) == 1
    # Down again: both of one's lead times have come meanwhile for the other, and one mail says it.
    assert remind_due(END - timedelta(days=10)) == 2
    assert remind_due(END - timedelta(days=9)) == 0
    assert sorted(told()) == sorted([owner.email, owner.email, asker.email])


def test_nobody_is_told_of_a_day_that_has_passed(agreement):
    assert remind_due(END + timedelta(days=1)) == 0
    assert not Reminder.objects.exists()


def test_the_last_day_itself_is_told_of(agreement):
    assert remind_due(END) == 2


def test_an_open_ended_agreement_tells_of_the_last_day_for_notice(open_ended, owner):
    (coming,) = coming_of(owner, date(2029, 6, 1))

    assert (coming.what, coming.day, coming.lead_days) == ("notice", date(2029, 6, 30), (180, 60))
    assert coming_of(owner, date(2029, 7, 1)) == []
    (coming,) = coming_of(owner, date(2030, 1, 1))
    assert coming.day == date(2030, 6, 30)
    assert remind_due(date(2029, 6, 1)) == 2
    assert set(Reminder.objects.values_list("about", flat=True)) == {"notice:2029-06-30:1", "notice:2029-06-30:2"}


def test_where_every_day_is_as_good_there_is_no_last_day_for_notice(area, home, neighbour, owner, asker):
    signed(draft(area, [home, neighbour], owner, programme=building()), notice_effect=NoticeEffect.DAY)

    assert coming_of(owner, date(2029, 6, 1)) == []
    assert remind_due(date(2029, 6, 1)) == 0


def test_notice_moves_the_day(open_ended, home, owner):
    from collab4m.clock import today

    notice = give_notice(
        party_of(open_ended, home), given_on=today(), received_on=today(),
        by=administrator_of(home), on_behalf_of=home.body,
    )  # fmt: skip

    (coming,) = coming_of(owner, notice.effective_on)
    assert (coming.what, coming.day) == ("end", notice.effective_on)
    assert coming.address == open_ended.get_absolute_url()


def test_an_agreement_that_is_replaced_does_not_end_for_anybody(open_ended, area, home, neighbour, owner):
    heir = draft(area, [home, neighbour], owner, programme=building_again(), replaces=open_ended)
    signed(heir, first_day=date(2029, 7, 1))

    assert [coming.agreements for coming in coming_of(owner, date(2029, 6, 1))] == [[heir]]


def building_again():
    from programmes.models import Programme

    return Programme.objects.get(code="BA")


# The days of the year


def test_the_clock_tells_every_member_once_a_year(area, home, neighbour, owner, asker):
    ClockDay.objects.create(area=area, event="price_list", month=1, day=31, lead_days=14)
    ClockDay.objects.create(area=area, event="annex", month=12, day=15)

    assert remind_due(date(2030, 1, 16)) == 0
    assert remind_due(date(2030, 1, 17)) == 2
    assert remind_due(date(2030, 1, 31)) == 0
    assert remind_due(date(2030, 2, 1)) == 0
    assert remind_due(date(2031, 1, 31)) == 2
    assert sorted(told()) == sorted(2 * [owner.email, asker.email])


def test_the_day_of_the_annex_names_the_agreements_in_force(open_ended, area, owner):
    ClockDay.objects.create(area=area, event="annex", month=12, day=15, lead_days=30)

    coming = next(one for one in coming_of(owner, date(2029, 12, 1)) if one.event)

    assert coming.agreements == [open_ended]
    assert coming.day == date(2029, 12, 15)
    remind_due(date(2029, 12, 1))
    text = Outgoing.objects.filter(kind="agreements.clock").order_by("pk").last().text
    assert str(open_ended) in text


def test_only_the_parties_are_told(agreement, owner, outsider, roleless, committee):
    day = END - timedelta(days=20)

    assert [coming.day for coming in coming_of(owner, day)] == [END]
    assert [coming.day for coming in coming_of(committee, day)] == [END]
    assert coming_of(outsider, day) == []
    assert coming_of(roleless, day) == []


@pytest.mark.parametrize("number", [1, 3])
def test_what_is_coming_costs_the_same_however_much_there_is(
    django_assert_num_queries, area, home, neighbour, owner, asker, number
):
    for nth in range(number):
        programme = building() if nth == 0 else None
        signed(
            draft(area, [home, neighbour], owner, programme=programme, title=f"Avtal {nth}")
            if programme
            else draft(
                area, [home, neighbour], owner, programme=building_again(), standing=["primary", "secondary"][nth - 1]
            )
        )
    ClockDay.objects.create(area=area, event="annex", month=12, day=15, lead_days=300)
    owner.bodies_today()

    with django_assert_num_queries(7):
        assert len(coming_of(owner, date(2029, 6, 1))) == number + 1
