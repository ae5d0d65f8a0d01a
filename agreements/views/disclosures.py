"""Handing out an agreement's documents for public access, and the log of it."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from agreements.forms.signing import DisclosureForm
from agreements.models import Agreement, Disclosure
from agreements.operations import disclose, disclosed_zip, seen_of_disclosure, to_disclose
from agreements.views.shared import Request, agreement_of, own_parties
from collab4m.access import require
from collab4m.forms import tried
from organisations.models import RoleKind
from records import storage

log = logging.getLogger(__name__)

DISCLOSURES_PER_PAGE = 50


def disclosure_new(request: Request, pk: int) -> HttpResponse:
    """What would go out, what would stay and why; then the package and a line in the log."""
    agreement = agreement_of(request, pk)
    require(request.user, "agreements.disclose", agreement)
    bodies = [party.municipality.body for party in own_parties(request.user, agreement)]
    form = DisclosureForm(request.POST if request.method == "POST" else None, bodies=bodies)
    chosen = next((body for body in bodies if str(body.pk) == request.POST.get("on_behalf_of")), bodies[0])
    made: list[Disclosure] = []

    def do() -> None:
        data = form.cleaned_data
        made.append(disclose(agreement, seen=data["seen"], note=data["note"], by=request.user, on_behalf_of=form.body))

    if request.method == "POST" and tried(form, do):
        messages.success(request, _("The package is ready to save, and stands in the log."))
        return redirect("disclosures", pk)
    going, staying = to_disclose(agreement, chosen)
    seen = seen_of_disclosure(going)
    form.show(seen)
    context = {"agreement": agreement, "form": form, "going": going, "staying": staying, "body": chosen}
    return render(request, "agreements/disclosure_new.html", context)


def _of_the_parties(request: Request, pk: int) -> Agreement:
    """The agreement, for the administrators and committees of its parties; 403 for the rest of the area."""
    agreement = agreement_of(request, pk)
    if not own_parties(request.user, agreement, RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE):
        raise PermissionDenied
    return agreement


@require_GET
def disclosures(request: Request, pk: int) -> HttpResponse:
    agreement = _of_the_parties(request, pk)
    rows = agreement.disclosures.select_related("by", "on_behalf_of").order_by("-at", "-pk")
    context = {
        "agreement": agreement,
        "page": Paginator(rows, DISCLOSURES_PER_PAGE).get_page(request.GET.get("sida")),
        "may_disclose": request.user.has_perm("agreements.disclose", agreement),
    }
    return render(request, "agreements/disclosures.html", context)


@require_GET
def disclosure_file(request: Request, pk: int, number: int) -> HttpResponse:
    """The package once more, as it was handed out."""
    agreement = _of_the_parties(request, pk)
    found = agreement.disclosures.filter(pk=number).first()
    if found is None:
        raise Http404
    try:
        data = disclosed_zip(found)
    except storage.FileMissing as missing:
        lost = next(one for one in found.files if not storage.is_kept(one["sha256"]))
        log.error("The file %s of the disclosure %s is missing or damaged", lost["sha256"], found.pk)
        context = {"file": {**lost, "version": agreement}, "reason": str(missing)}
        return render(request, "records/file_missing.html", context, status=404)
    response = HttpResponse(data, content_type="application/zip")
    name = f"utlamnande-{agreement.number}-{found.at:%Y-%m-%d}-{found.pk}.zip"
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response
