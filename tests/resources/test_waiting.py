"""The waiting list: in turn, the whole need or nothing, and nobody takes what is offered to another."""

from datetime import UTC, timedelta

import pytest
from django.core import mail

from collab4m.clock import now
from records.operations import deliver_mail
from resources.models import Approval, Booking, RequestState, Rivalry, Unit, Waiting, WaitingOffer, WaitState
from resources.operations import (
    BookingRefused,
    MayNotAsk,
    NothingTaken,
    NotWaiting,
    OfferEnded,
    SlotTaken,
    TooFewUnits,
    accept_offer,
    approve_booking,
    cancel_booking,
    decline_booking,
    expire_offers,
    leave_list,
    places_of,
    retire_resource,
    wait_for,
)
from tests.factories import ProgrammeFactory, ProviderFactory, ResourceFactory, RoleFactory


@pytest.fixture
def queue(principal, school):
    def made(resource, starts_at, ends_at, **more):
        return wait_for(
            resource, starts_at=starts_at, ends_at=ends_at,
            **({"purpose": "Match", "by": principal, "on_behalf_of": school.body} | more),
        )  # fmt: skip

    return made


def state(place):
    return Waiting.objects.get(pk=place.pk).state


def offer_of(place):
    return WaitingOffer.objects.get(waiting=place, ended_at=None)


def test_a_shorter_need_behind_a_longer_one_gets_what_the_longer_cannot_use(van, ask, queue, at, owner, home):
    early, late = ask(van, at(9), at(10)), ask(van, at(10), at(11))
    whole = queue(van, at(9), at(11))
    short = queue(van, at(9), at(10))

    cancel_booking(early, by=owner, on_behalf_of=home.body)
    assert (state(whole), state(short)) == (WaitState.WAITING, WaitState.OFFERED)
    leave_list(short, by=short.asked_by, on_behalf_of=short.booked_for)
    cancel_booking(late, by=owner, on_behalf_of=home.body)

    assert (state(whole), state(short)) == (WaitState.OFFERED, WaitState.GIVEN_UP)


def test_the_first_in_line_comes_first(van, ask, queue, at, owner, home):
    booking = ask(van, at(9), at(11))
    first = queue(van, at(9), at(11))
    second = queue(van, at(9), at(10), by=owner, on_behalf_of=home.body)

    cancel_booking(booking, by=owner, on_behalf_of=home.body)

    assert (state(first), state(second)) == (WaitState.OFFERED, WaitState.WAITING)
    deliver_mail()
    assert [one.to for one in mail.outbox if "är ledig" in one.subject] == [[first.asked_by.email]]


def test_an_offer_that_nobody_takes_passes_on(van, ask, queue, at, owner, home):
    booking = ask(van, at(9), at(11))
    first = queue(van, at(9), at(11))
    second = queue(van, at(9), at(10), by=owner, on_behalf_of=home.body)
    cancel_booking(booking, by=owner, on_behalf_of=home.body)
    offer = offer_of(first)
    WaitingOffer.objects.update(until=now() - timedelta(minutes=1))

    with pytest.raises(OfferEnded):
        accept_offer(offer, by=first.asked_by, on_behalf_of=first.booked_for)
    assert expire_offers() == 1
    assert expire_offers() == 0

    assert (state(first), state(second)) == (WaitState.GIVEN_UP, WaitState.OFFERED)


def test_nobody_else_gets_what_is_offered(van, ask, queue, at, owner, home):
    booking = ask(van, at(9), at(11))
    place = queue(van, at(9), at(11))
    cancel_booking(booking, by=owner, on_behalf_of=home.body)

    with pytest.raises(SlotTaken):
        ask(van, at(10), at(12))

    assert accept_offer(offer_of(place), by=place.asked_by, on_behalf_of=place.booked_for).starts_at == at(9)


def test_the_whole_need_is_kept_and_becomes_the_booking(van, ask, queue, at, owner, home):
    van.kind, van.permits = "vehicle", "B-körkort"
    van.save()
    programme = ProgrammeFactory()
    booking = ask(van, at(9), at(11), licence_confirmed=True)
    place = queue(van, at(9), at(11), programme=programme, pupils=7, cost_place="4711")
    cancel_booking(booking, by=owner, on_behalf_of=home.body)

    with pytest.raises(BookingRefused, match="B-körkort"):
        accept_offer(offer_of(place), by=place.asked_by, on_behalf_of=place.booked_for)
    assert state(place) == WaitState.OFFERED
    made = accept_offer(offer_of(place), licence_confirmed=True, by=place.asked_by, on_behalf_of=place.booked_for)

    assert (made.programme, made.pupils, made.cost_place, made.purpose) == (programme, 7, "4711", "Match")
    assert (made.request_state, state(place)) == (RequestState.APPROVED, WaitState.TAKEN)


def test_an_accepted_offer_waits_for_an_owner_who_decides(van, ask, queue, at, owner, home, asker):
    booking = ask(van, at(9), at(11))
    place = queue(van, at(9), at(11))
    van.approval = "by_owner"
    van.save()
    cancel_booking(booking, by=owner, on_behalf_of=home.body)

    made = accept_offer(offer_of(place), by=place.asked_by, on_behalf_of=place.booked_for)

    assert made.request_state == RequestState.REQUESTED
    deliver_mail()
    assert (asker.email, "Westerlundska gymnasiet frågar om Minibuss A") in [
        (one.to[0], one.subject) for one in mail.outbox
    ]


