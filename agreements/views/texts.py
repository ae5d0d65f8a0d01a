"""The whole text of an agreement: on the screen, as files of a draft, and what differs between versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from agreements.models import Agreement, Revision, RevisionState
from agreements.operations import content_as_it_holds, content_of
from agreements.views.shared import Request, agreement_of, current_revision
from collab4m.clock import now
from records.documents.comparing import compare_contents
from records.documents.content import Content
from records.documents.files import MEDIA_TYPES, draft_file
from records.documents.frame import draft_frame, frame_for
from records.documents.page import draw_once, page_context
from records.documents.reading import Reading
from records.models import Version

AS_IT_HOLDS = "galler"


@dataclass(frozen=True)
class Text:
    """What is read: a version that was made final, or content that is not."""

    revision: Revision
    content: Content
    version: Version | None = None


def _text(request: Request, agreement: Agreement) -> Text:
    """The text that the reader may see of what is under way, else of what is signed. 404 if there is none.

    Administrators of the parties read a draft as it is written; others what was sent to them.
    """
    revision = current_revision(request, agreement)
    if revision is None:
        raise Http404
    is_written = revision.state in (RevisionState.DRAFT, RevisionState.REFERRAL)
    if is_written and request.user.has_perm("agreements.draft", agreement):
        return Text(revision, content_of(revision))
    version = revision.version or _last_sent(revision)
    if version is not None:
        return Text(revision, version.content, version)
    if request.user.has_perm("agreements.draft", agreement):  # withdrawn before it was sent anywhere
        return Text(revision, content_of(revision))
    raise Http404


def _last_sent(revision: Revision) -> Version | None:
    sent = revision.referrals.select_related("version").order_by("-sent_at", "-pk").first()
    return sent.version if sent else None


def _signed(agreement: Agreement) -> Sequence[Revision]:
    return list(agreement.revisions.signed().select_related("version", "agreement"))


@require_GET
def text(request: Request, pk: int) -> HttpResponse:
    agreement = agreement_of(request, pk)
    signed = _signed(agreement)
    holds = request.GET.get("vy") == AS_IT_HOLDS
    if holds and not signed:
        raise Http404
    shown = Text(signed[-1], content_as_it_holds(signed)) if holds else _text(request, agreement)
    if shown.version:
        at, number = shown.version.frozen_at, shown.version.number
        frame = frame_for(shown.content, number=number, at=at, site=settings.SITE_URL)
    else:
        frame = draft_frame(shown.content, now())
    context = {
        "agreement": agreement,
        "revision": shown.revision,
        "version": shown.version,
        "holds": holds,
        "is_draft": not holds and shown.version is None,
        "has_more": len(signed) > 1,
        "document": page_context(Reading(shown.content, frame), draw_once),
        "kind": shown.content["kind"],
        "subtitle": shown.content["subtitle"],
        "files": list(shown.version.renditions.current().filter(kind__in=["pdf", "sealed", "docx"]).order_by("kind"))
        if shown.version
        else [],
        "may_draft": request.user.has_perm("agreements.draft", agreement),
        "can_be_written": shown.revision.state in (RevisionState.DRAFT, RevisionState.REFERRAL),
    }
    return render(request, "agreements/text.html", context)


@require_GET
def draft_file_of(request: Request, pk: int, kind: str) -> HttpResponse:
    """A draft as a file, made on the spot; 404 for what is final, which has its own files."""
    agreement = agreement_of(request, pk)
    shown = _text(request, agreement)
    if shown.version is not None:
        raise Http404
    made = draft_file(shown.content, kind, at=now())
    response = HttpResponse(made.data, content_type=MEDIA_TYPES[kind])
    response["Content-Disposition"] = content_disposition_header(True, made.name)
    return response


# What differs


def _seen_version(request: Request, agreement: Agreement, **which: Any) -> Version:
    """A version of the agreement that the reader may see."""
    version = get_object_or_404(Version.objects.of(agreement).select_related("supersedes"), **which)
    if not agreement.shows_version(version, request.user):
        raise Http404
    return version


@require_GET
def compare(request: Request, pk: int, number: int) -> HttpResponse:
    """A version beside the one before it; the first of an annex beside what held until then."""
    agreement = agreement_of(request, pk)
    after = _seen_version(request, agreement, number=number)
    revision = _revision_of(agreement, after)
    before = after.supersedes
    if before is not None and _revision_of(agreement, before) == revision:
        _seen_version(request, agreement, pk=before.pk)
        return _compared(request, agreement, before.content, after.content, before=before, after=after)
    return _compared(request, agreement, _held_before(revision, after.content), after.content, after=after)


@require_GET
def compare_draft(request: Request, pk: int) -> HttpResponse:
    """The draft beside the last version of it that was sent anywhere, or what it changes; for those who write it."""
    agreement = agreement_of(request, pk)
    shown = _text(request, agreement)
    if shown.version is not None:
        raise Http404
    before = max(
        filter(None, [shown.revision.version, _last_sent(shown.revision)]), key=lambda one: one.number, default=None
    )
    if before is not None:
        return _compared(request, agreement, before.content, shown.content, before=before)
    return _compared(request, agreement, _held_before(shown.revision, shown.content), shown.content)


def _revision_of(agreement: Agreement, version: Version) -> Revision | None:
    """The revision of which a version was made: it was sent on referral or to decision with it."""
    return agreement.revisions.filter(Q(version=version) | Q(referrals__version=version)).first()


def _held_before(revision: Revision | None, content: Content) -> Content:
    """What held until a later revision, of the sections that it changes. 404 for the first, which changes nothing."""
    earlier = [one for one in _signed(revision.agreement) if one.ordinal < revision.ordinal] if revision else []
    if not earlier:
        raise Http404
    held = content_as_it_holds(earlier)
    changed = {section["id"] for section in content["sections"]}
    return {**held, "sections": [section for section in held["sections"] if section["id"] in changed]}


def _compared(
    request: Request,
    agreement: Agreement,
    was: Content,
    is_now: Content,
    *,
    before: Version | None = None,
    after: Version | None = None,
) -> HttpResponse:
    context = {
        "agreement": agreement,
        "before": before,
        "after": after,
        "heading": _("What changed in version %(number)s") % {"number": after.number}
        if after
        else _("What the draft changes"),
        "difference": compare_contents(was, is_now),
    }
    return render(request, "agreements/compare.html", context)
