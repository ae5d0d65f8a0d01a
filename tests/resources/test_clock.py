"""What the clock starts: of many that run out, one that fails keeps no other."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from collab4m.clock import now
from resources.models import Approval, Booking, RequestState, Waiting, WaitingOffer, WaitState
from resources.operations import cancel_booking, expire_offers, expire_requests, remind_deciders, wait_for
from tests.factories import ResourceFactory

# No mail can say this in Swedish time: it is in the year 10000 there.
BEYOND = (datetime(9999, 12, 31, 23, 15, tzinfo=UTC), datetime(9999, 12, 31, 23, 45, tzinfo=UTC))


@pytest.fixture
def asked(van):
    van.approval = Approval.BY_OWNER
    van.save()
    return van


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.ERROR, logger="collab4m.errors")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "collab4m.errors"]


def test_a_request_that_cannot_be_ended_keeps_no_other(asked, ask, at, log):
    broken, other = ask(asked, at(9), at(11)), ask(asked, at(12), at(13))
    Booking.objects.update(decide_by=now() - timedelta(minutes=1))
    Booking.objects.filter(pk=broken.pk).update(during=BEYOND)

    assert expire_requests() == 1

    other.refresh_from_db()
    broken.refresh_from_db()
    assert (other.request_state, broken.request_state) == (RequestState.EXPIRED, RequestState.REQUESTED)
    assert broken.claims.exists()
    assert log() == [f"Ending booking {broken.pk}, which ran out, failed: OverflowError"]


def test_an_offer_that_cannot_be_ended_keeps_no_other(van, ask, at, owner, home, asker, neighbour, log):
    places = []
    for hour in (9, 12):
        booking = ask(van, at(hour), at(hour + 1))
        places.append(
            wait_for(
                van, starts_at=at(hour), ends_at=at(hour + 1), purpose="Match", by=asker, on_behalf_of=neighbour.body
            )
        )
        cancel_booking(booking, by=owner, on_behalf_of=home.body)
    WaitingOffer.objects.update(until=now() - timedelta(minutes=1))
    Waiting.objects.filter(pk=places[0].pk).update(during=BEYOND)

    assert expire_offers() == 1

    assert [Waiting.objects.get(pk=one.pk).state for one in places] == [WaitState.OFFERED, WaitState.GIVEN_UP]
    assert log() == [f"Ending offer {places[0].offers.get().pk}, which ran out, failed: OverflowError"]


def test_an_owner_who_cannot_be_reminded_keeps_no_other(asked, ask, at, home, principal, school, log):
    broken = ask(asked, at(9), at(11))
    theirs = ResourceFactory(name="Sal 1", municipality=home, owner=school.body, approval=Approval.BY_OWNER)
    other = ask(theirs, at(9), at(11))
    Booking.objects.update(asked_at=now() - timedelta(hours=70), decide_by=now() + timedelta(hours=1))
    Booking.objects.filter(pk=broken.pk).update(during=BEYOND)

    assert remind_deciders() == 1

    other.refresh_from_db()
    broken.refresh_from_db()
    assert (other.reminded_at is None, broken.reminded_at is None) == (False, True)
    assert log() == [f"Reminding of booking {broken.pk} failed: OverflowError"]
