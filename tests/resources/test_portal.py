"""What resources show on the start page, in search and in the menu."""

from datetime import timedelta

import pytest
from django.utils.timezone import localtime

from collab4m.clock import now, today
from records.models import span
from resources import portal
from resources.models import Booking, Deputy, Feature, WaitingOffer
from resources.operations import ask_for_more, request_booking
from tests.factories import ResourceFactory, UserFactory
from tests.resources.booking_stories import in_days
from tests.resources.deciding_pages import ask, competing, in_line, put_in_series

pytestmark = pytest.mark.django_db


def todos(user):
    return [(one.title, one.url) for one in portal.start_cards(user).todos]


def test_nothing_is_told_before_something_is_shared(owner, home):
    cards = portal.start_cards(owner)

    assert (cards.todos, cards.mandates, cards.dates) == ([], [], [])


def test_the_mandate_tells_who_shares_and_what_is_to_come(owner, home, neighbour, asker):
    van = ResourceFactory(municipality=neighbour)
    ResourceFactory(municipality=neighbour, is_retired=True)
    ask(home, owner, van)

    (mandate,) = portal.start_cards(owner).mandates

    assert (mandate.number, mandate.state) == (2, "En resurs delas, en bokning är på gång")
    assert mandate.done == {home.pk: "no", neighbour.pk: "yes"}


def test_a_request_waits_with_whoever_decides(owner, asker, home, neighbour, outsider):
    van = competing(neighbour)
    van.decide_hours = 24
    van.save()
    booking = ask(home, owner, van)

    assert todos(asker) == [("Besluta om Minibuss A för Enköping", booking.get_absolute_url())]
    assert portal.start_cards(asker).todos[0].due == localtime(booking.decide_by).date()
    assert (todos(owner), todos(outsider)) == ([], [])


def test_a_series_waits_once(owner, asker, home, neighbour):
    (pk,) = put_in_series(home, neighbour, owner)

    assert [title for title, _url in todos(asker)] == [
        "Besluta om Minibuss A för Enköping, 3 datum",
        "Besluta om Minibuss A för Enköping",
    ]
    assert todos(asker)[0][1] == f"/resurser/bokningar/{pk}/serie/"


def test_a_deputy_is_told_on_the_days_it_is_for(owner, home, neighbour):
    ask(home, owner, competing(neighbour))
    deputy = UserFactory()
    named = Deputy.objects.create(owner=neighbour.body, user=deputy, valid=span(today(), today()))

    assert len(todos(deputy)) == 1
    named.valid = span(today() + timedelta(days=1), None)
    named.save()
    assert todos(deputy) == []


def test_the_owners_question_and_an_offer_wait_with_whoever_asked(owner, asker, home, neighbour, principal):
    booking = ask(home, owner, competing(neighbour))
    ask_for_more(booking, question="Vem kör?", by=asker, on_behalf_of=neighbour.body)
    assert todos(owner) == [("Svara Västerås om Minibuss A", booking.get_absolute_url())]
    booking.delete()
    booking.resource.delete()

    in_line(home, neighbour, owner, freed=True)
    offer = WaitingOffer.objects.get()
    assert todos(owner) == [("Ta eller lämna Minibuss A", f"/resurser/erbjudanden/{offer.pk}/ta/")]
    assert (todos(asker), todos(principal)) == ([], [])
    WaitingOffer.objects.update(until=now())
    assert todos(owner) == []


def test_ones_bookings_of_the_week_stand_among_the_dates(owner, asker, home, neighbour):
    van = ResourceFactory(municipality=neighbour, name="Minibuss A")
    soon = ask(home, owner, van, day=2)
    ask(home, owner, van, day=20)

    (date,) = portal.start_cards(owner).dates

    assert (date.day, date.title, date.url) == (in_days(2, 9).date(), "Minibuss A", soon.get_absolute_url())
    assert portal.start_cards(asker).dates == []


def test_search_finds_by_name_category_and_feature_what_one_may_see(owner, asker, outsider, neighbour, buses):
    van = ResourceFactory(municipality=neighbour, name="Blå bussen", category=buses)
    other = ResourceFactory(municipality=neighbour, name="Släpet")
    other.features.add(Feature.objects.create(name_sv="Dragkrok", slug="dragkrok"))

    def found(user, words):
        return [hit.title for hit in portal.search(user, words)]

    assert [found(owner, words) for words in ("bussen", "minibuss", "dragkrok")] == [
        ["Blå bussen"], ["Blå bussen"], ["Släpet"],
    ]  # fmt: skip
    assert found(outsider, "bussen") == []
    van.is_retired = True
    van.save()
    assert found(owner, "bussen") == []


@pytest.mark.parametrize("rows", [1, 3])
def test_the_cards_cost_the_same_whatever_they_show(owner, asker, home, neighbour, django_assert_num_queries, rows):
    vans = [ResourceFactory(municipality=neighbour) for _row in range(rows)]
    for van in vans:
        ask(home, owner, van, day=2)
        theirs = ResourceFactory(municipality=home, approval="by_owner")
        request_booking(
            theirs, starts_at=in_days(7, 9), ends_at=in_days(7, 11), purpose="Match", by=asker,
            on_behalf_of=neighbour.body,
        )  # fmt: skip
    reader = type(owner).objects.get(pk=owner.pk)
    assert reader.roles_today

    with django_assert_num_queries(6):
        cards = portal.start_cards(reader)

    assert (len(cards.todos), len(cards.dates), Booking.objects.count()) == (rows, rows, 2 * rows)
