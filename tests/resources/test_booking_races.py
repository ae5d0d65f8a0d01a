"""Many for one: exactly one gets it, the others a refusal with a way out, and nobody is left hanging."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction

from collab4m.clock import now, today
from organisations.models import RoleKind
from records.models import Event
from resources.models import Approval, Blocking, Booking, Claim, RequestState, Resource, Rivalry, Takes, Unit, Waiting
from resources.operations import (
    LastUnit,
    NotAwaitingDecision,
    OfferEnded,
    Pattern,
    ResourceRefused,
    SlotTaken,
    UnitNeeded,
    accept_offer,
    approve_booking,
    block_resource,
    cancel_booking,
    change_time,
    displaced_by,
    expire_offers,
    expire_requests,
    remove_unit,
    request_booking,
    request_series,
    set_price,
    share_resource,
    wait_for,
)
from tests.factories import ResourceFactory, RoleFactory
from tests.records.test_races import ROUNDS, at_once

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
CLIENTS = 20


@pytest.fixture(autouse=True)
def _no_deadlock(db):
    before = deadlocks()
    yield
    assert deadlocks() == before


def deadlocks():
    """How many PostgreSQL has broken in this database so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


def waits_for_a_lock(cursor):
    """Whether anybody in this database does."""
    cursor.execute("SELECT pg_stat_clear_snapshot()")
    cursor.execute(
        "SELECT EXISTS (SELECT FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid())"
    )
    return cursor.fetchone()[0]


@pytest.fixture
def people(home):
    """Twenty who ask for the same municipality, each read anew in the thread that asks."""
    return [RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body).user for _client in range(CLIENTS)]


@pytest.fixture
def ask(home, owner):
    """A call that asks: `ask(van, at(9), at(11))` does nothing until it is called."""

    def later(resource, begins, ends, **more):
        return lambda: request_booking(
            resource, starts_at=begins, ends_at=ends, purpose="Studiebesök",
            **({"by": owner, "on_behalf_of": home.body} | more),
        )  # fmt: skip

    return later


@pytest.fixture
def halls(neighbour, buses):
    """A hall and its halves, left and right."""
    units = [Unit.objects.create(owner=neighbour.body, name=name) for name in ("Vänster", "Höger")]
    hall = ResourceFactory(municipality=neighbour, category=buses, units=units)
    return hall, *[ResourceFactory(municipality=neighbour, category=buses, units=[unit]) for unit in units]


def compete(resource):
    resource.approval, resource.rivalry = Approval.BY_OWNER, Rivalry.COMPETE
    resource.save()


def won(answers, *refusals):
    """Those who got it; everyone else was refused in a way that is expected, and told of something else."""
    winners = [answer for answer in answers if not isinstance(answer, Exception)]
    losers = [answer for answer in answers if isinstance(answer, Exception)]
    assert {type(answer) for answer in losers} <= set(refusals), losers
    assert all(answer.alternatives for answer in losers if isinstance(answer, SlotTaken))
    return winners


def assert_never_twice():
    """No unit is held twice at any moment; what is approved holds what it needs; no claim is of something ended."""
    claims = list(Claim.objects.order_by("unit", "blocked").values_list("unit", "blocked"))
    for (unit, blocked), (other, following) in zip(claims, claims[1:], strict=False):
        assert unit != other or blocked.upper <= following.lower
    assert not Claim.objects.filter(booking__isnull=False).exclude(booking__request_state__in=RequestState.alive())
    assert not Claim.objects.filter(blocking__ended_at__isnull=False)
    assert not Claim.objects.filter(offer__ended_at__isnull=False)
    for booking in Booking.objects.filter(request_state=RequestState.APPROVED):
        needed = booking.resource.units.count() if booking.resource.takes == Takes.ALL else booking.quantity
        assert booking.claims.filter(during=booking.during).count() == needed


def on(at, day):
    return Claim.objects.filter(during__overlap=(at(0, day=day), at(24, day=day)))


def test_one_of_twenty_gets_the_van(van, ask, people, at):
    for day in range(ROUNDS):
        answers = at_once(
            *[
                ask(van, at(9, day=day, minute=2 * place), at(11, day=day, minute=place), by=person)
                for place, person in enumerate(people)
            ]
        )

        assert len(won(answers, SlotTaken)) == 1
        assert on(at, day).count() == 1
    assert_never_twice()


