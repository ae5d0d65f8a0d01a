"""A series in the calendar: one invitation that says which dates are had, whatever happens to them."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import example, given
from hypothesis import strategies as st
from icalendar import Calendar

from organisations.models import Body
from records.models import Outgoing
from resources import calendars
from resources.models import Approval, Booking, RequestState, Resource
from resources.operations import (
    Pattern,
    Scope,
    approve_booking,
    block_resource,
    calendar_of,
    cancel_booking,
    cancel_series,
    change_time,
    decide_series,
    make_feed,
    move_series,
    request_series,
    span_of,
)
from resources.operations.alternatives import Alternative
from tests.factories import MembershipFactory, MunicipalityFactory, ResourceFactory

STOCKHOLM = ZoneInfo("Europe/Stockholm")
A_WEEK = timedelta(days=7)


def expanded(events):
    """The dates that a calendar program makes of the events of one series: start, end and what."""
    (rule,) = [event for event in events if "RECURRENCE-ID" not in event]
    length = rule["DTEND"].dt.astimezone(UTC) - rule["DTSTART"].dt.astimezone(UTC)
    starts = [rule["DTSTART"].dt]
    if "RRULE" in rule:
        starts = rrulestr(rule["RRULE"].to_ical().decode(), dtstart=rule["DTSTART"].dt)
    left_out, beside = moments(rule, "EXDATE"), moments(rule, "RDATE")
    found = {}
    for start in ({one.astimezone(UTC) for one in starts} - left_out) | beside:
        found[start] = (start, start + length, str(rule["SUMMARY"]))
    for event in events:
        if event is not rule:
            assert event["RECURRENCE-ID"].params["TZID"] == "Europe/Stockholm"
            found.pop(event["RECURRENCE-ID"].dt.astimezone(UTC))  # it stands for a date that there is
    for event in events:
        if event is not rule:
            during = event["DTSTART"].dt.astimezone(UTC), event["DTEND"].dt.astimezone(UTC)
            assert during[0] not in found
            found[during[0]] = (*during, str(event["SUMMARY"]))
    return sorted(found.values())


def moments(event, name):
    lines = event.get(name, [])
    lines = lines if isinstance(lines, list) else [lines]
    return {one.dt.astimezone(UTC) for line in lines for one in line.dts}


def had(bookings):
    return sorted(
        (one.starts_at.astimezone(UTC), one.ends_at.astimezone(UTC), f"{one.resource.name}, {one.booked_for.name}")
        for one in bookings
        if one.request_state == RequestState.APPROVED
    )


# Any dates at all

VAN, HALL = Resource(pk=1, name="Minibuss A"), Resource(pk=2, name="Sporthallen")
HOME = Body(pk=1, name="Enköping")
DATES = st.lists(
    st.tuples(
        st.sampled_from(["kept", "kept", "kept", "kept", "gone", "moved", "elsewhere"]),
        st.integers(-9, 9),
        st.sampled_from([time(9), time(9, 30), time(13), time(22)]),
    ),
    min_size=1,
    max_size=14,
)


@given(
    first=st.dates(date(2027, 1, 1), date(2027, 11, 1)),
    weekdays=st.sets(st.integers(0, 6), min_size=1, max_size=3),
    every=st.integers(1, 3),
    begins=st.sampled_from([time(9), time(22)]),
    hours=st.sampled_from([2, 10]),
    changes=DATES,
)
@example(  # two on one day, of which the later begins when the rule does
    first=date(2027, 1, 1),
    weekdays={0},
    every=1,
    begins=time(22),
    hours=2,
    changes=[("kept", 0, time(9)), ("moved", 7, time(9)), ("elsewhere", 0, time(9))],
)
def test_what_is_sent_is_what_is_had(first, weekdays, every, begins, hours, changes):
    monday = first - timedelta(days=first.weekday())
    days = [monday + every * week * A_WEEK + timedelta(days=day) for week in range(14) for day in sorted(weekdays)]
    bookings = []
    for number, (day, (change, by, hour)) in enumerate(zip(days, changes, strict=False)):
        day, at = (day + timedelta(days=by), hour) if change == "moved" else (day, begins)
        start, end = (datetime.combine(day, at, STOCKHOLM) + timedelta(hours=more) for more in (0, hours))
        if any(start.astimezone(UTC) == one.starts_at for one in bookings):
            continue  # two at the same moment are one in any calendar
        state = RequestState.CANCELLED if change == "gone" else RequestState.APPROVED
        bookings.append(
            Booking(
                pk=number + 1, uid=uuid4(), resource=HALL if change == "elsewhere" else VAN, booked_for=HOME,
                during=span_of(start, end), purpose="Idrott", request_state=state,
            )
        )  # fmt: skip

    events = calendars.events_of_series(bookings)
    written = Calendar.from_ical(calendars.feed("Min", events)).walk("VEVENT")

    assert (expanded(written) if written else []) == had(bookings)
    assert len({str(event["UID"]) for event in written}) <= 1


# What is sent when


@pytest.fixture
def pattern(at):
    first = at(9).date()
    return Pattern(first, first + 4 * A_WEEK, time(9), 120)


@pytest.fixture
def series(van, home, owner, pattern):
    """Five weeks of the van, which is lent at once."""
    return request_series(van, pattern, purpose="Simning", by=owner, on_behalf_of=home.body)[0]


def sent_to(person):
    """The calendars that were mailed, in order: method, events."""
    rows = Outgoing.objects.filter(to=person.email).exclude(calendar="").order_by("pk")
    read = [Calendar.from_ical(row.calendar) for row in rows]
    return [(str(one["METHOD"]), one.walk("VEVENT")) for one in read]


def dates_of(series):
    rows = Booking.objects.filter(series=series).select_related("resource", "booked_for")
    return list(rows.order_by("pk"))


def assert_said(person, series, number):
    """So many invitations of one UID and growing SEQUENCE went, and the last says what is had."""
    sent = sent_to(person)
    assert len(sent) == number
    assert len({str(event["UID"]) for _method, events in sent for event in events}) == 1
    numbers = [{event["SEQUENCE"] for event in events} for _method, events in sent]
    assert all(len(one) == 1 for one in numbers)
    assert [max(one) for one in numbers] == sorted({max(one) for one in numbers})
    method, events = sent[-1]
    if approved := had(dates_of(series)):
        assert (method, expanded(events)) == ("REQUEST", approved)
        assert all(event["ATTENDEE"] == f"mailto:{person.email}" and "ORGANIZER" in event for event in events)
    else:
        assert (method, [str(event["STATUS"]) for event in events]) == ("CANCEL", ["CANCELLED"])
    return events


def test_a_series_is_one_invitation(series, owner):
    (event,) = assert_said(owner, series, 1)

    assert event["RRULE"]["FREQ"] == ["WEEKLY"]
    assert event["DTSTART"].params["TZID"] == "Europe/Stockholm"
    assert "EXDATE" not in event
    assert "BEGIN:VTIMEZONE" in Outgoing.objects.exclude(calendar="").get().calendar


def test_a_date_that_is_cancelled_moved_or_displaced_changes_the_invitation(
    series, van, owner, home, asker, neighbour, at
):
    _first, second, third, fourth, last = dates_of(series)
    cancel_booking(second, by=owner, on_behalf_of=home.body)
    (rule,) = assert_said(owner, series, 2)
    assert len(moments(rule, "EXDATE")) == 1

    change_time(third, starts_at=at(13, day=15), ends_at=at(15, day=15), by=owner, on_behalf_of=home.body)
    _rule, moved = assert_said(owner, series, 3)
    assert (moved["RECURRENCE-ID"].dt, moved["DTSTART"].dt) == (third.starts_at, at(13, day=15))

    block_resource(
        van, starts_at=at(8, day=21), ends_at=at(12, day=28), reason="Service", seen={fourth.pk, last.pk}, by=asker,
        on_behalf_of=neighbour.body,
    )  # fmt: skip
    assert_said(owner, series, 4)


def test_the_following_that_move_make_another_rule(series, owner, home, at):
    second = dates_of(series)[1]

    move_series(
        second, Scope.FOLLOWING, starts_at=at(13, day=8), ends_at=at(14, day=8), by=owner, on_behalf_of=home.body
    )

    rule, first = assert_said(owner, series, 2)
    assert rule["DTSTART"].dt.hour == 13
    assert first["DTSTART"].dt == at(9)


def test_the_last_that_goes_takes_the_invitation_with_it(series, owner, home):
    first = dates_of(series)[0]
    cancel_booking(first, by=owner, on_behalf_of=home.body)
    assert_said(owner, series, 2)

    cancel_series(dates_of(series)[1], Scope.ALL, by=owner, on_behalf_of=home.body)

    assert_said(owner, series, 3)


def test_what_is_approved_in_part_is_invited_in_part(van, home, owner, asker, neighbour, pattern):
    van.approval = Approval.BY_OWNER
    van.save()
    series, dates = request_series(van, pattern, purpose="Simning", by=owner, on_behalf_of=home.body)
    assert sent_to(owner) == []

    decide_series(
        series, owner=neighbour.body, approve={one.pk for one in dates[::2]}, shown={one.pk for one in dates},
        reason="Service", by=asker, on_behalf_of=neighbour.body,
    )  # fmt: skip

    (rule,) = assert_said(owner, series, 1)
    assert rule["RRULE"]["INTERVAL"] == [2]


def test_dates_that_are_approved_one_by_one_join_the_invitation(van, home, owner, asker, neighbour, pattern):
    van.approval = Approval.BY_OWNER
    van.save()
    series, dates = request_series(van, pattern, purpose="Simning", by=owner, on_behalf_of=home.body)

    for number, one in enumerate(dates[:3]):
        approve_booking(one, by=asker, on_behalf_of=neighbour.body)
        assert_said(owner, series, number + 1)


def test_what_was_taken_instead_stands_in_the_same_invitation(van, home, owner, buses, neighbour, at, pattern, ask):
    ask(van, at(9, day=7), at(11, day=7))
    Outgoing.objects.all().delete()
    other = ResourceFactory(name="Minibuss B", municipality=neighbour, category=buses)
    instead = {at(9, day=7).date(): Alternative(other, at(9, day=7), at(11, day=7))}

    series, _dates = request_series(van, pattern, instead=instead, purpose="Simning", by=owner, on_behalf_of=home.body)

    sent = sent_to(owner)
    assert len({str(events) for _method, events in sent}) == 1  # a mail for each thing, the same in both
    assert expanded(sent[0][1]) == had(dates_of(series))


def test_what_was_approved_leaves_the_calendar_though_an_earlier_date_was_not(
    van, home, owner, asker, neighbour, pattern
):
    van.approval = Approval.BY_OWNER
    van.save()
    series, dates = request_series(van, pattern, purpose="Simning", by=owner, on_behalf_of=home.body)
    approve_booking(dates[1], by=asker, on_behalf_of=neighbour.body)

    cancel_series(dates[0], Scope.ALL, by=owner, on_behalf_of=home.body)

    assert_said(owner, series, 2)


def test_a_request_that_the_owner_lets_go_of_is_in_nobodys_calendar(van, home, owner, asker, neighbour, pattern):
    van.approval = Approval.BY_OWNER
    van.save()
    series, dates = request_series(van, pattern, purpose="Simning", by=owner, on_behalf_of=home.body)

    cancel_booking(dates[0], reason="Den är såld", by=asker, on_behalf_of=neighbour.body)

    assert sent_to(owner) == []


# Feeds


def events_in(kind, by, **of):
    return Calendar.from_ical(calendar_of(make_feed(kind, by=by, **of)[0])).walk("VEVENT")


@pytest.mark.parametrize("kind", ["person", "school"])
def test_a_feed_makes_the_same_of_a_series_as_its_invitation(series, owner, home, kind):
    ((_method, invited),) = sent_to(owner)

    fed = events_in(kind, owner, **({"body": home.body} if kind == "school" else {}))

    assert {str(event["UID"]) for event in fed} == {str(event["UID"]) for event in invited}
    assert expanded(fed) == expanded(invited)


def test_a_feed_of_series_costs_the_same_however_many(van, series, owner, home, at, django_assert_num_queries):
    token, _secret = make_feed("person", by=owner)
    with django_assert_num_queries(3):
        calendar_of(token)
    later = Pattern(at(14).date(), at(14, day=14).date(), time(14), 60)
    request_series(van, later, purpose="Simning", by=owner, on_behalf_of=home.body)

    with django_assert_num_queries(3):
        calendar_of(token)


def test_who_sees_some_dates_only_is_told_of_those_only(client, area, van, home, owner, asker, buses, at, pattern, ask):
    third = MembershipFactory(area=area, municipality=MunicipalityFactory(name="Eskilstuna")).municipality
    other = ResourceFactory(name="Minibuss C", municipality=third, category=buses)
    ask(van, at(9, day=7), at(11, day=7))
    instead = {at(9, day=7).date(): Alternative(other, at(9, day=7), at(11, day=7))}
    series, dates = request_series(
        van, pattern, instead=instead, purpose="Simning", by=owner, on_behalf_of=home.body
    )  # fmt: skip
    address = f"/resurser/bokningar/{next(one for one in dates if one.resource == van).pk}.ics"

    client.force_login(asker)
    owners = Calendar.from_ical(client.get(address).content).walk("VEVENT")
    client.force_login(owner)
    askers = Calendar.from_ical(client.get(address).content).walk("VEVENT")

    assert [str(event["SUMMARY"]) for event in owners] == ["Minibuss A, Enköping"]
    assert expanded(askers) == had(dates_of(series))
