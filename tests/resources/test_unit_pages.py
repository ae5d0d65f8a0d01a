"""The pages of pieces: more of them, other names, and what stands in the way of removing one."""

import pytest

from resources.models import Booking, Resource, Takes, Unit
from resources.operations import request_booking
from tests.factories import ResourceFactory
from tests.resources import sharing_pages as pages


@pytest.fixture
def who(home, owner):
    return {"by": owner, "on_behalf_of": home.body}


@pytest.fixture
def page(client, owner):
    client.force_login(owner)

    def send(path, data=None):
        answer = client.get(path) if data is None else client.post(path, data)
        return answer, answer.content.decode()

    return send


def test_pieces_are_added_where_bookings_take_some(page, home):
    (pk,) = pages.of_tablets(home)

    page(f"/resurser/{pk}/exemplar/", {"names": "iPad 3\nIPAD 1"})
    assert Resource.objects.get(pk=pk).units.count() == 2
    page(f"/resurser/{pk}/exemplar/", {"names": "iPad 3\niPad 4"})

    assert Resource.objects.get(pk=pk).units.count() == 4


def test_what_is_booked_whole_gets_no_more_pieces(page, home):
    bus = pages.bus(home)

    answer, _text = page(f"/resurser/{bus.pk}/exemplar/", {"names": "Släp"})

    assert (answer.status_code, bus.units.count()) == (200, 1)


def test_a_piece_gets_another_name_and_a_refusal_keeps_what_was_typed(page, home):
    pk, unit = pages.of_first_tablet(home)

    _answer, text = page(f"/resurser/{pk}/exemplar/{unit}/andra/", {"name": "ipad 2"})
    assert 'value="ipad 2"' in text
    page(f"/resurser/{pk}/exemplar/{unit}/andra/", {"name": "iPad 7"})

    assert Unit.objects.get(pk=unit).name == "iPad 7"


def test_a_piece_is_removed_once(page, home):
    pk, unit = pages.of_second_tablet(home)

    answer, _text = page(f"/resurser/{pk}/exemplar/{unit}/ta-bort/", {})
    again, _text = page(f"/resurser/{pk}/exemplar/{unit}/ta-bort/", {})

    assert (answer.status_code, again.status_code) == (302, 404)
    assert Resource.objects.get(pk=pk).units.count() == 1


def test_what_needs_a_piece_is_named_and_linked(page, home, owner):
    pk, unit = pages.of_booked_tablet(home, owner)

    _answer, text = page(f"/resurser/{pk}/exemplar/{unit}/ta-bort/")
    page(f"/resurser/{pk}/exemplar/{unit}/ta-bort/", {})

    assert f'href="{Booking.objects.get().get_absolute_url()}"' in text
    assert Unit.objects.filter(pk=unit).exists()


@pytest.mark.parametrize("number", [1, 3])
def test_what_needs_a_piece_costs_the_same_for_many(client, owner, home, at, who, number, django_assert_num_queries):
    pk, unit = pages.of_second_tablet(home)
    for one in range(number):
        request_booking(
            Resource.objects.get(pk=pk), starts_at=at(9, day=one), ends_at=at(10, day=one), quantity=2, purpose="Prov",
            **who,
        )  # fmt: skip
    client.force_login(owner)

    with django_assert_num_queries(12):
        client.get(f"/resurser/{pk}/exemplar/{unit}/ta-bort/")


@pytest.mark.parametrize("number", [1, 3])
def test_pieces_cost_the_same_for_many(client, owner, home, number, django_assert_num_queries):
    units = [Unit.objects.create(owner=home.body, name=f"iPad {one}") for one in range(number)]
    tablets = ResourceFactory(municipality=home, takes=Takes.SOME, units=units)
    for unit in units:
        ResourceFactory(municipality=home, units=[unit])
    client.force_login(owner)

    with django_assert_num_queries(11):
        client.get(f"/resurser/{tablets.pk}/exemplar/")