def test_the_whole_hall_against_its_halves(halls, ask, at):
    hall, left, right = halls
    for day in range(ROUNDS):
        answers = at_once(*[ask(one, at(9, day=day), at(11, day=day)) for one in (hall, left, right) * 6])

        got = sorted(answer.resource_id for answer in won(answers, SlotTaken))
        assert got in ([hall.pk], sorted([left.pk, right.pk]))
        assert on(at, day).count() == 2
    assert_never_twice()


def test_the_kit_against_its_items(neighbour, buses, ask, at):
    units = [Unit.objects.create(owner=neighbour.body, name=f"Kamera {number}") for number in range(3)]
    kit = ResourceFactory(municipality=neighbour, category=buses, units=units)
    pool = ResourceFactory(municipality=neighbour, category=buses, units=reversed(units), takes=Takes.SOME)
    for day in range(ROUNDS):
        rivals = [(kit, 1), (pool, 1), (pool, 2), (pool, 1)] * 4

        answers = at_once(*[ask(one, at(9, day=day), at(11, day=day), quantity=count) for one, count in rivals])

        got = won(answers, SlotTaken)
        taken = sum(3 if answer.resource_id == kit.pk else answer.quantity for answer in got)
        assert taken == on(at, day).count() == 3
    assert_never_twice()


def test_approving_rivals_gives_it_to_one(van, ask, neighbour, asker, at):
    compete(van)
    for day in range(ROUNDS):
        rivals = [ask(van, at(9, day=day, minute=place), at(11, day=day))() for place in range(6)]

        answers = at_once(
            *[lambda one=one: approve_booking(one, by=asker, on_behalf_of=neighbour.body) for one in rivals]
        )

        (winner,) = won(answers, NotAwaitingDecision, SlotTaken)
        states = dict(Booking.objects.filter(pk__in=[one.pk for one in rivals]).values_list("pk", "request_state"))
        assert states.pop(winner.pk) == RequestState.APPROVED
        assert set(states.values()) == {RequestState.DECLINED}
        assert all(answer.alternatives for answer in answers if isinstance(answer, Exception))
    assert_never_twice()


def test_a_series_against_single_bookings(van, ask, home, owner, at):
    for day in range(ROUNDS):
        first = day * 3
        pattern = Pattern(
            at(9, day=first).date(), at(9, day=first + 2).date(), at(9).time(), 120, weekdays=range(1, 8)
        )  # fmt: skip

        def series(pattern=pattern):
            return request_series(van, pattern, purpose="Studiebesök", by=owner, on_behalf_of=home.body)

        answers = at_once(
            *[series] * 4,
            *[ask(van, at(10, day=first + place % 3), at(12, day=first + place % 3)) for place in range(6)],
        )

        got = won(answers, SlotTaken)
        whole = [answer for answer in got if isinstance(answer, tuple)]
        assert (len(whole), len(got)) == (1, 1) or (not whole and 1 <= len(got) <= 3)
        assert sum(len(answer[1]) for answer in whole) in (0, 3)
    assert_never_twice()


def test_a_move_against_another_and_against_a_new_one(van, ask, home, owner, at):
    for day in range(ROUNDS):
        bookings = [ask(van, at(hour, day=day), at(hour + 1, day=day))() for hour in (1, 3, 5, 7)]
        to = {"starts_at": at(12, day=day), "ends_at": at(14, day=day), "by": owner, "on_behalf_of": home.body}

        answers = at_once(
            *[lambda one=one, to=to: change_time(one, **to) for one in bookings],
            *[ask(van, at(13, day=day), at(15, day=day)) for _rival in range(4)],
        )

        assert len(won(answers, SlotTaken)) == 1
        assert on(at, day).filter(during__overlap=(at(12, day=day), at(15, day=day))).count() == 1
    assert Booking.objects.alive().count() == Claim.objects.count()
    assert_never_twice()


def test_two_that_change_places_never_lose_their_own(van, ask, home, owner, at):
    for day in range(ROUNDS):
        early, late = (ask(van, at(hour, day=day), at(hour + 2, day=day))() for hour in (8, 10))

        answers = at_once(
            *[
                lambda one=one, hour=hour: change_time(
                    one, starts_at=at(hour), ends_at=at(hour + 2), by=owner, on_behalf_of=home.body
                )
                for one, hour in ((early, 10 + 24 * day), (late, 8 + 24 * day))
            ]
        )

        assert won(answers, SlotTaken) == []
        assert on(at, day).count() == 2
    assert_never_twice()


