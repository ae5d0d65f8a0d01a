"""Signing: what is signed and by whom, the three ways to do it, and in which order the parties sign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from agreements.forms.decisions import document_of
from agreements.forms.signing import OrderForm, PaperForm, ServiceForm, SignForm
from agreements.models import Agreement, Party, Revision, RevisionState, SignatureRequest
from agreements.operations import (
    SECOND_FACTOR_HOLDS,
    ask_for_signature,
    first_to_sign,
    has_begun,
    service_is_set,
    set_signing_order,
    sign,
    take_back_signature,
    waits_for_signature,
)
from agreements.views.shared import Request, acting_party, agreement_of, own_parties
from collab4m.access import require
from collab4m.clock import now
from collab4m.errors import RuleBroken
from collab4m.forms import tried
from records.documents.words import grouped
from records.models import SignOff, SignOffMethod, Version

LOGGED_IN, PAPER, SERVICE = "inloggad", "papper", "tjanst"


@dataclass
class Signing:
    """What a reader meets who comes to sign: the version, whose turn it is, and for whom the reader may act."""

    agreement: Agreement
    revision: Revision
    version: Version
    own: list[Party]

    @cached_property
    def turn(self) -> list[Party]:
        return first_to_sign(self.agreement, self.version)

    @cached_property
    def waiting(self) -> list[Party]:
        """All that have not signed yet."""
        return waits_for_signature(self.agreement, self.version)

    @cached_property
    def mine(self) -> list[Party]:
        """The reader's own parties whose turn it is."""
        return [party for party in self.own if party in self.turn]

    @cached_property
    def has_signed(self) -> bool:
        """Whether all the reader's own parties have."""
        return not any(party in self.waiting for party in self.own)

    @cached_property
    def rows(self) -> list[tuple[Party, SignOff | None, str]]:
        """Each party in the order of signing, with its signature, or "turn" or "later"."""
        signed = {one.place: one for one in self.version.sign_offs.all()}
        parties = self.agreement.parties.select_related("municipality").order_by("signing_order", "position", "pk")
        return [
            (party, signed.get(party.place), "" if party.place in signed else "turn" if party in self.turn else "later")
            for party in parties
        ]

    @cached_property
    def requests(self) -> list[SignatureRequest]:
        """What the signing service has been asked for by the reader's own parties, latest first."""
        rows = SignatureRequest.objects.filter(version=self.version, party__in=self.own)
        return list(rows.select_related("party__municipality").order_by("-pk"))

    def context(self) -> dict[str, Any]:
        return {
            "signing": self,
            "agreement": self.agreement,
            "version": self.version,
            "sha256": grouped(self.version.content_sha256),
        }


def _signing(request: Request, pk: int) -> Signing | HttpResponse:
    """What is to be signed; the agreement's page, with why, when nothing is. 403 for those who sign for no party."""
    agreement = agreement_of(request, pk)
    own = own_parties(request.user, agreement)
    if not own:
        raise PermissionDenied
    under_way = agreement.revisions.select_related("agreement", "version").under_way().first()
    if under_way is not None and under_way.state == RevisionState.SIGNING and under_way.version is not None:
        return Signing(agreement, under_way, under_way.version, own)
    if under_way is None and agreement.revisions.signed().exists():
        messages.info(request, _("All parties have signed already."))
    else:
        messages.info(request, _("There is nothing to sign now. Every board must approve the same version first."))
    return redirect(agreement)


@require_GET
def signature_new(request: Request, pk: int) -> HttpResponse:
    found = _signing(request, pk)
    if isinstance(found, HttpResponse):
        return found
    names = ", ".join(party.municipality.name for party in found.turn)
    context = {**found.context(), "has_service": service_is_set(), "turn": names}
    return render(request, "agreements/signature_new.html", context)


def signature_by(request: Request, pk: int, way: str) -> HttpResponse:
    """The act itself, by one of the ways."""
    acts: dict[str, Callable[[Request, Signing], HttpResponse]] = {
        LOGGED_IN: _logged_in, PAPER: _on_paper, SERVICE: _in_the_service,
    }  # fmt: skip
    if way not in acts or (way == SERVICE and not service_is_set()):
        raise Http404
    found = _signing(request, pk)
    if isinstance(found, HttpResponse):
        return found
    if not found.mine:
        return redirect("signature_new", pk)
    return acts[way](request, found)


def _form(request: Request, found: Signing, kind: type[SignForm], **initial: Any) -> SignForm:
    initial["content_sha256"] = found.version.content_sha256
    sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    return kind(*sent, bodies=[party.municipality.body for party in found.mine], initial=initial)


def _done(request: Request, found: Signing) -> HttpResponse:
    waiting = waits_for_signature(found.agreement, found.version)
    if waiting:
        names = ", ".join(party.municipality.name for party in waiting)
        messages.success(request, _("The signature is on record. It now waits for %(names)s.") % {"names": names})
    else:
        messages.success(
            request, _("All parties have signed. The files are being made, and each party gets its copy by mail.")
        )
    return redirect(found.agreement)


