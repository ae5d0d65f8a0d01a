"""Never twice: claims, touching ends, turnaround, wholes and parts, rivals and expiry."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from collab4m.clock import now
from resources.models import Approval, Booking, Claim, RequestState, Rivalry, Takes, Unit
from resources.operations import (
    BookingRefused,
    NotAwaitingDecision,
    SlotTaken,
    approve_booking,
    block_resource,
    cancel_booking,
    change_time,
    decline_booking,
    displaced_by,
    expire_requests,
)
from tests.factories import ResourceFactory


def test_two_cannot_have_it_at_once(ask, van, at):
    ask(van, at(9), at(11))

    with pytest.raises(SlotTaken) as refusal:
        ask(van, at(10), at(12))

    assert refusal.value.alternatives
    assert [claim.during.lower for claim in Claim.objects.all()] == [at(9)]


def test_touching_ends_are_both_given(ask, van, at):
    ask(van, at(10), at(11))
    ask(van, at(11), at(12))

    assert Claim.objects.count() == 2


def test_turnaround_is_one_value_after_the_end(ask, van, at):
    van.turnaround_minutes = 30
    van.save()
    ask(van, at(10), at(11))

    with pytest.raises(SlotTaken):
        ask(van, at(11), at(12))
    ask(van, at(11, minute=30), at(12))
    ask(van, at(9), at(9, minute=30))


def test_a_hall_and_its_half(ask, neighbour, buses, at):
    left = Unit.objects.create(owner=neighbour.body, name="Vänster")
    right = Unit.objects.create(owner=neighbour.body, name="Höger")
    hall = ResourceFactory(municipality=neighbour, category=buses, units=[left, right])
    half = ResourceFactory(municipality=neighbour, category=buses, units=[left])
    ask(half, at(9), at(11))

    with pytest.raises(SlotTaken):
        ask(hall, at(10), at(12))
    ask(hall, at(11), at(12))
    with pytest.raises(SlotTaken):
        ask(half, at(11), at(12))


def test_some_of_many(ask, neighbour, buses, at):
    units = [Unit.objects.create(owner=neighbour.body, name=f"iPad {number}") for number in range(3)]
    tablets = ResourceFactory(municipality=neighbour, category=buses, takes=Takes.SOME, units=units)
    ask(tablets, at(9), at(11), quantity=2)

    with pytest.raises(SlotTaken):
        ask(tablets, at(10), at(12), quantity=2)
    ask(tablets, at(10), at(12), quantity=1)


def test_approving_one_declines_the_rival(ask, van, at, home, owner, neighbour, asker):
    van.approval, van.rivalry = Approval.BY_OWNER, Rivalry.COMPETE
    van.save()
    first = ask(van, at(9), at(11))
    second = ask(van, at(10), at(12))
    assert not Claim.objects.exists()

    approve_booking(second, by=asker, on_behalf_of=neighbour.body)

    first.refresh_from_db()
    assert first.request_state == RequestState.DECLINED
    assert Claim.objects.get().booking_id == second.pk


def test_the_first_request_holds_until_the_deadline(ask, van, at, neighbour, asker):
    van.approval, van.rivalry = Approval.BY_OWNER, Rivalry.HOLD
    van.save()
    first = ask(van, at(9), at(11))
    with pytest.raises(SlotTaken):
        ask(van, at(10), at(12))
    Booking.objects.filter(pk=first.pk).update(decide_by=now() - timedelta(minutes=1))

    assert expire_requests() == 1
    assert expire_requests() == 0

    first.refresh_from_db()
    assert first.request_state == RequestState.EXPIRED
    ask(van, at(10), at(12))


def test_what_is_let_go_of_is_free_again(ask, van, at, home, owner):
    booking = ask(van, at(9), at(11))

    cancel_booking(booking, by=owner, on_behalf_of=home.body)

    ask(van, at(9), at(11))


def test_a_booking_moves_and_never_onto_another(ask, van, at, home, owner):
    ask(van, at(13), at(14))
    booking = ask(van, at(9), at(11))

    with pytest.raises(SlotTaken):
        change_time(booking, starts_at=at(13), ends_at=at(15), by=owner, on_behalf_of=home.body)
    booking.refresh_from_db()
    assert booking.starts_at == at(9)
    assert booking.claims.count() == 1
    moved = change_time(booking, starts_at=at(10), ends_at=at(12), by=owner, on_behalf_of=home.body)
    assert moved.sequence == 1


def test_a_blocking_shows_first_what_it_displaces(ask, van, at, neighbour, asker):
    booking = ask(van, at(9), at(11))

    with pytest.raises(BookingRefused):
        block_resource(
            van, starts_at=at(8), ends_at=at(12), reason="Service", seen=set(), by=asker, on_behalf_of=neighbour.body
        )
    seen = {one.pk for one in displaced_by(van, at(8), at(12))}
    assert seen == {booking.pk}
    block_resource(
        van, starts_at=at(8), ends_at=at(12), reason="Service", seen=seen, by=asker, on_behalf_of=neighbour.body
    )

    booking.refresh_from_db()
    assert booking.request_state == RequestState.CANCELLED
    assert Claim.objects.get().blocking is not None


def test_the_database_refuses_what_nobody_should_try(ask, van, at, neighbour, asker):
    booking = ask(van, at(9), at(11))
    claim = booking.claims.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        Claim.objects.create(unit=claim.unit, booking=booking, during=claim.during, blocked=claim.blocked)
    with pytest.raises(NotAwaitingDecision):
        decline_booking(booking, reason="Nej", by=asker, on_behalf_of=neighbour.body)


@pytest.mark.parametrize(
    ("begins", "ends"), [((11, 0), (9, 0)), ((9, 0), (9, 0)), ((9, -30), (10, -30)), ((9, 3650), (10, 3650))]
)
def test_times_that_cannot_be_asked_for(ask, van, at, begins, ends):
    with pytest.raises(BookingRefused):
        ask(van, at(begins[0], day=begins[1]), at(ends[0], day=ends[1]))


def test_the_same_key_is_the_same_booking(ask, van, at):
    first = ask(van, at(9), at(11), idempotency_key="a")

    assert ask(van, at(9), at(11), idempotency_key="a") == first
