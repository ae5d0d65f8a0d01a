"""Decisions: a text goes to the boards, and each party puts on record what its own decided."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from agreements.forms.decisions import CaseNumberForm, DecisionForm, FillInForm, ToDecisionForm, document_of
from agreements.models import Agreement, Party, Revision, RevisionState
from agreements.operations import (
    AlreadyDecided,
    CoverTaken,
    OldContent,
    StillOpen,
    WrongState,
    hindrances_of,
    record_decision,
    send_to_decision,
    set_case_number,
)
from agreements.views.referrals import own_bodies, under_way, wrong_state
from agreements.views.shared import Request, agreement_of
from collab4m.access import require
from collab4m.errors import RuleBroken
from collab4m.forms import tried
from organisations.models import Board
from records.documents.words import grouped
from records.models import Decision, Version

DECIDED = (RevisionState.DECIDING, RevisionState.SIGNING, RevisionState.SIGNED)


def send(request: Request, pk: int) -> HttpResponse:
    found = agreement_of(request, pk)
    require(request.user, "agreements.draft", found)
    revision = under_way(request, found, RevisionState.DRAFT, RevisionState.REFERRAL)
    if revision is None:
        return wrong_state(request, found)
    form = ToDecisionForm(request.POST if request.method == "POST" else None, bodies=own_bodies(request, found))

    def do() -> None:
        send_to_decision(found, by=request.user, on_behalf_of=form.body)

    if request.method == "POST" and tried(form, do):
        messages.success(
            request, _("The text is final and locked. Each board can now decide, and each party gets a mail.")
        )
        return redirect(found)
    hindrances = hindrances_of(found, revision)
    context = {
        "agreement": found,
        "revision": revision,
        "form": form,
        "parties": list(found.parties.select_related("municipality", "board")),
        "hindrances": [(broken, _in_the_way(request, broken)) for broken in hindrances],
    }
    return render(request, "agreements/decision_send.html", context)


def _in_the_way(request: Request, broken: RuleBroken) -> dict[str, Any]:
    """What a hindrance is about, to lead there: what is open, or another agreement that the reader may see."""
    if isinstance(broken, StillOpen):
        return {"places": broken.places}
    if isinstance(broken, CoverTaken) and broken.other is not None:
        return {"other": Agreement.objects.visible_to(request.user).filter(pk=broken.other.pk).first()}
    return {"answers": getattr(broken, "answers", None)}


def _party(found: Agreement, pk: int) -> Party:
    return get_object_or_404(found.parties.select_related("municipality", "board", "agreement"), pk=pk)


def _boards(party: Party) -> list[Board]:
    return list(Board.objects.on().filter(municipality=party.municipality_id).in_swedish_order())


def new(request: Request, pk: int, party: int) -> HttpResponse:
    """Record a decision, correct it while boards still decide, or later fill in what was left empty."""
    found = agreement_of(request, pk)
    of_party = _party(found, party)
    require(request.user, "agreements.record_decision", of_party)
    revision = _revision_about(request, found)
    if revision is None and request.method != "POST":
        return wrong_state(request, found)
    version = revision.version if revision else None
    standing = version.decisions.standing().filter(body=of_party.municipality_id).first() if version else None
    deciding = revision is None or revision.state == RevisionState.DECIDING or "result" in request.POST
    if not deciding and standing is None:
        return wrong_state(request, found)
    posted = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form: DecisionForm | FillInForm
    if deciding:
        initial = _initial(of_party, version, standing)
        form = DecisionForm(*posted, party=of_party, boards=_boards(of_party), initial=initial)
    else:
        assert standing is not None
        assert version is not None
        initial = {"content_sha256": version.content_sha256, "corrects": standing.pk}
        form = FillInForm(*posted, decision=standing, initial=initial)
    refusals: list[RuleBroken] = []

    def do() -> None:
        try:
            _record(of_party, form, standing, request)
        except (OldContent, AlreadyDecided, WrongState) as broken:
            refusals.append(broken)
            raise

    if request.method == "POST" and tried(form, do):
        messages.success(request, _said(found, revision))
        return redirect(found)
    latest = Version.objects.of(found).first()
    context = {
        "agreement": found,
        "party": of_party,
        "revision": revision,
        "version": version,
        "standing": standing,
        "hash": grouped(version.content_sha256) if version else "",
        "form": form,
        "deciding": deciding,
        "refusal": refusals[0].code if refusals else "",
        "latest": latest if version is None or (latest and latest.pk != version.pk) else None,
    }
    return render(request, "agreements/decision_new.html", context, status=409 if refusals else 200)


def _revision_about(request: Request, found: Agreement) -> Revision | None:
    """The revision whose content is decided on: the one in the form or in the address, else the latest there is."""
    rows = Revision.objects.visible_to(request.user).filter(agreement=found, state__in=DECIDED)
    rows = rows.select_related("agreement", "version").order_by("-ordinal")
    if request.method == "POST":
        return rows.filter(version__content_sha256=request.POST.get("content_sha256", "")).first()
    number = request.GET.get("version", "")
    if number.isascii() and number.isdecimal() and len(number) < 9:
        return rows.filter(version__number=int(number)).first()
    return rows.first()


def _initial(party: Party, version: Version | None, standing: Decision | None) -> dict[str, Any]:
    boards = {party.board_id, standing.board_id if standing else None} - {None}
    initial: dict[str, Any] = {
        "content_sha256": version.content_sha256 if version else "",
        "case_number": party.case_number,
        "board": str(party.board_id or "") if boards else "",
    }
    if standing:
        names = ("result", "day", "paragraph", "case_number", "final_on", "remark")
        initial |= {name: getattr(standing, name) for name in names} | {"corrects": standing.pk}
        initial["board"] = str(standing.board_id or "other")
        initial["board_name"] = "" if standing.board_id else standing.board_name
    return initial


def _record(party: Party, form: DecisionForm | FillInForm, standing: Decision | None, request: Request) -> None:
    data = form.cleaned_data
    document = document_of(form)
    if isinstance(form, DecisionForm):
        board = form.chosen
        values: dict[str, Any] = {
            name: data[name] for name in ("result", "day", "paragraph", "case_number", "final_on", "remark")
        }
        values |= {"board": board, "board_name": "" if board else data["board_name"]}
    else:
        assert standing is not None
        kept = ("result", "day", "paragraph", "case_number", "board", "board_name")
        values = {name: getattr(standing, name) for name in kept}
        values |= {name: data.get(name) or getattr(standing, name) for name in ("final_on", "remark")}
    record_decision(
        party,
        **values,
        content_sha256=data["content_sha256"],
        corrects=data["corrects"],
        document=document,
        by=request.user,
        on_behalf_of=party.municipality.body,
    )


def _said(found: Agreement, revision: Revision | None) -> str:
    """What came of the decision."""
    after = found.revisions.filter(pk=revision.pk).first() if revision else None
    if after is None or revision is None or revision.state != RevisionState.DECIDING:
        return _("It is on record.")
    return {
        RevisionState.SIGNING: _("The decision is on record. All have approved, so the agreement can be signed now."),
        RevisionState.DRAFT: _("The decision is on record. The text is a draft again, to become a new version."),
        RevisionState.REJECTED: _("The decision is on record. The agreement is rejected."),
    }.get(RevisionState(after.state), _("The decision is on record. The other parties see it."))


def case_number(request: Request, pk: int, party: int) -> HttpResponse:
    found = agreement_of(request, pk)
    of_party = _party(found, party)
    require(request.user, "agreements.set_case_number", of_party)
    form = CaseNumberForm(request.POST if request.method == "POST" else None, party=of_party, boards=_boards(of_party))

    def do() -> None:
        set_case_number(
            of_party,
            case_number=form.cleaned_data["case_number"],
            board=form.chosen,
            meets_on=form.cleaned_data["meets_on"],
            by=request.user,
            on_behalf_of=of_party.municipality.body,
        )

    if request.method == "POST" and tried(form, do):
        messages.success(request, _("It is saved."))
        return redirect(found)
    return render(request, "agreements/case_number.html", {"agreement": found, "party": of_party, "form": form})
