"""Series: dates by the clock, a preview that holds, all or none, and changing or letting go of some of them."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from django.core import mail
from django.utils.timezone import localtime

from collab4m.clock import today
from collab4m.school_year import SchoolYear
from organisations.models import RoleKind, SchoolBreak, Semester
from records.operations import deliver_mail
from resources.models import Approval, Booking, OpenRule, RequestState, Series, Takes, Unit
from resources.operations import (
    Alternative,
    BookingRefused,
    DateState,
    KeyUsed,
    MayNotAsk,
    NotAlive,
    Pattern,
    Scope,
    SlotTaken,
    approve_booking,
    cancel_booking,
    cancel_series,
    decide_series,
    in_scope,
    local,
    move_series,
    open_up,
    preview,
    preview_move,
    request_booking,
    request_series,
)
from tests.factories import MembershipFactory, ResourceFactory, RoleFactory


@pytest.fixture
def tuesday():
    """A Tuesday in two weeks."""
    day = today() + timedelta(days=14)
    return day + timedelta(days=(2 - day.isoweekday()) % 7)


@pytest.fixture
def ask(home, owner):
    def asked(resource, pattern, **more):
        return request_series(
            resource, pattern, **({"purpose": "Kursdagar", "by": owner, "on_behalf_of": home.body} | more)
        )

    return asked


@pytest.fixture
def taken(asker, neighbour):
    """Take a resource on a day from nine to ten, in its owner's name."""

    def take(resource, day, hour=9):
        return request_booking(
            resource, starts_at=local(day, time(hour)), ends_at=local(day, time(hour + 1)), purpose="Eget bruk",
            by=asker, on_behalf_of=neighbour.body,
        )  # fmt: skip

    return take


def weekly(first, dates, starts=time(9), minutes=120, **more):
    return Pattern(first, first + timedelta(weeks=dates - 1), starts, minutes, **more)


def hours(bookings):
    return [(localtime(one.starts_at).hour, localtime(one.ends_at).hour) for one in bookings]


# Which dates


def test_the_hours_by_the_clock_stay_over_both_changes(van, ask):
    monday = today() + timedelta(days=7 - today().weekday())
    pattern = weekly(monday, 53)

    _series, made = ask(van, pattern)

    assert set(hours(made)) == {(9, 11)}
    assert len({localtime(one.starts_at).utcoffset() for one in made}) == 2
    assert len(made) == 53


def test_every_other_week_goes_on_through_week_53():
    monday = date(2026, 12, 7)

    found = Pattern(monday, monday + timedelta(weeks=8), time(9), 60, every_weeks=2).dates()

    assert [day.isocalendar()[:2] for day in found] == [(2026, 50), (2026, 52), (2027, 1), (2027, 3), (2027, 5)]
    assert date(2026, 12, 28).isocalendar().week == 53


def test_several_weekdays_and_leap_day():
    found = Pattern(date(2028, 2, 28), date(2028, 3, 2), time(9), 60, weekdays=[2, 4]).dates()

    assert found == [date(2028, 2, 29), date(2028, 3, 2)]


def test_the_breaks_of_a_municipality_are_left_out(home, tuesday):
    off = tuesday + timedelta(weeks=1)
    SchoolBreak.objects.create(
        municipality=home, name="Lov", school_year=SchoolYear.of(off), valid=(off, off + timedelta(days=4))
    )

    assert weekly(tuesday, 3, breaks_of=home).dates() == [tuesday, tuesday + timedelta(weeks=2)]
    assert weekly(tuesday, 3, breaks_of=home).skipped() == [tuesday + timedelta(weeks=1)]


def test_the_time_between_two_semesters_is_left_out_as_a_break_is(home, neighbour):
    year, tuesdays = SchoolYear(2026), [date(2026, 12, 15) + timedelta(weeks=number) for number in range(5)]
    pattern = Pattern(tuesdays[0], tuesdays[-1], time(9), 60, breaks_of=home)
    Semester.objects.create(
        municipality=home, kind="HT", school_year=year, valid=(date(2026, 8, 18), date(2026, 12, 22))
    )
    assert pattern.skipped() == []  # who knows when the next begins?

    Semester.objects.create(
        municipality=home, kind="VT", school_year=year, valid=(date(2027, 1, 12), date(2027, 6, 12))
    )

    assert pattern.skipped() == tuesdays[1:4]
    assert pattern.dates() == [tuesdays[0], tuesdays[4]]
    assert replace(pattern, breaks_of=neighbour).skipped() == []