def test_the_same_key_at_once_is_one_booking(van, ask, at):
    for day in range(ROUNDS):
        answers = at_once(*[ask(van, at(9, day=day), at(11, day=day), idempotency_key=f"key {day}")] * CLIENTS)

        assert {answer.pk for answer in won(answers)} == {Booking.objects.get(idempotency_key=f"key {day}").pk}
    assert_never_twice()


def test_the_same_key_of_a_series_at_once_is_one_series(van, home, owner, at):
    compete(van)
    for day in range(ROUNDS):
        pattern = Pattern(at(9, day=day).date(), at(9, day=day + 7).date(), at(9).time(), 60)

        def series(pattern=pattern, day=day):
            return request_series(
                van, pattern, purpose="Studiebesök", by=owner, on_behalf_of=home.body, idempotency_key=f"key {day}"
            )

        answers = at_once(*[series] * 8)

        assert len({answer[0].pk for answer in won(answers)}) == 1
        assert Booking.objects.filter(idempotency_key=f"key {day}").count() == 1


def test_a_blocking_against_bookings(van, ask, neighbour, asker, at):
    for day in range(ROUNDS):
        window = (at(8, day=day), at(18, day=day))

        def block(window=window):
            while True:  # as an owner who looks and confirms until nothing has come meanwhile
                seen = {one.pk for one in displaced_by(van, *window)}
                try:
                    return block_resource(
                        van, starts_at=window[0], ends_at=window[1], reason="Service", seen=seen, by=asker,
                        on_behalf_of=neighbour.body,
                    )  # fmt: skip
                except Exception as error:
                    if getattr(error, "code", "") != "booking_refused":
                        raise

        answers = at_once(block, *[ask(van, at(8 + hour, day=day), at(9 + hour, day=day)) for hour in range(8)])

        won(answers, SlotTaken)
        assert [claim.blocking is not None for claim in on(at, day)] == [True]
    assert not Booking.objects.alive()
    assert_never_twice()


def test_a_price_is_not_taken_away_from_a_booking_that_is_being_made(van, ask, neighbour, asker, at):
    def price():
        return set_price(
            van, unit="day", sek=Decimal(400), vat="ask", first_day=today(), by=asker, on_behalf_of=neighbour.body
        )

    first, answers = price(), []
    rival = threading.Thread(target=lambda: answers.extend(at_once(price)))
    with transaction.atomic():
        booking = ask(van, at(9), at(11))()
        rival.start()
        with connection.cursor() as cursor:
            while rival.is_alive() and not waits_for_a_lock(cursor):
                rival.join(timeout=0.05)
    rival.join(timeout=300)

    booking.refresh_from_db()
    assert booking.price_rule == first
    assert isinstance(answers[0], ResourceRefused)


def test_what_is_freed_goes_to_one_in_line_and_to_nobody_beside(van, ask, home, neighbour, owner, asker, at):
    for day in range(ROUNDS):
        booking = ask(van, at(9, day=day), at(12, day=day))()
        for hour in (9, 10, 10):
            wait_for(
                van, starts_at=at(hour, day=day), ends_at=at(hour + 2, day=day), purpose="Idrottsdag", by=asker,
                on_behalf_of=neighbour.body,
            )  # fmt: skip

        answers = at_once(
            lambda booking=booking: cancel_booking(booking, by=owner, on_behalf_of=home.body),
            *[ask(van, at(9, day=day), at(11, day=day)) for _rival in range(6)],
        )

        assert len(won(answers, SlotTaken)) == 1  # the cancelling itself: the line goes first
        offered = Waiting.objects.filter(state="offered", during__overlap=(at(0, day=day), at(24, day=day)))
        assert [one.during.lower for one in offered] == [at(9, day=day)]
        assert on(at, day).get().offer.waiting == offered.get()
    assert_never_twice()


def test_an_offer_is_taken_once(van, ask, home, neighbour, owner, asker, at):
    for day in range(ROUNDS):
        booking = ask(van, at(9, day=day), at(11, day=day))()
        waiting = wait_for(
            van, starts_at=at(9, day=day), ends_at=at(11, day=day), purpose="Idrottsdag", by=asker,
            on_behalf_of=neighbour.body,
        )  # fmt: skip
        cancel_booking(booking, by=owner, on_behalf_of=home.body)
        offer = waiting.offers.get()

        answers = at_once(
            *[lambda offer=offer: accept_offer(offer, by=asker, on_behalf_of=neighbour.body)] * 6,
            *[ask(van, at(10, day=day), at(12, day=day)) for _rival in range(6)],
        )

        (taken,) = won(answers, OfferEnded, SlotTaken)
        assert on(at, day).get().booking == taken
    assert_never_twice()


