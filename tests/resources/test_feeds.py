"""Calendars: who sees what in which feed, invitations that follow a booking, addresses that can be taken back."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from icalendar import Calendar

from collab4m.clock import now
from records.models import Outgoing
from records.operations import deliver_mail
from resources.models import Approval, FeedToken, RequestState, Rivalry
from resources.operations import (
    FeedRefused,
    approve_booking,
    block_resource,
    calendar_of,
    cancel_booking,
    change_time,
    end_blocking,
    feed_by,
    make_feed,
    request_booking,
    revoke_feed,
)
from tests.factories import ResourceFactory

pytestmark = pytest.mark.django_db
STOCKHOLM = ZoneInfo("Europe/Stockholm")


@pytest.fixture
def book(van, home, owner):
    def made(starts_at, ends_at, resource=van):
        return request_booking(
            resource, starts_at=starts_at, ends_at=ends_at, purpose="Studiebesök på slottet", by=owner,
            on_behalf_of=home.body,
        )  # fmt: skip

    return made


def events(token):
    """The events of a feed, read by a parser, by UID."""
    read = Calendar.from_ical(calendar_of(token))
    assert read["VERSION"] == "2.0"
    return {str(event["UID"]): event for event in read.walk("VEVENT")}


def feed(kind, by, **of):
    return make_feed(kind, by=by, **of)[0]


def test_one_asked_for_stands_with_hour_zone_and_state(book, owner, at):
    booking = book(at(9), at(11))

    event = events(feed("person", owner))[f"{booking.uid}@collab4m"]

    assert event["DTSTART"].dt == at(9)
    assert event["DTSTART"].params["TZID"] == "Europe/Stockholm"
    assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(hours=2)
    assert event["STATUS"] == "CONFIRMED"
    assert "Studiebesök på slottet" in event["DESCRIPTION"]
    assert event["URL"].endswith(booking.get_absolute_url())


def test_every_zone_that_is_named_is_described(book, owner, at):
    book(at(9), at(11))

    text = calendar_of(feed("person", owner)).decode()

    assert "BEGIN:VTIMEZONE" in text
    assert "TZID:Europe/Stockholm" in text
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H" in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_a_request_is_tentative_and_a_cancelled_one_goes(book, van, home, owner, at):
    van.approval, van.rivalry = Approval.BY_OWNER, Rivalry.HOLD
    van.save()
    booking = book(at(9), at(11))
    token = feed("person", owner)
    asked = events(token)[f"{booking.uid}@collab4m"]

    cancel_booking(booking, by=owner, on_behalf_of=home.body)

    gone = events(token)[f"{booking.uid}@collab4m"]
    assert (asked["STATUS"], gone["STATUS"]) == ("TENTATIVE", "CANCELLED")
    assert gone["SEQUENCE"] > asked["SEQUENCE"]


def test_the_approved_time_stands_until_another_is_approved(book, van, home, owner, neighbour, asker, at):
    booking = book(at(9), at(11))
    van.approval = Approval.BY_OWNER
    van.save()
    booking = change_time(booking, starts_at=at(13), ends_at=at(15), by=owner, on_behalf_of=home.body)
    token = feed("person", owner)
    asked = events(token)[f"{booking.uid}@collab4m"]

    approve_booking(booking, by=asker, on_behalf_of=neighbour.body)

    moved = events(token)[f"{booking.uid}@collab4m"]
    assert (asked["STATUS"], asked["DTSTART"].dt) == ("CONFIRMED", at(9))
    assert (moved["STATUS"], moved["DTSTART"].dt) == ("CONFIRMED", at(13))
    assert moved["SEQUENCE"] > asked["SEQUENCE"]


@pytest.mark.parametrize("month", [3, 10])
def test_the_night_when_clocks_change(owner, home, van, month):
    year = now().year + ((now().month, now().day) >= (month, 17))
    evening = datetime(year, month, 24, 22, tzinfo=STOCKHOLM)  # its Saturday or the next is that before the last Sunday
    evening += timedelta(days=(5 - evening.weekday()) % 7)
    morning = (evening + timedelta(days=1)).replace(hour=8)
    booking = request_booking(van, starts_at=evening, ends_at=morning, purpose="Natt", by=owner, on_behalf_of=home.body)

    event = events(feed("person", owner))[f"{booking.uid}@collab4m"]

    assert (event["DTSTART"].dt.hour, event["DTEND"].dt.hour) == (22, 8)
    assert event["DTSTART"].dt.utcoffset() != event["DTEND"].dt.utcoffset()
    assert event["DTEND"].dt.astimezone(ZoneInfo("UTC")) == morning.astimezone(ZoneInfo("UTC"))


def test_a_schools_calendar_shows_that_schools(book, home, owner, at):
    booking = book(at(9), at(11))

    assert f"{booking.uid}@collab4m" in events(feed("school", owner, body=home.body))


def test_what_is_taken_is_told_to_the_area_without_names(book, van, council_member, asker, home, at):
    booking = book(at(9), at(11))

    others = calendar_of(feed("resource", council_member, resource=van)).decode()
    owners = calendar_of(feed("resource", asker, resource=van)).decode()

    assert f"{booking.uid}-busy" in others
    assert "Studiebesök" not in others
    assert home.name not in others
    assert "Studiebesök" in owners


def test_blockings_stand_in_the_resources_calendar(van, asker, neighbour, at):
    blocking = block_resource(
        van, starts_at=at(8), ends_at=at(12), reason="Service", seen=set(), by=asker, on_behalf_of=neighbour.body
    )
    token = feed("resource", asker, resource=van)
    before = events(token)[f"blocking-{blocking.pk}@collab4m"]

    end_blocking(blocking, by=asker, on_behalf_of=neighbour.body)

    after = events(token)[f"blocking-{blocking.pk}@collab4m"]
    assert (before["STATUS"], after["STATUS"]) == ("CONFIRMED", "CANCELLED")
    assert before["DESCRIPTION"] == "Service"


def test_a_blocking_of_the_whole_stands_in_the_calendar_of_the_half(neighbour, buses, asker, at):
    hall = ResourceFactory(municipality=neighbour, category=buses)
    half = ResourceFactory(municipality=neighbour, category=buses, units=list(hall.units.all()))
    blocking = block_resource(
        hall, starts_at=at(8), ends_at=at(12), reason="Golvet slipas", seen=set(), by=asker,
        on_behalf_of=neighbour.body,
    )  # fmt: skip

    assert f"blocking-{blocking.pk}@collab4m" in events(feed("resource", asker, resource=half))


def test_a_deciders_calendar_shows_what_waits(book, van, asker, owner, at):
    van.approval = Approval.BY_OWNER
    van.save()
    booking = book(at(9), at(11))

    waiting = events(feed("decider", asker))
    assert waiting[f"{booking.uid}@collab4m"]["STATUS"] == "TENTATIVE"
    assert f"{booking.uid}@collab4m" not in events(feed("decider", owner))
    assert booking.request_state == RequestState.REQUESTED


def test_an_address_can_be_taken_back_by_its_holder(client, owner, asker):
    token, secret = make_feed("person", by=owner)
    address = f"/kalender/{secret}.ics"
    assert client.get(address).status_code == 200

    with pytest.raises(FeedRefused):
        revoke_feed(token, by=asker)
    assert client.get(address).status_code == 200
    revoke_feed(token, by=owner)

    assert client.get(address).status_code == 404
    assert feed_by(secret) is None


def test_the_address_shows_only_what_its_holder_still_may(book, client, van, owner, at):
    book(at(9), at(11))
    _token, secret = make_feed("resource", by=owner, resource=van)
    assert b"VEVENT" in client.get(f"/kalender/{secret}.ics").content

    owner.roles.all().delete()

    assert b"VEVENT" not in client.get(f"/kalender/{secret}.ics").content


def test_only_the_hash_is_kept(owner):
    token, secret = make_feed("person", by=owner)

    assert secret not in str(FeedToken.objects.filter(pk=token.pk).values())


def test_feeds_of_others_are_refused(owner, outsider, van, neighbour):
    with pytest.raises(FeedRefused):
        make_feed("school", by=owner, body=neighbour.body)
    with pytest.raises(FeedRefused):
        make_feed("resource", by=outsider, resource=van)


def test_the_page_shows_a_new_address_once(client, owner):
    client.force_login(owner)
    answer = client.post("/resurser/kalendrar/", {"what": "person"}, follow=True)
    assert "/kalender/" in answer.text

    assert "/kalender/" not in client.get("/resurser/kalendrar/").text


def test_what_nobody_offered_is_refused_with_words(client, owner):
    client.force_login(owner)

    answer = client.post("/resurser/kalendrar/", {"what": "school-999999"})

    assert answer.status_code == 200
    assert not FeedToken.objects.exists()


@pytest.mark.parametrize("number", [1, 3])
def test_a_feed_costs_the_same_however_much_it_shows(book, owner, at, number, django_assert_num_queries):
    for day in range(number):
        book(at(9, day=day), at(11, day=day))
    token = feed("person", owner)

    with django_assert_num_queries(1):
        assert len(events(token)) == number


def test_own_kit_in_the_wholes_calendar(home, owner, neighbour, buses, at, book, asker):
    hall = ResourceFactory(municipality=neighbour, category=buses)
    half = ResourceFactory(municipality=neighbour, category=buses, units=list(hall.units.all()))
    booking = book(at(9), at(11), resource=half)

    assert any(str(booking.uid) in uid for uid in events(feed("resource", asker, resource=hall)))


def calendars_sent(to):
    """The iCalendar objects that went with mails to somebody, in order: method and event."""
    rows = Outgoing.objects.filter(to=to.email).exclude(calendar="").order_by("pk")
    read = [Calendar.from_ical(row.calendar) for row in rows]
    return [(str(one["METHOD"]), one.walk("VEVENT")[0]) for one in read]


def test_an_invitation_follows_the_booking_to_its_end(book, owner, home, at):
    booking = book(at(9), at(11))
    booking = change_time(booking, starts_at=at(13), ends_at=at(15), by=owner, on_behalf_of=home.body)
    cancel_booking(booking, by=owner, on_behalf_of=home.body)

    methods, sent = zip(*calendars_sent(owner), strict=True)

    assert methods == ("REQUEST", "REQUEST", "CANCEL")
    assert len({str(event["UID"]) for event in sent}) == 1
    assert [event["SEQUENCE"] for event in sent] == sorted({event["SEQUENCE"] for event in sent})
    assert [event["STATUS"] for event in sent] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert sent[0]["ATTENDEE"] == f"mailto:{owner.email}"


def test_an_invitation_goes_as_mail_programs_know_it(book, owner, at):
    book(at(9), at(11))

    deliver_mail()

    (part,) = [part for part in mail.outbox[-1].message().walk() if part.get_content_type() == "text/calendar"]
    assert part.get_param("method") == "REQUEST"
    assert b"BEGIN:VEVENT" in part.get_payload(decode=True)
    assert part.get_filename() == "kalender.ics"


def test_what_waits_for_the_digest_carries_no_invitation(book, owner, at):
    owner.mail_rhythm = "daily"
    owner.save()

    book(at(9), at(11))

    assert not calendars_sent(owner)
