"""Bookings: the list of them, one at a time, another time, what they are for, and letting go."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from collab4m.access import get_permitted, get_visible
from collab4m.clock import now
from collab4m.errors import RuleBroken
from collab4m.forms import refuse, tried
from collab4m.templatetags.shell import capital, in_words
from organisations.models import Body
from organisations.views.shared import Request
from programmes.models import Programme
from records.people import answering, concerning, in_agreed_order, speaking_for
from resources.forms.asking import (
    ALL,
    ENDED,
    FIELDS,
    AnswerForm,
    BookingFilter,
    CancelForm,
    TimeForm,
    WhatForm,
    span_initial,
)
from resources.models import Approval, Booking, RequestState, Rivalry
from resources.operations import (
    DateState,
    Occurrence,
    Price,
    Scope,
    answer_owner,
    approved_at_once,
    cancel_series,
    change_what,
    check_time,
    in_scope,
    keep_time,
    move_series,
    preview_move,
    prices_of,
    was_asked,
    why_not_cancelled,
)
from resources.rules import keeps_something
from resources.views.deciding import decision_of

BOOKINGS_PER_PAGE = 50
MOST_SIBLINGS = 200


def _rows() -> Any:
    return Booking.objects.select_related(
        "resource__owner__as_school", "resource__municipality", "resource__site", "booked_for__as_school__provider",
        "asked_by", "decided_by", "programme", "series", "price_rule", "kept_price_rule",
    )  # fmt: skip


@require_GET
def bookings(request: Request) -> HttpResponse:
    """What one's bodies asked for, and what was asked of them: what is coming and alive, unless more is chosen."""
    user = request.user
    form = BookingFilter(request.GET, bodies=in_agreed_order(user, Body.objects.filter(pk__in=user.bodies_today())))
    found = Booking.objects.visible_to(user)
    found = found.past().order_by("-during", "-pk") if form.is_past else found.coming().order_by("during", "pk")
    ours = concerning(user, "booked_for")
    if form.get("vilka") == "vara":
        found = found.filter(ours)
    elif form.get("vilka") == "hos-oss":
        found = found.exclude(ours)
    if form.body:
        found = found.filter(Q(booked_for=form.body) | Q(resource__owner=form.body))
    ended = found.ended().count() if form.is_alive else 0
    if form.is_alive:
        found = found.alive()
    elif form.get("lage") == ENDED:
        found = found.ended()
    elif form.get("lage") != ALL:
        found = found.filter(request_state=form.get("lage"))
    found = found.select_related("resource__owner", "resource__municipality", "booked_for", "series")
    page = Paginator(found, BOOKINGS_PER_PAGE).get_page(request.GET.get("sida"))
    query = request.GET.copy()
    query.pop("sida", None)
    with_ended = query.copy()
    with_ended["lage"] = ENDED
    rows = list(page.object_list)
    context = {
        "form": form,
        "page": page,
        "rows": rows,
        "query": query.urlencode(),
        "ended": ended,
        "with_ended": with_ended.urlencode(),
        "is_chosen": form.is_chosen,
        "keeps": keeps_something(user),
        "has_examples": any(one.example for one in rows),
        "waiting": Booking.objects.filter(
            answering(user, "booked_for"), request_state=RequestState.INFO_NEEDED, during__startswith__gt=now()
        ).count(),
    }
    return render(request, "resources/bookings.html", context)


@require_GET
def booking(request: Request, pk: int) -> HttpResponse:
    found: Booking = get_visible(_rows(), request.user, pk=pk)
    return render(request, "resources/booking.html", _page(request, found, AnswerForm()))


