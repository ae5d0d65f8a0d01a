"""Blocking: what it would displace is shown first, and what has come since is never displaced unseen."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail

from collab4m.clock import now, today
from records.operations import deliver_mail
from resources.models import Blocking, Booking, Claim, RequestState, Takes, Unit, Waiting, WaitingOffer, WaitState
from resources.operations import (
    BookingRefused,
    MayNotAsk,
    NotAlive,
    approve_booking,
    block_resource,
    blockings_of,
    cancel_booking,
    change_time,
    displaced_by,
    end_blocking,
    offers_displaced_by,
    span_of,
    wait_for,
)
from tests.factories import ResourceFactory

STOCKHOLM = ZoneInfo("Europe/Stockholm")


@pytest.fixture
def block(asker, neighbour):
    def made(resource, starts_at, ends_at, *, seen=None, reason="Service"):
        found = {one.pk for one in displaced_by(resource, starts_at, ends_at)} if seen is None else seen
        return block_resource(
            resource, starts_at=starts_at, ends_at=ends_at, reason=reason, seen=found, by=asker,
            on_behalf_of=neighbour.body,
        )  # fmt: skip

    return made


@pytest.fixture
def hall(neighbour, buses):
    """A hall and its two halves."""
    left, right = (Unit.objects.create(owner=neighbour.body, name=name) for name in ("Vänster", "Höger"))
    facts = {"municipality": neighbour, "category": buses}
    return [ResourceFactory(units=units, **facts) for units in ([left, right], [left], [right])]


def test_what_blocks_the_whole_is_told_of_for_each_half(client, hall, block, at, asker):
    whole, left, right = hall
    blocking = block(whole, at(9), at(11))
    block(right, at(12), at(13), reason="Besiktning")

    assert blockings_of(left) == [blocking]
    client.force_login(asker)
    page = client.get(f"/resurser/{left.pk}/").content.decode()
    assert f"{whole.name}</span>, Service" in page
    assert "Besiktning" not in page


def test_half_a_hall_displaces_the_booking_of_the_whole(hall, ask, block, at, owner):
    whole, left, right = hall
    booking, other = ask(whole, at(9), at(11)), ask(right, at(12), at(13))

    assert displaced_by(left, at(8), at(14)) == [booking]
    block(left, at(8), at(14))

    assert [Booking.objects.get(pk=one.pk).request_state for one in (booking, other)] == [
        RequestState.CANCELLED,
        RequestState.APPROVED,
    ]
    deliver_mail()
    (message,) = (one for one in mail.outbox if "avbokad av ägaren" in one.subject)
    assert message.to == [owner.email]
    assert "Service" in message.body


def test_the_half_that_is_let_go_of_is_offered_at_once(hall, ask, block, at, owner, home):
    whole, left, right = hall
    ask(whole, at(9), at(11))
    place = wait_for(right, starts_at=at(9), ends_at=at(11), purpose="Match", by=owner, on_behalf_of=home.body)

    block(left, at(8), at(14))

    assert Waiting.objects.get(pk=place.pk).state == WaitState.OFFERED


def test_a_pool_loses_only_what_holds_the_blocked_piece(neighbour, buses, ask, block, at):
    units = [Unit.objects.create(owner=neighbour.body, name=f"iPad {number}") for number in range(3)]
    facts = {"municipality": neighbour, "category": buses}
    pool, single = ResourceFactory(takes=Takes.SOME, units=units, **facts), ResourceFactory(units=units[2:], **facts)
    first, last = ask(pool, at(9), at(11), quantity=2), ask(pool, at(9), at(11), quantity=1)

    assert displaced_by(single, at(8), at(12)) == [last]
    block(single, at(8), at(12))

    assert Booking.objects.get(pk=first.pk).request_state == RequestState.APPROVED


def test_a_booking_in_between_comes_back_with_the_new_list(van, ask, block, at):
    first = ask(van, at(9), at(10))
    later = ask(van, at(10), at(11))

    with pytest.raises(BookingRefused, match="kommit"):
        block(van, at(8), at(12), seen={first.pk})

    assert not Blocking.objects.exists()
    assert Claim.objects.filter(booking__in=[first, later]).count() == 2


def test_a_booking_that_keeps_its_time_stands_when_only_the_wish_is_blocked(
    van, ask, block, at, owner, home, asker, neighbour
):
    van.approval = "by_owner"
    van.save()
    booking = approve_booking(ask(van, at(9), at(10)), by=asker, on_behalf_of=neighbour.body)
    change_time(booking, starts_at=at(13), ends_at=at(14), by=owner, on_behalf_of=home.body)

    block(van, at(12), at(15))

    booking.refresh_from_db()
    assert (booking.request_state, booking.starts_at) == (RequestState.APPROVED, at(9))


def test_an_offer_is_taken_back_and_the_place_in_line_kept(van, ask, block, at, owner, home):
    booking = ask(van, at(9), at(11))
    place = wait_for(van, starts_at=at(9), ends_at=at(11), purpose="Match", by=owner, on_behalf_of=home.body)
    cancel_booking(booking, by=owner, on_behalf_of=home.body)
    assert len(offers_displaced_by(van, at(8), at(12))) == 1

    blocking = block(van, at(8), at(12))

    assert Waiting.objects.get(pk=place.pk).state == WaitState.WAITING
    assert not WaitingOffer.objects.filter(ended_at=None).exists()
    end_blocking(blocking, by=blocking.by, on_behalf_of=van.owner)
    assert Waiting.objects.get(pk=place.pk).state == WaitState.OFFERED


def test_ending_early_frees_the_time(van, ask, block, at, asker, neighbour):
    blocking = block(van, at(8), at(8, day=3))
    assert blockings_of(van) == [blocking]

    end_blocking(blocking, by=asker, on_behalf_of=neighbour.body)

    assert blockings_of(van) == []
    ask(van, at(9), at(11))
    with pytest.raises(NotAlive):
        end_blocking(blocking, by=asker, on_behalf_of=neighbour.body)


def test_what_is_over_is_not_displaced(van, ask, block, at):
    booking = ask(van, at(9), at(11))
    over = span_of(now() - timedelta(hours=5), now() - timedelta(hours=4))
    Booking.objects.update(during=over)
    Claim.objects.update(during=over, blocked=over)

    blocking = block(van, now() - timedelta(hours=6), now() + timedelta(hours=4))

    assert Booking.objects.get(pk=booking.pk).request_state == RequestState.APPROVED
    assert blocking.during.lower > over.upper


def test_what_cannot_be_blocked_says_why(van, ask, block, at):
    van.turnaround_minutes = 30
    van.save()
    ask(van, at(9), at(10))
    block(van, at(13), at(15), reason="Besiktning")

    for span, words in [
        ((at(14), at(16)), "Besiktning"),
        ((at(10), at(12)), "10.30"),
        ((at(12), at(11)), "Ändra|Change one"),
        ((at(9, day=-30), at(10, day=-30)), "passerat"),
        ((at(9), at(9, day=3000)), "arton månader"),
    ]:
        with pytest.raises(BookingRefused, match=words):
            block(van, *span)
    with pytest.raises(BookingRefused):
        block(van, at(16), at(17), reason=" ")
    assert Blocking.objects.count() == 1


def test_an_end_before_the_start_in_the_hour_that_the_clock_repeats_says_so(van, block):
    sunday = date(today().year + (today() >= date(today().year, 10, 20)), 10, 31)
    sunday -= timedelta(days=sunday.isoweekday() % 7)
    begins, ends = (datetime.combine(sunday, at, STOCKHOLM) for at in (time(2, 10, fold=1), time(2, 50)))

    with pytest.raises(BookingRefused) as refused:
        block(van, begins, ends)
    assert refused.value.field == "ends_at"


def test_only_the_owner_blocks(van, at, owner, home):
    with pytest.raises(MayNotAsk):
        block_resource(
            van, starts_at=at(9), ends_at=at(11), reason="Service", seen=[], by=owner, on_behalf_of=home.body
        )

    assert not Blocking.objects.exists()
