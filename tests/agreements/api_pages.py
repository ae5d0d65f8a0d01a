"""The API's addresses of agreements, and what each role meets there: an agreement in each state, with all it has."""

from __future__ import annotations

from typing import Any

from agreements.models import Agreement, Cover, Notice, ReferralAnswer, Revision, SeatUse, Term
from agreements.operations import answer_referral, give_notice
from collab4m.clock import today
from records.documents.files import MadeFile
from records.models import Decision, Part, SignOff, Version
from records.operations import store_renditions
from tests.agreements.stories import (
    administrator_of,
    building,
    draft,
    fill_in,
    on_referral,
    party_of,
    revision_of,
    signed,
    year,
)
from tests.pages import Page

CLOSED = {"anonymous": 401}
PARTIES = {"owner": 200, "asker": 200}
FROM_REFERRAL_ON = {**PARTIES, "committee": 200}
AREA = {**FROM_REFERRAL_ON, "principal": 200, "council_member": 200}


def a_draft(area: Any, home: Any, neighbour: Any) -> Agreement:
    return draft(area, [home, neighbour], programme=building())


def a_referred(area: Any, home: Any, neighbour: Any) -> Agreement:
    """Out for referral, with an answer that wants a change."""
    agreement = a_draft(area, home, neighbour)
    fill_in(agreement)
    on_referral(agreement)
    answer_referral(
        party_of(agreement, neighbour), kind="change_wanted", section="resor", text="Bussen är dyr.",
        by=administrator_of(neighbour), on_behalf_of=neighbour.body,
    )  # fmt: skip
    return agreement


def a_signed(area: Any, home: Any, neighbour: Any) -> Agreement:
    """Signed, with a file, and given notice of."""
    agreement = signed(a_draft(area, home, neighbour))
    store_renditions(Version.objects.of(agreement).get(), [MadeFile("pdf", home.code, "avtal.pdf", b"%PDF-1.7")])
    give_notice(
        party_of(agreement, home), given_on=today(), received_on=today(), reason="Egen start.",
        by=administrator_of(home), on_behalf_of=home.body,
    )  # fmt: skip
    return agreement


def with_agreements(area: Any, home: Any, neighbour: Any) -> None:
    """Something of every kind that the API tells of."""
    agreement = a_signed(area, home, neighbour)
    cover = agreement.covers.order_by("pk")[0]
    SeatUse.objects.create(
        home=home, provider=neighbour, programme=cover.programme, orientation=cover.orientation,
        intake=year("2022/23"), admitted=3, came_in="form",
    )  # fmt: skip
    other = draft(area, [home, neighbour], programme=cover.programme, title="Mer bygg")
    fill_in(other)
    on_referral(other)
    answer_referral(
        party_of(other, neighbour), kind="no_objection", by=administrator_of(neighbour), on_behalf_of=neighbour.body
    )


def of_draft(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [a_draft(area, home, neighbour).pk]


def of_referred(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [a_referred(area, home, neighbour).pk]


def of_signed(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [a_signed(area, home, neighbour).pk]


def of_drafted_revision(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [revision_of(a_draft(area, home, neighbour)).pk]


def of_term(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [Term.objects.get(revision__agreement=a_draft(area, home, neighbour)).pk]


def of_referred_version(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [Version.objects.of(a_referred(area, home, neighbour)).get().pk]


def of_signed_version(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [Version.objects.of(a_signed(area, home, neighbour)).get().pk]


def of_answer(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    a_referred(area, home, neighbour)
    return [ReferralAnswer.objects.get().pk]


def of_decision(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    a_signed(area, home, neighbour)
    return [Decision.objects.order_by("pk")[0].pk]


def of_sign_off(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    a_signed(area, home, neighbour)
    return [SignOff.objects.order_by("pk")[0].pk]


def of_notice(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    a_signed(area, home, neighbour)
    return [Notice.objects.get().pk]


def of_cover(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    a_signed(area, home, neighbour)
    return [Cover.objects.order_by("pk")[0].pk]


def of_seat_use(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    with_agreements(area, home, neighbour)
    return [SeatUse.objects.get().pk]


def of_text(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    revision: Revision = revision_of(a_draft(area, home, neighbour))
    return [Part.objects.about(revision)[0].pk]


def listed(name: str) -> Page:
    return Page(f"{name}-list", status=CLOSED, draws=False)


def shown(name: str, args: Any, status: dict[str, int], **more: Any) -> Page:
    return Page(name, args=args, everyone=404, status={**CLOSED, **status}, draws=False, **more)


def done(name: str, args: Any, status: dict[str, int], **more: Any) -> Page:
    """A verb: what the roles meet that come with an empty form."""
    return shown(name, args, status, method="post", **more)


# With nothing in the body: 400 where something must be said, else what comes of it.
DRAFTERS = {"owner": 400, "asker": 400}
READERS_MAY_NOT = {"committee": 403, "principal": 403, "council_member": 403}

AGREEMENT_API_PAGES = [
    listed("api-agreement"),
    shown("api-agreement-detail", of_draft, PARTIES),
    done("api-agreement-refer", of_draft, DRAFTERS),
    done("api-agreement-send-to-decision", of_draft, {"owner": 409, "asker": 409}),
    done("api-agreement-take-back", of_referred, {**DRAFTERS, "committee": 403}),
    done("api-agreement-withdraw", of_draft, DRAFTERS),
    done("api-agreement-revise", of_signed, {**DRAFTERS, **READERS_MAY_NOT}),
    listed("api-agreement-revision"),
    shown("api-agreement-revision-detail", of_drafted_revision, PARTIES),
    done("api-agreement-revision-terms", of_drafted_revision, DRAFTERS),
    shown("api-agreement-revision-placeholders", of_drafted_revision, PARTIES),
    shown("api-agreement-term-detail", of_term, PARTIES),
    listed("api-agreement-version"),
    shown("api-agreement-version-detail", of_referred_version, FROM_REFERRAL_ON),
    shown("api-agreement-version-download", of_signed_version, AREA, query="?file=pdf"),
    listed("api-referral-answer"),
    shown("api-referral-answer-detail", of_answer, FROM_REFERRAL_ON),
    done("api-referral-answer-settle", of_answer, {"owner": 400, "asker": 403, "committee": 403}),
    listed("api-decision"),
    shown("api-decision-detail", of_decision, AREA),
    listed("api-sign-off"),
    shown("api-sign-off-detail", of_sign_off, AREA),
    listed("api-notice"),
    Page("api-notice-consequences", everyone=400, status=CLOSED, draws=False),
    shown("api-notice-detail", of_notice, AREA),
    done("api-notice-agree-to-withdrawal", of_notice, {**PARTIES, **READERS_MAY_NOT}),
    listed("api-cover"),
    shown("api-cover-detail", of_cover, AREA),
    listed("api-seat-use"),
    Page("api-seat-use-detail", args=of_seat_use, status=CLOSED, draws=False),
]
