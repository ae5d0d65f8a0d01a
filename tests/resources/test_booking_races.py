"""Many for one: exactly one gets it, the others a refusal with a way out, and nobody is left hanging."""

import pytest

from resources.models import Approval, Claim, RequestState, Rivalry, Unit
from resources.operations import SlotTaken, approve_booking, request_booking
from resources.operations.deciding import NotAwaitingDecision
from tests.factories import ResourceFactory
from tests.records.test_races import ROUNDS, at_once

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
RIVALS = 8


def ask(resource, home, owner, begins, ends):
    return lambda: request_booking(
        resource, starts_at=begins, ends_at=ends, purpose="Studiebesök", by=owner, on_behalf_of=home.body
    )


def test_one_of_many_gets_the_van(van, home, owner, at):
    for day in range(ROUNDS):
        answers = at_once(
            *[ask(van, home, owner, at(9, day=day, minute=rival), at(11, day=day)) for rival in range(RIVALS)]
        )

        refused = [answer for answer in answers if isinstance(answer, SlotTaken)]
        assert len(refused) == RIVALS - 1
        assert all(answer.alternatives for answer in refused)
        assert Claim.objects.filter(during__overlap=(at(0, day=day), at(24, day=day))).count() == 1


def test_the_whole_hall_against_its_halves(neighbour, buses, home, owner, at):
    left = Unit.objects.create(owner=neighbour.body, name="Vänster")
    right = Unit.objects.create(owner=neighbour.body, name="Höger")
    hall = ResourceFactory(municipality=neighbour, category=buses, units=[left, right])
    halves = [ResourceFactory(municipality=neighbour, category=buses, units=[unit]) for unit in (right, left)]
    for day in range(ROUNDS):
        rivals = [hall, *halves, hall, *halves]

        answers = at_once(*[ask(one, home, owner, at(9, day=day), at(11, day=day)) for one in rivals])

        got = [answer for answer in answers if not isinstance(answer, Exception)]
        assert {type(answer) for answer in answers} <= {type(got[0]), SlotTaken}
        taken = Claim.objects.filter(during__overlap=(at(0, day=day), at(24, day=day)))
        assert sorted(taken.values_list("unit", flat=True)) == sorted([left.pk, right.pk])


def test_approving_two_rivals_gives_it_to_one(van, home, owner, neighbour, asker, at):
    van.approval, van.rivalry = Approval.BY_OWNER, Rivalry.COMPETE
    van.save()
    for day in range(ROUNDS):
        rivals = [ask(van, home, owner, at(9, day=day), at(11, day=day))() for _rival in range(4)]

        answers = at_once(
            *[lambda one=one: approve_booking(one, by=asker, on_behalf_of=neighbour.body) for one in rivals]
        )

        states = sorted(type(one).objects.get(pk=one.pk).request_state for one in rivals)
        assert states == [RequestState.APPROVED] + [RequestState.DECLINED] * 3
        assert sum(isinstance(answer, NotAwaitingDecision) for answer in answers) == 3
