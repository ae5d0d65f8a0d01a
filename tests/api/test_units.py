"""The pieces of what is shared, for programs: read by the area, renamed and removed by the owner."""

from datetime import timedelta

import pytest

from collab4m.clock import now
from resources.models import Takes, Unit
from resources.operations import request_booking
from tests.factories import ResourceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def tablets(neighbour, asker, owner):
    units = [Unit.objects.create(owner=neighbour.body, name=f"iPad {number}") for number in (1, 2)]
    return ResourceFactory(name="Surfplattor", municipality=neighbour, takes=Takes.SOME, units=units)


@pytest.fixture
def speak(program, owner):
    clients = {}

    def send(method, address, said=None, *, by=owner):
        client = clients.setdefault(by.pk, program(by, may_write=True))
        return getattr(client, method)(f"/api/v1/units/{address}", said, content_type="application/json")

    return send


def test_the_pieces_of_a_resource_are_listed(speak, tablets, neighbour):
    ResourceFactory(municipality=neighbour)

    found = speak("get", f"?resource={tablets.pk}").json()["results"]

    assert [one["name"] for one in found] == ["iPad 1", "iPad 2"]
    assert (found[0]["resources"], found[0]["owner"]) == ([tablets.pk], "Västerås")


def test_the_owner_renames_a_piece(speak, tablets, asker):
    unit = tablets.units.get(name="iPad 1")

    answer = speak("patch", f"{unit.pk}/", {"name": "iPad 7"}, by=asker)
    taken = speak("patch", f"{unit.pk}/", {"name": "IPAD 2"}, by=asker)

    assert (answer.status_code, answer.json()["name"]) == (200, "iPad 7")
    assert (taken.status_code, list(taken.json()["fields"])) == (409, ["name"])
    assert speak("patch", f"{unit.pk}/", {"name": " "}, by=asker).status_code == 400
    assert speak("patch", f"{unit.pk}/", {}, by=asker).status_code == 400


def test_the_owner_removes_a_piece_unless_it_is_needed_or_the_last(speak, tablets, asker, owner, home):
    one, other = tablets.units.order_by("pk")
    begins = now() + timedelta(days=7)
    request_booking(
        tablets, starts_at=begins, ends_at=begins + timedelta(hours=1), quantity=1, purpose="Prov", by=owner,
        on_behalf_of=home.body,
    )  # fmt: skip
    assert speak("delete", f"{one.pk}/", by=asker).status_code == 204

    last = speak("delete", f"{other.pk}/", by=asker)

    assert (last.status_code, last.json()["code"]) == (409, "last_unit")
    assert list(tablets.units.all()) == [other]


def test_a_piece_that_is_needed_is_not_removed(speak, tablets, asker, owner, home):
    begins = now() + timedelta(days=7)
    request_booking(
        tablets, starts_at=begins, ends_at=begins + timedelta(hours=1), quantity=2, purpose="Prov", by=owner,
        on_behalf_of=home.body,
    )  # fmt: skip

    answer = speak("delete", f"{tablets.units.first().pk}/", by=asker)

    assert (answer.status_code, answer.json()["code"]) == (409, "unit_needed")
    assert tablets.units.count() == 2


@pytest.mark.parametrize(("who", "status"), [("owner", 403), ("committee", 403), ("outsider", 404)])
def test_others_neither_rename_nor_remove(speak, request, tablets, who, status):
    unit, by = tablets.units.first(), request.getfixturevalue(who)

    assert speak("patch", f"{unit.pk}/", {"name": "Min"}, by=by).status_code == status
    assert speak("delete", f"{unit.pk}/", by=by).status_code == status


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same_for_one_and_three(rows, reader, owner, asker, neighbour, django_assert_num_queries):
    for _number in range(rows):
        ResourceFactory(municipality=neighbour)

    with django_assert_num_queries(13):
        assert len(reader.get("/api/v1/units/").json()["results"]) == rows
