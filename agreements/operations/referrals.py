"""Referral: a version goes to the parties, each answers section by section, and the drafter accepts or declines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agreements import mails
from agreements.models import (
    Agreement,
    AnswerKind,
    Outcome,
    Party,
    Referral,
    ReferralAnswer,
    ReferralReminder,
    Revision,
    RevisionState,
)
from agreements.operations.drafting import AgreementRefused, locked, require_party, revision_under_way
from agreements.operations.errors import NotYourParty, WrongState
from agreements.operations.freezing import freeze_content
from collab4m.clock import now, today
from collab4m.errors import RuleBroken
from organisations.models import Body, RoleKind, User
from records.operations import record, send

SUGGESTED_WEEKS = 3  # to answer; the sender changes it
REMIND_AGAIN_AFTER = timedelta(hours=20)


class AnswersOpen(RuleBroken):
    """Changes are wanted that nobody has accepted or declined: `answers`."""

    code = "answers_open"

    def __init__(self, answers: Sequence[ReferralAnswer]) -> None:
        self.answers = answers
        names = ", ".join(dict.fromkeys(answer.municipality.name for answer in answers))
        super().__init__(_("Accept or decline what %(names)s wants changed first.") % {"names": names})


class AnswersMissing(RuleBroken):
    code = "answers_missing"

    def __init__(self, parties: Sequence[Party], last_day: date) -> None:
        names = ", ".join(party.municipality.name for party in parties)
        words = {"names": names, "day": last_day.isoformat()}
        super().__init__(_("%(names)s has not answered and may do so to %(day)s. Wait, or take the text back.") % words)


class RemindedLately(RuleBroken):
    code = "reminded_lately"
    message = gettext_lazy("A reminder was sent less than a day ago. Wait until tomorrow, or call.")


class NothingToRemind(RuleBroken):
    code = "nothing_to_remind"
    message = gettext_lazy("The municipality has answered already.")


@transaction.atomic
def send_on_referral(agreement: Agreement, *, last_day: date, by: User, on_behalf_of: Body) -> Referral:
    """Send what is drafted to the parties, to answer by `last_day`. What is open goes along, marked.

    Raises NotYourParty, WrongState, AgreementRefused.
    """
    agreement = locked(agreement)
    require_party(agreement, by, on_behalf_of)
    revision = revision_under_way(agreement, RevisionState.DRAFT, RevisionState.REFERRAL)
    if last_day < today():
        raise AgreementRefused(_("The last day to answer has passed. Choose a later one."), "last_day")
    if last_day > today() + timedelta(days=366):
        raise AgreementRefused(_("Choose a last day within a year."), "last_day")
    if revision.state == RevisionState.REFERRAL:
        require_settled(revision)
        close_referral(revision)
    version = freeze_content(revision, by=by, on_behalf_of=on_behalf_of)
    if Referral.objects.filter(version=version).exists():
        raise WrongState(_("The text is the same as in the last referral. Change it first, or send it to decision."))
    referral = Referral.objects.create(
        revision=revision, version=version, last_day=last_day, by=by, on_behalf_of_id=on_behalf_of.pk
    )
    revision.state, revision.sent_at = RevisionState.REFERRAL, revision.sent_at or now()
    revision.save(update_fields=["state", "sent_at"])
    record(
        "agreement.sent_on_referral", agreement, by=by, on_behalf_of=on_behalf_of,
        title=str(revision), number=version.number, last_day=last_day.isoformat(),
    )  # fmt: skip
    for party in agreement.parties.select_related("municipality").exclude(municipality=on_behalf_of.pk):
        send(*mails.to_answer(referral, party))
    return referral


def open_referral(revision: Revision) -> Referral | None:
    return revision.referrals.filter(closed_at=None).select_related("version", "on_behalf_of").first()


def close_referral(revision: Revision) -> None:
    """End the referral that is open, if one is; in the caller's transaction."""
    revision.referrals.filter(closed_at=None).update(closed_at=now())


def require_settled(revision: Revision) -> None:
    """Raises AnswersOpen while a wanted change is not settled, AnswersMissing while parties may still answer."""
    referral = open_referral(revision)
    if referral is None:
        return
    if unsettled := list(
        referral.answers.filter(kind=AnswerKind.CHANGE_WANTED, outcome="").select_related("municipality")
    ):
        raise AnswersOpen(unsettled)
    missing = silent_parties(referral)
    if missing and referral.last_day >= today():
        raise AnswersMissing(missing, referral.last_day)


@dataclass(frozen=True)
class Said:
    """What a party says of a section, or with `section` "" of the whole."""

    kind: str
    section: str = ""
    text: str = ""


def answer_referral(
    party: Party, *, kind: str, section: str = "", text: str = "", by: User, on_behalf_of: Body
) -> ReferralAnswer:
    """Answer for a party, about a section or with `section` "" about the whole. Raises as `answer_in_full`."""
    return answer_in_full(party, said=[Said(kind, section, text)], by=by, on_behalf_of=on_behalf_of)[0]