def _page(request: Request, found: Booking, answer: AnswerForm) -> dict[str, Any]:
    user = request.user
    is_asker = user.has_perm("resources.change_booking", found)
    may_cancel = user.has_perm("resources.cancel_booking", found)
    is_alive = found.request_state in RequestState.alive() and not (found.is_due and found.kept is None)
    siblings = _siblings(request, found)
    waits = found.request_state == RequestState.REQUESTED
    is_asked = found.request_state == RequestState.INFO_NEEDED and not found.is_due
    asked, answered = was_asked(found) if waits and found.answer else (False, "")
    return {
        "booking": found,
        "resource": found.resource,
        "siblings": siblings,
        "is_asker": is_asker,
        "is_alive": is_alive,
        "may_change": is_asker and is_alive and found.ends_at > now(),
        "may_cancel": may_cancel and is_alive and (kept_or_asked(found)).upper > now(),
        "may_ask": user.has_perm("resources.ask", found.resource),
        "decision": decision_of(user, found),
        "decides": user.has_perm("resources.decide_booking", found),
        "answer_form": answer if is_asker and is_asked else None,
        "may_keep": is_asker and found.kept is not None,
        # What came from the waiting list is held, whatever the rule.
        "holds": found.resource.rivalry == Rivalry.HOLD or found.claims.exists(),
        "was_asked": asked,
        "answered": answered,
        "is_over": found.ends_at <= now(),
        "open_siblings": sum(one.is_open for one in siblings),
    }


def kept_or_asked(booking: Booking) -> Any:
    """The time that holds: the one that was approved, while another is asked for."""
    return booking.kept or booking.during


def _siblings(request: Request, found: Booking) -> list[Booking]:
    if found.series_id is None:
        return []
    rows = Booking.objects.visible_to(request.user).filter(series=found.series_id).select_related("resource")
    return list(rows.order_by("during", "pk")[:MOST_SIBLINGS])


def _acting(request: Request, found: Booking) -> Body:
    """As whom the reader acts: for whoever asked, else for the owner."""
    own = speaking_for(request.user, found.booked_for)
    return Body.objects.get(pk=own[0]) if own else found.resource.owner


def booking_change(request: Request, pk: int) -> HttpResponse:
    """Another time, looked at date by date before it is asked for; or what the booking is for."""
    found: Booking = get_permitted(_rows(), request.user, "resources.change_booking", pk=pk)
    has_run_out = found.is_due and found.kept is None
    if found.request_state not in RequestState.alive() or has_run_out or found.ends_at <= now():
        messages.error(request, _("This booking is over or let go of, so it cannot be changed."))
        return redirect(found)
    step = request.POST.get("steg", "") if request.method == "POST" else ""
    is_time = step in ("visa", "flytta", "andra")
    time_form = TimeForm(
        request.POST if is_time else None, in_series=found.series_id is not None, initial=span_initial(found)
    )
    what_form = WhatForm(
        request.POST if step == "vad" else None,
        resource=found.resource,
        programmes=Programme.objects.in_swedish_order(),
        initial={name: getattr(found, name) for name in WhatForm.NAMES} | {"programme": found.programme_id},
    )
    acts = _acting(request, found)
    at_once = approved_at_once(found.resource, request.user)
    context = {
        "booking": found,
        "resource": found.resource,
        "time_form": time_form,
        "what_form": what_form,
        "at_once": at_once,
        "holds": found.resource.rivalry == Rivalry.HOLD,
        "was_approved": found.request_state == RequestState.APPROVED or found.kept is not None,
        "is_automatic": found.resource.approval == Approval.AUTOMATIC,
    }

    def save_what() -> None:
        given = {name: value for name, value in what_form.cleaned_data.items() if name in WhatForm.NAMES}
        change_what(found, **given, by=request.user, on_behalf_of=acts)

    if step == "vad" and tried(what_form, save_what):
        messages.success(request, _("What the booking is for is saved."))
        return redirect(found)
    if step not in ("visa", "flytta") or not time_form.is_valid():
        return render(request, "resources/booking_change.html", context)
    span = {"starts_at": time_form.starts_at, "ends_at": time_form.ends_at}
    if step == "flytta":
        try:
            moved = move_series(found, time_form.chosen_scope, **span, by=request.user, on_behalf_of=acts)
        except RuleBroken as broken:
            broken.field = FIELDS.get(broken.field or "", broken.field)
            refuse(time_form, broken)
        else:
            _tell_moved(request, moved)
            return redirect(found)
    else:
        try:
            check_time(found.resource, **span)
        except RuleBroken as broken:
            broken.field = FIELDS.get(broken.field or "", broken.field)
            refuse(time_form, broken)
            return render(request, "resources/booking_change.html", context)
    dates = preview_move(found, time_form.chosen_scope, **span, user=request.user)
    context |= {
        "rows": _with_prices(dates),
        "free": sum(one.state == DateState.FREE for _moved, one in dates),
        "scope": Scope(time_form.chosen_scope),
    }
    return render(request, "resources/booking_move.html", context)


