"""Asking for a resource: the form, then each date with its price and what could be had instead, then the asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from collab4m.access import get_permitted
from collab4m.clock import today
from collab4m.errors import RuleBroken
from collab4m.forms import refuse
from collab4m.templatetags.shell import capital, in_words
from organisations.models import Membership, Municipality
from organisations.views.shared import Request
from programmes.models import Programme
from resources.forms.asking import FIELDS, BookingForm
from resources.forms.spans import span_of_address
from resources.forms.waiting import MOST, what_of_address
from resources.models import Booking, Resource
from resources.operations import (
    Alternative,
    DateState,
    Occurrence,
    Pattern,
    Price,
    approved_at_once,
    booking_made_with,
    check_pieces,
    check_time,
    check_what,
    decide_by,
    preview,
    prices_of,
    request_booking,
    request_series,
)
from resources.views.shared import bodies_let_ask

CHANGE, LOOK, ASK = "andra", "visa", "boka"
LONGEST_KEY = 40


@dataclass
class Offer:
    """What could be had instead of a date, as the page offers it."""

    other: Alternative
    price: Price
    value: str
    is_chosen: bool
    address: str

    @property
    def during(self) -> Any:
        return self.other.during


@dataclass
class DateRow:
    """A date of what is asked for: whether it can be had, what it costs, and what is chosen."""

    occurrence: Occurrence
    price: Price
    is_kept: bool
    offers: list[Offer] = field(default_factory=list)

    @property
    def day(self) -> date:
        return localtime(self.occurrence.starts_at).date()

    @property
    def during(self) -> Any:
        return self.occurrence.during

    @property
    def is_free(self) -> bool:
        return self.occurrence.state == DateState.FREE

    @property
    def substitute(self) -> Offer | None:
        return next((one for one in self.offers if one.is_chosen), None)

    @property
    def is_asked(self) -> bool:
        return self.is_kept or self.substitute is not None


@dataclass
class Plan:
    """What is going to be asked for: shown first, and done only as it was shown."""

    resource: Resource
    rows: list[DateRow]
    pattern: Pattern | None

    @property
    def asked(self) -> list[DateRow]:
        return [row for row in self.rows if row.is_asked]

    @property
    def left_out(self) -> list[DateRow]:
        return [row for row in self.rows if not row.is_asked]

    @property
    def skipped(self) -> list[date]:
        return self.pattern.skipped() if self.pattern else []

    @property
    def free(self) -> int:
        return sum(row.is_free for row in self.rows)

    @property
    def prices(self) -> list[Price]:
        return [row.substitute.price if row.substitute else row.price for row in self.asked]

    @property
    def sum_sek(self) -> Decimal | None:
        """What all of it costs; None when a price is not set, or when nothing is asked for."""
        known = [price.sek for price in self.prices]
        return sum((sek for sek in known if sek is not None), Decimal(0)) if known and None not in known else None

    @property
    def shown(self) -> str:
        """A sum of what the page shows, so that nothing else is asked for than what was read."""
        parts = []
        for row in self.rows:
            offer = row.substitute
            price = offer.price if offer else row.price
            parts.append(f"{row.during} {row.is_kept} {offer.value if offer else ''} {price.sek}")
        return sha256("\n".join(parts).encode()).hexdigest()[:24]


def booking_new(request: Request, pk: int) -> HttpResponse:
    rows = Resource.objects.select_related("owner__as_school", "municipality", "category", "site")
    resource = get_permitted(rows, request.user, "resources.ask", pk=pk)
    step = request.POST.get("steg", LOOK) if request.method == "POST" else ""
    form = _form(request, resource)
    context: dict[str, Any] = {
        "resource": resource,
        "form": form,
        "at_once": approved_at_once(resource, request.user),
        "is_own": resource.owner_id in request.user.bodies_today(),
        "price_rules": resource.price_rules.filter(valid__contains=today()),
    }
    if step in ("", CHANGE):
        if not step:
            context |= _glimpse(request, resource, form)
        return render(request, "resources/booking_new.html", context)
    key = request.POST.get("nyckel", "")[:LONGEST_KEY] if step == ASK else ""
    if key and (known := booking_made_with(key, by=request.user)):
        return _already(request, known)
    plan = _plan(request, resource, form)
    if plan is None:
        return render(request, "resources/booking_new.html", context)
    was_shown = request.POST.get("visat", "") == plan.shown
    if step == ASK and was_shown and plan.asked:
        try:
            made = _ask(request, form, plan, key)
        except RuleBroken as broken:
            if known := booking_made_with(key, by=request.user):
                return _already(request, known)
            refuse(form, broken)
            plan = _plan(request, resource, form) or plan
        else:
            _tell(request, made)
            return redirect(made[0])
    elif step == ASK and (known := booking_made_with(key, by=request.user)):
        return _already(request, known)
    elif step == ASK:
        context["has_changed"] = bool(plan.asked)
        context["nothing_left"] = not plan.asked
    return render(request, "resources/booking_preview.html", context | _shown(request, form, plan, key))


def _form(request: Request, resource: Resource) -> BookingForm:
    data = request.POST if request.method == "POST" else None
    initial = {} if data is not None else _initial(request)
    return BookingForm(
        data,
        initial=initial,
        bodies=bodies_let_ask(request.user, resource),
        resource=resource,
        programmes=Programme.objects.in_swedish_order(),
        members=Municipality.objects.filter(
            pk__in=Membership.objects.around(request.user).values("municipality")
        ).order_by("name"),
    )


def _initial(request: Request) -> dict[str, Any]:
    """What the address fills in: a time, how often, and what was typed for another resource or booked before."""
    given = request.GET
    filled: dict[str, Any] = {"every_weeks": 1, "quantity": given.get("antal") or 1}
    copied = given.get("kopia", "")
    if copied.isascii() and copied.isdigit() and len(copied) < 18:
        old = Booking.objects.visible_to(request.user).filter(pk=copied).first()
        if old is not None:
            filled |= {
                "purpose": old.purpose, "programme": old.programme_id, "pupils": old.pupils,
                "cost_place": old.cost_place, "quantity": old.quantity, "on_behalf_of": str(old.booked_for_id),
            }  # fmt: skip
    filled |= span_of_address(given)
    if given.get("sista"):
        filled |= {"until": given["sista"], "every_weeks": given.get("varje") or 1}
    return filled | what_of_address(given)


def _glimpse(request: Request, resource: Resource, form: BookingForm) -> dict[str, Any]:
    """What can be said already of the time that the address filled in."""
    given = form.initial
    if not {"first_day", "begins", "last_day", "ends"} <= set(given) or given.get("until"):
        return {}
    once = BookingForm(
        {name: form[name].value() for name in BookingForm.WHEN}, bodies=(), resource=resource,
        programmes=Programme.objects.none(), members=Municipality.objects.none(),
    )  # fmt: skip
    once.is_valid()
    if any(once.errors.get(name) for name in BookingForm.WHEN):
        return {}
    times = [(once.starts_at, once.ends_at)]
    asked = str(form["quantity"].value()) if "quantity" in form.fields else "1"
    quantity = min(int(asked), MOST) if asked.isascii() and asked.isdigit() and len(asked) < 18 else 1
    (occurrence,) = preview(resource, times, user=request.user, quantity=quantity)
    (price,) = prices_of(resource, times, quantity)
    row = DateRow(occurrence, price, is_kept=occurrence.state == DateState.FREE)
    return {"glimpse": row, "glimpse_quantity": quantity}


def _plan(request: Request, resource: Resource, form: BookingForm) -> Plan | None:
    """What the form asks for, date by date, with what was chosen on the page; None when something must be put right."""
    if not form.is_valid():
        return None
    try:
        what = dict(form.need)
        check_what(resource, what.pop("purpose"), **what)
        check_pieces(resource, what.get("quantity", 1))
        pattern = form.pattern
        if pattern is None:
            check_time(resource, form.starts_at, form.ends_at)
            times = [(form.starts_at, form.ends_at)]
        else:
            times = pattern.times()
    except RuleBroken as broken:
        broken.field = FIELDS.get(broken.field or "", broken.field)
        refuse(form, broken)
        return None
    quantity = form.need.get("quantity", 1)
    dates = preview(resource, times, user=request.user, quantity=quantity)
    return _chosen(request, Plan(resource, [], pattern), dates, form)


def _chosen(request: Request, plan: Plan, dates: Sequence[Occurrence], form: BookingForm) -> Plan:
    """The plan with its prices, and with the dates and substitutes that were ticked on the page, if it was shown."""
    quantity = form.need.get("quantity", 1)
    others = {other.resource.pk: other.resource for one in dates for other in one.instead}
    prefetch_related_objects([plan.resource, *others.values()], "price_rules")
    was_shown = "visat" in request.POST
    kept = set(request.POST.getlist("datum"))
    prices = prices_of(plan.resource, [(one.starts_at, one.ends_at) for one in dates], quantity)
    for one, price in zip(dates, prices, strict=True):
        day = localtime(one.starts_at).date().isoformat()
        is_kept = one.state == DateState.FREE and (not was_shown or plan.pattern is None or day in kept)
        wanted = request.POST.get(f"istallet-{day}", "")
        offers = [_offer(other, quantity, wanted, form) for other in one.instead]
        plan.rows.append(DateRow(one, price, is_kept, offers))
    return plan


def _offer(other: Alternative, quantity: int, wanted: str, form: BookingForm) -> Offer:
    (price,) = prices_of(other.resource, [(other.starts_at, other.ends_at)], quantity)
    value = f"{other.resource.pk}|{other.during.lower:%Y%m%dT%H%M}"
    return Offer(other, price, value, wanted == value, _address_of(other, form))


def _address_of(other: Alternative, form: BookingForm) -> str:
    """Where the other is asked for, with everything that was typed."""
    return f"{reverse('booking_new', args=[other.resource.pk])}?{_typed(form, other.starts_at, other.ends_at)}"


def _typed(form: BookingForm, starts_at: datetime, ends_at: datetime) -> str:
    given = form.cleaned_data
    words = {
        "fran": f"{localtime(starts_at):%Y-%m-%dT%H:%M}",
        "till": f"{localtime(ends_at):%Y-%m-%dT%H:%M}",
        "antal": given.get("quantity") or "",
        "syfte": given["purpose"],
        "program": given["programme"].pk if given["programme"] else "",
        "elever": given["pupils"] if given["pupils"] is not None else "",
        "kostnad": given["cost_place"],
        "for": given.get("on_behalf_of", ""),
    }
    return urlencode({name: value for name, value in words.items() if value != ""})


def _ask(request: Request, form: BookingForm, plan: Plan, key: str) -> list[Booking]:
    who: dict[str, Any] = {"by": request.user, "on_behalf_of": form.body, "idempotency_key": key}
    if plan.pattern is None:
        return [request_booking(plan.resource, starts_at=form.starts_at, ends_at=form.ends_at, **form.need, **who)]
    _series, made = request_series(
        plan.resource,
        plan.pattern,
        leave_out=[row.day for row in plan.left_out],
        instead={row.day: row.substitute.other for row in plan.rows if row.substitute},
        **form.need,
        **who,
    )
    return made


def _shown(request: Request, form: BookingForm, plan: Plan, key: str) -> dict[str, Any]:
    first = min((row.occurrence.starts_at for row in plan.asked if row.is_kept), default=None)
    at_once = approved_at_once(plan.resource, request.user)
    return {
        "plan": plan,
        "key": key or uuid4().hex,
        "only": plan.rows[0] if plan.pattern is None else None,
        "body": form.body,
        "need": form.need,
        "decide_by": None if at_once or first is None else decide_by(plan.resource, first),
        "wait_address": _wait_address(plan, form),
        "has_other_owners": any(
            row.substitute and row.substitute.other.resource.owner_id != plan.resource.owner_id for row in plan.rows
        ),
    }


def _wait_address(plan: Plan, form: BookingForm) -> str:
    """Where one waits for the time, when it is one that is taken."""
    if plan.pattern is not None or plan.rows[0].occurrence.state != DateState.TAKEN:
        return ""
    return f"{reverse('wait', args=[plan.resource.pk])}?{_typed(form, form.starts_at, form.ends_at)}"


def _tell(request: Request, made: Sequence[Booking]) -> None:
    """Say what was done."""
    waiting = sum(one.is_open for one in made)
    told = []
    if len(made) == 1:
        told = [_("The request is sent. The owner has got a mail.") if waiting else _("It is booked.")]
    else:
        if booked := len(made) - waiting:
            text = ngettext("One date is booked.", "%(number)s dates are booked.", booked)
            told.append(text % {"number": capital(in_words(booked))})
        if waiting:
            text = ngettext("One date is asked for.", "%(number)s dates are asked for.", waiting)
            told.append(text % {"number": capital(in_words(waiting))})
    messages.success(request, " ".join(told))


def _already(request: Request, booking: Booking) -> HttpResponse:
    messages.info(request, _("This was sent already. Here it is, once."))
    return redirect(booking)
