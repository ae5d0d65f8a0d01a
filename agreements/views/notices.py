"""Notice: what is lost if an agreement ends, giving notice, and taking it back together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from agreements.forms.notices import ConfirmForm, IfItEndsForm, NoticeForm
from agreements.models import Agreement, Party
from agreements.operations import (
    Consequence,
    Loss,
    agree_to_withdrawal,
    check_notice,
    consequences_of_end,
    consequences_of_notice,
    give_notice,
    losses_of,
    notice_in_words,
    rule_of_notice,
    validity_of,
    waits_for_consent,
)
from agreements.views.shared import Request, agreement_of, own_parties
from collab4m.clock import today
from collab4m.errors import RuleBroken
from collab4m.forms import refuse, tried


def _parties(agreement: Agreement) -> list[Party]:
    parties = agreement.parties.select_related("municipality", "agreement").order_by("position", "pk")
    return list(parties)


def _shown(request: Request, agreement: Agreement, consequence: Consequence) -> dict[str, Any]:
    """What the pages say of a consequence: the last day, and the losses of each home municipality."""
    losses: Sequence[Loss] = losses_of(consequence, request.user)
    homes: dict[int, list[Loss]] = {}
    for loss in losses:
        homes.setdefault(loss.cover.home_id, []).append(loss)
    return {
        "consequence": consequence,
        "losses": losses,
        "homes": [(rows[0].cover.home, rows, _seats(rows)) for rows in homes.values()],
        "is_past": consequence.effective_on < today(),
    }


def _seats(rows: Sequence[Loss]) -> tuple[int, bool]:
    """Seats per intake that are lost, each term counted once, and whether some are without limit."""
    terms = {loss.cover.term_id: loss.cover for loss in rows}
    return sum(cover.seats or 0 for cover in terms.values()), any(cover.unlimited for cover in terms.values())


def _rule(agreement: Agreement) -> str:
    try:
        months, effect, _ends = rule_of_notice(agreement)
    except RuleBroken:
        return ""
    return notice_in_words(months, effect)


@require_GET
def if_it_ends(request: Request, pk: int) -> HttpResponse:
    """What would be lost, for everyone who may see the agreement: by notice, or on the day on which it ends anyway."""
    agreement = agreement_of(request, pk)
    parties, validity = _parties(agreement), validity_of(agreement)
    form = IfItEndsForm(request.GET, parties=parties)
    chosen = form.cleaned_data if form.is_valid() else {}
    party = chosen.get("kommun") or parties[0]
    received_on: date = chosen.get("dag") or today()
    context: dict[str, Any] = {
        "agreement": agreement,
        "validity": validity,
        "rule": _rule(agreement),
        "form": form,
        "parties": parties,
        "party": party,
        "received_on": received_on,
        "may_give": bool(own_parties(request.user, agreement)),
    }
    try:
        if context["rule"]:
            consequence = consequences_of_notice(agreement, party.municipality, received_on)
        else:
            consequence = consequences_of_end(agreement, validity.last_day or today())
    except RuleBroken as broken:
        context["why_not"] = str(broken)
    else:
        context |= _shown(request, agreement, consequence)
    return render(request, "agreements/notice_if.html", context)


def new(request: Request, pk: int) -> HttpResponse:
    """First when notice was given, then what is lost, and only then the act itself."""
    agreement = agreement_of(request, pk)
    own = own_parties(request.user, agreement)
    if not own:
        raise PermissionDenied
    form = NoticeForm(request.POST if request.method == "POST" else None, parties=own)
    context: dict[str, Any] = {"agreement": agreement, "form": form, "rule": _rule(agreement)}
    found: list[Consequence] = []

    def look() -> None:
        days = {name: form.cleaned_data[name] for name in ("given_on", "received_on")}
        check_notice(form.giver, **days)
        found.append(consequences_of_notice(agreement, form.giver.municipality, days["received_on"]))

    if request.method != "POST" or not tried(form, look):
        return render(request, "agreements/notice_new.html", context)
    consequence, party = found[0], form.giver
    is_confirming = "effective_on" in request.POST
    confirm = ConfirmForm(
        request.POST if is_confirming else None, initial={"effective_on": consequence.effective_on.isoformat()}
    )

    def give() -> None:
        give_notice(party, **form.facts, by=request.user, on_behalf_of=party.municipality.body)

    if is_confirming and confirm.is_valid():
        if confirm.cleaned_data["effective_on"] != consequence.effective_on:
            confirm = ConfirmForm(initial={"effective_on": consequence.effective_on.isoformat()})
            messages.warning(request, _("The last day has changed since the page was shown. Read what is lost again."))
        else:
            try:
                give()
            except RuleBroken as broken:
                refuse(confirm, broken)
            else:
                messages.success(request, _("Notice is given. All parties have been told."))
                return redirect("notices", agreement.pk)
    context |= {"confirm": confirm, "party": party, "facts": form.facts, **_shown(request, agreement, consequence)}
    return render(request, "agreements/notice_confirm.html", context)


@require_GET
def notices(request: Request, pk: int) -> HttpResponse:
    agreement = agreement_of(request, pk)
    own = own_parties(request.user, agreement)
    rows: list[dict[str, Any]] = []
    for notice in agreement.notices.select_related("given_by", "agreement").order_by("-at", "-pk"):
        agreed = list(notice.consents.select_related("municipality").order_by("at", "pk"))
        waits = waits_for_consent(notice) if notice.withdrawn_at is None else []
        is_open = notice.withdrawn_at is None and notice.effective_on >= today()
        mine = [party for party in own if is_open and party.pk in {one.pk for one in waits}]
        rows.append({"notice": notice, "agreed": agreed, "waits": waits, "is_open": is_open, "mine": mine})
    standing = [row["notice"].given_by_id for row in rows if row["notice"].withdrawn_at is None]
    context = {
        "agreement": agreement,
        "rows": rows,
        "standing": len(standing),
        "rule": _rule(agreement),
        "validity": validity_of(agreement),
        "may_give": any(party.municipality_id not in standing for party in own),
    }
    return render(request, "agreements/notices.html", context)


@require_POST
def withdraw(request: Request, pk: int, notice: int) -> HttpResponse:
    """A party agrees that a notice is withdrawn."""
    agreement = agreement_of(request, pk)
    own = own_parties(request.user, agreement)
    if not own:
        raise PermissionDenied
    found = get_object_or_404(agreement.notices, pk=notice)
    wanted = request.POST.get("part", "")
    party = next((one for one in own if str(one.pk) == wanted), own[0])
    try:
        agree_to_withdrawal(found, party, by=request.user, on_behalf_of=party.municipality.body)
    except RuleBroken as broken:
        messages.error(request, str(broken))
    else:
        found.refresh_from_db()
        if found.withdrawn_at:
            messages.success(request, _("The notice is withdrawn. The agreement goes on."))
        else:
            messages.success(request, _("Your municipality agrees to the withdrawal. It waits for the others."))
    return redirect("notices", agreement.pk)
