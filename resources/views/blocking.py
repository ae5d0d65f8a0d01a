"""Blocking what one shares: first what it would displace, then yes."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from collab4m.access import get_visible, require
from collab4m.errors import RuleBroken
from collab4m.forms import refuse, tried
from organisations.views.shared import Request
from resources.forms.blocking import BlockForm
from resources.forms.spans import span_of_address
from resources.models import Blocking, Booking, Resource, WaitingOffer
from resources.operations import (
    block_resource,
    blockings_of,
    check_blocking,
    deciding_body,
    displaced_by,
    end_blocking,
    offers_displaced_by,
)

CONFIRMED = "bekraftat"


def resource_block(request: Request, pk: int) -> HttpResponse:
    """The first time it is sent, what stands in the way is shown; with that seen, it is done."""
    resource = get_visible(Resource.objects.select_related("owner__as_school"), request.user, pk=pk)
    require(request.user, "resources.block", resource)
    acts = deciding_body(request.user, resource) or resource.owner
    form = BlockForm(request.POST if request.method == "POST" else None, initial=span_of_address(request.GET))
    displaced: list[Booking] = []
    offers: list[WaitingOffer] = []

    def do() -> None:
        block_resource(
            resource, starts_at=form.starts_at, ends_at=form.ends_at, reason=form.cleaned_data["reason"],
            seen=form.cleaned_data["seen"], by=request.user, on_behalf_of=acts,
        )  # fmt: skip

    if request.method == "POST" and form.is_valid():
        displaced, offers = _in_the_way(form, resource)
        is_ready = CONFIRMED in request.POST or not (displaced or offers)
        if is_ready and not form.errors and tried(form, do):
            text = (
                _("The time is blocked. Those who lost a booking get a mail.")
                if displaced
                else _("The time is blocked.")
            )
            messages.success(request, text)
            return redirect("resource", pk=resource.pk)
        # What is confirmed next time is what this page shows.
        posted = request.POST.copy()
        posted["seen"] = ",".join(str(one.pk) for one in displaced)
        form.data = posted
    context = {
        "resource": resource,
        "form": form,
        "displaced": displaced,
        "offers": offers,
        "blockings": blockings_of(resource),
    }
    return render(request, "resources/resource_block.html", context)


def _in_the_way(form: BlockForm, resource: Resource) -> tuple[list[Booking], list[WaitingOffer]]:
    """What the blocking would displace; a time that cannot be blocked at all becomes an error in the form."""
    span = (form.starts_at, form.ends_at)
    try:
        check_blocking(resource, *span, form.cleaned_data["reason"])
    except RuleBroken as broken:
        refuse(form, broken)
        return [], []
    return displaced_by(resource, *span), offers_displaced_by(resource, *span)


def blocking_end(request: Request, pk: int) -> HttpResponse:
    blocking = get_visible(Blocking.objects.select_related("resource__owner__as_school", "by"), request.user, pk=pk)
    resource = blocking.resource
    require(request.user, "resources.block", resource)
    acts = deciding_body(request.user, resource) or resource.owner
    if request.method == "POST":
        try:
            end_blocking(blocking, by=request.user, on_behalf_of=acts)
        except RuleBroken as broken:
            messages.error(request, str(broken))
        else:
            messages.success(request, _("The blocking has ended. Those who wait for the time are offered it."))
        return redirect("resource", pk=resource.pk)
    if blocking.ended_at is not None:
        messages.info(request, _("The blocking has ended already."))
        return redirect("resource", pk=resource.pk)
    return render(request, "resources/blocking_end.html", {"blocking": blocking, "resource": resource})