def test_between_semesters_that_lie_far_apart_one_is_missing_and_nothing_is_left_out(home):
    for year in (2026, 2027):
        Semester.objects.create(
            municipality=home, kind="HT", school_year=SchoolYear(year),
            valid=(date(year, 8, 18), date(year, 12, 22)),
        )  # fmt: skip

    assert Pattern(date(2027, 1, 5), date(2027, 2, 2), time(9), 60, breaks_of=home).skipped() == []


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"last_day": date(2026, 1, 1)}, "last_day"),
        ({"last_day": date(2036, 1, 1)}, "last_day"),
        ({"last_day": date(2028, 12, 31), "weekdays": range(1, 8)}, "last_day"),
        ({"every_weeks": 0}, "every_weeks"),
        ({"every_weeks": 53}, "every_weeks"),
        ({"weekdays": [1], "last_day": date(2027, 1, 6)}, "weekdays"),
    ],
)
def test_rules_that_give_no_dates_or_too_many_say_what_to_change(more, field):
    given = {"first_day": date(2027, 1, 5), "last_day": date(2027, 2, 5), "starts": time(9), "minutes": 60} | more

    with pytest.raises(BookingRefused) as refused:
        Pattern(**given).dates()

    assert refused.value.field == field


# The preview, and asking


def test_the_preview_lists_exactly_what_is_taken_or_closed_each_with_a_substitute(
    van, taken, owner, neighbour, tuesday
):
    off = tuesday + timedelta(weeks=8)
    SchoolBreak.objects.create(
        municipality=neighbour, name="Lov", school_year=SchoolYear.of(off), valid=(off, off + timedelta(days=4))
    )
    for weekday in range(1, 6):
        OpenRule.objects.create(resource=van, weekday=weekday, opens=time(8), closes=time(16), on_red_days=True)
    open_up(van)
    for weeks in (2, 5, 11):
        taken(van, tuesday + timedelta(weeks=weeks))
    pattern = weekly(tuesday, 20)

    found = preview(van, pattern.times(), user=owner)

    hindered = {2: DateState.TAKEN, 5: DateState.TAKEN, 8: DateState.CLOSED, 11: DateState.TAKEN}
    assert [one.state for one in found] == [hindered.get(place, DateState.FREE) for place in range(20)]
    assert all(found[place].instead for place in hindered)


def test_the_preview_names_the_turnaround_and_the_date_before(van, taken, owner, tuesday):
    van.turnaround_minutes = 30
    van.save()
    taken(van, tuesday, hour=11)

    found = preview(van, weekly(tuesday, 1).times(), user=owner)
    daily = Pattern(tuesday + timedelta(weeks=1), tuesday + timedelta(weeks=1, days=1), time(9), 60 * 30, range(1, 8))
    long = preview(van, daily.times(), user=owner)

    assert (found[0].state, "30" in found[0].why) == (DateState.TAKEN, True)
    assert [one.state for one in long] == [DateState.FREE, DateState.REFUSED]


def test_the_preview_names_the_part_of_a_whole_that_is_taken(van, taken, owner, neighbour, tuesday):
    south = ResourceFactory(name="Södra halvan", municipality=neighbour, category=van.category)
    whole = ResourceFactory(municipality=neighbour, category=van.category, units=[*van.units.all(), *south.units.all()])
    taken(south, tuesday)
    taken(whole, tuesday + timedelta(weeks=1))

    part, everything = preview(whole, weekly(tuesday, 2).times(), user=owner)

    assert (part.state, part.why) == (DateState.TAKEN, "Södra halvan är upptagen då.")
    assert (everything.state, everything.why) == (DateState.TAKEN, "")


