"""How an agreement comes to where a test needs it: by the same operations that people use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from agreements.models import Agreement, NoticeEffect, NoticeEnds, Party, PriceKind, Revision, Standing, Term
from agreements.operations import (
    NewTerm,
    change_facts,
    parts_of_revision,
    record_decision,
    send_on_referral,
    send_to_decision,
    sign,
    start_agreement,
)
from collab4m.clock import now, today
from collab4m.school_year import SchoolYear
from organisations.models import User
from records.models import Decision, DecisionResult, SignOffMethod
from records.operations import save_part
from tests.factories import OrientationFactory, ProgrammeFactory, RoleFactory

FACTS: dict[str, Any] = {
    "first_day": date(2022, 7, 1),
    "last_day": None,
    "is_open_ended": True,
    "notice_months": 12,
    "notice_effect": NoticeEffect.SCHOOL_YEAR,
    "notice_ends": NoticeEnds.FOR_ALL,
    "price_kind": PriceKind.SELF_COST,
    "incl_meals": False,
    "incl_vat": False,
    "annex_month": 12,
    "annex_day": 15,
    "follow_up_month": 10,
    "follow_up_day": 15,
}


def building() -> Any:
    """A programme with two orientations."""
    programme = ProgrammeFactory(code="BA", name_sv="Bygg- och anläggningsprogrammet")
    OrientationFactory(programme=programme, name_sv="Husbyggnad", code="BAHUS")
    OrientationFactory(programme=programme, name_sv="Mark och anläggning", code="BAMAR")
    return programme


def administrator_of(municipality: Any) -> User:
    """Somebody who acts for a municipality today: the first there is, or a new one."""
    found = User.objects.filter(roles__body=municipality.pk, roles__kind="administrator").order_by("pk").first()
    return found or RoleFactory(kind="administrator", body=municipality.body).user


def draft(
    area: Any,
    parties: Sequence[Any],
    by: User | None = None,
    *,
    title: str = "Bygg och anläggning",
    standing: str = Standing.BILATERAL,
    programme: Any = None,
    terms: Sequence[NewTerm] | None = None,
    **more: Any,
) -> Agreement:
    """A draft in which nothing is filled in; the first party is home, the second takes in its pupils on `programme`."""
    if terms is None and programme is not None:
        terms = [NewTerm(home=parties[0], provider=parties[1], programme=programme)]
    return start_agreement(
        area=area,
        title=title,
        municipalities=parties,
        by=by or administrator_of(parties[0]),
        on_behalf_of=parties[0].body,
        standing=standing,
        terms=terms or (),
        **more,
    )


def revision_of(agreement: Agreement) -> Revision:
    """The latest revision."""
    return agreement.revisions.order_by("-ordinal").get(ordinal=agreement.revisions.count())


def party_of(agreement: Agreement, municipality: Any) -> Party:
    return agreement.parties.get(municipality=municipality)


def fill_in(agreement: Agreement, *, seats: int | None = 10, **facts: Any) -> Revision:
    """Fill in all facts, texts and seats that are open in the latest revision."""
    revision = revision_of(agreement)
    first = agreement.parties.select_related("municipality").first()
    assert first is not None
    by, body = administrator_of(first.municipality), first.municipality.body
    change_facts(revision, values={**FACTS, **facts}, seen=revision.edit, by=by, on_behalf_of=body)
    for part in parts_of_revision(revision):
        if not part.text:
            text = f"Parterna har kommit överens om {part.heading.lower()}."
            save_part(part, text=text, base_version=part.version, by=by, on_behalf_of=body)
    Term.objects.filter(revision=revision, seats=None, unlimited=False).update(seats=seats, unlimited=seats is None)
    revision.refresh_from_db()
    return revision


def on_referral(agreement: Agreement, *, last_day: date | None = None) -> Any:
    first = agreement.parties.select_related("municipality").first()
    assert first is not None
    return send_on_referral(
        agreement,
        last_day=last_day or today() + timedelta(days=21),
        by=administrator_of(first.municipality),
        on_behalf_of=first.municipality.body,
    )


def to_decision(agreement: Agreement) -> str:
    """Sent to decision; returns the hash that boards decide on."""
    first = agreement.parties.select_related("municipality").first()
    assert first is not None
    by = administrator_of(first.municipality)
    return send_to_decision(agreement, by=by, on_behalf_of=first.municipality.body).content_sha256


def decide(agreement: Agreement, municipality: Any, sha256: str, result: str = "approved", **more: Any) -> Decision:
    values: dict[str, Any] = {
        "day": today(), "paragraph": "§ 84", "case_number": "2022/17", "board_name": "utbildningsnämnden",
        "remark": "" if result == DecisionResult.APPROVED else "Villkoren behöver ändras.",
    }  # fmt: skip
    return record_decision(
        party_of(agreement, municipality),
        content_sha256=sha256,
        result=result,
        by=administrator_of(municipality),
        on_behalf_of=municipality.body,
        **(values | more),
    )


def approved(agreement: Agreement) -> str:
    """Filled in, sent to decision and approved by all parties; returns the hash."""
    sha256 = to_decision(agreement)
    for party in agreement.parties.select_related("municipality"):
        decide(agreement, party.municipality, sha256)
    return sha256


def sign_for(agreement: Agreement, municipality: Any, sha256: str, **more: Any) -> Any:
    values: dict[str, Any] = {
        "method": SignOffMethod.SECOND_FACTOR, "signed_as": "Nämndens ordförande", "second_factor_at": now(),
    }  # fmt: skip
    return sign(
        party_of(agreement, municipality),
        content_sha256=sha256,
        by=administrator_of(municipality),
        on_behalf_of=municipality.body,
        **(values | more),
    )


def signed(agreement: Agreement, **facts: Any) -> Agreement:
    """Filled in, approved and signed by all parties."""
    fill_in(agreement, **facts)
    return sign_all(agreement)


def sign_all(agreement: Agreement) -> Agreement:
    """What is filled in, approved and signed by all parties."""
    sha256 = approved(agreement)
    for party in agreement.parties.select_related("municipality").order_by("signing_order"):
        sign_for(agreement, party.municipality, sha256)
    return agreement


def year(text: str) -> SchoolYear:
    return SchoolYear.parse(text)