def _who(request: Request, found: Signing, form: SignForm) -> dict[str, Any]:
    """The party that is signed for, as every operation on it wants to know."""
    return {
        "party": next(party for party in found.mine if party.municipality_id == form.body.pk),
        "content_sha256": form.cleaned_data["content_sha256"],
        "signed_as": form.cleaned_data["signed_as"],
        "by": request.user,
        "on_behalf_of": form.body,
    }


# Logged in with a second step


def second_factor_at(request: Request) -> datetime | None:
    """When this session last took a second step: an app's digits, a key, a recovery code."""
    taken = [one["at"] for one in get_authentication_records(request, request.user) if one.get("method") == "mfa"]
    return datetime.fromtimestamp(max(taken), UTC) if taken else None


def _confirm_address(request: Request, signed_as: str = "") -> str:
    """Where the second step is taken anew, and back from there; "" when none is set up."""
    kinds = set(Authenticator.objects.filter(user=request.user).values_list("type", flat=True))
    kinds.discard(Authenticator.Type.RECOVERY_CODES)
    if not kinds:
        return ""
    name = "mfa_reauthenticate" if Authenticator.Type.TOTP in kinds else "mfa_reauthenticate_webauthn"
    back = f"{request.path}?{urlencode({'som': signed_as})}" if signed_as else request.path
    return f"{reverse(name)}?{urlencode({'next': back})}"


def _logged_in(request: Request, found: Signing) -> HttpResponse:
    taken_at = second_factor_at(request)
    form = _form(request, found, SignForm, signed_as=request.GET.get("som", "")[:150])

    def do() -> None:
        sign(**_who(request, found, form), method=SignOffMethod.SECOND_FACTOR, second_factor_at=taken_at)

    if request.method == "POST" and tried(form, do):
        return _done(request, found)
    context = {
        **found.context(),
        "form": form,
        "confirm": _confirm_address(request, form.data.get("signed_as", "")[:150]),
        "is_confirmed": taken_at is not None and taken_at > now() - SECOND_FACTOR_HOLDS,
    }
    return render(request, "agreements/signature_logged_in.html", context)


# On paper


def _on_paper(request: Request, found: Signing) -> HttpResponse:
    form = _form(request, found, PaperForm)

    def do() -> None:
        sign(
            **_who(request, found, form),
            method=SignOffMethod.PAPER,
            day=form.cleaned_data["day"],
            document=document_of(form),
        )

    if request.method == "POST" and tried(form, do):
        return _done(request, found)
    return render(request, "agreements/signature_paper.html", {**found.context(), "form": form})


# In the signing service


def _in_the_service(request: Request, found: Signing) -> HttpResponse:
    form = _form(request, found, ServiceForm)

    def do() -> None:
        ask_for_signature(**_who(request, found, form), email=form.cleaned_data["email"])

    if request.method == "POST" and tried(form, do):
        messages.success(request, _("The signing service is asked. The signature comes here by itself."))
        return redirect("signature_new", found.agreement.pk)
    return render(request, "agreements/signature_service.html", {**found.context(), "form": form})


@require_POST
def signature_take_back(request: Request, pk: int, asked: int) -> HttpResponse:
    """Stop asking for a signature in the service."""
    agreement = agreement_of(request, pk)
    own = own_parties(request.user, agreement)
    row = SignatureRequest.objects.select_related("party__agreement", "party__municipality")
    found = row.filter(party__in=own, pk=asked).first()
    if found is None:
        raise Http404
    try:
        take_back_signature(found, by=request.user, on_behalf_of=found.party.municipality.body)
    except RuleBroken as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, _("The request is taken back. You can sign in another way."))
    return redirect("signature_new", pk)


# In which order


def signing_order(request: Request, pk: int) -> HttpResponse:
    agreement = agreement_of(request, pk)
    require(request.user, "agreements.draft", agreement)
    parties = list(agreement.parties.select_related("municipality"))
    form = OrderForm(request.POST if request.method == "POST" else None, parties=parties)

    def do() -> None:
        body = acting_party(request.user, agreement)
        set_signing_order(agreement, order=form.order(), by=request.user, on_behalf_of=body)

    if request.method == "POST" and tried(form, do):
        messages.success(request, _("The order of signing is saved."))
        return redirect(agreement)
    under_way = agreement.revisions.under_way().exists()
    context = {
        "agreement": agreement,
        "form": form,
        "may_change": under_way and not has_begun(agreement),
        "parties": sorted(parties, key=lambda party: (party.signing_order, party.position, party.pk)),
        "under_way": under_way,
    }
    return render(request, "agreements/signature_order.html", context)