def _with_prices(dates: list[tuple[Booking, Occurrence]]) -> list[tuple[Booking, Occurrence, Price]]:
    """Each booking that would move with what it would cost: a series may hold substitutes with another price."""
    resources = {moved.resource_id: moved.resource for moved, _one in dates}
    prefetch_related_objects(list(resources.values()), "price_rules")
    rows = []
    for moved, one in dates:
        (price,) = prices_of(resources[moved.resource_id], [(one.starts_at, one.ends_at)], moved.quantity)
        rows.append((moved, one, price))
    return rows


def _tell_moved(request: Request, moved: list[Booking]) -> None:
    told, asked = [], sum(one.is_open for one in moved)
    if asked:
        text = ngettext("%(number)s new time is asked for.", "%(number)s new times are asked for.", asked)
        told.append(text % {"number": capital(in_words(asked))})
    if booked := len(moved) - asked:
        text = ngettext("%(number)s booking has a new time.", "%(number)s bookings have new times.", booked)
        told.append(text % {"number": capital(in_words(booked))})
    messages.success(request, " ".join(told))


def booking_cancel(request: Request, pk: int) -> HttpResponse:
    """What happens when it is let go of, and then the act."""
    found: Booking = get_permitted(_rows(), request.user, "resources.cancel_booking", pk=pk)
    acts = _acting(request, found)
    is_owner = acts.pk == found.resource.owner_id
    is_asker = bool(speaking_for(request.user, found.booked_for))
    in_series = found.series_id is not None
    form = CancelForm(
        request.POST if request.method == "POST" else None, in_series=in_series, must_say_why=not is_asker
    )

    def let_go() -> None:
        gone = cancel_series(
            found, form.chosen_scope, reason=form.cleaned_data["reason"], by=request.user, on_behalf_of=acts
        )
        words = {"number": capital(in_words(len(gone)))}
        if any(one.request_state == RequestState.CANCELLED for one in gone):
            text = ngettext("%(number)s booking is let go of.", "%(number)s bookings are let go of.", len(gone))
        else:
            text = ngettext("%(number)s request is withdrawn.", "%(number)s requests are withdrawn.", len(gone))
        messages.success(request, text % words)

    if request.method == "POST" and tried(form, let_go):
        return redirect(found)
    meant = in_scope(found, Scope.ALL) if in_series else [found]
    rows = [(one, why_not_cancelled(one, is_owner=is_owner)) for one in meant]
    context = {
        "booking": found,
        "resource": found.resource,
        "form": form,
        "rows": rows,
        "in_series": in_series,
        "is_asker": is_asker,
        "why_not": why_not_cancelled(found, is_owner=is_owner),
        "can_any": any(not why for _one, why in rows),
        "was_approved": found.request_state == RequestState.APPROVED or found.kept is not None,
    }
    return render(request, "resources/booking_cancel.html", context)


@require_POST
def booking_answer(request: Request, pk: int) -> HttpResponse:
    """Answer the owner's question."""
    found: Booking = get_permitted(_rows(), request.user, "resources.change_booking", pk=pk)
    form = AnswerForm(request.POST)
    acts = _acting(request, found)
    if tried(form, lambda: answer_owner(found, answer=form.cleaned_data["answer"], by=request.user, on_behalf_of=acts)):
        messages.success(request, _("The answer is sent. The request waits for the owner again."))
        return redirect(found)
    found = get_permitted(_rows(), request.user, "resources.change_booking", pk=pk)
    if found.request_state != RequestState.INFO_NEEDED or found.is_due:
        messages.error(request, _("The owner has not asked anything, or the request is already decided."))
        return redirect(found)
    return render(request, "resources/booking.html", _page(request, found, form))


@require_POST
def booking_keep(request: Request, pk: int) -> HttpResponse:
    """Take back the wish for another time."""
    found: Booking = get_permitted(_rows(), request.user, "resources.change_booking", pk=pk)
    try:
        keep_time(found, by=request.user, on_behalf_of=_acting(request, found))
    except RuleBroken as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, _("The wish for another time is taken back. The booking stands as it was."))
    return redirect(found)
