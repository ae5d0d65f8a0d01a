"""Signatures asked for in the outside signing service: sent, followed, taken back. The worker does the talking."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agreements import mails
from agreements.models import Party, RequestState, RevisionState, SignatureRequest
from agreements.operations.drafting import LANGUAGE, locked
from agreements.operations.errors import CoverTaken
from agreements.operations.freezing import order_files
from agreements.operations.signing import require_office, require_signer, sign_by_service, signing_under_way
from agreements.signing_service import Seen, ServiceDown, ServiceRefuses, SigningService, signing_service
from collab4m.clock import now
from collab4m.errors import RuleBroken, refused
from organisations.models import Body, User
from records import storage
from records.models import RenditionKind, Version
from records.operations import document_file, order_job, record, send

ASK = "agreements.ask_signature"
LOOK = "agreements.look_at_signatures"

GIVE_UP_ASKING = timedelta(hours=1)
GIVE_UP_CLOSING = timedelta(days=1)
LOOK_EVERY_MINUTE = timedelta(hours=1)  # after that every tenth minute


class ServiceNotSet(RuleBroken):
    code = "service_not_set"
    message = gettext_lazy("No signing service is connected to the portal. Sign in another way.")


class SignatureAsked(RuleBroken):
    code = "signature_asked"
    message = gettext_lazy("A signature is asked for in the service already. Take that back first.")


class NothingToTakeBack(RuleBroken):
    code = "nothing_to_take_back"
    message = gettext_lazy("The request is closed already.")


def service_is_set() -> bool:
    return signing_service() is not None


@transaction.atomic
def ask_for_signature(
    party: Party, *, content_sha256: str, signed_as: str, email: str, by: User, on_behalf_of: Body
) -> SignatureRequest:
    """Have the service ask somebody to sign for a party. The worker sends it.

    Raises NotYourParty, ServiceNotSet, WrongState, OldContent, NotYourTurn, SignedAlready, SignatureRefused,
    SignatureAsked.
    """
    agreement = locked(party.agreement)
    party = agreement.parties.select_related("municipality").get(pk=party.pk)
    require_signer(party, by, on_behalf_of)
    if not service_is_set():
        raise ServiceNotSet
    revision = signing_under_way(agreement, party, content_sha256)
    require_office(signed_as)
    assert revision.version is not None
    with refused(signature_request_one_open=SignatureAsked), transaction.atomic():
        request = SignatureRequest.objects.create(
            version=revision.version, party=party, signed_as=signed_as.strip(), email=email, by=by
        )
    order_job(ASK, str(request.pk), by=by, on_behalf_of=on_behalf_of, args={"request": request.pk})
    record(
        "agreement.signature_asked", agreement, by=by, on_behalf_of=on_behalf_of,
        party=party.municipality.name, signed_as=request.signed_as,
    )  # fmt: skip
    return request


@transaction.atomic
def take_back_signature(request: SignatureRequest, *, by: User, on_behalf_of: Body) -> SignatureRequest:
    """Stop asking, whether the service answers or not: it is told when it does.

    Raises NotYourParty, NothingToTakeBack.
    """
    agreement = locked(request.party.agreement)
    request = _again(request)
    require_signer(request.party, by, on_behalf_of)
    if not request.is_open:
        raise NothingToTakeBack
    _close(request, RequestState.ABORTED)
    record(
        "agreement.signature_taken_back", agreement, by=by, on_behalf_of=on_behalf_of,
        party=request.party.municipality.name, signed_as=request.signed_as,
    )  # fmt: skip
    if request.reference and service_is_set():
        order_job(LOOK, "all", by=by, on_behalf_of=on_behalf_of)
    return request


def _again(request: SignatureRequest) -> SignatureRequest:
    """The request as it is now, locked. After its agreement, as all rows of an agreement are."""
    rows = SignatureRequest.objects.select_for_update(of=("self",))
    return rows.select_related("version", "party__municipality", "party__agreement", "by").get(pk=request.pk)


def _close(request: SignatureRequest, state: RequestState, told: str = "") -> None:
    request.state, request.told, request.ended_at = state, told, now()
    request.save(update_fields=["state", "told", "ended_at"])


# What the clock starts


def order_service_calls() -> None:
    """Have the worker speak to the service, if there is something to ask, look at or close."""
    if service_is_set() and _to_call().exists():
        order_job(LOOK, "all")


def _to_call() -> Any:
    """New requests each minute, older ones every tenth; those taken back until the service has closed them."""
    rows = SignatureRequest.objects.filter(
        Q(state__in=[RequestState.ORDERED, RequestState.WAITING])
        | Q(state=RequestState.ABORTED, told="", ended_at__gt=now() - GIVE_UP_CLOSING) & ~Q(reference="")
    )
    if now().minute % 10:
        rows = rows.filter(Q(at__gt=now() - LOOK_EVERY_MINUTE) | ~Q(state=RequestState.WAITING))
    return rows


def call_service() -> None:
    """Inside a job: ask, look and close whatever waits. A service that does not answer is left until next time."""
    service = signing_service()
    if service is None:
        return
    with translation.override(LANGUAGE):
        for request in _to_call().select_related("version", "party__agreement").order_by("pk"):
            if not _follow(service, request):
                return


def send_request(pk: int) -> None:
    """Inside a job: send one new request to the service."""
    service = signing_service()
    request = SignatureRequest.objects.select_related("version", "party__agreement").filter(pk=pk).first()
    if service and request and request.state == RequestState.ORDERED:
        with translation.override(LANGUAGE):
            _follow(service, request)


def _follow(service: SigningService, request: SignatureRequest) -> bool:
    """Do what the request waits for; False when the service is down. No row is locked while it is spoken to."""
    try:
        if request.state == RequestState.ABORTED:
            _tell_aborted(service, request)
        elif not _is_being_signed(request):
            _end(request, RequestState.ABORTED, "")
        elif request.state == RequestState.ORDERED:
            _ask(service, request)
        else:
            _take_in(request, service.look(request.reference))
    except ServiceRefuses as no:
        _end(request, RequestState.FAILED, _("The signing service says no: %(why)s") % {"why": no})
    except ServiceDown:
        _wait(request, _("The signing service does not answer. The portal tries again by itself."))
        return False
    return True


def _is_being_signed(request: SignatureRequest) -> bool:
    return request.party.agreement.revisions.filter(state=RevisionState.SIGNING, version=request.version_id).exists()


def _tell_aborted(service: SigningService, request: SignatureRequest) -> None:
    try:
        service.abort(request.reference)
        told = _("The service has closed the request.")
    except ServiceRefuses as no:
        told = _("The service had closed the request already: %(why)s") % {"why": no}
    SignatureRequest.objects.filter(pk=request.pk).update(told=told)


def _ask(service: SigningService, request: SignatureRequest) -> None:
    version, agreement = request.version, request.party.agreement
    document = _document(version)
    if document is None:
        order_files(version, by=None, on_behalf_of=None)
        return
    name, data = document
    back = f"{settings.SITE_URL}{reverse('signature_new', args=[agreement.pk])}"
    asked = service.ask(
        token=f"collab4m-{request.pk}-{version.content_sha256}",
        title=version.title,
        name=name,
        document=data,
        sha256=sha256(data).hexdigest(),
        signed_as=request.signed_as,
        email=request.email,
        back=back,
    )
    with transaction.atomic():
        request = _again(request)
        request.reference, request.address = asked.reference, asked.address
        if request.is_open:  # else it was taken back meanwhile, and the service is told so next time
            request.state, request.told = RequestState.WAITING, ""
        request.save(update_fields=["reference", "address", "state", "told"])


def _document(version: Version) -> tuple[str, bytes] | None:
    """The PDF file of the content that was decided on, without anybody's cover; None until it is made."""
    file = version.renditions.current().filter(kind=RenditionKind.PDF, variant="").first()
    return (file.name, storage.read(file.sha256)) if file else None


