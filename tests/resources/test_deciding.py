"""The owner's word: yes declines the rivals that no longer fit, no says why, and only those decide who may."""

from datetime import timedelta

import pytest
from django.core import mail

from collab4m.clock import now, today
from records.models import Event, span
from records.operations import deliver_mail
from resources.models import Approval, Booking, Claim, Deputy, RequestState, Rivalry, Series, Takes, Unit
from resources.operations import (
    BookingRefused,
    ChangedSinceShown,
    MayNotDecide,
    NotAwaitingDecision,
    SlotTaken,
    answer_owner,
    approve_booking,
    ask_for_more,
    change_time,
    decide_series,
    decline_booking,
    effects_of,
    expire_requests,
    remind_askers,
    remind_deciders,
    rivals_of,
)
from tests.factories import CategoryFactory, ResourceFactory, UserFactory


@pytest.fixture
def asked(van):
    """The van competes, and its owner decides."""
    van.approval, van.rivalry = Approval.BY_OWNER, Rivalry.COMPETE
    van.save()
    return van


@pytest.fixture
def series_of(home):
    """Dates that were asked for one by one, put together as one series."""

    def made(*bookings):
        first = bookings[0]
        series = Series.objects.create(
            resource=first.resource,
            booked_for=home.body,
            first_day=today(),
            last_day=today(),
            starts="09:00",
            minutes=120,
        )
        Booking.objects.filter(pk__in=[one.pk for one in bookings]).update(series=series)
        return series

    return made


def states(*bookings):
    return [Booking.objects.get(pk=one.pk).request_state for one in bookings]


def subjects():
    deliver_mail()
    return [(message.to[0], message.subject) for message in mail.outbox]


def test_approving_declines_only_those_that_no_longer_fit(asked, ask, at, asker, neighbour):
    wanted = ask(asked, at(9), at(11))
    overlaps, later = ask(asked, at(10), at(12)), ask(asked, at(11), at(12))

    approve_booking(wanted, by=asker, on_behalf_of=neighbour.body)

    assert states(wanted, overlaps, later) == [RequestState.APPROVED, RequestState.DECLINED, RequestState.REQUESTED]
    assert list(Event.objects.filter(name="booking.declined").values_list("subject_id", flat=True)) == [overlaps.pk]


def test_a_rival_in_a_pool_stays_while_there_is_room(asked, ask, at, asker, neighbour, buses):
    units = [Unit.objects.create(owner=neighbour.body, name=f"iPad {number}") for number in range(3)]
    tablets = ResourceFactory(
        municipality=neighbour, category=buses, takes=Takes.SOME, units=units, approval="by_owner", rivalry="compete"
    )
    two, one, three = (ask(tablets, at(9), at(11), quantity=number) for number in (2, 1, 3))

    effect = effects_of([two])[two.pk]
    approve_booking(two, by=asker, on_behalf_of=neighbour.body)

    assert ([rival.pk for rival in effect.rivals], effect.turned_down) == ([one.pk, three.pk], [three])
    assert states(one, three) == [RequestState.REQUESTED, RequestState.DECLINED]


def test_what_is_shown_beforehand_is_what_happens(asked, ask, at, asker, neighbour):
    asked.turnaround_minutes = 30
    asked.save()
    wanted, touching, before, away = (
        ask(asked, *span) for span in [(at(9), at(11)), (at(11), at(12)), (at(8), at(9)), (at(13), at(14))]
    )

    shown = effects_of([wanted])[wanted.pk].turned_down
    approve_booking(wanted, by=asker, on_behalf_of=neighbour.body)

    assert shown == [touching, before]
    assert states(touching, before, away) == [RequestState.DECLINED, RequestState.DECLINED, RequestState.REQUESTED]


