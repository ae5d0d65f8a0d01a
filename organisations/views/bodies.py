"""Pages about boards, schools, providers and sites."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from collab4m.access import get_permitted, get_visible, require
from collab4m.forms import tried
from organisations.forms.bodies import BoardForm, ProviderForm, SchoolForm, SiteForm
from organisations.models import Board, Municipality, Provider, School, Site
from organisations.operations import (
    change_board,
    change_school,
    change_site,
    create_board,
    create_provider,
    create_school,
    create_site,
)
from organisations.views.shared import Request, saved, schools_in_order, who_acts

# Boards


@require_GET
def board(request: Request, pk: int) -> HttpResponse:
    found = get_visible(Board.objects.select_related("municipality", "source"), request.user, pk=pk)
    may_change = request.user.has_perm("organisations.change_board", found)
    return render(request, "organisations/board.html", {"board": found, "may_change": may_change})


def board_new(request: Request, pk: int) -> HttpResponse:
    where = get_permitted(Municipality.objects, request.user, "organisations.create_board", pk=pk)
    form = BoardForm(request.POST or None)
    made: list[Board] = []

    def create() -> None:
        made.append(create_board(municipality=where, **form.facts(), **who_acts(request.user, where)))

    if request.method == "POST" and tried(form, create):
        messages.success(request, _("The board is created."))
        return redirect(made[0])
    return render(request, "organisations/board_new.html", {"form": form, "municipality": where})


def board_change(request: Request, pk: int) -> HttpResponse:
    boards = Board.objects.select_related("municipality")
    found = get_permitted(boards, request.user, "organisations.change_board", pk=pk)
    form = BoardForm.about(found, request.POST or None)
    if request.method == "POST" and saved(
        form, lambda: change_board(found, **form.facts(), **who_acts(request.user, found))
    ):
        messages.success(request, _("Your changes are saved."))
        return redirect(found)
    return render(request, "organisations/board_change.html", {"form": form, "board": found})


# Schools and their providers


@require_GET
def school(request: Request, pk: int) -> HttpResponse:
    schools = School.objects.select_related("municipality", "provider", "provider__source", "source")
    found = get_visible(schools, request.user, pk=pk)
    context = {
        "school": found,
        "sites": found.sites.select_related("source").in_swedish_order(),
        "may_change": request.user.has_perm("organisations.change_school", found),
    }
    return render(request, "organisations/school.html", context)


def school_new(request: Request, pk: int) -> HttpResponse:
    where = get_permitted(Municipality.objects, request.user, "organisations.create_school", pk=pk)
    form = SchoolForm(request.POST or None, municipality=where)
    made: list[School] = []

    def create() -> None:
        made.append(create_school(municipality=where, **form.facts(), **who_acts(request.user, where)))

    if request.method == "POST" and tried(form, create):
        messages.success(request, _("The school is created."))
        return redirect(made[0])
    may_create_provider = request.user.has_perm("organisations.create_provider")
    context = {"form": form, "municipality": where, "may_create_provider": may_create_provider}
    return render(request, "organisations/school_new.html", context)


def school_change(request: Request, pk: int) -> HttpResponse:
    schools = School.objects.select_related("municipality", "provider")
    found = get_permitted(schools, request.user, "organisations.change_school", pk=pk)
    form = SchoolForm.about(found, request.POST or None, municipality=found.municipality, school=found)
    if request.method == "POST" and saved(
        form, lambda: change_school(found, **form.facts(), **who_acts(request.user, found))
    ):
        messages.success(request, _("Your changes are saved."))
        return redirect(found)
    may_create_provider = request.user.has_perm("organisations.create_provider")
    context = {"form": form, "school": found, "may_create_provider": may_create_provider}
    return render(request, "organisations/school_change.html", context)


@require_GET
def provider(request: Request, pk: int) -> HttpResponse:
    found = get_visible(Provider.objects.select_related("municipality", "source"), request.user, pk=pk)
    context = {"provider": found, "schools": schools_in_order(found.schools.all())}
    return render(request, "organisations/provider.html", context)


def provider_new(request: Request) -> HttpResponse:
    require(request.user, "organisations.create_provider")
    form = ProviderForm(request.POST or None)
    back = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = ""
    if request.method == "POST" and tried(form, lambda: create_provider(**form.cleaned_data, by=request.user)):
        messages.success(
            request, _("%(provider)s can now be chosen for schools.") % {"provider": form.cleaned_data["name"]}
        )
        return redirect(back or "provider_new")
    providers = Provider.objects.on().select_related("source").in_swedish_order()
    context = {"form": form, "providers": providers, "back": back or reverse("areas")}
    return render(request, "organisations/school_provider_new.html", context)


# Sites


@require_GET
def site(request: Request, pk: int) -> HttpResponse:
    found = get_visible(Site.objects.select_related("municipality", "source"), request.user, pk=pk)
    context = {
        "site": found,
        "schools": schools_in_order(found.schools.all()),
        "may_change": request.user.has_perm("organisations.change_site", found),
    }
    return render(request, "organisations/site.html", context)


def site_new(request: Request, pk: int) -> HttpResponse:
    where = get_permitted(Municipality.objects, request.user, "organisations.create_site", pk=pk)
    form = SiteForm(request.POST or None)
    made: list[Site] = []

    def create() -> None:
        made.append(create_site(municipality=where, **form.facts(), **who_acts(request.user, where)))

    if request.method == "POST" and tried(form, create):
        messages.success(request, _("The site is created."))
        return redirect(made[0])
    return render(request, "organisations/site_new.html", {"form": form, "municipality": where})


def site_change(request: Request, pk: int) -> HttpResponse:
    sites = Site.objects.select_related("municipality")
    found = get_permitted(sites, request.user, "organisations.change_site", pk=pk)
    form = SiteForm.about(found, request.POST or None)
    if request.method == "POST" and saved(
        form, lambda: change_site(found, **form.facts(), **who_acts(request.user, found))
    ):
        messages.success(request, _("Your changes are saved."))
        return redirect(found)
    return render(request, "organisations/site_change.html", {"form": form, "site": found})
