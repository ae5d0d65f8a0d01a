"""Pages for what is final: versions, their files, and whether something is authentic."""

import logging
from typing import Any

from allauth.core import ratelimit
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from records import storage
from records.documents.files import MEDIA_TYPES
from records.documents.frame import frame_for
from records.documents.page import draw_once, page_context
from records.documents.reading import Reading
from records.documents.words import grouped
from records.forms import HashForm, VerifyForm
from records.models import Attachment, Rendition, Version
from records.subjects import is_visible
from records.verifying import hash_in, matches

log = logging.getLogger(__name__)


def _version(request: HttpRequest, pk: int) -> Version:
    """The version, for those who may see what it is of. A subject may show some readers only some of its versions."""
    row = get_object_or_404(Version.objects.select_related("subject_type", "on_behalf_of"), pk=pk)
    subject: Any = row.subject
    if subject is None or not is_visible(subject, request.user):
        raise Http404
    if hasattr(subject, "shows_version") and not subject.shows_version(row, request.user):
        raise Http404
    return row


@require_GET
def version(request: HttpRequest, pk: int) -> HttpResponse:
    row = _version(request, pk)
    frame = frame_for(row.content, number=row.number, at=row.frozen_at, site=settings.SITE_URL)
    context = {
        "version": row,
        "later": row.later,
        "document": page_context(Reading(row.content, frame), draw_once),
        "files": list(row.renditions.current().order_by("variant", "kind")),
    }
    return render(request, "records/version.html", context)


@require_GET
def rendition(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Rendition.objects.select_related("version"), pk=pk)
    _version(request, row.version_id)
    return download(request, row)


def download(request: HttpRequest, row: Rendition) -> HttpResponse:
    """The file to save, or a page that says that the store has lost it."""
    try:
        data = storage.read(row.sha256)
    except storage.FileMissing as missing:
        log.error("The file %s of %s is missing or damaged", row.sha256, row)
        return render(request, "records/file_missing.html", {"file": row, "reason": str(missing)}, status=404)
    response = HttpResponse(data, content_type=MEDIA_TYPES[row.kind])
    response["Content-Disposition"] = content_disposition_header(True, row.name)
    return response


@require_GET
def attachment(request: HttpRequest, pk: int) -> HttpResponse:
    """A document that somebody handed in, for those who may see the version that it belongs to."""
    row = get_object_or_404(Attachment.objects.select_related("version"), pk=pk)
    _version(request, row.version_id)
    try:
        data = storage.read(row.sha256)
    except storage.FileMissing as missing:
        log.error("The file %s of %s is missing or damaged", row.sha256, row)
        return render(request, "records/file_missing.html", {"file": row, "reason": str(missing)}, status=404)
    response = HttpResponse(data, content_type=row.media_type)
    response["Content-Disposition"] = content_disposition_header(True, row.name)
    return response


@login_not_required
@never_cache
def verify(request: HttpRequest) -> HttpResponse:
    """Whether a file, or something with a hash, was made final here. The file is hashed as it comes, and not kept."""
    form, hash_form = VerifyForm(), HashForm(request.GET if "kontrollsumma" in request.GET else None)
    if hash_form.is_valid():
        return redirect("verified", hash_in(hash_form.cleaned_data["kontrollsumma"]))
    if request.method == "POST":
        if not ratelimit.consume(request, action="verify"):
            return ratelimit.respond_429(request)
        form = VerifyForm(request.POST, request.FILES)
        if form.is_valid():
            file = form.cleaned_data["file"]
            return _verdict(request, file.sha256, file.name)
    return render(request, "records/verify.html", {"form": form, "hash_form": hash_form})


@login_not_required
@never_cache
@require_GET
def verified(request: HttpRequest, sha256: str) -> HttpResponse:
    return _verdict(request, sha256)


def _verdict(request: HttpRequest, sha256: str, name: str = "") -> HttpResponse:
    found = matches(sha256)
    context = {"found": found, "first": found[0] if found else None, "sha256": grouped(sha256), "name": name}
    return render(request, "records/verified.html", context)
