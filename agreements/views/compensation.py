"""What municipalities owe each other: the pairs of an area, a statement with its lines, and locking it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from agreements.forms.prices import ChoosePriceForm, DisputeForm, LockForm, SettleForm
from agreements.models import Dispute, Statement, StatementLine, StatementState
from agreements.operations import (
    Candidate,
    GroupSum,
    PriceGroup,
    Review,
    choose_price,
    group_of,
    in_code_order,
    is_disputed,
    latest_files_job,
    lines_of,
    list_year,
    lock_statement,
    make_statement,
    order_statements,
    payer_of,
    priced_on,
    raise_dispute,
    review_of,
    seen_of_statement,
    settle_dispute,
    statements_under_way,
    sums_of,
    why_in_words,
)
from agreements.price_tables import statement_headings, statement_rows
from agreements.views.shared import Request, acting_for, acting_member, area_chosen
from collab4m.access import get_permitted, get_visible, require
from collab4m.clock import today
from collab4m.errors import RuleBroken
from collab4m.forms import tried
from collab4m.school_year import SchoolYear, year_named
from collab4m.tables import download
from organisations.models import CollaborationArea, Municipality, RoleKind, SemesterKind
from organisations.operations import areas_in_order
from programmes.models import PupilFlow, year_in_address
from programmes.operations import Count, flow_semesters, flows_of, members_of
from records.documents.frame import frame_for
from records.documents.page import draw_once, page_context
from records.documents.reading import Reading
from records.models import JobState

YEARS_BACK, YEARS_AHEAD = 5, 1


def _semester_named(text: str) -> str:
    if text not in SemesterKind.values:
        raise Http404
    return text


def _own(request: Request) -> set[int]:
    """The municipalities whose statements the reader sees."""
    return set(request.user.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE))


# The pairs of an area


@dataclass(frozen=True)
class Pair:
    """Two members, the pupils each way, and how far their statement has come."""

    one: Municipality
    other: Municipality
    statement: Statement | None
    out: Count  # pupils of `one` in `other`
    into: Count
    sums: Sequence[GroupSum]
    open_lines: int
    disputed_lines: int

    @property
    def has_pupils(self) -> bool:
        return any(count.least or not count.is_whole for count in (self.out, self.into))

    @property
    def nets(self) -> list[tuple[GroupSum, Municipality | None, Municipality | None]]:
        return [(one, *payer_of(self.statement, one)) for one in self.sums] if self.statement else []


@require_GET
def statements(request: Request) -> HttpResponse:
    own = _own(request)
    if not own:
        raise Http404
    area = area_chosen(request)
    members = [member for member, _membership in members_of(area, SchoolYear.of(today()))]
    year, semester = _semester_chosen(request, members)
    this_year = SchoolYear.of(today())
    years = {this_year + step for step in range(-YEARS_BACK, YEARS_AHEAD + 1)} | {year}
    pairs = _pairs(request, members, own, year, semester)
    context = {
        "area": area,
        "areas": areas_in_order(),
        "year": year,
        "year_address": year_in_address(year),
        "years": [(year_in_address(one), str(one)) for one in sorted(years, reverse=True)],
        "semester": semester,
        "semesters": SemesterKind.choices,
        "pairs": [pair for pair in pairs if pair.has_pupils or pair.statement],
        "without": [pair for pair in pairs if not pair.has_pupils and not pair.statement],
        "job": statements_under_way(area, year, semester),
        "may_make": acting_member(request.user, area) is not None,
        "mine": set(request.user.bodies_where(RoleKind.ADMINISTRATOR)),
        "priced_on": priced_on(year, semester),
        "list_year": list_year(year, semester),
        "locked": sum(1 for pair in pairs if pair.statement and pair.statement.state == StatementState.LOCKED),
    }
    return render(request, "agreements/statements.html", context)


def _semester_chosen(request: Request, members: Sequence[Municipality]) -> tuple[SchoolYear, str]:
    """The semester in the address, else the latest of which pupils are reported, else this one."""
    reported = flow_semesters(member.pk for member in members)
    year, semester = reported[0] if reported else (SchoolYear.of(today()), SemesterKind.AUTUMN.value)
    if text := request.GET.get("lasar", ""):
        year = year_named(text)
    if text := request.GET.get("termin", ""):
        semester = _semester_named(text)
    return year, semester


def _pairs(
    request: Request, members: Sequence[Municipality], own: set[int], year: SchoolYear, semester: str
) -> list[Pair]:
    """The pairs of which the reader's municipality is one, in the agreed order."""
    ids = [member.pk for member in members]
    disputes = Prefetch("disputes", Dispute.objects.all())
    lines = Prefetch("lines", StatementLine.objects.order_by("pk").prefetch_related(disputes))
    latest: dict[frozenset[int], Statement] = {}
    there = Statement.objects.visible_to(request.user).filter(
        school_year=year, semester=semester, first__in=ids, second__in=ids
    )
    for statement in there.order_by("number").select_related("first", "second").prefetch_related(lines):
        latest[frozenset((statement.first_id, statement.second_id))] = statement
    counts: dict[tuple[int, int], Count] = defaultdict(Count)
    flows = flows_of(members, year, semester, reader=request.user)
    for row in flows.rows:
        counts[row.home_id, row.provider_municipality_id] += flows.counts[row.pk]
    found = []
    for place, one in enumerate(members):
        for other in members[place + 1 :]:
            if own.isdisjoint((one.pk, other.pk)):
                continue
            made = latest.get(frozenset((one.pk, other.pk)))
            own_lines = list(made.lines.all()) if made else []
            found.append(
                Pair(
                    one,
                    other,
                    made,
                    counts[one.pk, other.pk],
                    counts[other.pk, one.pk],
                    sums_of(made, own_lines) if made else [],
                    sum(line.is_open for line in own_lines),
                    sum(is_disputed(line) for line in own_lines),
                )
            )
    return found


