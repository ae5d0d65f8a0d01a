"""Each party's own copy of a signed agreement, and its receipt."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from agreements.models import ArchiveCopy
from agreements.operations import receive_copy
from agreements.views.shared import Request
from collab4m.errors import RuleBroken
from organisations.models import RoleKind
from records.documents.words import grouped


@require_http_methods(["GET", "HEAD", "POST"])
def archive_copy(request: Request, pk: int) -> HttpResponse:
    """For the party's administrators and committee; 404 for everyone else."""
    own = request.user.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE)
    rows = ArchiveCopy.objects.select_related("agreement", "version", "party__municipality", "rendition", "received_by")
    copy = rows.filter(pk=pk, party__municipality__in=own).first()
    if copy is None:
        raise Http404
    if request.method == "POST":
        try:
            receive_copy(copy, by=request.user, on_behalf_of=copy.party.municipality.body)
        except RuleBroken as broken:
            messages.error(request, str(broken))
        else:
            messages.success(request, _("The receipt is on record. The other parties see that you have your copy."))
        return redirect("archive_copy", pk)
    return render(request, "agreements/archive_copy.html", {"copy": copy, "sha256": grouped(copy.rendition.sha256)})
