"""The whole way of an agreement, from a draft to cover and back, by operations alone."""

from datetime import date

import pytest

from agreements.models import Cover, RevisionKind, RevisionState
from agreements.operations import (
    OldContent,
    Phase,
    StillOpen,
    WrongState,
    give_notice,
    placeholders_of,
    start_revision,
    validity_of,
)
from records.models import Version, span
from tests.agreements.stories import (
    administrator_of,
    building,
    decide,
    draft,
    fill_in,
    on_referral,
    party_of,
    revision_of,
    sign_all,
    sign_for,
    signed,
    to_decision,
    year,
)
from tests.factories import ProgrammeFactory


@pytest.fixture
def agreement(area, home, neighbour, owner, asker):
    return draft(area, [home, neighbour], owner, programme=building())


def test_what_is_on_referral_cannot_be_signed(agreement, home):
    fill_in(agreement)
    on_referral(agreement)
    assert revision_of(agreement).state == RevisionState.REFERRAL

    with pytest.raises(WrongState):
        sign_for(agreement, home, "0" * 64)


def test_what_is_open_stops_a_decision(agreement):
    assert placeholders_of(revision_of(agreement))

    with pytest.raises(StillOpen):
        to_decision(agreement)

    assert revision_of(agreement).state == RevisionState.DRAFT
    assert not Version.objects.exists()


def test_all_approve_and_sign(agreement, home, neighbour):
    fill_in(agreement)
    sha256 = to_decision(agreement)
    decide(agreement, home, sha256)
    assert revision_of(agreement).state == RevisionState.DECIDING
    decide(agreement, neighbour, sha256)
    assert revision_of(agreement).state == RevisionState.SIGNING
    sign_for(agreement, home, sha256)
    assert not Cover.objects.exists()
    sign_for(agreement, neighbour, sha256)

    assert revision_of(agreement).state == RevisionState.SIGNED
    assert [
        (c.orientation.code, c.years.lower, c.years.upper) for c in Cover.objects.order_by("orientation__code")
    ] == [
        ("BAHUS", 2022, None),
        ("BAMAR", 2022, None),
    ]
    assert validity_of(agreement).phase(date(2022, 7, 1)) == Phase.IN_FORCE
    assert validity_of(agreement).phase(date(2022, 6, 30)) == Phase.UPCOMING


def test_what_is_sent_back_makes_a_new_version(agreement, home, neighbour):
    fill_in(agreement)
    first = to_decision(agreement)
    decide(agreement, home, first)
    decide(agreement, neighbour, first, "remitted")
    assert revision_of(agreement).state == RevisionState.DRAFT
    fill_in(agreement, notice_months=24)

    second = to_decision(agreement)

    assert second != first
    with pytest.raises(OldContent):
        decide(agreement, home, first)
    decide(agreement, neighbour, second)
    assert revision_of(agreement).state == RevisionState.DECIDING


def test_notice_shortens_cover(agreement, home, neighbour):
    signed(agreement)
    notice = give_notice(
        party_of(agreement, home),
        given_on=date(2025, 6, 30),
        received_on=date(2025, 7, 1),
        by=administrator_of(home),
        on_behalf_of=home.body,
    )

    assert notice.effective_on == date(2027, 6, 30)
    assert {cover.years.upper for cover in Cover.objects.all()} == {2027}
    assert validity_of(agreement).last_day == date(2027, 6, 30)


def test_an_annex_changes_the_terms_from_its_intake_on(agreement, home, neighbour, owner):
    signed(agreement)
    revision = start_revision(
        agreement, kind=RevisionKind.ANNEX, by=owner, on_behalf_of=home.body, applies_from=year("2024/25")
    )
    revision.terms.update(seats=4)
    sign_all(agreement)

    found = {(c.years.lower, c.years.upper, c.seats) for c in Cover.objects.all()}
    assert found == {(2022, 2024, 10), (2024, None, 4)}


def test_what_takes_no_new_pupils_any_more_is_told_before_anybody_decides(area, home, neighbour, owner):
    programme = ProgrammeFactory(code="IN", valid=span(date(2011, 7, 1), date(2025, 6, 30)))
    agreement = draft(area, [home, neighbour], owner, programme=programme)

    in_time = placeholders_of(fill_in(agreement, first_day=date(2024, 7, 1)))
    too_late = placeholders_of(fill_in(agreement, first_day=date(2025, 7, 1)))

    assert in_time == []
    assert [place.term for place in too_late] == [revision_of(agreement).terms.get().pk]


def test_two_renewals_that_say_the_same_are_two_versions(agreement, home, owner):
    signed(agreement)
    for _time in range(2):
        start_revision(agreement, kind=RevisionKind.RENEWAL, by=owner, on_behalf_of=home.body)
        fill_in(agreement, first_day=date(2023, 7, 1), last_day=date(2032, 6, 30), is_open_ended=False)
        sign_all(agreement)

    assert list(Version.objects.of(agreement).values_list("number", flat=True)) == [3, 2, 1]