def test_a_rival_that_came_after_the_page_was_shown_stops_the_approval(asked, ask, at, asker, neighbour):
    wanted = ask(asked, at(9), at(11))
    rival = ask(asked, at(10), at(12))

    with pytest.raises(ChangedSinceShown):
        approve_booking(wanted, seen=[], by=asker, on_behalf_of=neighbour.body)

    assert states(wanted, rival) == [RequestState.REQUESTED, RequestState.REQUESTED]
    assert not Claim.objects.exists()
    approve_booking(wanted, seen=[rival.pk], by=asker, on_behalf_of=neighbour.body)


def test_what_could_be_had_instead_is_as_many_as_were_asked_for(ask, at, asker, neighbour, buses):
    units = [Unit.objects.create(owner=neighbour.body, name=f"iPad {number}") for number in range(3)]
    facts = {"municipality": neighbour, "category": buses, "approval": Approval.BY_OWNER, "rivalry": Rivalry.COMPETE}
    tablets = ResourceFactory(takes=Takes.SOME, units=units, **facts)
    booking = ask(tablets, at(9), at(11), quantity=2)
    ask(tablets, at(9), at(11), quantity=2, by=asker, on_behalf_of=neighbour.body)

    with pytest.raises(SlotTaken) as refused:
        approve_booking(booking, by=asker, on_behalf_of=neighbour.body)

    assert refused.value.alternatives
    assert not [one for one in refused.value.alternatives if one.starts_at == at(9)]


def test_the_first_request_holds_and_the_next_gets_a_way_out(asked, ask, at):
    asked.rivalry = Rivalry.HOLD
    asked.save()
    first = ask(asked, at(9), at(11))

    with pytest.raises(SlotTaken) as refusal:
        ask(asked, at(10), at(12))

    assert refusal.value.alternatives
    assert rivals_of(first) == []


def test_what_the_owner_lends_at_once_waits_for_nobody(van, ask, at):
    booking = ask(van, at(9), at(11))

    assert (booking.request_state, booking.decide_by) == (RequestState.APPROVED, None)


def test_approving_the_whole_hall_declines_the_half(ask, at, asker, neighbour, buses):
    left, right = (Unit.objects.create(owner=neighbour.body, name=name) for name in ("Vänster", "Höger"))
    facts = {"municipality": neighbour, "category": buses, "approval": "by_owner", "rivalry": "compete"}
    hall, half = ResourceFactory(units=[left, right], **facts), ResourceFactory(units=[left], **facts)
    whole, part = ask(hall, at(9), at(11)), ask(half, at(10), at(12))

    approve_booking(whole, by=asker, on_behalf_of=neighbour.body)

    assert states(whole, part) == [RequestState.APPROVED, RequestState.DECLINED]


# Another time after approval


@pytest.fixture
def moved(asked, ask, at, owner, home, asker, neighbour):
    """Approved 9–11, and 13–15 asked for instead."""
    booking = approve_booking(ask(asked, at(9), at(11)), by=asker, on_behalf_of=neighbour.body)
    mail.outbox.clear()
    return change_time(booking, starts_at=at(13), ends_at=at(15), by=owner, on_behalf_of=home.body)


def test_another_time_asks_again_and_keeps_the_old_one_until_decided(moved, ask, asked, at, owner, asker):
    assert (moved.request_state, moved.kept.lower) == (RequestState.REQUESTED, at(9))
    with pytest.raises(SlotTaken):
        ask(asked, at(10), at(12))
    told = subjects()
    assert (asker.email, "Enköping vill ha en annan tid för Minibuss A") in told
    assert (owner.email, "Minibuss A: du har bett om en annan tid") in told


def test_the_new_time_approved_lets_the_old_one_go(moved, ask, asked, at, asker, neighbour, owner):
    approve_booking(moved, by=asker, on_behalf_of=neighbour.body)

    assert [claim.during.lower for claim in moved.claims.all()] == [at(13)]
    ask(asked, at(9), at(11))
    assert (owner.email, "Minibuss A: du fick den nya tiden") in subjects()