def test_what_was_offered_and_taken_is_held_until_the_owner_answers(van, ask, queue, at, owner, home, asker, neighbour):
    booking, later = ask(van, at(9), at(11)), ask(van, at(12), at(13))
    first = queue(van, at(9), at(11))
    second = queue(van, at(9), at(11), by=owner, on_behalf_of=home.body)
    van.approval, van.rivalry = Approval.BY_OWNER, Rivalry.COMPETE
    van.save()
    cancel_booking(booking, by=owner, on_behalf_of=home.body)

    made = accept_offer(offer_of(first), by=first.asked_by, on_behalf_of=first.booked_for)
    cancel_booking(later, by=owner, on_behalf_of=home.body)

    assert (made.request_state, made.claims.count(), state(second)) == (RequestState.REQUESTED, 1, WaitState.WAITING)
    with pytest.raises(SlotTaken):
        ask(van, at(10), at(12))
    made = approve_booking(made, by=asker, on_behalf_of=neighbour.body)
    assert (made.request_state, state(second)) == (RequestState.APPROVED, WaitState.WAITING)


def test_what_was_taken_and_declined_goes_to_the_next(van, ask, queue, at, owner, home, asker, neighbour):
    booking = ask(van, at(9), at(11))
    first = queue(van, at(9), at(11))
    second = queue(van, at(9), at(11), by=owner, on_behalf_of=home.body)
    van.approval, van.rivalry = Approval.BY_OWNER, Rivalry.COMPETE
    van.save()
    cancel_booking(booking, by=owner, on_behalf_of=home.body)
    made = accept_offer(offer_of(first), by=first.asked_by, on_behalf_of=first.booked_for)

    decline_booking(made, reason="Service", by=asker, on_behalf_of=neighbour.body)

    assert state(second) == WaitState.OFFERED


def test_those_in_line_are_told_when_it_is_shared_no_longer(van, ask, queue, at, owner, home, asker, neighbour):
    booking = ask(van, at(9), at(11))
    first = queue(van, at(9), at(11))
    second = queue(van, at(9), at(10), by=owner, on_behalf_of=home.body)
    cancel_booking(booking, by=owner, on_behalf_of=home.body)

    retire_resource(van, by=asker, on_behalf_of=neighbour.body)

    assert (state(first), state(second)) == (WaitState.GIVEN_UP, WaitState.GIVEN_UP)
    deliver_mail()
    told = [one for one in mail.outbox if one.subject == "Minibuss A: din plats i kön har upphört"]
    assert sorted(one.to for one in told) == sorted([[first.asked_by.email], [owner.email]])
    assert all("delas inte längre" in one.body for one in told)


def test_an_offer_ends_when_the_owner_would_no_longer_be_asked(van, ask, queue, at, owner, home):
    van.lead_minutes = 60 * 24 * 7 - 60 * 12
    van.save()
    booking = ask(van, at(20), at(21))
    place = queue(van, at(20), at(21))

    cancel_booking(booking, by=owner, on_behalf_of=home.body)

    assert offer_of(place).until <= at(20).astimezone(UTC) - timedelta(minutes=van.lead_minutes)


def test_there_is_no_line_for_what_is_free_or_never_will_be(van, queue, at, neighbour, buses):
    with pytest.raises(NothingTaken):
        queue(van, at(9), at(11))
    units = [Unit.objects.create(owner=neighbour.body, name=f"iPad {number}") for number in range(3)]
    tablets = ResourceFactory(municipality=neighbour, category=buses, takes="some", units=units)
    with pytest.raises(TooFewUnits):
        queue(tablets, at(9), at(11), quantity=4)
    with pytest.raises(BookingRefused):
        queue(van, at(9), at(11), pupils=40)
    assert not Waiting.objects.exists()


def test_standing_in_line_twice_is_standing_once(van, ask, queue, at):
    ask(van, at(9), at(11))

    assert queue(van, at(9), at(11)) == queue(van, at(9), at(11))
    assert Waiting.objects.count() == 1


def test_leaving_passes_the_offer_on_once(van, ask, queue, at, owner, home):
    booking = ask(van, at(9), at(11))
    first = queue(van, at(9), at(11))
    second = queue(van, at(9), at(10), by=owner, on_behalf_of=home.body)
    cancel_booking(booking, by=owner, on_behalf_of=home.body)

    leave_list(first, by=first.asked_by, on_behalf_of=first.booked_for)

    assert state(second) == WaitState.OFFERED
    with pytest.raises(NotWaiting):
        leave_list(first, by=first.asked_by, on_behalf_of=first.booked_for)


def test_a_line_is_ones_own(van, ask, queue, at, owner, home, asker, neighbour, outsider, committee, principal):
    booking = ask(van, at(9), at(11))
    place = queue(van, at(9), at(11))
    cancel_booking(booking, by=owner, on_behalf_of=home.body)

    assert [places_of(user) for user in (principal, owner, asker, outsider)] == [[place], [], [], []]
    place.booked_for.as_school.provider = ProviderFactory(municipality=home)
    place.booked_for.as_school.save()
    assert places_of(owner) == [place]
    with pytest.raises(MayNotAsk):
        accept_offer(offer_of(place), by=asker, on_behalf_of=neighbour.body)
    with pytest.raises(MayNotAsk):
        leave_list(place, by=committee, on_behalf_of=home.body)
    assert Booking.objects.filter(request_state=RequestState.APPROVED).count() == 0


def test_a_principal_who_left_does_not_keep_the_offer_from_the_school(van, ask, queue, at, owner, home, school):
    booking = ask(van, at(9), at(11))
    place = queue(van, at(9), at(11))
    place.asked_by.roles.all().delete()
    follower = RoleFactory(kind="principal", body=school.body).user

    cancel_booking(booking, by=owner, on_behalf_of=home.body)

    assert accept_offer(offer_of(place), by=follower, on_behalf_of=school.body).booked_for_id == school.body.pk
