"""The waiting list: standing in line, one's places, and taking what is offered."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from collab4m.access import get_permitted, get_visible, require
from collab4m.clock import now
from collab4m.errors import RuleBroken
from collab4m.forms import refuse, tried
from organisations.models import Body
from organisations.views.shared import Request
from programmes.models import Programme
from records.people import speaking_for
from resources.forms.spans import span_of_address
from resources.forms.waiting import OfferForm, WaitForm, what_of_address
from resources.mails import asking_address
from resources.models import Resource, Waiting, WaitingOffer, WaitState
from resources.operations import NothingTaken, accept_offer, approved_at_once, leave_list, places_of, wait_for
from resources.views.shared import bodies_let_ask


@require_GET
def waiting_list(request: Request) -> HttpResponse:
    """One's bodies' places in line, and what is offered to them."""
    require(request.user, "resources.share")
    return render(request, "resources/waiting_list.html", {"places": places_of(request.user)})


def wait(request: Request, pk: int) -> HttpResponse:
    rows = Resource.objects.select_related("owner__as_school", "municipality")
    resource = get_permitted(rows, request.user, "resources.ask", pk=pk)
    given = request.GET
    initial = span_of_address(given) | what_of_address(given) | {"quantity": given.get("antal") or 1}
    form = WaitForm(
        request.POST if request.method == "POST" else None,
        initial=initial,
        bodies=bodies_let_ask(request.user, resource),
        resource=resource,
        programmes=Programme.objects.in_swedish_order(),
    )
    free_address = ""
    if request.method == "POST" and form.is_valid():
        try:
            wait_for(
                resource, starts_at=form.starts_at, ends_at=form.ends_at, **form.need, by=request.user,
                on_behalf_of=form.body,
            )  # fmt: skip
        except NothingTaken as broken:
            refuse(form, broken)
            free_address = asking_address(
                resource, form.starts_at, form.ends_at, form.cleaned_data.get("quantity") or 1
            )
        except RuleBroken as broken:
            refuse(form, broken)
        else:
            messages.success(
                request,
                _("You stand in line. You get a mail when the time is free and held for you."),
            )
            return redirect("waiting_list")
    return render(request, "resources/wait.html", {"resource": resource, "form": form, "free_address": free_address})


def waiting_leave(request: Request, pk: int) -> HttpResponse:
    place = get_visible(Waiting.objects.select_related("resource__owner", "booked_for__as_school"), request.user, pk=pk)
    acts = _acts(request, place)
    if request.method == "POST":
        try:
            leave_list(place, by=request.user, on_behalf_of=acts)
        except RuleBroken as broken:
            messages.error(request, str(broken))
        else:
            messages.success(request, _("You stand in line no longer."))
        return redirect("waiting_list")
    return render(request, "resources/waiting_leave.html", {"place": place, "resource": place.resource})


def offer_accept(request: Request, pk: int) -> HttpResponse:
    offer = get_object_or_404(
        WaitingOffer.objects.select_related("waiting__resource__owner", "waiting__booked_for__as_school"),
        pk=pk,
        waiting__in=Waiting.objects.visible_to(request.user),
    )
    place = offer.waiting
    acts = _acts(request, place)
    form = OfferForm(request.POST if request.method == "POST" else None, resource=place.resource)
    made = []

    def do() -> None:
        made.append(
            accept_offer(
                offer, licence_confirmed=form.cleaned_data.get("licence_confirmed"), by=request.user, on_behalf_of=acts
            )
        )

    if request.method == "POST" and tried(form, do):
        waits = made[0].is_open
        text = _("You have taken the offer. Now the owner decides.") if waits else _("You have taken the offer.")
        messages.success(request, text)
        return redirect(made[0])
    context = {
        "offer": offer,
        "place": place,
        "resource": place.resource,
        "form": form,
        "is_open": offer.ended_at is None and offer.until > now(),
        "is_taken": place.state == WaitState.TAKEN,
        "at_once": approved_at_once(place.resource, request.user),
        "wait_address": f"{reverse('wait', args=[place.resource_id])}?{_span_of(place)}",
    }
    return render(request, "resources/offer_accept.html", context)


def _span_of(place: Waiting) -> str:
    return asking_address(place.resource, place.during.lower, place.during.upper, place.quantity).partition("?")[2]


def _acts(request: Request, place: Waiting) -> Body:
    """The body as which the reader speaks for whoever waits; 403 for those who may only see it."""
    own = speaking_for(request.user, place.booked_for)
    require(request.user, "resources.wait", place)
    return place.booked_for if place.booked_for_id in own else Body.objects.get(pk=own[0])
