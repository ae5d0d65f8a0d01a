"""Referral: sending a text to the parties, answering it section by section, and settling what is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from agreements.forms.referrals import WHOLE, ActForm, AnswerForm, ReasonForm, SendForm, SettleForm
from agreements.models import (
    Agreement,
    Outcome,
    Party,
    Referral,
    ReferralAnswer,
    Revision,
    RevisionState,
)
from agreements.operations import (
    WrongState,
    answer_in_full,
    open_referral,
    parts_of_revision,
    placeholders_of,
    remind_of_referral,
    send_on_referral,
    settle_answer,
    silent_parties,
    take_back,
)
from agreements.views.shared import Request, agreement_of, own_parties
from collab4m.access import require
from collab4m.clock import today
from collab4m.faults import typed
from collab4m.forms import tried
from organisations.models import Body, RoleKind
from records.documents.frame import frame_for
from records.documents.page import draw_once, page_context
from records.documents.reading import Reading
from records.models import Part


def under_way(request: Request, agreement: Agreement, *states: str) -> Revision | None:
    """The revision under way, if the reader may see it and it is in one of `states`."""
    rows = Revision.objects.visible_to(request.user).filter(agreement=agreement, state__in=states)
    return rows.select_related("agreement", "version").first()


WRITTEN = ("text", "reason", "remark")  # fields that hold what somebody has written at length


def wrong_state(request: Request, agreement: Agreement) -> HttpResponse:
    """Back to the agreement, which says where it stands; what somebody wrote and sent too late is given back."""
    if request.method != "POST":
        messages.error(request, str(WrongState()))
        return redirect(agreement)
    texts = [value for name, value in typed(request) if name.rpartition("-")[2] in WRITTEN]
    context = {"agreement": agreement, "message": str(WrongState()), "texts": texts}
    return render(request, "agreements/too_late.html", context, status=409)


def own_bodies(request: Request, agreement: Agreement) -> list[Body]:
    """The parties for which the reader may act, in the parties' order."""
    return [party.municipality.body for party in own_parties(request.user, agreement)]


def is_late(answer: ReferralAnswer, referral: Referral) -> bool:
    """Whether an answer came after the last day, as days are counted here."""
    return timezone.localtime(answer.at).date() > referral.last_day


# Sending


def send(request: Request, pk: int) -> HttpResponse:
    found = agreement_of(request, pk)
    require(request.user, "agreements.draft", found)
    revision = under_way(request, found, RevisionState.DRAFT, RevisionState.REFERRAL)
    if revision is None:
        return wrong_state(request, found)
    posted = request.POST if request.method == "POST" else None
    form = SendForm(posted, bodies=own_bodies(request, found))

    def do() -> None:
        send_on_referral(found, last_day=form.cleaned_data["last_day"], by=request.user, on_behalf_of=form.body)

    if request.method == "POST" and tried(form, do):
        messages.success(request, _("The text is sent on referral. Each party gets a mail."))
        return redirect(found)
    context = {
        "agreement": found,
        "revision": revision,
        "form": form,
        "parties": list(found.parties.select_related("municipality")),
        "own": {body.pk for body in form.bodies.values()},
        "open": placeholders_of(revision),
        "referral": open_referral(revision),
    }
    return render(request, "agreements/referral_send.html", context)


def take_it_back(request: Request, pk: int) -> HttpResponse:
    found = agreement_of(request, pk)
    require(request.user, "agreements.draft", found)
    revision = under_way(request, found, RevisionState.REFERRAL)
    if revision is None:
        return wrong_state(request, found)
    form = ReasonForm(request.POST if request.method == "POST" else None, bodies=own_bodies(request, found))

    def do() -> None:
        take_back(found, reason=form.cleaned_data["reason"], by=request.user, on_behalf_of=form.body)

    if request.method == "POST" and tried(form, do):
        messages.success(request, _("The text is a draft again. What was answered can still be read."))
        return redirect(found)
    return render(
        request, "agreements/referral_take_back.html", {"agreement": found, "form": form, "revision": revision}
    )


