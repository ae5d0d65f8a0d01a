"""Asking: what can be asked for, what is said when it cannot, price and time by the clock, changing, letting go."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.utils import translation
from django.utils.timezone import localtime

from collab4m.clock import now, today
from collab4m.school_year import SchoolYear
from organisations.models import RoleKind, SchoolBreak
from records.models import Event
from records.operations import deliver_mail
from resources.models import Approval, Askers, Booking, OpenRule, PriceRule, RequestState, Rivalry
from resources.operations import (
    BookingRefused,
    KeyUsed,
    MayNotAsk,
    NotAlive,
    ResourceClosed,
    SlotTaken,
    TooLate,
    answer_owner,
    approve_booking,
    ask_for_more,
    cancel_booking,
    change_time,
    change_what,
    decline_booking,
    keep_time,
    local,
    open_up,
    price_of,
    prices_of,
    red_days,
    request_booking,
)
from resources.operations.opening import DAYS_AHEAD
from tests.factories import ProgrammeFactory, ProviderFactory, ResourceFactory, RoleFactory, SchoolFactory

STOCKHOLM = ZoneInfo("Europe/Stockholm")


@pytest.fixture
def decided(van):
    """The van, when its owner decides about each request."""
    van.approval = Approval.BY_OWNER
    van.save()
    return van


def priced(resource, unit, sek, **more):
    number = resource.price_rules.count() + 1
    given = {"valid": (today() - timedelta(days=400), None)} | more
    return PriceRule.objects.create(resource=resource, number=number, unit=unit, sek=sek, **given)


# What is said when it cannot be had


def test_a_refusal_that_only_turnaround_causes_names_it(ask, van, at):
    van.turnaround_minutes = 30
    van.save()
    ask(van, at(10), at(11))

    with pytest.raises(SlotTaken, match="30"):
        ask(van, at(11), at(12))
    with pytest.raises(SlotTaken, match="30"):
        ask(van, at(9), at(10))
    with pytest.raises(SlotTaken) as taken:
        ask(van, at(10, minute=30), at(12))

    assert "30" not in str(taken.value)
    assert ask(van, at(11, minute=30), at(12)).request_state == RequestState.APPROVED


def test_a_request_that_competes_names_the_turnaround_too(ask, van, at, decided, asker, neighbour):
    decided.turnaround_minutes, decided.rivalry = 45, Rivalry.COMPETE
    decided.save()
    ask(decided, at(10), at(11), by=asker, on_behalf_of=neighbour.body)

    with pytest.raises(SlotTaken, match="45"):
        ask(decided, at(11), at(12))


def weekdays_eight_to_sixteen(resource, **more):
    for weekday in range(1, 6):
        OpenRule.objects.create(resource=resource, weekday=weekday, opens=time(8), closes=time(16), **more)
    open_up(resource)


def next_weekday(weekday):
    """That day in two weeks, 1 for Monday; a week later when it is red."""
    day = today() + timedelta(days=14)
    day += timedelta(days=(weekday - day.isoweekday()) % 7)
    return day + timedelta(weeks=day in red_days(day.year))


def test_closed_days_breaks_and_hours_are_refused_with_what_can_be_had(ask, van, neighbour):
    monday = next_weekday(1)
    SchoolBreak.objects.create(
        municipality=neighbour, name="Lov", school_year=SchoolYear.of(monday),
        valid=(monday + timedelta(days=7), monday + timedelta(days=12)),
    )  # fmt: skip
    weekdays_eight_to_sixteen(van)

    assert ask(van, local(monday, time(9)), local(monday, time(16)))
    for day, begins, ends in ((5, 9, 10), (0, 15, 17), (7, 9, 10)):
        on = monday + timedelta(days=day)
        with pytest.raises(ResourceClosed) as closed:
            ask(van, local(on, time(begins)), local(on, time(ends)))
        assert closed.value.alternatives


def test_a_break_closes_the_last_day_within_sight(van, neighbour):
    last = today() + timedelta(days=DAYS_AHEAD)
    SchoolBreak.objects.create(
        municipality=neighbour, name="Lov", school_year=SchoolYear.of(last), valid=(last, last + timedelta(days=1))
    )
    for weekday in range(1, 8):
        OpenRule.objects.create(resource=van, weekday=weekday, opens=time(8), closes=time(16), on_red_days=True)

    open_up(van)

    opened = {localtime(span.lower).date() for span in van.open_spans.values_list("during", flat=True)}
    assert last - timedelta(days=1) in opened
    assert last not in opened


def test_red_days_are_closed_unless_the_owner_says_otherwise(ask, van):
    christmas = date(today().year + (today() >= date(today().year, 12, 20)), 12, 25)
    opens = ResourceFactory(municipality=van.municipality, category=van.category)
    for resource, red in ((van, False), (opens, True)):
        for weekday in range(1, 8):
            OpenRule.objects.create(resource=resource, weekday=weekday, opens=time(8), closes=time(16), on_red_days=red)
        open_up(resource)
    times = (local(christmas, time(9)), local(christmas, time(10)))

    assert ask(opens, *times)
    with pytest.raises(ResourceClosed):
        ask(van, *times)


@pytest.mark.parametrize(
    ("begins", "ends", "field"),
    [
        ((11, 0), (9, 0), "ends_at"),
        ((9, 0), (9, 0), "ends_at"),
        ((9, -30), (10, -30), "starts_at"),
        ((9, -30), (10, 30), "starts_at"),
        ((9, 3650), (10, 3650), "ends_at"),
        ((9, 0), (10, 3650), "ends_at"),
    ],
)
def test_times_that_cannot_be_are_refused_at_their_field(ask, van, at, begins, ends, field):
    with pytest.raises(BookingRefused) as refused:
        ask(van, at(begins[0], day=begins[1]), at(ends[0], day=ends[1]))

    assert refused.value.field == field


@pytest.mark.parametrize("year", [1, 9999])
def test_the_ends_of_time_are_refused_and_nothing_breaks(ask, van, year):
    edge = datetime(year, 1, 1, tzinfo=STOCKHOLM) if year == 1 else datetime(year, 12, 31, 23, tzinfo=STOCKHOLM)

    with pytest.raises(BookingRefused):
        ask(van, edge, edge)
    with pytest.raises(BookingRefused):
        ask(van, now() + timedelta(days=1), edge)


def test_more_pupils_than_places_no_licence_and_no_purpose_are_refused(ask, van, at):
    van.permits = "B-körkort"
    van.save()

    for more, field in [
        ({"pupils": 10, "licence_confirmed": True}, "pupils"),
        ({"pupils": 9}, "licence_confirmed"),
        ({"purpose": " ", "licence_confirmed": True}, "purpose"),
    ]:
        with pytest.raises(BookingRefused) as refused:
            ask(van, at(9), at(10), **more)
        assert refused.value.field == field
    assert ask(van, at(9), at(10), pupils=9, licence_confirmed=True)


def test_what_is_for_the_owners_own_is_not_asked_for_by_others(ask, van, at, two_homes, home, neighbour):
    van.askers = Askers.OWNER
    van.save()
    school = SchoolFactory(municipality=neighbour)
    principal = RoleFactory(kind=RoleKind.PRINCIPAL, body=school.body).user

    with pytest.raises(MayNotAsk):
        ask(van, at(9), at(10))
    with pytest.raises(MayNotAsk):
        ask(van, at(9), at(10), by=two_homes, on_behalf_of=home.body)
    assert ask(van, at(9), at(10), by=two_homes, on_behalf_of=neighbour.body)
    assert ask(van, at(10), at(11), by=principal, on_behalf_of=school.body)


def test_a_key_is_for_one_resource(ask, van, at):
    other = ResourceFactory(municipality=van.municipality, category=van.category)
    first = ask(van, at(9), at(10), idempotency_key="k")

    assert ask(van, at(9), at(10), idempotency_key="k") == first
    with pytest.raises(KeyUsed):
        ask(other, at(9), at(10), idempotency_key="k")


def test_a_key_is_for_one_body(ask, van, at, two_homes, home, neighbour):
    ask(van, at(9), at(10), by=two_homes, on_behalf_of=home.body, idempotency_key="k")

    with pytest.raises(KeyUsed):
        ask(van, at(9), at(10), by=two_homes, on_behalf_of=neighbour.body, idempotency_key="k")


def test_the_area_is_that_of_the_body_and_not_of_the_person(ask, van, at, two_homes, home, elsewhere):
    RoleFactory(user=two_homes, kind=RoleKind.ADMINISTRATOR, body=elsewhere.body)

    with pytest.raises(MayNotAsk):
        ask(van, at(9), at(10), by=two_homes, on_behalf_of=elsewhere.body)
    assert ask(van, at(9), at(10), by=two_homes, on_behalf_of=home.body)


# Price and time by the clock


def last_sunday(month):
    """The last Sunday of a month that is still to come within eighteen months: the night when clocks change."""
    year = today().year + (today() >= date(today().year, month, 20))
    day = date(year, month, 31)
    return day - timedelta(days=day.isoweekday() % 7)


@pytest.mark.parametrize(("month", "hours"), [(3, 7), (10, 9)])
def test_a_night_when_clocks_change_has_its_real_length_and_price(ask, van, month, hours):
    priced(van, "hour", 100)
    sunday = last_sunday(month)

    booking = ask(van, local(sunday - timedelta(days=1), time(22)), local(sunday, time(6)))

    booking.refresh_from_db()
    assert booking.ends_at - booking.starts_at == timedelta(hours=hours)
    assert booking.price_sek == 100 * hours


def test_the_turnaround_passes_by_real_time_in_the_night_when_clocks_change(ask, van):
    van.turnaround_minutes = 30
    van.save()
    sunday = last_sunday(10)
    first = ask(van, local(sunday, time(1)), local(sunday, time(2, 45)))

    assert first.claims.get().blocked.upper == first.ends_at + timedelta(minutes=30)


def test_a_key_is_known_again_in_the_hour_that_the_clock_repeats(ask, van):
    sunday = last_sunday(10)
    time_ = local(sunday, time(2, 15)), local(sunday, time(2, 45))

    assert ask(van, *time_, idempotency_key="k") == ask(van, *time_, idempotency_key="k")


def test_a_weekend_over_midnight_is_one_booking_priced_once(ask, van):
    priced(van, "day", 400)
    friday = next_weekday(5)

    booking = ask(van, local(friday, time(15)), local(friday + timedelta(days=3), time(7)))

    assert Booking.objects.get() == booking
    assert booking.price_sek == 4 * 400
    assert booking.claims.count() == 1
    for days in range(4):
        day = friday + timedelta(days=days)
        midnight = (local(day, time()), local(day + timedelta(days=1), time()))
        assert Booking.objects.get(during__overlap=midnight) == booking


def test_an_occasion_costs_the_same_however_long_and_midnight_ends_the_day(van):
    priced(van, "occasion", 250)
    friday = next_weekday(5)

    assert price_of(van, local(friday, time(15)), local(friday + timedelta(days=3), time(7))).sek == 250
    van.price_rules.update(unit="day")
    assert price_of(van, local(friday, time(15)), local(friday + timedelta(days=1), time())).sek == 250


def test_what_is_taken_whole_has_one_price_however_many_are_said(ask, van, at):
    priced(van, "hour", 100)

    assert ask(van, at(9), at(11), quantity=3).price_sek == 200
    assert [one.sek for one in prices_of(van, [(at(9), at(11))], 3)] == [200]


def test_a_price_stays_as_it_was_when_it_was_asked_for(ask, van, at):
    rule = priced(van, "hour", Decimal("99.50"))
    booking = ask(van, at(9), at(11))
    PriceRule.objects.filter(pk=rule.pk).update(sek=500)

    booking.refresh_from_db()

    assert (booking.price_sek, booking.price_rule) == (Decimal("199.00"), rule)
    assert ask(van, at(12), at(14)).price_sek == 1000


def test_no_rule_is_no_price_and_nought_is_one(ask, van, at):
    assert ask(van, at(9), at(10)).price_sek is None
    priced(van, "hour", 0)
    assert ask(van, at(10), at(11)).price_sek == 0


def test_each_date_has_the_price_of_its_own_day_in_one_query(van, at, django_assert_num_queries):
    change = at(0, day=7).date()
    priced(van, "hour", 100, valid=(today() - timedelta(days=1), change))
    priced(van, "hour", 200, valid=(change, None))
    times = [(at(9, day=day), at(10, day=day)) for day in (0, 6, 7, 8)]

    with django_assert_num_queries(1):
        found = prices_of(van, times)

    assert [price.sek for price in found] == [100, 100, 200, 200]


def test_leap_day_is_a_day_like_others(van):
    priced(van, "day", 10)

    found = price_of(van, local(date(2028, 2, 28), time(9)), local(date(2028, 3, 1), time(9)))

    assert found.units == 3


# Changing


def test_another_time_keeps_the_old_one_until_the_owner_has_answered(ask, decided, at, owner, home, asker, neighbour):
    priced(decided, "hour", 100)
    booking = approve_booking(ask(decided, at(9), at(11)), by=asker, on_behalf_of=neighbour.body)

    moved = change_time(booking, starts_at=at(13), ends_at=at(16), by=owner, on_behalf_of=home.body)

    assert (moved.request_state, moved.kept.lower, moved.kept_price_sek) == (RequestState.REQUESTED, at(9), 200)
    assert moved.price_sek == 300
    with pytest.raises(SlotTaken):
        ask(decided, at(9), at(10))
    kept = keep_time(moved, by=owner, on_behalf_of=home.body)
    assert (kept.request_state, kept.starts_at, kept.price_sek) == (RequestState.APPROVED, at(9), 200)
    assert ask(decided, at(13), at(14))


def test_the_time_that_is_kept_keeps_its_turnaround_too(ask, decided, at, owner, home, asker, neighbour):
    who = {"by": asker, "on_behalf_of": neighbour.body}
    booking = approve_booking(ask(decided, at(9), at(11)), **who)
    approve_booking(ask(decided, at(11), at(12)), **who)
    decided.turnaround_minutes = 60
    decided.save()

    moved = change_time(booking, starts_at=at(14), ends_at=at(16), by=owner, on_behalf_of=home.body)

    assert [(one.during.lower, one.blocked.upper) for one in moved.claims.order_by("during")] == [
        (at(9), at(11)), (at(14), at(17)),
    ]  # fmt: skip
    kept = decline_booking(moved, reason="Vi behöver den själva.", **who)
    assert [(one.during.lower, one.blocked.upper) for one in kept.claims.all()] == [(at(9), at(11))]
    assert kept.turnaround_minutes == 0


def test_a_wish_that_touches_what_is_kept_holds_both_with_their_own_turnarounds(
    ask, decided, at, owner, home, asker, neighbour
):
    who = {"by": asker, "on_behalf_of": neighbour.body}
    booking = approve_booking(ask(decided, at(9), at(11)), **who)
    approve_booking(ask(decided, at(11), at(12)), **who)
    decided.turnaround_minutes = 60
    decided.save()

    moved = change_time(booking, starts_at=at(7), ends_at=at(8), by=owner, on_behalf_of=home.body)

    assert [(one.during.lower, one.blocked.upper) for one in moved.claims.order_by("during")] == [
        (at(7), at(9)), (at(9), at(11)),
    ]  # fmt: skip


def test_what_is_cancelled_is_the_time_that_was_approved(ask, decided, at, owner, home, asker, neighbour):
    priced(decided, "hour", 100)
    booking = approve_booking(ask(decided, at(9), at(11)), by=asker, on_behalf_of=neighbour.body)
    moved = change_time(booking, starts_at=at(13), ends_at=at(16), by=owner, on_behalf_of=home.body)

    cancelled = cancel_booking(moved, by=owner, on_behalf_of=home.body)

    cancelled.refresh_from_db()
    assert (cancelled.request_state, cancelled.starts_at) == (RequestState.CANCELLED, at(9))
    assert (cancelled.price_sek, cancelled.kept_price_rule, cancelled.kept_price_sek) == (200, None, None)


def test_what_it_is_for_changes_and_the_owner_is_told(ask, van, at, owner, home, asker):
    booking = ask(van, at(9), at(11), pupils=4)
    programme = ProgrammeFactory()
    deliver_mail()
    mail.outbox.clear()

    changed = change_what(
        booking, purpose="APL", programme=programme, pupils=8, cost_place="1234", by=owner, on_behalf_of=home.body
    )
    deliver_mail()

    assert (changed.purpose, changed.programme, changed.pupils) == ("APL", programme, 8)
    assert changed.request_state == RequestState.APPROVED
    assert [sent.to for sent in mail.outbox] == [[asker.email]]
    event = Event.objects.get(name="booking.changed")
    assert sorted(event.changes) == ["cost_place", "programme", "pupils", "purpose"]


def test_what_it_is_for_changes_for_its_own_people_and_within_the_places(ask, van, at, owner, home, asker, neighbour):
    booking = ask(van, at(9), at(11))
    what = {"purpose": "APL", "programme": None, "cost_place": ""}

    with pytest.raises(BookingRefused):
        change_what(booking, **what, pupils=10, by=owner, on_behalf_of=home.body)
    with pytest.raises(MayNotAsk):
        change_what(booking, **what, pupils=1, by=asker, on_behalf_of=neighbour.body)
    cancel_booking(booking, by=owner, on_behalf_of=home.body)
    with pytest.raises(NotAlive):
        change_what(booking, **what, pupils=1, by=owner, on_behalf_of=home.body)


def test_the_owners_question_is_answered_once(ask, decided, at, owner, home, asker, neighbour):
    booking = ask_for_more(ask(decided, at(9), at(11)), question="Vem kör?", by=asker, on_behalf_of=neighbour.body)

    with pytest.raises(BookingRefused):
        answer_owner(booking, answer=" ", by=owner, on_behalf_of=home.body)
    answered = answer_owner(booking, answer="Läraren.", by=owner, on_behalf_of=home.body)

    assert answered.request_state == RequestState.REQUESTED
    with pytest.raises(NotAlive):
        answer_owner(booking, answer="Läraren.", by=owner, on_behalf_of=home.body)


# Letting go


def test_the_owners_rule_binds_the_asker_and_not_the_owner(ask, van, at, owner, home, asker, neighbour):
    van.cancel_hours = 24 * 10
    van.save()
    booking = ask(van, at(9), at(11))

    with pytest.raises(TooLate, match="240"):
        cancel_booking(booking, by=owner, on_behalf_of=home.body)
    with pytest.raises(BookingRefused):
        cancel_booking(booking, by=asker, on_behalf_of=neighbour.body)
    gone = cancel_booking(booking, reason="Motorn är trasig.", by=asker, on_behalf_of=neighbour.body)

    assert (gone.request_state, gone.answer) == (RequestState.CANCELLED, "Motorn är trasig.")


def test_a_request_is_withdrawn_and_lets_go_of_what_it_held(ask, decided, at, owner, home, outsider, elsewhere):
    booking = ask(decided, at(9), at(11))

    with pytest.raises(MayNotAsk):
        cancel_booking(booking, by=outsider, on_behalf_of=elsewhere.body)
    gone = cancel_booking(booking, by=owner, on_behalf_of=home.body)

    assert gone.request_state == RequestState.WITHDRAWN
    assert not gone.claims.exists()


def test_a_municipality_sees_the_bookings_of_the_schools_it_runs_only(van, school, principal, owner, home, at):
    booking = request_booking(
        van, starts_at=at(9), ends_at=at(11), purpose="Studiebesök", by=principal, on_behalf_of=school.body
    )
    assert not Booking.objects.visible_to(owner).exists()

    school.provider = ProviderFactory(municipality=home)
    school.save()

    assert Booking.objects.visible_to(owner).get() == booking


def test_how_long_and_how_far_ahead_are_told_to_the_minute(van, ask, at):
    van.lead_minutes, van.longest_minutes = 60 * 24 * 20 + 90, 330
    van.save()
    with translation.override("sv"):
        with pytest.raises(BookingRefused, match="minst 481 timmar och 30 minuter i förväg"):
            ask(van, at(9), at(10))
        van.lead_minutes = 0
        van.save()
        with pytest.raises(BookingRefused, match="högst 5 timmar och 30 minuter åt gången"):
            ask(van, at(9), at(15))