def _posted_area(request: Request) -> CollaborationArea:
    slug = request.POST.get("omrade", "")
    found = CollaborationArea.objects.visible_to(request.user).filter(slug=slug).first() if slug.isascii() else None
    if found is None:
        raise Http404
    return found


@require_POST
def make_all(request: Request) -> HttpResponse:
    """Have all pairs of the area made, by a job that one can leave."""
    require(request.user, "agreements.make_statements")
    area = _posted_area(request)
    year = year_named(request.POST.get("lasar", ""))
    semester = _semester_named(request.POST.get("termin", ""))
    body = acting_member(request.user, area)
    if body is None:
        raise PermissionDenied
    return redirect(order_statements(area, year, semester, by=request.user, on_behalf_of=body))


@require_POST
def make(request: Request) -> HttpResponse:
    """Make, or make anew, the statement of a pair; after a lock a correction."""
    require(request.user, "agreements.make_statements")
    codes = [request.POST.get(name, "") for name in ("ena", "andra")]
    found = Municipality.objects.in_bulk([code for code in codes if code.isascii()], field_name="code")
    if len(found) != 2:
        raise Http404
    year = year_named(request.POST.get("lasar", ""))
    semester = _semester_named(request.POST.get("termin", ""))
    one, other = (found[code] for code in codes)
    body = acting_for(request.user, in_code_order(one, other))
    if body is None:
        raise Http404
    try:
        statement = make_statement(one, other, year, semester, by=request.user, on_behalf_of=body)
    except RuleBroken as broken:
        messages.error(request, str(broken))
        return redirect("statements")
    messages.success(request, _("The statement shows what is reported and agreed now."))
    return redirect(statement)


# A statement


ROWS = Statement.objects.select_related("first", "second", "version")


def _statement(request: Request, pk: int) -> Statement:
    found: Statement = get_visible(ROWS.all(), request.user, pk=pk)
    return found


def _draft(request: Request, pk: int) -> Statement:
    found: Statement = get_permitted(ROWS.all(), request.user, "agreements.work_on_statement", pk=pk)
    return found


@dataclass(frozen=True)
class Direction:
    """One municipality's pupils in the other: the lines, and what they come to in each group of prices."""

    home: Municipality
    provider: Municipality
    lines: list[Any]
    totals: list[tuple[PriceGroup, Any]]