@require_POST
def remind(request: Request, pk: int, party: int) -> HttpResponse:
    found = agreement_of(request, pk)
    require(request.user, "agreements.draft", found)
    silent = get_object_or_404(found.parties.select_related("municipality", "agreement"), pk=party)
    form = ActForm(request.POST, bodies=own_bodies(request, found))
    sent: list[int] = []

    def do() -> None:
        sent.append(remind_of_referral(silent, by=request.user, on_behalf_of=form.body))

    if tried(form, do):
        text = ngettext(
            "%(party)s is reminded: %(people)s person gets a mail.",
            "%(party)s is reminded: %(people)s persons get a mail.",
            sent[0],
        )
        messages.success(request, text % {"party": silent.municipality.name, "people": sent[0]})
    else:
        for errors in form.errors.values():
            messages.error(request, " ".join(str(error) for error in errors))
    return redirect("referral_answers", found.pk)


# Answering


def answer(request: Request, pk: int) -> HttpResponse:
    found = agreement_of(request, pk)
    own = own_parties(request.user, found)
    if not own:
        raise PermissionDenied
    revision = under_way(request, found, RevisionState.REFERRAL)
    referral = open_referral(revision) if revision else None
    if revision is None or referral is None:
        return wrong_state(request, found)
    own.sort(key=lambda party: party.municipality_id == referral.on_behalf_of_id)  # whoever sent it answers last
    said = ReferralAnswer.objects.filter(referral=referral, municipality__in=[party.municipality_id for party in own])
    earlier: dict[str, list[ReferralAnswer]] = {}
    for one in said.select_related("municipality").order_by("at", "pk"):
        earlier.setdefault(one.section, []).append(one)
    texts = _sections_of(revision, referral)
    form = AnswerForm(
        request.POST if request.method == "POST" else None,
        bodies=[party.municipality.body for party in own],
        sections={part["id"]: part["heading"] for part in texts},
        earlier=earlier,
    )

    def do() -> None:
        chosen = next(party for party in own if party.municipality_id == form.body.pk)
        answer_in_full(chosen, said=form.said(), by=request.user, on_behalf_of=form.body)

    if request.method == "POST" and tried(form, do):
        messages.success(request, _("The answer is sent."))
        return redirect("referral_answers", found.pk)
    context = {
        "agreement": found,
        "revision": revision,
        "referral": referral,
        "form": form,
        "whole": form.row(WHOLE),
        "rows": [(part, form.row(part["id"])) for part in texts],
        "is_late": referral.last_day < today(),
        "party": own[0],
    }
    return render(request, "agreements/referral_answer.html", context)


def _sections_of(revision: Revision, referral: Referral) -> list[Any]:
    """The sections of the version that was sent, as the page shows them."""
    version = referral.version
    frame = frame_for(version.content, number=version.number, at=version.frozen_at, site=settings.SITE_URL)
    parts = page_context(Reading(version.content, frame), draw_once)["parts"]
    return [part for part in parts if part["id"] in revision.sections]


# What was answered


@dataclass
class Answered:
    """An answer as the page shows it. `form`: the reader may settle it."""

    answer: ReferralAnswer
    is_late: bool
    form: SettleForm | None = None


@dataclass
class Section:
    heading: str
    answers: list[Answered]
    part: Part | None = None  # its text, when it is open for the reader to correct


@dataclass
class Round:
    """A referral with its answers, section by section. `silent`: who has not answered, while it is open."""

    referral: Referral
    sections: list[Section]
    silent: list[tuple[Party, datetime | None]] = field(default_factory=list)
    waits_for: int = 0  # wanted changes that nobody has settled

    @property
    def is_open(self) -> bool:
        return self.referral.closed_at is None


@require_GET
def answers(request: Request, pk: int) -> HttpResponse:
    return _answers_page(request, agreement_of(request, pk))