def _take_in(request: SignatureRequest, seen: Seen) -> None:
    """What has come of a request at the service."""
    if seen.state == "signed":
        _take_in_signed(request, seen)
    elif seen.state == "refused":
        _end(request, RequestState.REFUSED, seen.told)
    elif seen.state == "expired":
        _end(request, RequestState.FAILED, seen.told or _("The time for signing in the service has passed."))
    elif seen.state == "aborted":
        _end(request, RequestState.ABORTED, seen.told or _("The service has closed the request."))
    elif request.told:
        _wait(request, "")


def _take_in_signed(request: SignatureRequest, seen: Seen) -> None:
    sent = _document(request.version)
    if sent is None or seen.sha256 != sha256(sent[1]).hexdigest():
        _end(request, RequestState.FAILED, _("The service returned the signature of another document."))
        return
    evidence = {"reference": request.reference, "document_sha256": seen.sha256, "service": seen.evidence}
    try:
        data = document_file(f"underskrift-{request.party.municipality.code}.pdf", seen.document)
        sign_by_service(request, data=data, evidence=evidence)
    except CoverTaken as taken:
        _wait(request, str(taken))  # the signature stands at the service, and is taken in when there is room for it
    except RuleBroken as broken:
        _end(request, RequestState.FAILED, str(broken))


@transaction.atomic
def _wait(request: SignatureRequest, told: str) -> None:
    """Leave the request open with what there is to say, unless it could not be sent for too long."""
    locked(request.party.agreement)
    request = _again(request)
    if not request.is_open:
        return
    if request.state == RequestState.ORDERED and request.at < now() - GIVE_UP_ASKING:
        _end(request, RequestState.FAILED, _("The signing service has not answered for an hour. Ask again later."))
        return
    request.told = told
    request.save(update_fields=["told"])


@transaction.atomic
def _end(request: SignatureRequest, state: RequestState, told: str) -> None:
    """Close a request that is open and tell the party: somebody has to ask again, or sign in another way."""
    agreement = locked(request.party.agreement)
    request = _again(request)
    if not request.is_open:
        return
    _close(request, state, told)
    record(
        "agreement.signature_ended", agreement, by=None,
        party=request.party.municipality.name, signed_as=request.signed_as, state=state.value, told=told,
    )  # fmt: skip
    send(*mails.signature_ended(request))
