"""What has run out is over at that moment, whoever notices first; who comes too late is told what can be done."""

from datetime import timedelta

import pytest

from collab4m.clock import now
from records.models import Event, Outgoing
from resources.models import Approval, Booking, Claim, RequestState, Rivalry, WaitState
from resources.operations import (
    NotAlive,
    NotAwaitingDecision,
    OfferEnded,
    Pattern,
    Scope,
    accept_offer,
    answer_owner,
    approve_booking,
    ask_for_more,
    cancel_booking,
    cancel_series,
    change_time,
    change_what,
    decide_series,
    decline_booking,
    expire_requests,
    keep_time,
    move_series,
    request_series,
    wait_for,
)


@pytest.fixture
def asked(van):
    """The van is held for whoever asks first, and its owner decides."""
    van.approval, van.rivalry = Approval.BY_OWNER, Rivalry.HOLD
    van.save()
    return van


@pytest.fixture
def owners(asker, neighbour):
    return {"by": asker, "on_behalf_of": neighbour.body}


@pytest.fixture
def ours(owner, home):
    return {"by": owner, "on_behalf_of": home.body}


def overdue(*bookings, by=timedelta(seconds=1)):
    Booking.objects.filter(pk__in=[one.pk for one in bookings]).update(decide_by=now() - by)
    return [Booking.objects.select_related("resource").get(pk=one.pk) for one in bookings]


DECIDING = {
    "approve": lambda one, **who: approve_booking(one, **who),
    "decline": lambda one, **who: decline_booking(one, reason="Nej", **who),
    "ask": lambda one, **who: ask_for_more(one, question="Vem kör?", **who),
}
ASKING = {
    "change": lambda one, **who: change_what(
        one, purpose="Annat", programme=None, pupils=None, cost_place="", **who
    ),
    "move": lambda one, **who: change_time(
        one, starts_at=one.starts_at + timedelta(hours=3), ends_at=one.ends_at + timedelta(hours=3), **who
    ),
    "withdraw": lambda one, **who: cancel_booking(one, **who),
    "answer": lambda one, **who: answer_owner(one, answer="Läraren", **who),
    "keep": lambda one, **who: keep_time(one, **who),
}  # fmt: skip


@pytest.mark.parametrize("what", DECIDING)
@pytest.mark.parametrize("noticed", [False, True])
def test_nobody_decides_what_has_run_out(asked, ask, at, owners, what, noticed):
    (booking,) = overdue(ask(asked, at(9), at(11)))
    if noticed:
        expire_requests()

    with pytest.raises(NotAwaitingDecision, match=r"Ingen svarade senast .* Be Enköping fråga igen\."):
        DECIDING[what](booking, **owners)

    booking.refresh_from_db()
    assert booking.request_state == RequestState.EXPIRED
    assert not Claim.objects.exists()
    assert Event.objects.about(booking).filter(name="booking.expired").count() == 1


def test_the_page_and_the_api_say_that_it_ran_out(client, asked, ask, at, asker):
    first, second = overdue(ask(asked, at(9), at(11)), ask(asked, at(13), at(15)))
    client.force_login(asker)

    page = client.post(f"/resurser/bokningar/{first.pk}/godkann/", {"seen": "", "note": ""})
    answer = client.post(f"/api/v1/bookings/{second.pk}/approve/", {}, content_type="application/json")

    assert (page.status_code, answer.status_code) == (200, 409)
    assert ("Godkänn förfrågan" in page.text, 'href="/resurser/att-besluta/"' in page.text) == (False, True)
    assert "så förfrågan har gått ut. Be Enköping fråga igen." in page.text
    assert answer.json()["code"] == "not_awaiting_decision"
    assert "så förfrågan har gått ut. Be Enköping fråga igen." in answer.json()["detail"]


def test_what_was_written_about_what_ran_out_is_not_lost(client, asked, ask, at, asker):
    (late,) = overdue(ask(asked, at(9), at(11)))
    client.force_login(asker)

    page = client.post(f"/resurser/bokningar/{late.pk}/avsla/", {"reason": "Vi behöver den själva."})

    assert "Vi behöver den själva." in page.text
    assert "<textarea" not in page.text


def test_until_the_clock_notices_the_pages_say_that_it_ran_out(client, asked, ask, at, asker, owner):
    (late,) = overdue(ask(asked, at(9), at(11)))
    client.force_login(asker)

    page = client.get(late.get_absolute_url()).text
    assert "så förfrågan har gått ut. Be Enköping fråga igen" in page
    assert (f"/{late.pk}/godkann/" in page, "Väntar på" in page) == (False, False)
    assert late.get_absolute_url() not in client.get("/resurser/att-besluta/").text
    client.force_login(owner)

    page = client.get(late.get_absolute_url()).text
    assert "Fråga igen om du fortfarande behöver tiden." in page
    assert (f"/{late.pk}/andra/" in page, f"/{late.pk}/avboka/" in page) == (False, False)


@pytest.mark.parametrize("what", ASKING)
def test_nobody_changes_what_has_run_out(asked, ask, at, ours, owners, what):
    booking = ask(asked, at(9), at(11))
    if what == "answer":
        ask_for_more(booking, question="Vem kör?", **owners)
    (booking,) = overdue(booking)

    with pytest.raises(NotAlive, match=r"Ingen svarade senast .* Gör en ny förfrågan\."):
        ASKING[what](booking, **ours)

    assert Booking.objects.get().request_state == RequestState.EXPIRED


