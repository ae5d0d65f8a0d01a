"""Decisions: the text is frozen, and each municipality's board decides for itself about that very content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agreements import mails
from agreements.models import Agreement, Party, Revision, RevisionState
from agreements.operations.covering import refuse_taken
from agreements.operations.drafting import AgreementRefused, locked, require_party, revision_under_way
from agreements.operations.errors import NotYourParty, OldContent, StillOpen, WrongState
from agreements.operations.freezing import freeze_content
from agreements.operations.placeholders import placeholders_of
from agreements.operations.referrals import close_referral, require_settled
from collab4m.clock import now, today
from collab4m.errors import RuleBroken, refused
from organisations.models import Board, Body, RoleKind, User
from records.models import Decision, DecisionResult, Part, Version
from records.operations import DocumentFile, keep_document, record, send


class AlreadyDecided(RuleBroken):
    code = "already_decided"
    message = gettext_lazy(
        "The municipality's decision on this version is on record already. Correct that one instead."
    )


class DecisionRefused(RuleBroken):
    code = "decision_refused"


@transaction.atomic
def send_to_decision(agreement: Agreement, *, by: User, on_behalf_of: Body) -> Version:
    """Freeze what is under way for the boards to decide on.

    Raises NotYourParty, WrongState, StillOpen while something is not filled in, CoverTaken, AnswersOpen.
    """
    agreement = locked(agreement)
    require_party(agreement, by, on_behalf_of)
    revision = revision_under_way(agreement, RevisionState.DRAFT, RevisionState.REFERRAL)
    Part.objects.about(revision).lock_in_order()  # no text comes in between looking for what is open and freezing
    require_settled(revision)
    if open_places := placeholders_of(revision):
        raise StillOpen(open_places)
    _require_replaceable(agreement)
    refuse_taken(agreement, revision)
    close_referral(revision)
    version = freeze_content(revision, by=by, on_behalf_of=on_behalf_of)
    if version.decisions.exists():
        raise WrongState(_("The text is the same as the one that was sent back. Change what the board wanted first."))
    revision.state, revision.version, revision.deciding_since = RevisionState.DECIDING, version, now()
    revision.sent_at = revision.sent_at or now()
    revision.save(update_fields=["state", "version", "deciding_since", "sent_at"])
    record(
        "agreement.sent_to_decision", agreement, by=by, on_behalf_of=on_behalf_of,
        title=str(revision), number=version.number, sha256=version.content_sha256,
    )  # fmt: skip
    for party in agreement.parties.select_related("municipality"):
        send(*mails.to_decide(agreement, version, party))
    return version


def hindrances_of(agreement: Agreement, revision: Revision) -> list[RuleBroken]:
    """All that stops what is under way from being sent to decision, as `send_to_decision` would refuse it."""

    def require_filled_in() -> None:
        if open_places := placeholders_of(revision):
            raise StillOpen(open_places)

    found: list[RuleBroken] = []
    for check in (
        lambda: require_settled(revision),
        require_filled_in,
        lambda: _require_replaceable(agreement),
        lambda: refuse_taken(agreement, revision),
    ):
        try:
            check()
        except RuleBroken as broken:
            found.append(broken)
    return found


def _require_replaceable(agreement: Agreement) -> None:
    """An agreement is replaced by all its parties together."""
    if agreement.replaces is None:
        return
    own = set(agreement.parties.values_list("municipality", flat=True))
    missing = [
        party.municipality.name
        for party in agreement.replaces.parties.select_related("municipality")
        if party.municipality_id not in own
    ]
    if missing:
        words = {"number": agreement.replaces.number, "names": ", ".join(missing)}
        raise WrongState(
            _("%(names)s is a party to %(number)s, which this agreement replaces. Make them a party here as well.")
            % words
        )


@transaction.atomic
def record_decision(
    party: Party,
    *,
    content_sha256: str,
    result: str,
    day: date,
    paragraph: str,
    case_number: str,
    board: Board | None = None,
    board_name: str = "",
    final_on: date | None = None,
    remark: str = "",
    document: DocumentFile | None = None,
    corrects: int | None = None,
    by: User,
    on_behalf_of: Body,
) -> Decision:
    """Put on record what a party's board has decided about the content with that hash.

    All have approved: signing begins. One sends it back: it is a draft again, and what others decided counts for this
    version only. One rejects it: that is the end of it. A decision on record is corrected by recording it again with
    its id as `corrects`, until signing begins; after that only what was left empty can be filled in.
    Raises NotYourParty, WrongState, OldContent, AlreadyDecided, DecisionRefused.
    """
    agreement = locked(party.agreement)
    party = agreement.parties.select_related("municipality").get(pk=party.pk)
    _require_board(party, by, on_behalf_of)
    revision = _revision_decided(agreement, content_sha256)
    version = revision.version
    assert version is not None
    earlier = version.decisions.standing().filter(body=party.municipality_id).first()
    if earlier is not None and corrects != earlier.pk:
        raise AlreadyDecided
    decision = Decision(
        version=version,
        body_id=party.municipality_id,
        board=board,
        board_name=(board.name if board else board_name).strip(),
        content_sha256=content_sha256,
        result=result,
        day=day,
        paragraph=paragraph.strip(),
        case_number=case_number.strip(),
        final_on=final_on,
        remark=remark.strip(),
        by=by,
        replaces=earlier,
    )
    _check(decision, party)
    if revision.state != RevisionState.DECIDING:
        _only_fills_in(decision, earlier, document)
    if document is not None:
        decision.document = keep_document(version, document, by=by, on_behalf_of=on_behalf_of)
    elif earlier is not None:
        decision.document = earlier.document
    with (
        refused(decision_one_per_body=AlreadyDecided, records_decision_replaces_id_key=AlreadyDecided),
        transaction.atomic(),
    ):
        decision.save()
    if decision.case_number != party.case_number:
        party.case_number = decision.case_number
        party.save(update_fields=["case_number"])
    record(
        "agreement.decision_corrected" if earlier else "agreement.decided", agreement, by=by, on_behalf_of=on_behalf_of,
        board=f"{decision.board_name}, {party.municipality.name}", result=result, number=version.number,
        day=day.isoformat(), paragraph=decision.paragraph,
    )  # fmt: skip
    if revision.state == RevisionState.DECIDING:
        _follow(agreement, revision, decision)
    return decision


_DECIDED = (RevisionState.DECIDING, RevisionState.SIGNING, RevisionState.SIGNED)


def _revision_decided(agreement: Agreement, content_sha256: str) -> Revision:
    """The revision about whose content somebody decides. Raises OldContent, WrongState."""
    about = agreement.revisions.filter(version__content_sha256=content_sha256).select_related("version")
    revision = about.order_by("-ordinal").first()
    if revision is None:
        if Version.objects.of(agreement).filter(content_sha256=content_sha256).exists():
            raise OldContent
        decided = agreement.revisions.filter(state__in=_DECIDED)
        if decided.exists():
            raise OldContent
        raise WrongState(_("There is nothing to decide on yet. The text must be sent to decision first."))
    if revision.state not in _DECIDED:
        raise WrongState(_("It was rejected or withdrawn, so nothing more is decided about it."))
    return revision


def _require_board(party: Party, by: User, on_behalf_of: Body) -> None:
    own = by.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE)
    if party.municipality_id != on_behalf_of.pk or party.municipality_id not in own:
        raise NotYourParty(field="on_behalf_of")


def _check(decision: Decision, party: Party) -> None:
    if decision.result not in DecisionResult.values:
        raise DecisionRefused(_("Choose what was decided."), "result")
    if not decision.board_name:
        raise DecisionRefused(_("Say which board or other body decided."), "board")
    if decision.board and decision.board.municipality_id != party.municipality_id:
        raise DecisionRefused(_("Choose one of your own municipality's boards."), "board")
    if decision.day > today():
        raise DecisionRefused(_("The meeting has not taken place yet. Record the decision afterwards."), "day")
    if decision.final_on and decision.final_on < decision.day:
        raise DecisionRefused(_("A decision becomes final on the day of the meeting or later."), "final_on")
    if not decision.paragraph:
        raise DecisionRefused(_("Write the paragraph in the minutes, such as § 84."), "paragraph")
    check_case_number(decision.board, decision.case_number)
    if decision.result != DecisionResult.APPROVED and not decision.remark:
        raise DecisionRefused(_("Write what the board wants. The other parties read it."), "remark")


def check_case_number(board: Board | None, case_number: str) -> None:
    """Raises DecisionRefused unless it is written as the board writes its case numbers."""
    if not case_number:
        raise DecisionRefused(_("Write the case number. The registrar gives it."), "case_number")
    if board is not None and not board.accepts_case_number(case_number):
        words = {"pattern": board.case_number_pattern, "example": board.case_number_example or "–"}
        message = _("The board's case numbers are written as %(pattern)s, for example %(example)s.") % words
        raise DecisionRefused(message, "case_number")


_FIXED = ("result", "day", "paragraph", "case_number", "board_name")


def _only_fills_in(decision: Decision, earlier: Decision | None, document: DocumentFile | None) -> None:
    """After signing has begun nothing that was said is changed."""
    if earlier is None:
        raise WrongState
    changed = any(getattr(decision, name) != getattr(earlier, name) for name in _FIXED)
    changed |= earlier.final_on is not None and decision.final_on != earlier.final_on
    changed |= bool(earlier.remark) and decision.remark != earlier.remark
    changed |= earlier.document_id is not None and document is not None
    if changed:
        raise WrongState(
            _("Signing has begun, so what was decided stays as it is. Only what was empty can be filled in.")
        )


def _follow(agreement: Agreement, revision: Revision, decision: Decision) -> None:
    """What comes of a decision."""
    assert revision.version is not None
    if decision.result == DecisionResult.REMITTED:
        revision.state, revision.version, revision.deciding_since = RevisionState.DRAFT, None, None
        revision.save(update_fields=["state", "version", "deciding_since"])
    elif decision.result == DecisionResult.REJECTED:
        revision.state, revision.ended_reason = RevisionState.REJECTED, decision.remark
        revision.save(update_fields=["state", "ended_reason"])
    elif not waits_for_decision(agreement, revision.version):
        revision.state, revision.signing_since = RevisionState.SIGNING, now()
        revision.save(update_fields=["state", "signing_since"])
        for party in first_to_sign(agreement, revision.version):
            send(*mails.to_sign(agreement, revision.version, party))


def waits_for_decision(agreement: Agreement, version: Version) -> list[Party]:
    """The parties whose approval of the version is not on record."""
    approved = set(version.decisions.standing().filter(result=DecisionResult.APPROVED).values_list("body", flat=True))
    return [
        party for party in agreement.parties.select_related("municipality", "board")
        if party.municipality_id not in approved
    ]  # fmt: skip


def waits_for_signature(agreement: Agreement, version: Version) -> list[Party]:
    """The parties that have not signed the version, in the order of signing."""
    signed = set(version.sign_offs.values_list("place", flat=True))
    parties = agreement.parties.select_related("municipality").order_by("signing_order", "position", "pk")
    return [party for party in parties if party.place not in signed]


def first_to_sign(agreement: Agreement, version: Version) -> list[Party]:
    """Those of them whose turn it is: equal places in the order sign at the same time."""
    waiting = waits_for_signature(agreement, version)
    return [party for party in waiting if party.signing_order == waiting[0].signing_order]


@transaction.atomic
def set_case_number(
    party: Party, *, case_number: str, board: Board | None, meets_on: date | None, by: User, on_behalf_of: Body
) -> Party:
    """Say under which number a party has the case, which board decides there, and when it meets.

    Raises NotYourParty, DecisionRefused.
    """
    locked(party.agreement)
    party = Party.objects.select_related("municipality", "agreement").get(pk=party.pk)
    _require_board(party, by, on_behalf_of)
    if board is not None and board.municipality_id != party.municipality_id:
        raise DecisionRefused(_("Choose one of your own municipality's boards."), "board")
    case_number = case_number.strip()
    if case_number:
        check_case_number(board or party.board, case_number)
    party.case_number, party.meets_on = case_number, meets_on
    party.board = board or party.board
    party.save(update_fields=["case_number", "board", "meets_on"])
    record(
        "agreement.case_number_set", party.agreement, by=by, on_behalf_of=on_behalf_of,
        party=party.municipality.name, case_number=case_number,
    )  # fmt: skip
    return party


@transaction.atomic
def take_back(agreement: Agreement, *, reason: str, by: User, on_behalf_of: Body) -> Revision:
    """Take what is out for referral back to draft, to go on writing.

    Raises NotYourParty, WrongState, AgreementRefused.
    """
    agreement = locked(agreement)
    require_party(agreement, by, on_behalf_of)
    revision = revision_under_way(agreement, RevisionState.REFERRAL)
    if not reason.strip():
        raise AgreementRefused(_("Say why. The other parties read it."), "reason")
    close_referral(revision)
    revision.state = RevisionState.DRAFT
    revision.save(update_fields=["state"])
    record("agreement.taken_back", agreement, by=by, on_behalf_of=on_behalf_of, reason=reason.strip())
    return revision


@dataclass(frozen=True)
class Wait:
    """Who waits for whom: the parties that have something to do, what, and since when."""

    parties: list[Party]
    what: str  # "draft", "answer", "decision", "signature", "" when nobody does
    since: datetime | None = None
    last_day: date | None = None


def wait_of(revision: Revision) -> Wait:
    """What a revision waits for."""
    agreement = revision.agreement
    if revision.state == RevisionState.DRAFT:
        return Wait(list(agreement.parties.select_related("municipality")), "draft", revision.created_at)
    if revision.state == RevisionState.REFERRAL:
        from agreements.operations.referrals import silent_parties

        referral = revision.referrals.filter(closed_at=None).first()
        if referral is None:
            return Wait([], "")
        return Wait(silent_parties(referral), "answer", referral.sent_at, referral.last_day)
    if revision.state == RevisionState.DECIDING and revision.version:
        return Wait(waits_for_decision(agreement, revision.version), "decision", revision.deciding_since)
    if revision.state == RevisionState.SIGNING and revision.version:
        latest = revision.version.sign_offs.order_by("-at").first()
        since = latest.at if latest else revision.signing_since
        return Wait(first_to_sign(agreement, revision.version), "signature", since)
    return Wait([], "")


def decisions_of(agreement: Agreement) -> list[tuple[Version, list[Decision]]]:
    """Every version anybody has decided on, latest first, with the standing decisions about it. One query."""
    rows = Decision.objects.standing().filter(version__in=Version.objects.of(agreement).order_by().values("pk"))
    rows = rows.select_related("version", "body", "document").defer("version__content").order_by("day", "pk")
    by_version: dict[int, list[Decision]] = {}
    for row in rows:
        by_version.setdefault(row.version_id, []).append(row)
    found = [(of_version[0].version, of_version) for of_version in by_version.values()]
    return sorted(found, key=lambda pair: pair[0].number, reverse=True)