def test_the_preview_says_how_many_of_a_pool_are_left(asker, owner, neighbour, van, tuesday):
    tablets = [Unit.objects.create(owner=neighbour.body, name=f"iPad {number}") for number in range(1, 7)]
    pool = ResourceFactory(municipality=neighbour, category=van.category, units=tablets, takes=Takes.SOME)
    nine = local(tuesday, time(9))
    request_booking(
        pool, starts_at=nine, ends_at=nine + timedelta(hours=1), purpose="Eget bruk", quantity=4, by=asker,
        on_behalf_of=neighbour.body,
    )  # fmt: skip

    (found,) = preview(pool, weekly(tuesday, 1).times(), user=owner, quantity=3)

    assert (found.state, found.why) == (DateState.TAKEN, "2 av 6 är lediga då.")


@pytest.mark.parametrize("dates", [2, 12])
def test_the_preview_asks_as_much_of_the_database_for_many_dates_as_for_few(
    van, taken, owner, tuesday, dates, django_assert_num_queries
):
    for weeks in range(dates):
        taken(van, tuesday + timedelta(weeks=weeks))
    times = weekly(tuesday, dates).times()

    with django_assert_num_queries(9):
        found = preview(van, times, user=owner)

    assert [one.state for one in found] == [DateState.TAKEN] * dates


def test_a_substitute_is_neither_a_date_of_the_series_nor_offered_twice(van, taken, owner, tuesday):
    for days in range(2):
        taken(van, tuesday + timedelta(days=days))
    pattern = Pattern(tuesday, tuesday + timedelta(days=3), time(9), 60, range(1, 8))

    found = preview(van, pattern.times(), user=owner)

    spans = [(one.starts_at, one.ends_at) for one in found]
    spans += [(other.starts_at, other.ends_at) for one in found for other in one.instead]
    assert any(one.instead for one in found)
    assert not any(a[0] < b[1] and b[0] < a[1] for a in spans for b in spans if a is not b)


def test_what_is_free_right_after_a_taken_time_is_offered_though_it_runs_into_it(van, taken, owner, tuesday):
    van.turnaround_minutes = 0
    van.save()
    taken(van, tuesday)
    nine = weekly(tuesday, 1).times()[0][0]

    (found,) = preview(van, [(nine, nine + timedelta(hours=2))], user=owner)

    assert found.instead[0].starts_at == nine + timedelta(hours=1)


def test_what_is_asked_for_is_what_was_shown_with_substitutes_and_without_what_is_left_out(
    van, ask, taken, tuesday, owner
):
    twin = ResourceFactory(municipality=van.municipality, category=van.category, capacity=9)
    days = [tuesday + timedelta(weeks=weeks) for weeks in range(4)]
    taken(van, days[1])
    pattern = weekly(tuesday, 4)
    other = next(one for one in preview(van, pattern.times(), user=owner)[1].instead if one.resource == twin)

    series, made = ask(van, pattern, leave_out=[days[3]], instead={days[1]: other})

    assert [(one.resource, localtime(one.starts_at).date()) for one in made] == [
        (van, days[0]), (twin, days[1]), (van, days[2]),
    ]  # fmt: skip
    assert {one.series for one in made} == {series}


def test_a_date_that_is_taken_meanwhile_undoes_the_whole(van, ask, taken, tuesday):
    taken(van, tuesday + timedelta(weeks=2))

    with pytest.raises(SlotTaken) as refused:
        ask(van, weekly(tuesday, 3))

    assert refused.value.alternatives
    assert Series.objects.count() == 0
    assert Booking.objects.count() == 1


def test_the_same_key_is_the_same_series(van, ask, tuesday):
    first, made = ask(van, weekly(tuesday, 3), idempotency_key="k")

    assert ask(van, weekly(tuesday, 3), idempotency_key="k") == (first, made)
    assert Booking.objects.count() == 3