def test_the_new_time_declined_falls_back_to_the_old(moved, at, asker, neighbour, owner):
    decline_booking(moved, reason="Vi behöver den själva.", by=asker, on_behalf_of=neighbour.body)

    booking = Booking.objects.get(pk=moved.pk)
    assert (booking.request_state, booking.starts_at, booking.kept) == (RequestState.APPROVED, at(9), None)
    assert [claim.during.lower for claim in booking.claims.all()] == [at(9)]
    assert (owner.email, "Minibuss A: din bokning gäller som förut") in subjects()


def test_a_wish_that_nobody_answers_falls_back_too(moved, at):
    Booking.objects.filter(pk=moved.pk).update(decide_by=now() - timedelta(minutes=1))

    assert expire_requests() == 1

    booking = Booking.objects.get(pk=moved.pk)
    assert (booking.request_state, booking.starts_at) == (RequestState.APPROVED, at(9))


# No, and questions


def test_no_needs_a_reason_and_changes_nothing_without(asked, ask, at, asker, neighbour):
    booking = ask(asked, at(9), at(11))

    with pytest.raises(BookingRefused):
        decline_booking(booking, reason="  ", by=asker, on_behalf_of=neighbour.body)

    assert states(booking) == [RequestState.REQUESTED]


def test_a_question_goes_and_comes_back(asked, ask, at, owner, home, asker, neighbour):
    booking = ask(asked, at(9), at(11))
    deadline = booking.decide_by

    ask_for_more(booking, question="Vem kör?", by=asker, on_behalf_of=neighbour.body)
    assert list(Booking.objects.to_decide(asker)) == []
    answer_owner(Booking.objects.get(pk=booking.pk), answer="Läraren.", by=owner, on_behalf_of=home.body)

    assert list(Booking.objects.to_decide(asker).values_list("pk", "decide_by")) == [(booking.pk, deadline)]
    told = subjects()
    assert (owner.email, "Ägaren frågar om din förfrågan om Minibuss A") in told
    assert (asker.email, "Enköping har svarat om Minibuss A") in told


def test_what_is_decided_is_decided(asked, ask, at, asker, neighbour):
    booking = ask(asked, at(9), at(11))
    decline_booking(booking, reason="Nej", by=asker, on_behalf_of=neighbour.body)

    for again in (
        lambda: approve_booking(booking, by=asker, on_behalf_of=neighbour.body),
        lambda: decline_booking(booking, reason="Nej", by=asker, on_behalf_of=neighbour.body),
        lambda: ask_for_more(booking, question="Vem?", by=asker, on_behalf_of=neighbour.body),
    ):
        with pytest.raises(NotAwaitingDecision):
            again()


# Who may


def test_a_deputy_decides_within_the_dates_only(asked, ask, at, neighbour, asker):
    deputy = UserFactory()
    named = Deputy.objects.create(owner=neighbour.body, user=deputy, valid=span(today() + timedelta(days=1), None))
    booking = ask(asked, at(9), at(11))

    for first, last in [(1, None), (-10, -1)]:
        named.valid = span(today() + timedelta(days=first), None if last is None else today() + timedelta(days=last))
        named.save()
        with pytest.raises(MayNotDecide):
            approve_booking(booking, by=deputy, on_behalf_of=neighbour.body)
        assert list(Booking.objects.to_decide(deputy)) == []
    named.valid = span(today(), today())
    named.save()

    assert list(Booking.objects.to_decide(deputy)) == [booking]
    assert approve_booking(booking, by=deputy, on_behalf_of=neighbour.body).decided_by == deputy


@pytest.mark.parametrize(
    "who", ["owner", "outsider", "committee", "council_member", "roleless", "system_administrator"]
)
def test_nobody_else_decides(request, asked, ask, at, neighbour, who):
    booking, somebody = ask(asked, at(9), at(11)), request.getfixturevalue(who)

    with pytest.raises(MayNotDecide):
        approve_booking(booking, by=somebody, on_behalf_of=neighbour.body)

    assert states(booking) == [RequestState.REQUESTED]