@require_GET
def statement(request: Request, pk: int) -> HttpResponse:
    found = _statement(request, pk)
    editions = list(
        Statement.objects.filter(
            first=found.first, second=found.second, school_year=found.school_year, semester=found.semester
        ).order_by("-number")
    )
    may_work = request.user.has_perm("agreements.work_on_statement", found)
    context: dict[str, Any] = {
        "statement": found,
        "editions": editions,
        "latest": editions[0],
        "may_work": may_work,
        "year_address": year_in_address(found.school_year),
        "priced_on": priced_on(found.school_year, found.semester),
        "list_year": list_year(found.school_year, found.semester),
    }
    if found.state == StatementState.LOCKED:
        return _locked_page(request, found, context)
    review = review_of(found)
    sums = sums_of(found, review.lines)
    context |= {
        "directions": _directions(found, review),
        "sums": [(one, *payer_of(found, one)) for one in sums],
        "open_lines": [line for line in review.lines if line.is_open],
        "disputed_lines": [line for line in review.lines if is_disputed(line)],
        "is_outdated": review.is_outdated,
        "has_examples": any(line.example for line in review.lines),
        "supplement": any(line.revision and line.revision.independents_percent for line in review.lines),
    }
    return render(request, "agreements/statement.html", context)


def _locked_page(request: Request, found: Statement, context: dict[str, Any]) -> HttpResponse:
    """What was made final, and its files."""
    version = found.version
    assert version is not None
    frame = frame_for(version.content, number=version.number, at=version.frozen_at, site=settings.SITE_URL)
    files = list(version.renditions.current().order_by("kind", "variant"))
    job = None if files else latest_files_job(found)
    context |= {
        "version": version,
        "document": page_context(Reading(version.content, frame), draw_once),
        "files": files,
        "job": job if job and job.state != JobState.FAILED else None,
        "failed": job if job and job.state == JobState.FAILED else None,
    }
    return render(request, "agreements/statement_locked.html", context)


def _directions(found: Statement, review: Review) -> list[Direction]:
    flows = {draft.flow.pk: draft.flow for draft in review.drafts.values()}
    gone = {line.flow_key for line in review.lines} - flows.keys()
    flows |= PupilFlow.objects.select_related("source").in_bulk(gone) if gone else {}
    directions = []
    for home, provider in ((found.first, found.second), (found.second, found.first)):
        lines = [line for line in review.lines if line.home_id == home.pk]
        totals: dict[PriceGroup, Any] = defaultdict(int)
        for line in lines:
            if line.amount_sek is not None:
                totals[group_of(line)] += line.amount_sek
        shown = [
            {
                "line": line,
                "flow": flows.get(line.flow_key),
                "group": group_of(line) if line.price_kind else None,
                "why": why_in_words(line),
                "choices": len(review.candidates(line)),
                "dispute": next((one for one in line.disputes.all() if one.settled_at is None), None),
                "settled": sum(one.settled_at is not None for one in line.disputes.all()),
            }
            for line in lines
        ]
        ranked = sorted(totals.items(), key=lambda total: total[0].rank)
        directions.append(Direction(home, provider, shown, ranked))
    return directions


@require_GET
def statement_file(request: Request, pk: int, kind: str) -> HttpResponse:
    """The lines of a draft as a table. What is locked has files of its own."""
    found = _statement(request, pk)
    if found.state == StatementState.LOCKED:
        return redirect(found)
    lines = lines_of(found)
    flows = PupilFlow.objects.select_related("source").in_bulk([line.flow_key for line in lines])
    pair = f"{found.first.code}-{found.second.code}"
    name = f"ersattning-{pair}-{found.semester.lower()}-{year_in_address(found.school_year)}-utkast"
    return download(kind, name, statement_headings(), statement_rows(lines, flows))