def test_a_key_of_a_series_is_for_one_body(van, ask, tuesday, two_homes, home, neighbour):
    ask(van, weekly(tuesday, 3), idempotency_key="k", by=two_homes, on_behalf_of=home.body)

    with pytest.raises(KeyUsed):
        ask(van, weekly(tuesday, 3), idempotency_key="k", by=two_homes, on_behalf_of=neighbour.body)


def test_the_owner_gets_one_mail_about_a_series(van, ask, tuesday, asker):
    van.approval = Approval.BY_OWNER
    van.save()
    ask(van, weekly(tuesday, 3))

    deliver_mail()

    assert [sent.to for sent in mail.outbox] == [[asker.email]]


# Changing and letting go


@pytest.fixture
def three(van, ask, tuesday):
    _series, made = ask(van, weekly(tuesday, 3))
    return made


def test_one_the_following_or_all_move_to_another_weekday_and_hour(three, owner, home, tuesday):
    who = {"by": owner, "on_behalf_of": home.body}
    wednesday = tuesday + timedelta(weeks=1, days=1)

    move_series(
        three[1], Scope.FOLLOWING, starts_at=local(wednesday, time(13)), ends_at=local(wednesday, time(16)), **who
    )

    found = list(Booking.objects.order_by("pk"))
    assert hours(found) == [(9, 11), (13, 16), (13, 16)]
    assert [localtime(one.starts_at).isoweekday() for one in found] == [2, 3, 3]
    move_series(found[0], Scope.ONE, starts_at=local(tuesday, time(7)), ends_at=local(tuesday, time(8)), **who)
    found = list(Booking.objects.order_by("pk"))
    assert hours(found) == [(7, 8), (13, 16), (13, 16)]
    move_series(found[1], Scope.ALL, starts_at=local(wednesday, time(10)), ends_at=local(wednesday, time(11)), **who)
    assert hours(Booking.objects.order_by("pk")) == [(10, 11)] * 3


def test_a_series_may_move_onto_its_own_times(van, ask, owner, home, tuesday):
    daily = Pattern(tuesday, tuesday + timedelta(days=3), time(9), 120, range(1, 8))
    _series, made = ask(van, daily)
    later = tuesday + timedelta(days=1)

    move_series(
        made[0],
        Scope.ALL,
        starts_at=local(later, time(9)),
        ends_at=local(later, time(11)),
        by=owner,
        on_behalf_of=home.body,
    )

    found = [localtime(one.starts_at).date() for one in Booking.objects.order_by("pk")]
    assert found == [tuesday + timedelta(days=days) for days in (1, 2, 3, 4)]


def test_the_same_time_is_no_other(van, ask, owner, home, asker, neighbour, tuesday):
    van.approval = Approval.BY_OWNER
    van.save()
    who, keeper = {"by": owner, "on_behalf_of": home.body}, {"by": asker, "on_behalf_of": neighbour.body}
    first, second = (approve_booking(one, **keeper) for one in ask(van, weekly(tuesday, 2))[1])
    for scope in Scope.values:
        with pytest.raises(BookingRefused) as refused:
            move_series(first, scope, starts_at=first.starts_at, ends_at=first.ends_at, **who)
        assert refused.value.field == "starts_at"
    to = {"starts_at": local(tuesday, time(13)), "ends_at": local(tuesday, time(15))}
    (first,) = move_series(first, Scope.ONE, **to, **who)
    first = approve_booking(first, **keeper)

    moved = move_series(first, Scope.ALL, **to, **who)

    assert [one.pk for one in moved] == [second.pk]
    assert Booking.objects.get(pk=first.pk).request_state == RequestState.APPROVED


def test_all_move_or_none(three, taken, van, owner, home, tuesday):
    taken(van, tuesday + timedelta(weeks=2, days=1))
    to = tuesday + timedelta(days=1)
    span = {"starts_at": local(to, time(9)), "ends_at": local(to, time(11))}

    shown = preview_move(three[0], Scope.ALL, **span, user=owner)
    with pytest.raises(SlotTaken):
        move_series(three[0], Scope.ALL, **span, by=owner, on_behalf_of=home.body)

    assert [one.state for _booking, one in shown] == [DateState.FREE, DateState.FREE, DateState.TAKEN]
    assert [localtime(one.starts_at).isoweekday() for one in Booking.objects.filter(series__isnull=False)] == [2, 2, 2]
    assert sum(one.claims.count() for one in three) == 3


