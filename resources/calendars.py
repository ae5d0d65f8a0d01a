"""Bookings as iCalendar (RFC 5545): feeds to subscribe to, invitations that follow a booking (RFC 5546)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, Timezone, vCalAddress, vDuration

from resources.models import Blocking, Booking, RequestState

STOCKHOLM = ZoneInfo("Europe/Stockholm")
PRODUCT = "-//collab4m//collab4m//SV"


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
    """What makes a mail program put a booking in its reader's calendar, move it there, or take it away."""
    calendar = _calendar("CANCEL" if ended else "REQUEST")
    event = event_of(booking)
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
    during = booking.kept or booking.during
    event = _event(f"{booking.uid}@collab4m", during, booking.decided_at or booking.asked_at)
    event.add("sequence", booking.sequence)
    event.add("status", _status(booking))
    words = {"resource": booking.resource.name, "body": booking.booked_for.name}
    is_open = booking.is_open and booking.kept is None
    event.add("summary", (_("Request: %(resource)s, %(body)s") if is_open else _("%(resource)s, %(body)s")) % words)
    event.add("description", booking.purpose)
    event.add("url", f"{settings.SITE_URL}{booking.get_absolute_url()}")
    if booking.resource.site_id:
        event.add("location", str(booking.resource.site))
    return event


def _status(booking: Booking) -> str:
    if booking.request_state == RequestState.APPROVED or booking.kept is not None:
        return "CONFIRMED"
    return "TENTATIVE" if booking.is_open else "CANCELLED"


def busy(booking: Booking) -> Event:
    """A booking for everyone else: that the time is taken, and nothing more."""
    event = _event(
        f"{booking.uid}-busy@collab4m", booking.kept or booking.during, booking.decided_at or booking.asked_at
    )
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
