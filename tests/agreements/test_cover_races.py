"""Rivals over the same leaf: of two agreements signed at the same instant exactly one gets its cover."""

from __future__ import annotations

import os
from datetime import date

import pytest

from agreements.models import Cover, Reminder, RevisionState
from agreements.operations import CoverTaken, NewTerm, remind_due
from tests.agreements.stories import approved, building, draft, fill_in, revision_of, sign_for, signed
from tests.records.test_races import at_once

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROUNDS = int(os.environ.get("RACE_ROUNDS", "5"))


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_of_two_agreements_signed_at_once_one_gets_the_leaf(_round, area, home, neighbour, owner, asker):
    programme = building()
    orientations = list(programme.orientations.order_by("pk"))
    rivals = []
    for order in (orientations, orientations[::-1]):  # in turn, so that they would meet half-way
        terms = [NewTerm(home, neighbour, programme, orientation) for orientation in order]
        made = draft(area, [home, neighbour], owner, terms=terms)
        fill_in(made)
        sha256 = approved(made)
        sign_for(made, home, sha256)
        rivals.append((made, sha256))

    answers = at_once(*[lambda made=made, sha=sha: sign_for(made, neighbour, sha) for made, sha in rivals])

    assert sorted(isinstance(answer, CoverTaken) for answer in answers) == [False, True]
    lost = next(place for place, answer in enumerate(answers) if isinstance(answer, CoverTaken))
    winner, loser = rivals[1 - lost][0], rivals[lost][0]
    assert answers[lost].other == winner
    assert revision_of(winner).state == RevisionState.SIGNED
    assert revision_of(loser).state == RevisionState.SIGNING
    assert set(Cover.objects.values_list("agreement", flat=True)) == {winner.pk}


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_reminders_that_run_at_once_tell_once(_round, area, home, neighbour, owner, asker):
    signed(draft(area, [home, neighbour], owner, programme=building()), is_open_ended=False, last_day=date(2030, 6, 30))

    answers = at_once(*[lambda: remind_due(date(2030, 5, 1))] * 3)

    assert sum(answers) == 2
    assert Reminder.objects.count() == 4
