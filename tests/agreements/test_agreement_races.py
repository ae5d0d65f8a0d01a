"""Parties that move the same agreement at the same instant: one after the other, or one of them is told."""

import os
from functools import partial

import pytest

from agreements.models import Agreement, Cover, Revision, RevisionState
from agreements.operations import (
    OldContent,
    SignedAlready,
    StillOpen,
    WrongState,
    answer_referral,
    change_facts,
    give_notice,
    record_decision,
    send_on_referral,
    send_to_decision,
    sign,
    start_agreement,
    start_revision,
    withdraw_revision,
)
from agreements.operations.errors import ChangedMeanwhile
from collab4m.clock import now, today
from collab4m.errors import RuleBroken
from records.models import Decision, Event, Part, SignOff, Version
from records.operations import PartClosed, save_part
from tests.agreements.stories import (
    FACTS,
    approved,
    building,
    decide,
    draft,
    fill_in,
    party_of,
    revision_of,
    sign_for,
    signed,
    to_decision,
    year,
)
from tests.organisations.test_directory_races import at_once

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
ROUNDS = range(int(os.environ.get("RACE_ROUNDS", "5")))


@pytest.fixture
def sides(home, neighbour, owner, asker):
    """The two parties' administrators, with today's roles read before the start."""
    for user in (owner, asker):
        assert user.roles_today
    return [{"by": owner, "on_behalf_of": home.body}, {"by": asker, "on_behalf_of": neighbour.body}]


@pytest.fixture
def agreement(area, home, neighbour, owner, asker):
    return draft(area, [home, neighbour], owner, programme=building())


def signing(agreement, municipality, side, sha256):
    return partial(
        sign, party_of(agreement, municipality), content_sha256=sha256, method="second_factor", second_factor_at=now(),
        signed_as="Ordföranden", **side,
    )  # fmt: skip


def deciding(agreement, municipality, side, sha256, result):
    remark = "" if result == "approved" else "Ändra villkoren."
    return partial(
        record_decision, party_of(agreement, municipality), content_sha256=sha256, result=result, day=today(),
        paragraph="§ 84", case_number="2022/17", board_name="utbildningsnämnden", remark=remark, **side,
    )  # fmt: skip


@pytest.mark.parametrize("round_", ROUNDS)
def test_agreements_begun_at_once_get_numbers_without_gaps(area, home, neighbour, sides, round_):
    def begin(number):
        # One in three has no second party: the number it would have had goes to the next.
        parties = [home, neighbour] if number % 3 else [home if number % 2 == 0 else neighbour]
        return start_agreement(area=area, title=f"Avtal {number}", municipalities=parties, **sides[number % 2])

    answers = at_once(*(partial(begin, number) for number in range(9)))

    made = [answer for answer in answers if isinstance(answer, Agreement)]
    assert sorted(agreement.sequence for agreement in made) == [1, 2, 3, 4, 5, 6], answers
    assert sum(isinstance(answer, RuleBroken) for answer in answers) == 3, answers


@pytest.mark.parametrize("round_", ROUNDS)
def test_both_parties_sign_at_once_and_it_is_in_force_once(agreement, home, neighbour, sides, round_):
    fill_in(agreement)
    sha256 = approved(agreement)
    agreement.parties.update(signing_order=1)

    answers = at_once(
        signing(agreement, home, sides[0], sha256),
        signing(agreement, neighbour, sides[1], sha256),
    )

    assert [type(answer) for answer in answers] == [SignOff, SignOff], answers
    assert revision_of(agreement).state == RevisionState.SIGNED
    assert Cover.objects.count() == 2
    assert Event.objects.filter(name="agreement.signed").count() == 1


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_party_that_signs_four_times_at_once_has_signed_once(agreement, home, neighbour, sides, round_):
    fill_in(agreement)
    sha256 = approved(agreement)
    sign_for(agreement, home, sha256)

    answers = at_once(*[signing(agreement, neighbour, sides[1], sha256)] * 4)

    assert sorted(type(answer).__name__ for answer in answers) == [SignOff.__name__, *[SignedAlready.__name__] * 3]
    assert SignOff.objects.filter(version__content_sha256=sha256).count() == 2
    assert Cover.objects.count() == 2


@pytest.mark.parametrize("round_", ROUNDS)
def test_what_is_decided_on_is_what_stands_whoever_saves_meanwhile(agreement, home, neighbour, sides, round_):
    """The text that was saved in time is in it; one that came too late is refused; a gap it opens is seen."""
    revision = fill_in(agreement)
    part = Part.objects.about(revision).get(key="resor")
    text = ["Resorna betalas av hemkommunen.", "Hemkommunen betalar [belopp]."][round_ % 2]

    answers = at_once(
        partial(send_to_decision, agreement, **sides[0]),
        partial(save_part, part, text=text, base_version=part.version, **sides[1]),
    )

    part.refresh_from_db()
    sent, saved = answers
    assert isinstance(saved, Part | PartClosed), answers
    if isinstance(sent, StillOpen):
        assert "[" in part.text
        assert revision_of(agreement).state == RevisionState.DRAFT
        return
    assert isinstance(sent, Version), answers
    assert part.text in str(sent.content), "the frozen text is not the one that stands"
    assert "[belopp]" not in part.text


