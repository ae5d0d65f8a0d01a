"""The addresses of an agreement's own page, of referrals and of decisions, and what each role meets there."""

from typing import Any

from agreements.models import Agreement, ReferralAnswer
from agreements.operations import answer_referral
from records.operations import document_file
from tests.agreements.stories import building, decide, draft, fill_in, on_referral, party_of, signed, to_decision
from tests.factories import BoardFactory
from tests.pages import Page


def a_draft(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> Agreement:
    BoardFactory(municipality=home, name="utbildningsnämnden", case_number_example="UAN2022/17")
    return draft(area, [home, neighbour], owner, programme=building())


def out_on_referral(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> Agreement:
    agreement = a_draft(area, home, neighbour, owner, asker)
    fill_in(agreement)
    on_referral(agreement)
    return agreement


def answered(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> Agreement:
    """The neighbour wants a change in a section."""
    agreement = out_on_referral(area, home, neighbour, owner, asker)
    answer_referral(
        party_of(agreement, neighbour),
        kind="change_wanted",
        section="resor",
        text="Ersätt från första dagen.",
        by=asker,
        on_behalf_of=neighbour.body,
    )
    return agreement


def of_draft(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [a_draft(area, home, neighbour, owner, asker).pk]


def of_filled_in(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    agreement = a_draft(area, home, neighbour, owner, asker)
    fill_in(agreement)
    return [agreement.pk]


def of_referral(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [out_on_referral(area, home, neighbour, owner, asker).pk]


def of_answered(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [answered(area, home, neighbour, owner, asker).pk]


def of_answer(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [answered(area, home, neighbour, owner, asker).pk, ReferralAnswer.objects.get().pk]


def of_silent(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    agreement = out_on_referral(area, home, neighbour, owner, asker)
    return [agreement.pk, party_of(agreement, neighbour).pk]


def of_deciding(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    agreement = a_draft(area, home, neighbour, owner, asker)
    fill_in(agreement)
    decide(agreement, neighbour, to_decision(agreement))
    return [agreement.pk]


def of_own_decision(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    pk = of_deciding(area, home, neighbour, owner, asker)[0]
    return [pk, party_of(Agreement.objects.get(pk=pk), home).pk]


def of_document(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    """The document that shows a decision."""
    agreement = a_draft(area, home, neighbour, owner, asker)
    fill_in(agreement)
    document = document_file("protokoll.pdf", b"%PDF-1.7 beslut")
    decision = decide(agreement, neighbour, to_decision(agreement), document=document)
    return [decision.document_id]


def of_signed(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [signed(a_draft(area, home, neighbour, owner, asker)).pk]


def of_signed_decision(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    agreement = signed(a_draft(area, home, neighbour, owner, asker))
    return [agreement.pk, party_of(agreement, home).pk]


READERS = ("owner", "asker", "committee", "principal", "council_member")
IN_THE_AREA = dict.fromkeys(READERS, 200)
PARTIES = {"owner": 200, "asker": 200}
WITH_COMMITTEE = {**PARTIES, "committee": 200}
WRITERS = {**PARTIES, "committee": 403}
OWN = {"owner": 200, "committee": 200, "asker": 403}
OWN_SIGNED = {**dict.fromkeys(READERS, 403), "owner": 200, "committee": 200}

REFERRAL_PAGES = [
    Page("agreement", args=of_draft, query="?utkast", everyone=404, status=PARTIES),
    Page("agreement", args=of_answered, query="?remiss", everyone=404, status=WITH_COMMITTEE),
    Page("agreement", args=of_deciding, query="?beslut", everyone=404, status=WITH_COMMITTEE),
    Page("agreement", args=of_signed, everyone=404, status=IN_THE_AREA),
    Page("referral_send", args=of_draft, everyone=404, status=PARTIES),
    Page("referral_send", args=of_referral, query="?igen", everyone=404, status=WRITERS),
    Page("referral_answer", args=of_referral, everyone=404, status=WRITERS),
    Page("referral_answers", args=of_answered, everyone=404, status=WITH_COMMITTEE),
    Page("referral_answers", args=of_referral, query="?inga", everyone=404, status=WITH_COMMITTEE),
    Page("referral_take_back", args=of_referral, everyone=404, status=WRITERS),
    Page(
        "referral_remind",
        args=of_silent,
        method="post",
        draws=False,
        everyone=404,
        status={**WRITERS, "owner": 302, "asker": 302},
    ),
    Page(
        "answer_settle",
        args=of_answer,
        method="post",
        draws=False,
        everyone=404,
        status={"owner": 200, "asker": 403, "committee": 403},
    ),
    Page("decision_send", args=of_filled_in, everyone=404, status=PARTIES),
    Page("decision_send", args=of_answered, query="?hinder", everyone=404, status=WRITERS),
    Page("decision_new", args=of_own_decision, everyone=404, status=OWN),
    Page("decision_new", args=of_signed_decision, query="?undertecknat", everyone=404, status=OWN_SIGNED),
    Page("attachment", args=of_document, draws=False, everyone=404, status=WITH_COMMITTEE),
    Page("case_number", args=of_own_decision, everyone=404, status=OWN),
]