def test_a_stale_page_meets_the_same(asked, ask, at, owners, ours):
    seen = ask(asked, at(9), at(11))
    overdue(seen)

    with pytest.raises(NotAwaitingDecision, match="gått ut"):
        approve_booking(seen, **owners)
    with pytest.raises(NotAlive, match="gått ut"):
        cancel_booking(seen, **ours)

    assert Booking.objects.get().request_state == RequestState.REQUESTED  # until the clock comes
    assert expire_requests() == 1


@pytest.fixture
def moving(asked, ask, at, owners, ours):
    """Approved 9–11; 13–15 was asked for instead, and nobody answered."""
    booking = approve_booking(ask(asked, at(9), at(11)), **owners)
    booking = change_time(booking, starts_at=at(13), ends_at=at(15), **ours)
    return overdue(booking)[0]


def test_a_wish_that_ran_out_is_not_approved_and_the_booking_stands(moving, at, owners):
    with pytest.raises(NotAwaitingDecision, match="önskan om en annan tid"):
        approve_booking(moving, **owners)

    moving.refresh_from_db()
    assert (moving.request_state, moving.starts_at, moving.kept) == (RequestState.APPROVED, at(9), None)


def test_after_a_wish_ran_out_the_booking_can_be_cancelled_or_moved_again(moving, at, ours):
    again = change_time(moving, starts_at=at(16), ends_at=at(17), **ours)
    assert (again.request_state, again.kept.lower, again.starts_at) == (RequestState.REQUESTED, at(9), at(16))

    cancelled = cancel_booking(overdue(again)[0], **ours)

    assert (cancelled.request_state, cancelled.starts_at) == (RequestState.CANCELLED, at(9))


def test_a_rival_that_ran_out_expires_and_is_not_declined(van, ask, at, owners):
    van.approval, van.rivalry = Approval.BY_OWNER, Rivalry.COMPETE
    van.save()
    wanted, rival = ask(van, at(9), at(11)), ask(van, at(10), at(12))
    overdue(rival)

    approve_booking(wanted, **owners)

    rival.refresh_from_db()
    assert rival.request_state == RequestState.EXPIRED


# A question


def test_a_question_does_not_stop_the_clock_and_an_answer_does_not_start_it_anew(asked, ask, at, owners, ours):
    booking = ask(asked, at(9), at(11))
    deadline = booking.decide_by

    asked_back = ask_for_more(booking, question="Vem kör?", **owners)
    answered = answer_owner(asked_back, answer="Läraren.", **ours)

    assert (asked_back.decide_by, answered.decide_by) == (deadline, deadline)


def test_who_let_it_run_out_is_told_as_it_was(asked, ask, at, owners, owner, asker):
    ask_for_more(ask(asked, at(9), at(11)), question="Vem kör?", **owners)
    overdue(Booking.objects.get())
    Outgoing.objects.all().delete()

    expire_requests()

    assert set(Outgoing.objects.values_list("to", "subject")) == {
        (owner.email, "Din förfrågan om Minibuss A gick ut innan du hade svarat ägaren"),
        (asker.email, "Förfrågan från Enköping om Minibuss A gick ut: din fråga fick inget svar"),
    }


# Series


@pytest.fixture
def series(asked, at, ours):
    return request_series(asked, Pattern(at(9).date(), at(9, day=14).date(), at(9).time(), 120), purpose="Sim", **ours)


def test_the_dates_of_a_series_run_out_together_with_one_mail_to_each(series, owner, asker):
    _series, dates = series
    assert len({one.decide_by for one in dates}) == 1
    overdue(*dates)
    Outgoing.objects.all().delete()

    assert expire_requests() == 3

    told = Outgoing.objects.order_by("to").values_list("to", "text")
    assert sorted(to for to, _text in told) == sorted([owner.email, asker.email])
    assert all(text.count("kl. 9–11") == 3 for _to, text in told)


def test_of_a_series_what_has_run_out_is_not_approved(series, owners, neighbour):
    found, dates = series
    overdue(dates[0])
    every = {one.pk for one in dates}

    with pytest.raises(NotAwaitingDecision, match=r"kl\. 9–11: Ingen svarade senast"):
        decide_series(found, owner=neighbour.body, approve=every, shown=every, **owners)
    states = [one.request_state for one in found.bookings.order_by("pk")]
    assert states == [RequestState.EXPIRED, RequestState.REQUESTED, RequestState.REQUESTED]

    given, _refused = decide_series(found, owner=neighbour.body, approve=every - {dates[0].pk}, shown=every, **owners)
    assert given == dates[1:]


def test_of_a_series_what_has_run_out_is_neither_moved_nor_withdrawn(series, ours, at):
    _found, dates = series
    overdue(dates[1])

    moved = move_series(dates[0], Scope.ALL, starts_at=at(13), ends_at=at(15), **ours)
    overdue(dates[0], by=timedelta(minutes=1))
    gone = cancel_series(moved[0], Scope.ALL, **ours)

    assert (moved, gone) == ([dates[0], dates[2]], [dates[2]])
    with pytest.raises(NotAlive, match="gått ut"):
        cancel_series(dates[0], Scope.ALL, **ours)


# Offers


def test_an_offer_that_ran_out_ends_and_goes_to_the_next(van, ask, at, ours, owners):
    booking = ask(van, at(9), at(11))
    first, second = (
        wait_for(van, starts_at=at(9), ends_at=at(11), purpose="Idrott", quantity=1, **who) for who in (owners, ours)
    )
    cancel_booking(booking, **ours)
    offer = first.offers.get()
    first.offers.update(until=now() - timedelta(seconds=1))
    offer.refresh_from_db()

    with pytest.raises(OfferEnded):
        accept_offer(offer, **owners)

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (WaitState.GIVEN_UP, WaitState.OFFERED)
