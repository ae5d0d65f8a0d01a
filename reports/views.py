"""Reports: the list, the final text to read and download, and the work on what comes next."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from collab4m.access import get_visible, require
from collab4m.forms import tried
from organisations.models import Body, RoleKind, User
from records.documents.comparing import compare_contents
from records.documents.frame import frame_for
from records.documents.page import draw_once, page_context
from records.documents.reading import Reading
from records.models import Job, JobState, Part, Rendition, RenditionKind, Version
from reports.forms import CoverForm
from reports.models import Cover, Report
from reports.operations import (
    boards_of,
    build_is_running,
    change_cover,
    latest_build,
    order_build,
    variants_of,
)


class Request(HttpRequest):
    """A request by somebody who is logged in; the log-in middleware sees to that."""

    user: User


def _report(request: Request, pk: int) -> Report:
    found: Report = get_visible(Report.objects.select_related("area", "source"), request.user, pk=pk)
    return found


@require_GET
def reports(request: Request) -> HttpResponse:
    found = list(Report.objects.visible_to(request.user).select_related("area", "source").order_by("-due", "pk"))
    latest: dict[int, Version] = {}
    for version in (
        Version.objects.filter(
            subject_id__in=[report.pk for report in found],
            subject_type__model="report",
            subject_type__app_label="reports",
        )
        .order_by("number")
        .defer("content")
    ):
        latest[version.subject_id] = version
    rows = [(report, latest.get(report.pk)) for report in found]
    return render(request, "reports/reports.html", {"rows": rows})


@require_GET
def report(request: Request, pk: int) -> HttpResponse:
    found = _report(request, pk)
    versions = list(Version.objects.of(found).select_related("on_behalf_of").defer("content"))
    shown = _version_shown(versions, request.GET.get("version", ""))
    context: dict[str, Any] = {
        "report": found,
        "version": shown,
        "versions": versions,
        "is_latest": bool(versions) and shown == versions[0],
        "job": build_is_running(found),
        "failed": _last_failed(found) if not versions else None,
        "may_write": request.user.has_perm("reports.write_report", found),
    }
    if shown:
        frame = frame_for(shown.content, number=shown.number, at=shown.frozen_at, site=settings.SITE_URL)
        context["document"] = page_context(Reading(shown.content, frame), draw_once)
        context["boards"], context["shared"] = _files(request, found, shown)
    return render(request, "reports/report.html", context)


def _version_shown(versions: list[Version], number: str) -> Version | None:
    if not number:
        return versions[0] if versions else None
    found = next((version for version in versions if str(version.number) == number), None)
    if found is None:
        raise Http404
    return found


def _last_failed(found: Report) -> Job | None:
    job = latest_build(found)
    return job if job and job.state == JobState.FAILED else None


def _files(request: Request, found: Report, version: Version) -> tuple[list[Any], list[Rendition]]:
    """The files for each board, the reader's own first, and those that all share."""
    files = list(version.renditions.current().order_by("kind", "variant"))
    by_variant: dict[str, dict[str, Rendition]] = {}
    for file in files:
        by_variant.setdefault(file.variant, {})[file.kind] = file
    own = set(request.user.bodies_today())
    rows = [
        {"member": member, "board": board, "files": by_variant[variant], "own": board.municipality_id in own}
        for variant, (member, board) in variants_of(boards_of(found)).items()
        if variant in by_variant
    ]
    rows.sort(key=lambda row: not row["own"])
    shared = [file for file in files if file.kind in (RenditionKind.CSV, RenditionKind.XLSX, RenditionKind.HTML)]
    return rows, shared


@require_GET
def work(request: Request, pk: int) -> HttpResponse:
    found = _report(request, pk)
    require(request.user, "reports.write_report", found)
    covers = {cover.board_id: cover for cover in found.covers.all()}
    context = {
        "report": found,
        "parts": Part.objects.about(found).select_related("last_by", "last_on_behalf_of"),
        "covers": [
            (member, board, covers.get(board.pk), request.user.has_perm("reports.change_cover", board))
            for member, board in boards_of(found)
        ],
        "latest": Version.objects.of(found).first(),
        "job": build_is_running(found),
    }
    context["written"] = sum(bool(part.text) for part in context["parts"])  # type: ignore[attr-defined]
    return render(request, "reports/work.html", context)


def _acting(user: User, found: Report) -> Body | None:
    """For which of the members the reader has the report made."""
    own = user.bodies_where(RoleKind.ADMINISTRATOR)
    member = found.area.memberships.on().filter(municipality__in=own).select_related("municipality").first()
    return member.municipality.body if member else None


@require_POST
def build(request: Request, pk: int) -> HttpResponse:
    found = _report(request, pk)
    require(request.user, "reports.build_report", found)
    answer = order_build(found, by=request.user, on_behalf_of=_acting(request.user, found))
    if isinstance(answer, Job):
        return redirect(answer)
    text = _("Version %(number)s says the same already, so no new one is made.")
    messages.info(request, text % {"number": answer.number})
    return redirect(found)


def cover(request: Request, pk: int, board: int) -> HttpResponse:
    found = _report(request, pk)
    of_board = next((one for _member, one in boards_of(found) if one.pk == board), None)
    if of_board is None:
        raise Http404
    require(request.user, "reports.change_cover", of_board)
    filled = Cover.objects.filter(report=found, board=of_board).first() or Cover(report=found, board=of_board)
    filled.board = of_board
    form = CoverForm(request.POST if request.method == "POST" else None, cover=filled)

    def change() -> None:
        change_cover(found, of_board, **form.cleaned_data, by=request.user, on_behalf_of=of_board.municipality.body)

    if request.method == "POST" and tried(form, change):
        messages.success(request, _("The cover is saved. It is in the files from the next time the report is made."))
        back = "report_work" if request.user.has_perm("reports.write_report", found) else "report"
        return redirect(back, found.pk)
    return render(request, "reports/cover.html", {"form": form, "report": found, "board": of_board})


@require_GET
def compare(request: Request, pk: int, number: int) -> HttpResponse:
    """A version beside the one before it."""
    found = _report(request, pk)
    after = get_object_or_404(Version.objects.of(found).select_related("supersedes"), number=number)
    before = after.supersedes
    if before is None:
        raise Http404
    difference = compare_contents(before.content, after.content)
    return render(
        request,
        "reports/compare.html",
        {"report": found, "before": before, "after": after, "difference": difference},
    )