def test_one_decides_for_the_owner_and_for_nobody_else(asked, ask, at, two_homes, home):
    booking = ask(asked, at(9), at(11))

    with pytest.raises(MayNotDecide):
        approve_booking(booking, by=two_homes, on_behalf_of=home.body)


# A series at once


def test_a_part_of_a_series_is_approved_and_the_rest_declined_in_one_mail(
    asked, ask, at, series_of, asker, neighbour, owner
):
    dates = [ask(asked, at(9, day=7 * week), at(11, day=7 * week)) for week in range(3)]
    series = series_of(*dates)
    deliver_mail()
    mail.outbox.clear()

    given, refused = decide_series(
        series, owner=neighbour.body, approve={dates[0].pk, dates[2].pk}, shown={one.pk for one in dates},
        reason="Service den veckan.", by=asker, on_behalf_of=neighbour.body,
    )  # fmt: skip

    assert ([one.pk for one in given], [one.pk for one in refused]) == ([dates[0].pk, dates[2].pk], [dates[1].pk])
    assert states(*dates) == [RequestState.APPROVED, RequestState.DECLINED, RequestState.APPROVED]
    assert sorted(subjects()) == [
        (owner.email, "Bokningen av Minibuss A är godkänd"),
        (owner.email, "Din förfrågan om Minibuss A får avslag"),
    ]


def test_a_series_is_decided_whole_or_not_at_all(asked, ask, at, series_of, asker, neighbour, home, owner):
    dates = [ask(asked, at(9, day=7 * week), at(11, day=7 * week)) for week in range(2)]
    series = series_of(*dates)
    approve_booking(rival := ask(asked, at(10, day=7), at(12, day=7)), by=asker, on_behalf_of=neighbour.body)
    Booking.objects.filter(pk=dates[1].pk).update(request_state=RequestState.REQUESTED)

    with pytest.raises(SlotTaken, match="utan det datumet|Leave that date out"):
        decide_series(
            series, owner=neighbour.body, approve={one.pk for one in dates}, shown={one.pk for one in dates},
            by=asker, on_behalf_of=neighbour.body,
        )  # fmt: skip

    assert states(*dates) == [RequestState.REQUESTED, RequestState.REQUESTED]
    assert list(Claim.objects.values_list("booking", flat=True)) == [rival.pk]


def test_a_date_on_something_else_points_to_what_could_stand_in_for_that(asked, ask, at, series_of, asker, neighbour):
    rules = {"approval": Approval.BY_OWNER, "rivalry": Rivalry.COMPETE, "municipality": neighbour}
    halls = CategoryFactory(name_sv="Idrottshall", slug="idrottshall")
    other, spare = (ResourceFactory(name=name, category=halls, **rules) for name in ("Hall A", "Hall B"))
    dates = [ask(asked, at(9), at(11)), ask(other, at(9, day=7), at(11, day=7))]
    series = series_of(*dates)
    approve_booking(ask(other, at(10, day=7), at(12, day=7)), by=asker, on_behalf_of=neighbour.body)
    Booking.objects.filter(pk=dates[1].pk).update(request_state=RequestState.REQUESTED)

    with pytest.raises(SlotTaken) as refusal:
        decide_series(
            series, owner=neighbour.body, approve={one.pk for one in dates}, shown={one.pk for one in dates},
            by=asker, on_behalf_of=neighbour.body,
        )  # fmt: skip

    assert (spare, at(9, day=7)) in [(one.resource, one.starts_at) for one in refusal.value.alternatives]


