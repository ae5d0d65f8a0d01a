"""Signing: each party signs the decided content, in the chosen order, by a stated method; the last puts it in force."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agreements import mails
from agreements.models import Agreement, Party, Revision, RevisionKind, RevisionState, SignatureRequest
from agreements.operations.covering import derive_cover
from agreements.operations.deciding import first_to_sign, waits_for_signature
from agreements.operations.drafting import locked, require_party
from agreements.operations.errors import NotYourParty, OldContent, WrongState
from agreements.operations.freezing import SIGNED_FILES, order_files
from agreements.operations.notices import lapse_notices
from collab4m.clock import now, today
from collab4m.errors import RuleBroken, refused
from organisations.models import Body, RoleKind, User
from records.models import SignOff, SignOffMethod, Version
from records.operations import DocumentFile, keep_document, record, send

SECOND_FACTOR_HOLDS = timedelta(minutes=15)


class SecondFactorNeeded(RuleBroken):
    code = "second_factor_needed"
    message = gettext_lazy("Confirm that it is you with your second step, and sign within fifteen minutes after that.")


class NotYourTurn(RuleBroken):
    code = "not_your_turn"

    def __init__(self, waiting: list[Party]) -> None:
        names = ", ".join(party.municipality.name for party in waiting)
        super().__init__(_("%(names)s signs first. You get a mail when it is your turn.") % {"names": names})


class SignedAlready(RuleBroken):
    code = "signed_already"
    message = gettext_lazy("Your municipality has signed this version already.")


class SignatureRefused(RuleBroken):
    code = "signature_refused"


def has_begun(agreement: Agreement) -> bool:
    """Whether somebody has signed what is under way."""
    revision = agreement.revisions.under_way().select_related("version").first()
    return bool(revision and revision.version and revision.version.sign_offs.exists())


@transaction.atomic
def set_signing_order(agreement: Agreement, *, order: dict[int, int], by: User, on_behalf_of: Body) -> None:
    """Say in which order the parties sign: by municipality, lower numbers first, equal ones at the same time.

    While signing is under way, those whose turn that makes it are told. Raises NotYourParty, SignatureRefused,
    WrongState once somebody has signed.
    """
    agreement = locked(agreement)
    require_party(agreement, by, on_behalf_of)
    if has_begun(agreement):
        raise WrongState(_("Somebody has signed already, so the order stays as it is."))
    parties = list(agreement.parties.select_related("municipality"))
    if any(not 1 <= place <= len(parties) for place in order.values()):
        words = {"most": len(parties)}
        raise SignatureRefused(_("Write a place from 1 to %(most)s for each party.") % words, "order")
    revision = agreement.revisions.under_way().select_related("version").first()
    version = revision.version if revision and revision.state == RevisionState.SIGNING else None
    told = {party.pk for party in first_to_sign(agreement, version)} if version else set()
    for party in parties:
        if party.municipality_id in order and party.signing_order != order[party.municipality_id]:
            party.signing_order = order[party.municipality_id]
            party.save(update_fields=["signing_order"])
            record(
                "agreement.signing_order_changed", agreement, by=by, on_behalf_of=on_behalf_of,
                party=str(party.municipality), place=party.signing_order,
            )  # fmt: skip
    if version:
        for party in first_to_sign(agreement, version):
            if party.pk not in told:
                send(*mails.to_sign(agreement, version, party))


@transaction.atomic
def sign(
    party: Party,
    *,
    content_sha256: str,
    method: str,
    signed_as: str,
    by: User,
    on_behalf_of: Body,
    day: date | None = None,
    second_factor_at: datetime | None = None,
    document: DocumentFile | None = None,
) -> SignOff:
    """Sign for a party the content with that hash, logged in with a second step or on paper with its scan.

    `signed_as` is who signs, by office; `second_factor_at` when the second step was taken; `day` the day on the paper.
    Raises NotYourParty, WrongState, OldContent, NotYourTurn, SignedAlready, SecondFactorNeeded, SignatureRefused,
    CoverTaken.
    """
    agreement = locked(party.agreement)
    party = agreement.parties.select_related("municipality").get(pk=party.pk)
    require_signer(party, by, on_behalf_of)
    revision = signing_under_way(agreement, party, content_sha256)
    require_office(signed_as)
    evidence: dict[str, Any] = {}
    if method == SignOffMethod.SECOND_FACTOR:
        day = today()
        if second_factor_at is None or second_factor_at < now() - SECOND_FACTOR_HOLDS:
            raise SecondFactorNeeded
        document = None
        evidence = {"second_factor_at": second_factor_at.isoformat()}
    elif method == SignOffMethod.PAPER:
        if document is None:
            raise SignatureRefused(_("Hand in the signed page, scanned as a PDF, PNG or JPEG file."), "document")
        if day is None or day > today():
            raise SignatureRefused(_("Write the day on the paper. It cannot lie ahead."), "day")
    else:
        raise SignatureRefused(_("Choose how you sign."), "method")
    return _put_on_record(
        revision, party, method=method, signed_as=signed_as, day=day or today(), evidence=evidence, document=document,
        by=by, on_behalf_of=on_behalf_of,
    )  # fmt: skip


def require_signer(party: Party, by: User, on_behalf_of: Body) -> None:
    """Raises NotYourParty unless `by` is an administrator of the party, and acts for it."""
    if party.municipality_id != on_behalf_of.pk or party.municipality_id not in by.bodies_where(RoleKind.ADMINISTRATOR):
        raise NotYourParty(field="on_behalf_of")


def require_office(signed_as: str) -> None:
    if not signed_as.strip():
        raise SignatureRefused(_("Write who signs, by office, such as the chair of the board."), "signed_as")


def signing_under_way(agreement: Agreement, party: Party, content_sha256: str) -> Revision:
    """The revision that the party may sign now, with this content.

    Raises WrongState, OldContent, SignedAlready, NotYourTurn.
    """
    revision = agreement.revisions.under_way().select_related("version", "agreement__area").first()
    if revision is None or revision.state != RevisionState.SIGNING or revision.version is None:
        if revision is None and agreement.revisions.filter(version__content_sha256=content_sha256).exists():
            raise SignedAlready
        raise WrongState(_("There is nothing to sign now. Every board must approve the same version first."))
    if revision.version.content_sha256 != content_sha256:
        raise OldContent
    if revision.version.sign_offs.filter(place=party.place).exists():
        raise SignedAlready
    turn = first_to_sign(agreement, revision.version)
    if party not in turn:
        raise NotYourTurn(turn)
    return revision


@transaction.atomic
def sign_by_service(request: SignatureRequest, *, data: DocumentFile, evidence: dict[str, Any]) -> SignOff:
    """What the signing service has had signed: the sign-off with the service's own document as its proof.

    Raises WrongState, OldContent, SignedAlready, CoverTaken.
    """
    agreement = locked(request.party.agreement)
    party = agreement.parties.select_related("municipality").get(pk=request.party_id)
    revision = signing_under_way(agreement, party, request.version.content_sha256)
    return _put_on_record(
        revision, party, method=SignOffMethod.SERVICE, signed_as=request.signed_as, day=today(), evidence=evidence,
        document=data, by=request.by, on_behalf_of=party.municipality.body,
    )  # fmt: skip


def _put_on_record(
    revision: Revision,
    party: Party,
    *,
    method: str,
    signed_as: str,
    day: date,
    evidence: dict[str, Any],
    document: DocumentFile | None,
    by: User,
    on_behalf_of: Body,
) -> SignOff:
    version, agreement = revision.version, revision.agreement
    assert version is not None
    kept = keep_document(version, document, by=by, on_behalf_of=on_behalf_of) if document else None
    with refused(sign_off_once=SignedAlready), transaction.atomic():
        sign_off = SignOff.objects.create(
            version=version,
            place=party.place,
            body_id=party.municipality_id,
            content_sha256=version.content_sha256,
            method=method,
            signed_as=signed_as.strip(),
            day=day,
            document=kept,
            evidence=evidence,
            by=by,
        )
    SignatureRequest.objects.filter(version=version, party=party, state__in=["ordered", "waiting"]).update(
        state="signed" if method == SignOffMethod.SERVICE else "aborted", ended_at=now()
    )
    record(
        "agreement.signed_by_party", agreement, by=by, on_behalf_of=on_behalf_of,
        party=party.municipality.name, method=method, signed_as=sign_off.signed_as, number=version.number,
    )  # fmt: skip
    waiting = waits_for_signature(agreement, version)
    if not waiting:
        _put_in_force(agreement, revision, version, by=by, on_behalf_of=on_behalf_of)
    elif waiting[0].signing_order > party.signing_order:
        for following in first_to_sign(agreement, version):
            send(*mails.to_sign(agreement, version, following))
    return sign_off


def _put_in_force(agreement: Agreement, revision: Revision, version: Version, *, by: User, on_behalf_of: Body) -> None:
    """All have signed: the revision is signed, its cover is there, and every party gets its copy."""
    revision.state, revision.signed_at = RevisionState.SIGNED, now()
    revision.save(update_fields=["state", "signed_at"])
    if revision.kind == RevisionKind.RENEWAL:
        lapse_notices(agreement, by=by, on_behalf_of=on_behalf_of)
    replaced = agreement.replaces if revision.kind == RevisionKind.ORIGINAL else None
    if replaced is not None:
        locked(replaced)
        derive_cover(replaced, agreement)
    else:
        derive_cover(agreement)
    record(
        "agreement.signed", agreement, by=by, on_behalf_of=on_behalf_of,
        title=str(revision), number=version.number, sha256=version.content_sha256,
    )  # fmt: skip
    order_files(version, by=by, on_behalf_of=on_behalf_of, kind=SIGNED_FILES)
    for party in agreement.parties.select_related("municipality", "agreement"):
        send(*mails.signed(agreement, version, party))