def test_what_runs_out_ends_once_whoever_notices(van, ask, neighbour, asker, at):
    van.approval, van.rivalry = Approval.BY_OWNER, Rivalry.HOLD
    van.save()
    for day in range(ROUNDS):
        held = ask(van, at(9, day=day), at(11, day=day))()
        Booking.objects.filter(pk=held.pk).update(decide_by=now() - timedelta(minutes=1))

        answers = at_once(
            *[expire_requests, expire_offers] * 2,
            *[ask(van, at(10, day=day), at(12, day=day)) for _rival in range(6)],
            lambda held=held: approve_booking(held, by=asker, on_behalf_of=neighbour.body),
        )

        got = [answer for answer in won(answers, SlotTaken, NotAwaitingDecision) if isinstance(answer, Booking)]
        assert len(got) == 1
        assert got[0] != held
        assert on(at, day).get().booking == got[0]
    assert_never_twice()
    assert not Blocking.objects.exists()


def test_what_runs_out_at_that_instant_is_approved_or_expired_never_both(van, ask, neighbour, asker, at):
    van.approval, van.rivalry = Approval.BY_OWNER, Rivalry.HOLD
    van.save()
    for day in range(ROUNDS):
        held = ask(van, at(9, day=day), at(11, day=day))()
        Booking.objects.filter(pk=held.pk).update(decide_by=now() + timedelta(milliseconds=20 * day))

        def approve(held=held):
            return approve_booking(held, by=asker, on_behalf_of=neighbour.body)

        answers = at_once(*[expire_requests, approve] * 3, expire_requests)
        expire_requests()

        approved = [answer for answer in won(answers, NotAwaitingDecision) if isinstance(answer, Booking)]
        held.refresh_from_db()
        events = set(Event.objects.about(held).values_list("name", flat=True)) & {"booking.approved", "booking.expired"}
        if approved:
            assert (len(approved), held.request_state, events) == (1, RequestState.APPROVED, {"booking.approved"})
        else:
            assert (held.request_state, events) == (RequestState.EXPIRED, {"booking.expired"})
        assert on(at, day).count() == len(approved)
    assert_never_twice()


def test_a_piece_that_is_removed_is_in_no_booking(neighbour, buses, asker, ask, at):
    """Bookings of a pool against the removal of a piece: what is booked has its pieces, and the piece none to come."""
    for day in range(ROUNDS):
        units = [Unit.objects.create(owner=neighbour.body, name=f"iPad {number}") for number in range(3)]
        pool = ResourceFactory(municipality=neighbour, category=buses, units=units, takes=Takes.SOME)

        def remove(unit):
            return lambda: remove_unit(unit, by=asker, on_behalf_of=neighbour.body)

        answers = at_once(
            remove(units[0]), remove(units[1]), *[ask(pool, at(9, day=day), at(11, day=day)) for _rival in range(6)]
        )

        got = won(answers, SlotTaken, UnitNeeded, LastUnit)
        left = pool.units.count()
        bookings = [answer for answer in got if isinstance(answer, Booking)]
        assert len(got) - len(bookings) == 3 - left
        assert len(bookings) == left == Claim.objects.filter(booking__in=bookings, unit__resources=pool).count()
        assert not Unit.objects.filter(pk__in=[unit.pk for unit in units], resources=None).exists()
    assert_never_twice()


def test_a_piece_is_never_removed_from_under_a_whole_that_is_shared(neighbour, buses, asker):
    for day in range(ROUNDS):
        left, right = (Unit.objects.create(owner=neighbour.body, name=name) for name in ("Vänster", "Höger"))
        hall = ResourceFactory(municipality=neighbour, category=buses, units=[left, right])
        facts = {"name": f"Allt {day}", "category": buses, "kind": buses.kind}

        answers = at_once(
            *[lambda unit=unit: remove_unit(unit, by=asker, on_behalf_of=neighbour.body) for unit in (left, right)],
            lambda facts=facts, hall=hall: share_resource(owner=neighbour.body, facts=facts, parts=[hall], by=asker),
        )

        won(answers, LastUnit)
        assert hall.units.get() == Resource.objects.get(name=f"Allt {day}").units.get()