@pytest.mark.parametrize("round_", ROUNDS)
def test_facts_changed_while_it_is_sent_to_decision_are_in_it_or_refused(agreement, sides, round_):
    revision = fill_in(agreement)

    sent, changed = at_once(
        partial(send_to_decision, agreement, **sides[0]),
        partial(change_facts, revision, values={**FACTS, "notice_months": 24}, seen=revision.edit, **sides[1]),
    )

    assert isinstance(sent, Version), sent
    assert isinstance(changed, Revision | WrongState), changed
    revision.refresh_from_db()
    assert revision.notice_months == (24 if isinstance(changed, Revision) else 12)
    assert ("24 månader" in str(sent.content)) is (revision.notice_months == 24)


@pytest.mark.parametrize("round_", ROUNDS)
def test_one_who_approves_while_another_sends_back_decides_on_that_version_or_is_told(
    agreement, home, neighbour, sides, round_
):
    fill_in(agreement)
    sha256 = to_decision(agreement)

    approves, sends_back = at_once(
        deciding(agreement, home, sides[0], sha256, "approved"),
        deciding(agreement, neighbour, sides[1], sha256, "remitted"),
    )

    assert isinstance(sends_back, Decision), sends_back
    assert isinstance(approves, Decision | OldContent), approves
    assert revision_of(agreement).state == RevisionState.DRAFT
    assert set(Decision.objects.values_list("content_sha256", flat=True)) == {sha256}


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_board_that_decides_twice_at_once_has_one_word_that_stands(agreement, home, neighbour, sides, round_):
    fill_in(agreement)
    sha256 = to_decision(agreement)

    answers = at_once(*[deciding(agreement, home, sides[0], sha256, "approved")] * 3)

    assert sorted(type(answer).__name__ for answer in answers) == [*["AlreadyDecided"] * 2, "Decision"], answers
    assert Decision.objects.count() == 1
    decide(agreement, neighbour, sha256)
    assert revision_of(agreement).state == RevisionState.SIGNING


@pytest.mark.parametrize("round_", ROUNDS)
def test_of_four_who_begin_a_change_at_once_one_does(agreement, sides, round_):
    signed(agreement)

    answers = at_once(*(partial(start_revision, agreement, kind="annex", **sides[place % 2]) for place in range(4)))

    assert sorted(type(answer).__name__ for answer in answers) == ["Revision", *["WrongState"] * 3], answers
    assert agreement.revisions.count() == 2


@pytest.mark.parametrize("round_", ROUNDS)
def test_everything_at_once_about_one_draft_leaves_no_fault(agreement, home, neighbour, sides, round_):
    """Referral, answer, decision, text, facts and withdrawal: each is done, or refused in words."""
    revision = fill_in(agreement)
    part = Part.objects.about(revision).get(key="syfte")

    answers = at_once(
        partial(send_on_referral, agreement, last_day=today(), **sides[0]),
        partial(send_to_decision, agreement, **sides[1]),
        partial(answer_referral, party_of(agreement, neighbour), kind="no_objection", **sides[1]),
        partial(save_part, part, text="Nytt syfte.", base_version=part.version, **sides[0]),
        partial(change_facts, revision, values={"notice_months": 24}, seen=revision.edit, **sides[1]),
        partial(withdraw_revision, agreement, reason="Nytt läge.", **sides[0]),
    )

    faults = [one for one in answers if isinstance(one, Exception) and not isinstance(one, RuleBroken)]
    assert faults == []
    assert not any(isinstance(one, ChangedMeanwhile) for one in answers)
    assert revision_of(agreement).state == RevisionState.WITHDRAWN


@pytest.mark.parametrize("round_", ROUNDS)
def test_both_give_notice_while_a_change_is_signed(agreement, home, neighbour, sides, round_):
    signed(agreement)
    start_revision(agreement, kind="annex", applies_from=year("2024/25"), **sides[0])
    revision_of(agreement).terms.update(seats=4)
    sha256 = approved(agreement)
    sign_for(agreement, home, sha256)
    noticed = [
        partial(give_notice, party_of(agreement, one), given_on=today(), received_on=today(), **side)
        for one, side in zip((home, neighbour), sides, strict=True)
    ]

    answers = at_once(*noticed, signing(agreement, neighbour, sides[1], sha256))

    faults = [one for one in answers if isinstance(one, Exception) and not isinstance(one, RuleBroken)]
    assert faults == []
    assert isinstance(answers[2], SignOff), answers
    assert agreement.notices.count() == 2
    upper = {cover.years.upper for cover in Cover.objects.all()}
    assert None not in upper, "notice has not reached the cover"