def statement_line(request: Request, pk: int, line: int) -> HttpResponse:
    """One line: choose its price, dispute it, or write how a dispute was settled."""
    found = _draft(request, pk)
    if found.state == StatementState.LOCKED:
        messages.error(request, _("The statement is locked, and nothing in it changes. Make a correction instead."))
        return redirect(found)
    review = review_of(found)
    shown = next((one for one in review.lines if one.pk == line), None)
    if shown is None:
        raise Http404
    disputes = list(shown.disputes.all())
    open_dispute = next((one for one in disputes if one.settled_at is None), None)
    candidates = [(one, _candidate_in_words(one)) for one in review.candidates(shown)]
    doing = request.POST.get("gor", "") if request.method == "POST" else ""
    choosing = ChoosePriceForm(request.POST if doing == "pris" else None, candidates=candidates, prefix="pris")
    disputing = DisputeForm(request.POST if doing == "invand" else None, prefix="invand")
    settling = SettleForm(request.POST if doing == "los" else None, prefix="los")
    done = _line_done(request, found, shown, open_dispute, doing, choosing, disputing, settling)
    if done:
        messages.success(request, done)
        return redirect(found)
    context = {
        "statement": found,
        "line": shown,
        "group": group_of(shown) if shown.price_kind else None,
        "why": why_in_words(shown),
        "rule": review.rule(shown),
        "candidates": candidates,
        "disputes": disputes,
        "open_dispute": open_dispute,
        "choosing": choosing,
        "disputing": disputing,
        "settling": settling,
    }
    return render(request, "agreements/statement_line.html", context)


def _line_done(
    request: Request,
    found: Statement,
    line: StatementLine,
    dispute: Dispute | None,
    doing: str,
    choosing: ChoosePriceForm,
    disputing: DisputeForm,
    settling: SettleForm,
) -> str:
    """Do what was asked for; what to say of it, or nothing when it was not done."""
    body = acting_for(request.user, (found.first, found.second))
    if body is None:
        raise PermissionDenied
    said: dict[str, Any] = {"by": request.user, "on_behalf_of": body}

    def choose() -> None:
        given = choosing.cleaned_data
        choose_price(line, given["choice"], why=given["why"], **said)

    if doing == "pris" and tried(choosing, choose):
        return _("The price is chosen.")
    if doing == "invand" and tried(disputing, lambda: raise_dispute(line, text=disputing.cleaned_data["text"], **said)):
        return _("The line is disputed. It cannot be locked before that is settled.")
    if doing == "los" and dispute is None:
        return _("There is nothing left to settle on the line.")
    if doing == "los" and tried(
        settling,
        lambda: settle_dispute(dispute, text=settling.cleaned_data["settlement"], **said),  # type: ignore[arg-type]
    ):
        return _("The dispute is settled.")
    return ""


def _candidate_in_words(candidate: Candidate) -> str:
    group = PriceGroup(candidate.kind, candidate.incl_meals, candidate.incl_vat)
    price = number_format(candidate.price_sek, decimal_pos=2, force_grouping=True)
    return _("%(price)s SEK: %(what)s (%(group)s)") % {"price": price, "what": candidate, "group": group}


def lock(request: Request, pk: int) -> HttpResponse:
    """What locking means, and the lock itself."""
    found = _draft(request, pk)
    if found.state == StatementState.LOCKED:
        return redirect(found)
    review = review_of(found)
    initial = {"seen": seen_of_statement(review.lines)}
    form = LockForm(request.POST or None, initial=initial)
    body = acting_for(request.user, (found.first, found.second))
    if body is None:
        raise PermissionDenied

    def do() -> None:
        lock_statement(found, by=request.user, on_behalf_of=body, seen=form.cleaned_data["seen"])

    if request.method == "POST" and tried(form, do):
        messages.success(request, _("The statement is locked. Its files are being made."))
        return redirect(found)
    context = {
        "statement": found,
        "form": form,
        "sums": [(one, *payer_of(found, one)) for one in sums_of(found, review.lines)],
        "lines": review.lines,
        "open_lines": [line for line in review.lines if line.is_open],
        "disputed_lines": [line for line in review.lines if is_disputed(line)],
        "is_outdated": review.is_outdated,
    }
    return render(request, "agreements/statement_lock.html", context)
