"""Pages about areas and the municipalities that are their members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from collab4m.access import get_permitted, get_visible, require
from collab4m.clock import today
from collab4m.forms import tried
from organisations.forms.areas import AreaForm, ChangeMemberForm, EndMembershipForm, MemberForm
from organisations.models import Board, CollaborationArea, Membership, School
from organisations.operations import add_member, change_area, change_member, create_area, end_membership
from organisations.views.shared import Request, boards_in_order, saved, schools_in_order

# Areas


@require_GET
def areas(request: Request) -> HttpResponse:
    members = Membership.objects.on().select_related("municipality").order_by("position", "pk")
    found = CollaborationArea.objects.visible_to(request.user).in_swedish_order()
    found = found.prefetch_related(Prefetch("memberships", members, to_attr="members"))
    context = {"areas": found, "may_create": request.user.has_perm("organisations.create_area")}
    return render(request, "organisations/areas.html", context)


@dataclass
class InMunicipality:
    """What lies in one of an area's municipalities: its own boards and schools, and the schools of others."""

    membership: Membership
    boards: list[Board] = field(default_factory=list)
    own: list[School] = field(default_factory=list)
    others: list[School] = field(default_factory=list)


@require_GET
def area(request: Request, slug: str) -> HttpResponse:
    found = get_visible(CollaborationArea.objects.select_related("source"), request.user, slug=slug)
    memberships = list(found.memberships.select_related("municipality", "source").order_by("position", "pk"))
    members = [membership for membership in memberships if membership.holds_on(today())]
    return render(
        request,
        "organisations/area.html",
        {
            "area": found,
            "members": members,
            "upcoming": [one for one in memberships if one.first_day and one.first_day > today()],
            "ended": [one for one in memberships if one.has_ended],
            "municipalities": _in_municipalities(members),
            "may_change": request.user.has_perm("organisations.change_area", found),
        },
    )


def _in_municipalities(members: Sequence[Membership]) -> list[InMunicipality]:
    found = {membership.municipality_id: InMunicipality(membership) for membership in members}
    for board in boards_in_order(Board.objects.on().filter(municipality__in=found)):
        found[board.municipality_id].boards.append(board)
    for school in schools_in_order(School.objects.on().filter(municipality__in=found)):
        (found[school.municipality_id].own if school.is_municipal else found[school.municipality_id].others).append(
            school
        )
    return list(found.values())


def area_new(request: Request) -> HttpResponse:
    require(request.user, "organisations.create_area")
    form = AreaForm(request.POST or None)
    made: list[CollaborationArea] = []
    if request.method == "POST" and tried(form, lambda: made.append(create_area(**form.cleaned_data, by=request.user))):
        messages.success(request, _("The area is created. Add its members."))
        return redirect(made[0])
    return render(request, "organisations/area_new.html", {"form": form})


def area_change(request: Request, slug: str) -> HttpResponse:
    found = get_permitted(CollaborationArea.objects, request.user, "organisations.change_area", slug=slug)
    form = AreaForm.about(found, request.POST or None)
    changed: list[CollaborationArea] = []

    def change() -> None:
        changed.append(change_area(found, **form.cleaned_data, by=request.user))

    if request.method == "POST" and saved(form, change):
        messages.success(request, _("Your changes are saved."))
        return redirect(changed[0])
    return render(request, "organisations/area_change.html", {"form": form, "area": found})


# Members


def member_new(request: Request, slug: str) -> HttpResponse:
    found = get_permitted(CollaborationArea.objects, request.user, "organisations.change_area", slug=slug)
    members = list(found.memberships.on())
    form = MemberForm(request.POST or None, members=members)
    if request.method == "POST" and tried(form, lambda: add_member(found, **form.cleaned_data, by=request.user)):
        messages.success(request, _("%(municipality)s is added.") % {"municipality": form.cleaned_data["municipality"]})
        return redirect(found)
    return render(request, "organisations/area_member_new.html", {"form": form, "area": found})


def _membership(request: Request, slug: str, pk: int) -> Membership:
    found = get_permitted(CollaborationArea.objects, request.user, "organisations.change_area", slug=slug)
    memberships = found.memberships.select_related("municipality", "area")
    return get_visible(memberships, request.user, pk=pk)


def member_change(request: Request, slug: str, pk: int) -> HttpResponse:
    membership = _membership(request, slug, pk)
    form = ChangeMemberForm(request.POST or None, membership=membership)
    if request.method == "POST" and tried(
        form, lambda: change_member(membership, **form.cleaned_data, by=request.user)
    ):
        messages.success(request, _("Your changes are saved."))
        return redirect(membership)
    return render(request, "organisations/area_member_change.html", {"form": form, "membership": membership})


def member_end(request: Request, slug: str, pk: int) -> HttpResponse:
    """What ending a membership means, its last day, and a box to tick."""
    membership = _membership(request, slug, pk)
    form = EndMembershipForm(request.POST or None, membership=membership)

    def end() -> None:
        end_membership(membership, last_day=form.cleaned_data["last_day"], by=request.user)

    if request.method == "POST" and tried(form, end):
        messages.success(request, _("The membership ends on the day you chose."))
        return redirect(membership)
    context = {"form": form, "membership": membership, "members": membership.area.memberships.on().count()}
    return render(request, "organisations/area_member_end.html", context)