def test_a_series_that_the_owner_decides_keeps_its_times_while_it_asks_for_others(
    van, ask, owner, home, asker, neighbour, tuesday
):
    van.approval = Approval.BY_OWNER
    van.save()
    _series, made = ask(van, weekly(tuesday, 3))
    for one in made:
        approve_booking(one, by=asker, on_behalf_of=neighbour.body)
    deliver_mail()
    mail.outbox.clear()

    move_series(
        made[0], Scope.ALL, starts_at=local(tuesday, time(12)), ends_at=local(tuesday, time(14)), by=owner,
        on_behalf_of=home.body,
    )  # fmt: skip
    deliver_mail()

    found = list(Booking.objects.order_by("pk"))
    assert {one.request_state for one in found} == {RequestState.REQUESTED}
    assert [localtime(one.kept.lower).hour for one in found] == [9, 9, 9]
    assert sorted(sent.to for sent in mail.outbox) == sorted([[asker.email], [owner.email]])
    assert {sent.body.count("kl. 12–14") for sent in mail.outbox} == {4}  # the first, and then all three
    mail.outbox.clear()

    every = {one.pk for one in found}
    decide_series(
        made[0].series, owner=neighbour.body, approve=every, shown=every, by=asker, on_behalf_of=neighbour.body
    )
    deliver_mail()

    (answer,) = mail.outbox
    assert (answer.to, answer.body.count("kl. 12–14")) == ([owner.email], 4)


def test_only_whoever_asked_moves_a_series(three, asker, neighbour, tuesday):
    span = {"starts_at": local(tuesday, time(12)), "ends_at": local(tuesday, time(14))}

    with pytest.raises(MayNotAsk):
        move_series(three[0], Scope.ALL, **span, by=asker, on_behalf_of=neighbour.body)


@pytest.mark.parametrize(("scope", "left"), [(Scope.ONE, [0, 2]), (Scope.FOLLOWING, [0]), (Scope.ALL, [])])
def test_one_the_following_or_all_are_cancelled(three, owner, home, scope, left):
    cancel_series(three[1], scope, by=owner, on_behalf_of=home.body)

    alive = set(Booking.objects.alive().values_list("pk", flat=True))
    assert [place for place, one in enumerate(three) if one.pk in alive] == left
    with pytest.raises(NotAlive):
        cancel_series(three[1], scope, by=owner, on_behalf_of=home.body)


def test_what_is_too_late_to_cancel_stands_and_the_rest_goes(van, three, owner, home, tuesday):
    van.cancel_hours = (tuesday - today()).days * 24 + 48
    van.save()

    gone = cancel_series(three[0], Scope.ALL, by=owner, on_behalf_of=home.body)

    assert [one.pk for one in gone] == [three[1].pk, three[2].pk]
    assert Booking.objects.alive().get() == three[0]


def test_an_owner_of_two_cancels_as_the_one_it_acts_for(van, ask, area, home, neighbour, two_homes, tuesday):
    third = MembershipFactory(area=area).municipality
    who = {"by": RoleFactory(kind=RoleKind.ADMINISTRATOR, body=third.body).user, "on_behalf_of": third.body}
    bus = ResourceFactory(municipality=home, category=van.category)
    other = Alternative(bus, local(tuesday, time(9)), local(tuesday, time(11)))
    _series, made = ask(van, weekly(tuesday, 3), instead={tuesday: other}, **who)

    gone = cancel_series(made[1], Scope.ALL, reason="Service", by=two_homes, on_behalf_of=neighbour.body)

    assert gone == made[1:]
    assert Booking.objects.alive().get() == made[0]


def test_what_is_let_go_of_is_no_longer_meant(three, owner, home):
    cancel_booking(three[2], by=owner, on_behalf_of=home.body)

    assert in_scope(three[0], Scope.ALL) == three[:2]
    assert in_scope(three[0], Scope.ONE) == three[:1]
