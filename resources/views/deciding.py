"""Deciding: what waits for one's word, one request at a time, and a series date by date."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from collab4m.access import get_permitted, require
from collab4m.forms import tried
from collab4m.templatetags.shell import capital, in_words
from organisations.models import Body, User
from organisations.views.shared import Request
from resources.forms.deciding import ApproveForm, AskForm, DeclineForm, SeriesForm
from resources.models import Booking, RequestState, Series
from resources.operations import (
    Effect,
    approve_booking,
    ask_for_more,
    decide_series,
    deciding_body,
    decline_booking,
    effects_of,
    open_dates,
    requests_for,
)

ENTRIES_PER_PAGE = 25


@dataclass
class Entry:
    """What is decided at once: a request alone, a series, or requests that cannot all be approved."""

    bookings: list[Booking]
    rivals: list[Booking] = field(default_factory=list)  # those that are not among `bookings`
    series: Series | None = None

    @property
    def first(self) -> Booking:
        return self.bookings[0]

    @property
    def decide_by(self) -> datetime | None:
        return min((one.decide_by for one in self.bookings if one.decide_by), default=None)

    @property
    def side_by_side(self) -> list[Booking]:
        """All that want the time, in the order in which they asked."""
        return sorted([*self.bookings, *self.rivals], key=lambda one: (one.asked_at, one.pk))


@require_GET
def to_decide(request: Request) -> HttpResponse:
    require(request.user, "resources.decide")
    found = [one for one in requests_for(request.user) if not one.is_due]
    waiting = [one for one in found if one.request_state == RequestState.REQUESTED]
    page = Paginator(entries_of(waiting), ENTRIES_PER_PAGE).get_page(request.GET.get("sida"))
    asked = [one for one in found if one.request_state == RequestState.INFO_NEEDED]
    return render(request, "resources/to_decide.html", {"page": page, "asked": asked, "waiting": waiting})


def entries_of(bookings: Sequence[Booking]) -> list[Entry]:
    """The requests as they are decided, by deadline: dates of a series together, rivals side by side."""
    effects = effects_of(bookings)
    of_series: dict[int, list[Booking]] = {}
    for one in bookings:
        if one.series_id:
            of_series.setdefault(one.series_id, []).append(one)
    entries = [Entry(dates, series=dates[0].series) for dates in of_series.values() if len(dates) > 1]
    taken = {one.pk for entry in entries for one in entry.bookings}
    for entry in entries:
        entry.rivals = _others(entry.bookings, effects)
    for one in bookings:
        if one.pk in taken:
            continue
        together = [one]
        for each in together:  # grows while it is read, until nobody new is found
            for rival in effects[each.pk].rivals:
                if rival.pk in effects and rival.pk not in taken and rival not in together:
                    together.append(rival)
        taken |= {each.pk for each in together}
        entries.append(Entry(together, rivals=_others(together, effects)))
    return sorted(entries, key=lambda entry: (entry.decide_by is None, entry.decide_by, entry.first.pk))


def _others(bookings: Iterable[Booking], effects: dict[int, Effect]) -> list[Booking]:
    own = {one.pk for one in bookings}
    found = {rival.pk: rival for pk in own for rival in effects[pk].rivals if rival.pk not in own}
    return list(found.values())


# One request


@dataclass
class Decision:
    """What the partial `_decision.html` shows to whoever decides about a request."""

    booking: Booking
    effect: Effect
    approve: forms.Form
    decline: forms.Form
    ask: forms.Form

    @property
    def has_more_dates(self) -> bool:
        """Whether other dates of its series wait for the same word."""
        series, owner = self.booking.series, self.booking.resource.owner
        return series is not None and len(open_dates(series, owner)) > 1

    @property
    def side_by_side(self) -> list[Booking]:
        """All that want the time, this one among them, in the order in which they asked."""
        return sorted([self.booking, *self.effect.rivals], key=lambda one: (one.asked_at, one.pk))

    @property
    def consequence(self) -> str:
        """What approving does to the rivals, said before it is done."""
        down, rest = len(self.effect.turned_down), len(self.effect.rivals) - len(self.effect.turned_down)
        said = []
        if down:
            words = ngettext(
                "If you approve, %(number)s other is declined, with other times to choose from.",
                "If you approve, %(number)s others are declined, with other times to choose from.",
                down,
            )
            said.append(words % {"number": in_words(down)})
        if rest:
            words = ngettext(
                "There is still room for %(number)s other.", "There is still room for %(number)s others.", rest
            )
            said.append(words % {"number": in_words(rest)})
        return " ".join(said)


def decision_of(user: User, booking: Booking, **bound: forms.Form) -> Decision | None:
    """What whoever decides is shown about a request; None to everyone else, and when it is decided or has run out."""
    if not booking.is_open or booking.is_due or not (bound or user.has_perm("resources.decide_booking", booking)):
        return None
    effect = effects_of([booking])[booking.pk]
    seen = {rival.pk for rival in effect.rivals}
    unbound = {
        "approve": ApproveForm(initial={"seen": seen}, auto_id="godkann_%s"),
        "decline": DeclineForm(auto_id="avsla_%s"),
        "ask": AskForm(auto_id="fraga_%s"),
    }
    return Decision(booking, effect, **(unbound | bound))


def booking_of(request: Request, pk: int) -> Booking:
    """The booking, if the reader may decide about it."""
    rows = Booking.objects.select_related(
        "resource__owner__as_school", "resource__municipality", "booked_for", "asked_by", "programme", "series"
    )
    found: Booking = get_permitted(rows, request.user, "resources.decide_booking", pk=pk)
    return found


def _decided(
    request: Request, pk: int, name: str, kind: Any, do: Callable[[Booking, Any, Body], object]
) -> HttpResponse:
    """Do what was decided and go back to the booking; else show the same again, with what to put right.

    When there is nothing left to decide it says why, and what was written is not lost.
    """
    booking = booking_of(request, pk)
    auto_id = {"approve": "godkann_%s", "decline": "avsla_%s", "ask": "fraga_%s"}[name]
    form = kind(request.POST, auto_id=auto_id)
    acts = deciding_body(request.user, booking.resource) or booking.resource.owner
    if tried(form, lambda: do(booking, form.cleaned_data, acts)):
        return redirect(booking)
    booking = booking_of(request, pk)
    if name == "approve" and booking.is_open:
        # What is confirmed next time is what this page shows.
        form.data = {**form.data.dict(), "seen": ",".join(str(one.pk) for one in effects_of([booking])[pk].rivals)}
    decision = decision_of(request.user, booking, **{name: form})
    written = "".join(form.data.get(word, "") for word in ("note", "reason", "question")) if decision is None else ""
    context = {"booking": booking, "decision": decision, "form": form, "written": written}
    return render(request, "resources/decide.html", context)


@require_POST
def booking_approve(request: Request, pk: int) -> HttpResponse:
    def do(booking: Booking, given: Any, acts: Body) -> None:
        approve_booking(booking, note=given["note"], seen=given["seen"], by=request.user, on_behalf_of=acts)
        messages.success(request, _("The request is approved. Whoever asked gets a mail."))

    return _decided(request, pk, "approve", ApproveForm, do)


@require_POST
def booking_decline(request: Request, pk: int) -> HttpResponse:
    def do(booking: Booking, given: Any, acts: Body) -> None:
        declined = decline_booking(booking, reason=given["reason"], by=request.user, on_behalf_of=acts)
        if declined.request_state == RequestState.APPROVED:
            messages.success(request, _("The new time is declined, and the booking stands. Whoever asked gets a mail."))
        else:
            messages.success(request, _("The request is declined. Whoever asked gets a mail with other times."))

    return _decided(request, pk, "decline", DeclineForm, do)


@require_POST
def booking_ask(request: Request, pk: int) -> HttpResponse:
    def do(booking: Booking, given: Any, acts: Body) -> None:
        ask_for_more(booking, question=given["question"], by=request.user, on_behalf_of=acts)
        messages.success(request, _("The question is sent. The request comes back to you with the answer."))

    return _decided(request, pk, "ask", AskForm, do)


# A series, date by date


@dataclass
class DateRow:
    """A date of a series with its tick, and who else wants it."""

    booking: Booking
    effect: Effect
    is_ticked: bool


def _series_in_words(given: int, refused: int) -> str:
    words = {"given": capital(in_words(given)), "refused": capital(in_words(refused))}
    said = []
    if given:
        said.append(ngettext("One date is approved.", "%(given)s dates are approved.", given) % words)
    if refused:
        said.append(ngettext("One date is declined.", "%(refused)s dates are declined.", refused) % words)
    return " ".join(said)


def series_decide(request: Request, pk: int) -> HttpResponse:
    """Tick the dates to approve; the others are declined with one reason. All or nothing."""
    booking = booking_of(request, pk)
    if booking.series is None:
        raise Http404
    series, owner = booking.series, booking.resource.owner
    dates = [one for one in open_dates(series, owner) if not one.is_due]
    if not dates:
        messages.info(request, _("All dates of the series are already decided, withdrawn or expired."))
        return redirect(booking)
    effects = effects_of(dates)
    shown = {one.pk for one in dates} | {rival.pk for effect in effects.values() for rival in effect.rivals}
    form = SeriesForm(request.POST if request.method == "POST" else None, dates=dates, initial={"shown": shown})
    acts = deciding_body(request.user, booking.resource) or owner

    def do() -> None:
        given, refused = decide_series(
            series, owner=owner, approve=form.approved, shown=form.cleaned_data["shown"], by=request.user,
            on_behalf_of=acts, reason=form.cleaned_data["reason"], note=form.cleaned_data["note"],
        )  # fmt: skip
        messages.success(request, _series_in_words(len(given), len(refused)))

    if request.method == "POST" and tried(form, do):
        return redirect("to_decide")
    ticked = set(request.POST.getlist("approve")) if form.is_bound else {str(one.pk) for one in dates}
    if form.is_bound:
        # What is confirmed next time is what this page shows.
        posted = request.POST.copy()
        posted["shown"] = ",".join(str(pk) for pk in sorted(shown))
        form.data = posted
    rows = [DateRow(one, effects[one.pk], str(one.pk) in ticked) for one in dates]
    context = {
        "booking": booking,
        "form": form,
        "rows": rows,
        "has_rivals": any(row.effect.rivals for row in rows),
    }
    return render(request, "resources/series_decide.html", context)