def _answers_page(
    request: Request, agreement: Agreement, bound: tuple[int, SettleForm] | None = None, status: int = 200
) -> HttpResponse:
    """All answers, latest referral first; `bound` is a form that was not accepted, with the answer it is about."""
    if not own_parties(request.user, agreement, RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE):
        raise Http404
    rows = Referral.objects.filter(revision__agreement=agreement).select_related(
        "version", "on_behalf_of", "revision__agreement"
    )
    referrals = list(rows.order_by("-sent_at", "-pk"))
    of_referral: dict[int, list[ReferralAnswer]] = {}
    said = ReferralAnswer.objects.filter(referral__in=referrals).select_related("municipality", "outcome_by")
    for one in said.order_by("at", "pk"):
        of_referral.setdefault(one.referral_id, []).append(one)
    rounds = [_round(request, referral, of_referral.get(referral.pk, []), bound) for referral in referrals]
    context = {
        "agreement": agreement,
        "rounds": rounds,
        "open": next((one for one in rounds if one.is_open), None),
        "may_draft": request.user.has_perm("agreements.draft", agreement),
        "act_form": ActForm(bodies=own_bodies(request, agreement)),
        "form": bound[1] if bound else None,
    }
    return render(request, "agreements/referral_answers.html", context, status=status)


def _round(
    request: Request, referral: Referral, said: Sequence[ReferralAnswer], bound: tuple[int, SettleForm] | None
) -> Round:
    is_open = referral.closed_at is None and referral.revision.state == RevisionState.REFERRAL
    may_settle = is_open and request.user.has_perm("agreements.settle_answer", referral)
    may_write = is_open and request.user.has_perm("agreements.write_text", referral.revision)
    parts = {part.key: part for part in parts_of_revision(referral.revision)} if may_write else {}
    waiting = {one.section for one in said if one.is_open}
    headings = {section["id"]: section["heading"] for section in referral.version.content["sections"]}
    sections = []
    for key in (WHOLE, *headings):
        answered = []
        for one in said:
            if one.section != key:
                continue
            form = None
            if may_settle and one.is_open:
                form = bound[1] if bound and bound[0] == one.pk else _settle_form(one, referral)
            answered.append(Answered(one, is_late(one, referral), form))
        if answered:
            part = parts.get(key) if key in waiting or WHOLE in waiting else None
            sections.append(Section(headings.get(key, ""), answered, part))
    found = Round(referral, sections, waits_for=sum(one.is_open for one in said) if is_open else 0)
    if is_open:
        reminded: dict[int, datetime] = {}
        for reminder in referral.reminders.order_by("sent_at"):
            reminded[reminder.municipality_id] = reminder.sent_at
        found.silent = [(party, reminded.get(party.municipality_id)) for party in silent_parties(referral)]
    return found


def _settle_form(answer: ReferralAnswer, referral: Referral, data: Any = None) -> SettleForm:
    return SettleForm(data, bodies=[referral.on_behalf_of], auto_id=f"id_{answer.pk}_%s")


@require_POST
def settle(request: Request, pk: int, answer: int) -> HttpResponse:
    found = agreement_of(request, pk)
    rows = ReferralAnswer.objects.filter(referral__revision__agreement=found)
    if not own_parties(request.user, found, RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE):
        raise Http404
    row = get_object_or_404(rows.select_related("referral__on_behalf_of"), pk=answer)
    require(request.user, "agreements.settle_answer", row.referral)
    form = _settle_form(row, row.referral, request.POST)

    def do() -> None:
        settle_answer(row, **form.cleaned_data, by=request.user, on_behalf_of=row.referral.on_behalf_of)

    if tried(form, do):
        if form.cleaned_data["outcome"] == Outcome.ACCEPTED:
            messages.success(request, _("The change is accepted. See to it that the text says so."))
        else:
            messages.success(request, _("The change is declined. Whoever asked gets your reason."))
        return redirect("referral_answers", found.pk)
    if not row.is_open or row.referral.closed_at is not None:
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("referral_answers", found.pk)
    return _answers_page(request, found, (row.pk, form))
