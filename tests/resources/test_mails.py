"""Mail about bookings: in words, in the reader's language, with a way on, to those whom it concerns."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.utils import translation

from collab4m.clock import now, today
from collab4m.templatetags.shell import in_text, span_in_words
from records.models import Outgoing, span
from records.operations import deliver_mail
from resources.models import Approval, Booking, Deputy, Rivalry, Takes, Unit
from resources.operations import (
    approve_booking,
    block_resource,
    cancel_booking,
    change_time,
    decline_booking,
    end_deputy,
    expire_requests,
    name_deputy,
    remind_deciders,
    request_booking,
)
from tests.factories import ResourceFactory, UserFactory

pytestmark = pytest.mark.django_db
ISO = re.compile(r"\d{4}-\d\d-\d\d (\d\d|kl)")


@pytest.fixture
def rivals(van, home, owner, at):
    van.approval, van.rivalry = Approval.BY_OWNER, Rivalry.COMPETE
    van.save()
    return [
        request_booking(
            van, starts_at=at(9), ends_at=at(14), purpose="Studiebesök", by=owner, on_behalf_of=home.body, pupils=7
        )
        for _rival in range(2)
    ]


def sent():
    deliver_mail()
    return list(mail.outbox)


@pytest.mark.parametrize(
    ("begins", "ends", "sv", "en"),
    [
        ((2038, 3, 9, 9), (2038, 3, 9, 14), "tisdag 9 mars 2038 kl. 9–14", "Tuesday 9 March 2038, 9–14"),
        ((2038, 3, 9, 9, 30), (2038, 3, 10), "tisdag 9 mars 2038 kl. 9.30–24", "Tuesday 9 March 2038, 9.30–24"),
        (
            (2038, 3, 5, 15),
            (2038, 3, 8, 7),
            "fredag 5 mars 2038 kl. 15 till måndag 8 mars 2038 kl. 7",
            "Friday 5 March 2038, 15 – Monday 8 March 2038, 7",
        ),
    ],
)  # fmt: skip
def test_a_time_is_told_in_words(begins, ends, sv, en):
    class During:
        lower, upper = (datetime(*one, tzinfo=ZoneInfo("Europe/Stockholm")) for one in (begins, ends))

    for language, told in (("sv", sv), ("en", en)):
        with translation.override(language):
            assert span_in_words(During) == told


def test_a_rival_that_is_declined_gets_other_times_with_the_way_to_each(rivals, van, asker, neighbour, owner, buses):
    other = ResourceFactory(name="Minibuss B", municipality=neighbour, category=buses, capacity=9)
    approve_booking(rivals[0], by=asker, on_behalf_of=neighbour.body)

    (message,) = (one for one in sent() if "får avslag" in one.subject)
    assert message.to == [owner.email]
    assert "Någon annan fick tiden." in message.body
    assert f"Minibuss B, {span_in_words(rivals[1].during)}" in message.body
    assert re.search(
        rf"http\S+/resurser/{other.pk}/boka/\?fran=\d{{4}}-\d\d-\d\dT09%3A00&till=\S+T14%3A00", message.body
    )
    assert not ISO.search(message.body)


def test_mail_is_in_the_readers_language(rivals, asker, neighbour, owner):
    owner.language = "en"
    owner.save()

    approve_booking(rivals[0], note="Nyckeln finns i luckan.", by=asker, on_behalf_of=neighbour.body)

    (message,) = (one for one in sent() if "is approved" in one.subject)
    assert re.search(r"Time: (Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day \d+ \w+.*, 9–14", message.body)
    assert "From the owner: Nyckeln finns i luckan." in message.body


def test_both_sides_read_the_difference_when_a_time_is_changed(van, home, owner, asker, neighbour, at):
    booking = request_booking(
        van, starts_at=at(9), ends_at=at(11), purpose="Studiebesök", by=owner, on_behalf_of=home.body
    )
    change_time(booking, starts_at=at(13), ends_at=at(15), by=owner, on_behalf_of=home.body)

    told = {one.to[0]: one.body for one in sent() if "flyttat" in one.subject or "annan tid" in one.subject}
    assert set(told) == {owner.email, asker.email}
    for body in told.values():
        assert re.search(r"Före: .* kl\. 9–11\nNu: .* kl\. 13–15", body)


def test_every_mail_tells_times_in_words(rivals, van, asker, neighbour, at):
    approve_booking(rivals[0], by=asker, on_behalf_of=neighbour.body)
    block_resource(
        van, starts_at=at(8), ends_at=at(20), reason="Service", seen={rivals[0].pk}, by=asker,
        on_behalf_of=neighbour.body,
    )  # fmt: skip

    messages = sent()
    assert len(messages) == 5
    assert [one.subject for one in messages if ISO.search(one.subject + one.body)] == []


def test_what_is_an_example_is_mailed_to_examples_only(van, home, owner, asker, at):
    van.example, van.approval = True, Approval.BY_OWNER
    van.save()

    request_booking(van, starts_at=at(9), ends_at=at(11), purpose="Studiebesök", by=owner, on_behalf_of=home.body)

    assert Booking.objects.exists()
    assert sent() == []


def test_a_deputy_who_also_answers_gets_one_mail(van, home, owner, asker, neighbour, at):
    van.approval = Approval.BY_OWNER
    van.save()
    other = UserFactory()
    for user in (asker, other):
        Deputy.objects.create(owner=neighbour.body, user=user, valid=span(today(), today()))

    request_booking(van, starts_at=at(9), ends_at=at(11), purpose="Studiebesök", by=owner, on_behalf_of=home.body)

    assert sorted(one.to[0] for one in sent()) == sorted([asker.email, other.email])


def test_what_the_owner_said_no_to_is_not_offered_instead(rivals, asker, neighbour):
    decline_booking(rivals[0], reason="Vi behöver den själva", by=asker, on_behalf_of=neighbour.body)

    (message,) = (one for one in sent() if "får avslag" in one.subject)
    taken, *instead = re.findall(r"(?m)^(?:Tid:|-.*?,) (.+ kl\. .+)$", message.body)
    assert instead
    assert taken not in instead


def test_a_request_that_is_displaced_is_no_cancelled_booking(rivals, van, asker, neighbour, at):
    block_resource(
        van, starts_at=at(8), ends_at=at(15), reason="Service", seen={one.pk for one in rivals}, by=asker,
        on_behalf_of=neighbour.body,
    )  # fmt: skip

    told = [one for one in sent() if "Service" in one.body]
    assert {one.subject for one in told} == {"Minibuss A går inte att få den tid du frågade om"}
    assert not any(one.attachments for one in told)


def test_a_request_that_is_withdrawn_is_no_cancelled_booking(rivals, home, owner, asker):
    cancel_booking(rivals[0], by=owner, on_behalf_of=home.body)

    assert sent()[-1].subject == "Förfrågan om Minibuss A är tillbakadragen"


def test_how_many_of_a_pool_are_asked_for_and_given(home, owner, asker, neighbour, buses, at):
    units = [Unit.objects.create(owner=neighbour.body, name=f"iPad {number}") for number in range(5)]
    pool = ResourceFactory(
        municipality=neighbour, category=buses, takes=Takes.SOME, units=units, approval=Approval.BY_OWNER
    )
    booking = request_booking(
        pool, starts_at=at(9), ends_at=at(14), purpose="Prov", quantity=3, by=owner, on_behalf_of=home.body
    )
    approve_booking(booking, by=asker, on_behalf_of=neighbour.body)

    assert ["Antal: 3" in one.body for one in sent()] == [True, True]


# Deputies


@pytest.fixture
def days():
    return {"first_day": today(), "last_day": today() + timedelta(days=4)}


def test_a_deputy_is_told_for_whom_and_when_and_where(van, home, owner, asker, neighbour, days, at):
    van.approval = Approval.BY_OWNER
    van.save()
    request_booking(van, starts_at=at(9), ends_at=at(11), purpose="Studiebesök", by=owner, on_behalf_of=home.body)
    Outgoing.objects.all().delete()
    owner.language, owner.mail_rhythm = "en", "weekly"
    owner.save()

    deputy = name_deputy(neighbour.body, user=owner, **days, by=asker, on_behalf_of=neighbour.body)
    end_deputy(deputy, by=asker, on_behalf_of=neighbour.body)

    named, ended = Outgoing.objects.order_by("pk")
    with translation.override("en"):
        first, last = in_text(days["first_day"]), in_text(days["last_day"])
    assert (named.to, named.subject) == (owner.email, f"You decide for Västerås from {first} through {last}")
    assert f"{asker} has named you deputy" in named.text
    assert "One request waits for an answer now." in named.text
    assert re.search(r"http\S+/resurser/att-besluta/", named.text)
    assert (ended.to, ended.subject) == (owner.email, "You no longer decide for Västerås")
    assert [one.to for one in sent()] == [[owner.email]] * 2  # at once, whatever else waits for the digest


def test_what_a_demonstration_names_is_mailed_to_nobody_outside_it(owner, asker, neighbour, days):
    asker.example = True
    asker.save()

    name_deputy(neighbour.body, user=owner, **days, by=asker, on_behalf_of=neighbour.body)

    assert sent() == []


def test_requests_and_reminders_reach_the_deputy_during_those_days(van, home, owner, asker, neighbour, at, days):
    van.approval, van.decide_hours = Approval.BY_OWNER, 72
    van.save()
    deputy = UserFactory()
    named = Deputy.objects.create(owner=neighbour.body, user=deputy, valid=span(today(), today()))
    request_booking(van, starts_at=at(9), ends_at=at(11), purpose="Studiebesök", by=owner, on_behalf_of=home.body)
    Booking.objects.update(asked_at=now() - timedelta(hours=49), decide_by=now() + timedelta(hours=23))
    remind_deciders()
    Booking.objects.update(decide_by=now() - timedelta(minutes=1))
    expire_requests()
    named.delete()
    request_booking(van, starts_at=at(9), ends_at=at(11), purpose="Studiebesök", by=owner, on_behalf_of=home.body)

    told = [one.subject for one in sent() if one.to == [deputy.email]]
    assert told == [
        "Enköping frågar om Minibuss A",
        "En förfrågan till Västerås går snart ut",
        "Förfrågan från Enköping om Minibuss A gick ut utan svar",
    ]
