"""Who may write, answer, decide, sign and end: administrators for a party, its committee for what the board decides."""

from __future__ import annotations

import rules

from agreements.models import (
    Agreement,
    Calculation,
    Party,
    PriceList,
    Referral,
    Revision,
    RevisionState,
    SeatUse,
    Statement,
)
from organisations.models import CollaborationArea, Membership, RoleKind, User


def _administers(user: User, municipalities: set[int]) -> bool:
    return user.is_authenticated and not municipalities.isdisjoint(user.bodies_where(RoleKind.ADMINISTRATOR))


def _parties(agreement: Agreement) -> set[int]:
    return set(agreement.parties.values_list("municipality", flat=True))


@rules.predicate
def administers_a_party(user: User, agreement: Agreement | None) -> bool:
    return agreement is not None and _administers(user, _parties(agreement))


@rules.predicate
def administers_a_member(user: User, area: CollaborationArea | None) -> bool:
    """Administrator of a municipality that is a member of the area today."""
    if area is None or not user.is_authenticated:
        return False
    own = user.bodies_where(RoleKind.ADMINISTRATOR)
    return bool(own) and Membership.objects.on().filter(area=area.pk, municipality__in=own).exists()


@rules.predicate
def administers_a_municipality(user: User) -> bool:
    return bool(user.is_authenticated and user.bodies_where(RoleKind.ADMINISTRATOR))


@rules.predicate
def answers_for_the_party(user: User, party: Party | None) -> bool:
    """Administrator of the municipality that is the party."""
    return party is not None and _administers(user, {party.municipality_id})


@rules.predicate
def works_for_the_party(user: User, party: Party | None) -> bool:
    """Administrator of the party, or of its committee: whoever registers what the board has decided."""
    if party is None or not user.is_authenticated:
        return False
    return party.municipality_id in user.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE)


@rules.predicate
def writes_the_revision(user: User, revision: Revision | None) -> bool:
    """A party's administrator while it is a draft; during referral where a change is wanted (see `may_correct`)."""
    if revision is None or revision.state not in (RevisionState.DRAFT, RevisionState.REFERRAL):
        return False
    return _administers(user, _parties(revision.agreement))


@rules.predicate
def administers_either(user: User, statement: Statement | None) -> bool:
    return statement is not None and _administers(user, {statement.first_id, statement.second_id})


@rules.predicate
def owns_the_calculation(user: User, calculation: Calculation | None) -> bool:
    return calculation is not None and _administers(user, {calculation.municipality_id})


@rules.predicate
def publishes_the_list(user: User, price_list: PriceList | None) -> bool:
    """The municipality itself; for the area's list an administrator of a member; for the national one, of anybody."""
    if price_list is None or not user.is_authenticated:
        return False
    if price_list.municipality_id:
        return _administers(user, {price_list.municipality_id})
    if price_list.area is not None:
        return administers_a_member(user, price_list.area)
    return administers_a_municipality(user)


@rules.predicate
def takes_in_the_pupils(user: User, use: SeatUse | None) -> bool:
    return use is not None and _administers(user, {use.provider_id, use.home_id})


@rules.predicate
def drafts_the_referral(user: User, referral: Referral | None) -> bool:
    """Administrator of the municipality that sent it."""
    return referral is not None and _administers(user, {referral.on_behalf_of_id})


rules.add_perm("agreements.start_agreement", administers_a_municipality)
rules.add_perm("agreements.draft", administers_a_party)
rules.add_perm("agreements.write_text", writes_the_revision)
rules.add_perm("agreements.answer_referral", answers_for_the_party)
rules.add_perm("agreements.settle_answer", drafts_the_referral)
rules.add_perm("agreements.record_decision", works_for_the_party)
rules.add_perm("agreements.set_case_number", works_for_the_party)
rules.add_perm("agreements.receive_copy", works_for_the_party)
rules.add_perm("agreements.sign", answers_for_the_party)
rules.add_perm("agreements.give_notice", answers_for_the_party)
rules.add_perm("agreements.change_clauses", administers_a_member)
rules.add_perm("agreements.change_clock", administers_a_member)
rules.add_perm("agreements.import_prices", publishes_the_list)
rules.add_perm("agreements.report_seat_use", takes_in_the_pupils)
rules.add_perm("agreements.work_on_statement", administers_either)
rules.add_perm("agreements.make_statements", administers_a_municipality)
rules.add_perm("agreements.calculate", administers_a_municipality)
rules.add_perm("agreements.change_calculation", owns_the_calculation)
rules.add_perm("agreements.disclose", administers_a_party)