@transaction.atomic
def answer_in_full(party: Party, *, said: Sequence[Said], by: User, on_behalf_of: Body) -> list[ReferralAnswer]:
    """Answer for a party about several sections at once: all of it or nothing. Later answers stand beside earlier ones.

    A wanted change opens the section's text for correction until it is settled.
    Raises NotYourParty, WrongState, AgreementRefused, whose `field` begins with the section it is about.
    """
    agreement = locked(party.agreement)
    party = agreement.parties.select_related("municipality").get(pk=party.pk)
    own = by.bodies_where(RoleKind.ADMINISTRATOR)
    if party.municipality_id != on_behalf_of.pk or party.municipality_id not in own:
        raise NotYourParty(field="on_behalf_of")
    revision = revision_under_way(agreement, RevisionState.REFERRAL)
    referral = open_referral(revision)
    if referral is None:
        raise WrongState
    if not said:
        raise AgreementRefused(_("Answer about the whole or about a section."))
    answers = []
    headings = {section["id"]: section["heading"] for section in referral.version.content["sections"]}
    for one in said:
        _check_answer(revision, one)
        answer = ReferralAnswer.objects.create(
            referral=referral, municipality=party.municipality, section=one.section, kind=one.kind,
            text=one.text.strip(), by=by,
        )  # fmt: skip
        answers.append(answer)
        record(
            "agreement.answered", agreement, by=by, on_behalf_of=on_behalf_of,
            party=party.municipality.name, kind=one.kind, section=one.section, heading=headings.get(one.section, ""),
        )  # fmt: skip
    if party.municipality_id != referral.on_behalf_of_id:
        send(*mails.answered(referral, answers))
    return answers


def _check_answer(revision: Revision, said: Said) -> None:
    prefix = f"{said.section}-" if said.section else ""
    if said.section and said.section not in revision.sections:
        raise AgreementRefused(_("Choose a section of the text, or the whole."), "section")
    if said.kind not in AnswerKind.values:
        raise AgreementRefused(_("Choose an answer."), f"{prefix}kind")
    if said.kind != AnswerKind.NO_OBJECTION and not said.text.strip():
        raise AgreementRefused(_("Write what you want, and why."), f"{prefix}text")


@transaction.atomic
def settle_answer(
    answer: ReferralAnswer, *, outcome: str, reason: str = "", by: User, on_behalf_of: Body
) -> ReferralAnswer:
    """Accept a wanted change, or decline it with a reason. Raises NotYourParty, WrongState, AgreementRefused."""
    agreement = locked(answer.referral.revision.agreement)
    require_party(agreement, by, on_behalf_of)
    answer = (
        ReferralAnswer.objects.select_related("referral__revision", "municipality")
        .select_for_update(of=("self",))
        .get(pk=answer.pk)
    )
    if answer.referral.on_behalf_of_id != on_behalf_of.pk:
        raise NotYourParty(
            _("The municipality that sent the referral accepts or declines what is wanted."), "on_behalf_of"
        )
    if answer.referral.closed_at is not None or answer.referral.revision.state != RevisionState.REFERRAL:
        raise WrongState(_("The referral is closed."))
    if not answer.is_open:
        raise WrongState(_("The answer is settled already."))
    if outcome not in Outcome.values:
        raise AgreementRefused(_("Accept or decline."), "outcome")
    if outcome == Outcome.DECLINED and not reason.strip():
        raise AgreementRefused(_("Say why it is declined. Whoever asked reads it."), "reason")
    answer.outcome, answer.outcome_reason = outcome, reason.strip()
    answer.outcome_by, answer.outcome_at = by, now()
    answer.save(update_fields=["outcome", "outcome_reason", "outcome_by", "outcome_at"])
    record(
        "agreement.answer_settled", agreement, by=by, on_behalf_of=on_behalf_of,
        party=answer.municipality.name, outcome=outcome, section=answer.section, reason=answer.outcome_reason,
    )  # fmt: skip
    if answer.municipality_id != on_behalf_of.pk:
        send(*mails.settled(answer))
    return answer


@transaction.atomic
def remind_of_referral(party: Party, *, by: User, on_behalf_of: Body) -> int:
    """Remind a party that has not answered; returns how many people were written to.

    Raises NotYourParty, WrongState, NothingToRemind, RemindedLately.
    """
    agreement = locked(party.agreement)
    require_party(agreement, by, on_behalf_of)
    referral = open_referral(revision_under_way(agreement, RevisionState.REFERRAL))
    if referral is None:
        raise WrongState
    party = agreement.parties.select_related("municipality").get(pk=party.pk)
    if party not in silent_parties(referral):
        raise NothingToRemind
    lately = referral.reminders.filter(municipality=party.municipality, sent_at__gt=now() - REMIND_AGAIN_AFTER)
    if lately.exists():
        raise RemindedLately
    ReferralReminder.objects.create(referral=referral, municipality=party.municipality)
    written = mails.to_answer(referral, party, is_reminder=True)
    send(*written)
    record("agreement.reminded", agreement, by=by, on_behalf_of=on_behalf_of, party=party.municipality.name)
    return len(written)


def silent_parties(referral: Referral) -> list[Party]:
    """The parties that have not answered, but for the one that sent it: its answer is the text."""
    answered = set(referral.answers.values_list("municipality", flat=True)) | {referral.on_behalf_of_id}
    parties = referral.revision.agreement.parties.select_related("municipality", "agreement")
    return [party for party in parties if party.municipality_id not in answered]


@dataclass(frozen=True)
class PartyAnswer:
    """How a party has answered a referral: all it said, and the word that counts."""

    party: Party
    answers: list[ReferralAnswer]

    @property
    def kind(self) -> str:
        """A change that is wanted and not settled counts before all else, then what was said last."""
        if any(answer.is_open for answer in self.answers):
            return AnswerKind.CHANGE_WANTED
        return self.answers[-1].kind if self.answers else ""

    @property
    def latest(self) -> ReferralAnswer | None:
        return self.answers[-1] if self.answers else None


def answers_of(referral: Referral) -> list[PartyAnswer]:
    """Each party's answers, in the parties' order. Two queries."""
    by_party: dict[int, list[Any]] = {}
    for answer in referral.answers.select_related("by", "outcome_by", "municipality").order_by("at", "pk"):
        by_party.setdefault(answer.municipality_id, []).append(answer)
    parties = referral.revision.agreement.parties.select_related("municipality", "agreement")
    return [PartyAnswer(party, by_party.get(party.municipality_id, [])) for party in parties]
