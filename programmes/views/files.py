"""Files on their way in: sent, their columns chosen, looked through, and then confirmed or dropped."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_GET, require_POST

from collab4m.access import get_visible, require
from collab4m.clock import today
from collab4m.errors import RuleBroken
from collab4m.forms import refuse
from collab4m.school_year import SchoolYear
from collab4m.tables import open_table
from organisations.models import Municipality, School
from programmes.forms.files import ColumnsForm, ConfirmForm, FileForm
from programmes.models import FIGURES, Answer, FileImport, FileKind, ImportRow, Orientation, Programme, year_in_address
from programmes.operations import (
    COLUMNS,
    FileGone,
    FileRefused,
    Problem,
    choose_columns,
    confirm_file,
    drop_file,
    guessed_columns,
    intake_of,
    is_busy,
    seen_beside,
    stands_now,
    take_in_file,
)
from programmes.views.matrix import figure_names
from programmes.views.shared import Request, administered

ROWS_PER_PAGE = 100


def offerings_import(request: Request) -> HttpResponse:
    return _import(request, FileKind.OFFERINGS)


def flows_import(request: Request) -> HttpResponse:
    return _import(request, FileKind.FLOWS)


def _import(request: Request, kind: FileKind) -> HttpResponse:
    require(request.user, "programmes.report_some_flows")
    this_year = SchoolYear.of(today())
    years = [(str(this_year + step), str(this_year + step)) for step in range(2, -6, -1)]
    own = administered(request.user)
    form = FileForm(
        request.POST or None,
        request.FILES or None,
        bodies=own,
        years=years,
        initial={"school_year": str(this_year)},
    )
    refused: FileRefused | None = None
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data["file"]
        try:
            file = take_in_file(
                kind,
                name=sent.name,
                content=sent.read(),
                municipality=form.body,
                school_year=form.year,
                by=request.user,
                on_behalf_of=form.body.body,
            )
        except RuleBroken as broken:
            refused = broken if isinstance(broken, FileRefused) else None
            broken.field = "file"
            refuse(form, broken)
        else:
            return redirect("file_columns", file.pk) if file.columns is None else redirect(file)
    context = {
        "form": form,
        "kind": kind,
        "columns": COLUMNS[kind],
        "problems": refused.problems if refused else [],
        "total": refused.total if refused else 0,
        "name": refused.name if refused else "",
        "is_offer": kind == FileKind.OFFERINGS,
        "own": own,
        "this_year": year_in_address(this_year),
    }
    return render(request, "programmes/file_new.html", context)


def _file(request: Request, pk: int) -> FileImport:
    files = FileImport.objects.select_related("municipality", "by", "on_behalf_of", "job")
    found: FileImport = get_visible(files, request.user, pk=pk)
    return found


@require_GET
def file(request: Request, pk: int) -> HttpResponse:
    found = _file(request, pk)
    if found.job and is_busy(found):
        return redirect(found.job)
    if not found.is_read:
        return _columns_page(request, found, None)
    return _preview(request, found)


def _preview(request: Request, found: FileImport) -> HttpResponse:
    page = Paginator(found.rows.order_by("line"), ROWS_PER_PAGE).get_page(request.GET.get("sida"))
    rows = list(page.object_list)
    stands = stands_now(found, rows)
    lines = [_line(found, row, stands[row.line], names) for names in [_names(found, rows)] for row in rows]
    context = {
        "file": found,
        "page": page,
        "lines": lines,
        "form": ConfirmForm(file=found, seen=seen_beside(found)),
        "figures": figure_names(),
        "count": page.paginator.count,
        "is_offer": found.kind == FileKind.OFFERINGS,
    }
    return render(request, "programmes/file.html", context)


def _names(found: FileImport, rows: list[ImportRow]) -> dict[str, dict[int, Any]]:
    """What the ids in the rows are called."""

    def ids(name: str) -> set[int]:
        return {row.values[name] for row in rows if row.values.get(name)}

    names: dict[str, dict[int, Any]] = {"programme": Programme.objects.in_bulk(ids("programme"))}
    if found.kind == FileKind.OFFERINGS:
        names["orientation"] = Orientation.objects.in_bulk(ids("orientation"))
        names["school"] = School.objects.in_bulk(ids("school"))
    else:
        towns = Municipality.objects.in_bulk(ids("home") | ids("provider_municipality"))
        names["home"] = names["provider_municipality"] = towns
    return names


def _line(found: FileImport, row: ImportRow, stands: Any, names: dict[str, dict[int, Any]]) -> dict[str, Any]:
    """A row as the preview shows it: names, and for each value what stands now where that differs."""
    if found.kind == FileKind.OFFERINGS:
        said = intake_of(row.values)
        labels = {
            "offered": pgettext("noun", "Answer"),
            **dict(zip(FIGURES, figure_names(), strict=True)),
            "as_of": _("Figures as of"),
        }
    else:
        said, labels = None, {"pupils": _("Pupils")}
    cells = []
    for name, label in labels.items():
        new = getattr(said, name) if said else row.values[name]
        old = getattr(stands, name) if stands else None
        cells.append(
            {
                "label": label,
                "is_figure": name not in ("offered", "as_of"),
                "says": _in_words(new),
                "was": _in_words(old),
                "differs": stands is not None and new != old,
            }
        )
    return {
        "line": row.line,
        "names": {name: names[name].get(row.values[name]) for name in names if row.values.get(name)},
        "semester": row.values.get("semester", ""),
        "cells": cells,
        "is_new": stands is None,
        "differs": any(cell["differs"] for cell in cells),
    }


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return str((Answer.OFFERED if value else Answer.NOT_OFFERED).label)
    if isinstance(value, int):
        return number_format(value)
    return value.isoformat() if value else _("not stated")


def columns(request: Request, pk: int) -> HttpResponse:
    found = _file(request, pk)
    if found.job and is_busy(found):
        return redirect(found.job)
    form = _columns_form(found, request.POST or None)
    refused: FileRefused | None = None
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(choose_columns(found, form.places()))
        except FileGone as gone:
            return _gone(request, found, gone)
        except RuleBroken as broken:
            refused = broken if isinstance(broken, FileRefused) else None
            broken.field = None
            refuse(form, broken)
    return _columns_page(request, found, form, refused)


def _columns_form(found: FileImport, data: Any = None) -> ColumnsForm:
    headings = open_table(found.name, bytes(found.content)).headings
    known = found.columns or guessed_columns(found.kind, headings)
    return ColumnsForm(data, columns=COLUMNS[FileKind(found.kind)], headings=headings, known=known)


def _gone(request: Request, found: FileImport, gone: FileGone) -> HttpResponse:
    """Somebody confirmed or dropped the file in another window."""
    messages.error(request, str(gone))
    return redirect("offerings_import" if found.kind == FileKind.OFFERINGS else "flows_import")


def _columns_page(
    request: Request, found: FileImport, form: ColumnsForm | None, refused: FileRefused | None = None
) -> HttpResponse:
    """Choose columns; after a reading by a job also what was wrong in the file."""
    problems = refused.problems if refused else [Problem(**problem) for problem in found.problems]
    context = {
        "file": found,
        "form": form or _columns_form(found),
        "problems": problems,
        "total": refused.total if refused else len(problems),
        "is_offer": found.kind == FileKind.OFFERINGS,
    }
    return render(request, "programmes/file_columns.html", context)


@require_POST
def confirm(request: Request, pk: int) -> HttpResponse:
    found = _file(request, pk)
    form = ConfirmForm(request.POST, file=found)
    if not found.is_read or not form.is_valid():
        return redirect(found)
    count, kind, year = found.rows.count(), found.kind, year_in_address(found.school_year)
    try:
        job = confirm_file(found, complete=form.cleaned_data.get("complete", False), seen=form.cleaned_data["seen"])
    except FileGone as gone:
        return _gone(request, found, gone)
    except RuleBroken as broken:
        messages.error(request, str(broken))
        return redirect(found)
    if job:
        return redirect(job)
    text = ngettext("%(count)s row is imported.", "%(count)s rows are imported.", count)
    messages.success(request, text % {"count": count})
    return redirect(f"{reverse('reporting')}?lasar={year}" if kind == FileKind.OFFERINGS else reverse("flows"))


@require_POST
def drop(request: Request, pk: int) -> HttpResponse:
    found = _file(request, pk)
    kind = found.kind
    try:
        drop_file(found)
    except FileGone as gone:
        return _gone(request, found, gone)
    except RuleBroken as broken:
        messages.error(request, str(broken))
        return redirect(found)
    messages.success(request, _("The file is dropped. Nothing of it was saved."))
    return redirect("offerings_import" if kind == FileKind.OFFERINGS else "flows_import")
