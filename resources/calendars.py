"""Bookings as iCalendar (RFC 5545): feeds to subscribe to, invitations that follow a booking (RFC 5546)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, Timezone, vCalAddress, vDuration

from collab4m.clock import STOCKHOLM
from organisations.models import User
from resources.models import Blocking, Booking, RequestState
from resources.recurrence import held, recurrence_of

PRODUCT = "-//collab4m//collab4m//SV"
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def feed(name: str, events: Iterable[Event]) -> bytes:
    """A calendar that programs fetch again and again."""
    calendar = _calendar("PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    again = vDuration(timedelta(hours=1))
    again.params["VALUE"] = "DURATION"  # has no kind of its own (RFC 7986, 5.7)
    calendar.add("refresh-interval", again)
    for event in events:
        calendar.add_component(event)
    return _written(calendar)


def invitation(booking: Booking, email: str, *, ended: bool = False) -> str:
    """What makes a mail program put a booking in its reader's calendar, move it there, or take it away.

    A series goes whole each time, as it stands after what happened, and is taken away when none of it is left.
    """
    if booking.series_id:
        events = events_of_series(_dates_of([booking.series_id]))
        ended = not events
        if ended:
            events = [_let_go(_dates_of([booking.series_id]))]
    else:
        events = [event_of(booking)]
    calendar = _calendar("CANCEL" if ended else "REQUEST")
    for event in events:
        event.add("organizer", vCalAddress(f"mailto:{settings.DEFAULT_FROM_EMAIL.rpartition('<')[2].rstrip('>')}"))
        attendee = vCalAddress(f"mailto:{email}")
        attendee.params["PARTSTAT"] = "ACCEPTED"
        attendee.params["RSVP"] = "FALSE"
        event.add("attendee", attendee)
        calendar.add_component(event)
    return _written(calendar).decode()


def _calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    return calendar


def _written(calendar: Calendar) -> bytes:
    if calendar.events:
        calendar.subcomponents.insert(0, _stockholm())
    return calendar.to_ical()


@cache
def _stockholm() -> Timezone:
    """When its clocks change. Worked out once, since it takes longer than all else about an invitation."""
    return Timezone.from_tzinfo(STOCKHOLM, STOCKHOLM.key)


def event_of(booking: Booking) -> Event:
    """A booking for those whom it concerns. Until the owner has answered, the time that was approved stands."""
    event = _event(f"{booking.uid}@collab4m", held(booking), _changed_at(booking))
    event.add("sequence", booking.sequence)
    event.add("status", _status(booking))
    _describe(event, booking)
    return event


def _describe(event: Event, booking: Booking) -> None:
    words = {"resource": booking.resource.name, "body": booking.booked_for.name}
    is_open = booking.is_open and booking.kept is None
    event.add("summary", (_("Request: %(resource)s, %(body)s") if is_open else _("%(resource)s, %(body)s")) % words)
    event.add("description", booking.purpose)
    event.add("url", f"{settings.SITE_URL}{booking.get_absolute_url()}")
    if booking.resource.site_id:
        event.add("location", str(booking.resource.site))


def _changed_at(booking: Booking) -> datetime:
    return booking.decided_at or booking.asked_at


def _is_given(booking: Booking) -> bool:
    return booking.request_state == RequestState.APPROVED or booking.kept is not None


def _status(booking: Booking) -> str:
    if _is_given(booking):
        return "CONFIRMED"
    return "TENTATIVE" if booking.is_open else "CANCELLED"


# Series


def events_of(bookings: Iterable[Booking], reader: User) -> Iterator[Event]:
    """Bookings. The approved dates of a series are the one thing that its invitation made of them.

    Not for whoever may see only some of the dates, such as the owner of what was taken instead on one of them.
    """
    bookings = list(bookings)
    made: dict[int | None, list[Event]] = {}
    if ids := {one.series_id for one in bookings if one.series_id}:
        seen = set(Booking.objects.visible_to(reader).filter(series__in=ids).values_list("pk", flat=True))
        of_series: dict[int | None, list[Booking]] = {}
        for one in _dates_of(ids):
            of_series.setdefault(one.series_id, []).append(one)
        for pk, dates in of_series.items():
            if seen.issuperset(one.pk for one in dates) and (events := events_of_series(dates)):
                made[pk] = events
    for one in bookings:
        if one.series_id not in made or _status(one) == "TENTATIVE":
            yield event_of(one)
    for events in made.values():
        yield from events


def _dates_of(series: Iterable[int]) -> list[Booking]:
    """All dates of some series, whatever became of them."""
    rows = Booking.objects.filter(series__in=series).select_related("resource__site", "booked_for")
    return list(rows.order_by("pk"))


def events_of_series(dates: Sequence[Booking]) -> list[Event]:
    """The approved dates as a weekly rule, and one event besides for each that is not as the rule says. None: nothing.

    `dates` are all of the series, for a number that grows with each change of any.
    """
    given = [one for one in dates if _is_given(one)]
    if not given:
        return []
    if len(given) == 1:
        return [_event_in(dates, given[0], held(given[0]))]
    found = recurrence_of(given)
    hour = held(found.usual).lower.astimezone(STOCKHOLM).time()
    begins = {day: datetime.combine(day, hour, STOCKHOLM) for day in found.days}
    first, last = (begins[day].astimezone(UTC) for day in (found.days[0], found.days[-1]))
    length = held(found.usual).upper - held(found.usual).lower
    # Two at the same moment are one in any calendar.
    beside = {held(one).lower.astimezone(STOCKHOLM): one for one in found.beside}
    beside = {at: one for at, one in beside.items() if at not in {held(other).lower for other in found.told.values()}}

    rule = _event_in(dates, found.usual, DateTimeTZRange(first, first + length))
    rule.add(
        "rrule",
        {
            "freq": "weekly",
            "interval": found.every_weeks,
            "byday": [WEEKDAYS[weekday] for weekday in sorted({day.weekday() for day in found.days})],
            "until": max([last, *beside]).astimezone(UTC),
            "wkst": "MO",
        },
    )
    for day in found.left_out:
        rule.add("exdate", begins[day])
    for at in beside:
        rule.add("rdate", at)
    others = {begins[day]: one for day, one in found.different.items()} | beside
    return [rule, *(_event_in(dates, one, held(one), instead_of=at) for at, one in others.items())]


def _let_go(dates: Sequence[Booking]) -> Event:
    """A series of which nothing is left."""
    event = _event_in(dates, dates[0], held(dates[0]))
    event["status"] = "CANCELLED"
    return event


def _event_in(dates: Sequence[Booking], one: Booking, during: Any, *, instead_of: datetime | None = None) -> Event:
    """An event of the series with these dates: its rule, or what stands `instead_of` a day of the rule."""
    event = _event(f"{min(dates, key=lambda each: each.pk).uid}-series@collab4m", during, max(map(_changed_at, dates)))
    if instead_of is not None:
        event.add("recurrence-id", instead_of)
    event.add("sequence", sum(each.sequence for each in dates))
    event.add("status", "CONFIRMED")
    _describe(event, one)
    return event


def busy(booking: Booking) -> Event:
    """A booking for everyone else: that the time is taken, and nothing more."""
    event = _event(f"{booking.uid}-busy@collab4m", held(booking), _changed_at(booking))
    event.add("sequence", booking.sequence)
    event.add("status", "CONFIRMED")
    event.add("summary", _("%(resource)s is taken") % {"resource": booking.resource.name})
    return event


def blocked(blocking: Blocking) -> Event:
    """A blocking, with its reason, which everyone may read."""
    event = _event(f"blocking-{blocking.pk}@collab4m", blocking.during, blocking.ended_at or blocking.at)
    event.add("status", "CANCELLED" if blocking.ended_at else "CONFIRMED")
    event.add("sequence", 1 if blocking.ended_at else 0)
    event.add("summary", _("%(resource)s is blocked") % {"resource": blocking.resource.name})
    event.add("description", blocking.reason)
    return event


def _event(uid: str, during: Any, changed_at: datetime) -> Event:
    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", changed_at)
    # In local time with its zone, so that a calendar in another country shows the hour of the place.
    event.add("dtstart", during.lower.astimezone(STOCKHOLM))
    event.add("dtend", during.upper.astimezone(STOCKHOLM))
    return event