def test_a_series_with_a_rival_that_was_not_shown_is_not_decided(asked, ask, at, series_of, asker, neighbour):
    dates = [ask(asked, at(9, day=7 * week), at(11, day=7 * week)) for week in range(2)]
    series = series_of(*dates)
    ask(asked, at(10), at(12))

    with pytest.raises(ChangedSinceShown):
        decide_series(
            series, owner=neighbour.body, approve={one.pk for one in dates}, shown={one.pk for one in dates},
            by=asker, on_behalf_of=neighbour.body,
        )  # fmt: skip

    assert states(*dates) == [RequestState.REQUESTED, RequestState.REQUESTED]


@pytest.mark.parametrize("has_a_time", [False, True])
def test_a_rival_of_several_dates_is_told_once(asked, ask, at, series_of, asker, neighbour, owner, home, has_a_time):
    who = {"by": asker, "on_behalf_of": neighbour.body}
    dates = [ask(asked, at(9, day=day), at(11, day=day)) for day in range(2)]
    series = series_of(*dates)
    over_both = {"starts_at": at(8), "ends_at": at(12, day=1)}
    if has_a_time:
        rival = approve_booking(ask(asked, at(9, day=4), at(12, day=4)), **who)
        change_time(rival, **over_both, by=owner, on_behalf_of=home.body)
    else:
        rival = ask(asked, **over_both)
    deliver_mail()
    mail.outbox.clear()

    ids = {one.pk for one in dates}
    decide_series(series, owner=neighbour.body, approve=ids, shown={*ids, rival.pk}, **who)

    told = "booking.kept" if has_a_time else "booking.declined"
    assert Event.objects.about(rival).filter(name=told).count() == 1
    assert len(subjects()) == 2


# Reminders


def test_deciders_are_reminded_once_before_the_deadline(asked, ask, at, asker):
    asked.decide_hours = 72
    asked.save()
    bookings = [ask(asked, at(9), at(11)), ask(asked, at(12), at(13))]
    deliver_mail()
    mail.outbox.clear()

    assert remind_deciders() == 0
    Booking.objects.update(asked_at=now() - timedelta(hours=49), decide_by=now() + timedelta(hours=23))
    assert remind_deciders() == len(bookings)
    assert remind_deciders() == 0

    assert subjects() == [(asker.email, "Två förfrågningar till Västerås går snart ut")]


def test_a_short_deadline_is_reminded_of_when_half_is_left(asked, ask, at):
    asked.decide_hours = 4
    asked.save()
    ask(asked, at(9), at(11))

    Booking.objects.update(asked_at=now() - timedelta(minutes=100), decide_by=now() + timedelta(minutes=140))
    assert remind_deciders() == 0
    Booking.objects.update(asked_at=now() - timedelta(minutes=130), decide_by=now() + timedelta(minutes=110))
    assert remind_deciders() == 1


def test_whoever_was_asked_is_reminded_once_when_half_of_their_time_is_left(
    asked, ask, at, owner, home, asker, neighbour, monkeypatch
):
    bookings = [ask(asked, at(9), at(11)), ask(asked, at(12), at(13))]
    moment = now()
    Booking.objects.update(decide_by=moment + timedelta(hours=20), reminded_at=moment)  # those who decide have been
    for booking in bookings:
        ask_for_more(booking, question=f"Vem kör nr {booking.pk}?", by=asker, on_behalf_of=neighbour.body)
    deliver_mail()
    mail.outbox.clear()

    def reminded(hours):
        monkeypatch.setattr("resources.operations.reminding.now", lambda: moment + timedelta(hours=hours))
        return remind_askers(), remind_deciders()

    assert reminded(9) == (0, 0)
    assert reminded(11) == (2, 0)
    assert reminded(12) == (0, 0)
    assert subjects() == [(owner.email, "Två av dina förfrågningar går snart ut: ägaren väntar på dina svar")]
    assert all(f"Vem kör nr {booking.pk}?" in mail.outbox[0].body for booking in bookings)
    answer_owner(bookings[0], answer="Läraren.", by=owner, on_behalf_of=home.body)
    assert reminded(12) == (0, 1)
