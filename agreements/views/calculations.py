"""Calculations: what it costs to start a programme at home, beside seats with a neighbour."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import number_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from agreements.forms.calculations import AttachForm, CalculationForm, WhatForm
from agreements.models import Agreement, Calculation, PriceKind
from agreements.operations import (
    MOST_PUPILS,
    SIDES,
    CalculationChanged,
    Comparison,
    attach_calculation,
    change_calculation,
    compare,
    curve,
    detach_calculation,
    drafts_to_attach,
    given_by,
    known_for,
    make_calculation,
    rows_of,
)
from agreements.views.shared import Request
from collab4m.access import get_permitted, get_visible, require
from collab4m.errors import RuleBroken
from collab4m.forms import tried
from organisations.models import Membership, Municipality, RoleKind
from records.documents import blocks, charts
from records.documents.page import draw_once

ROWS = Calculation.objects.select_related(
    "municipality", "provider", "programme", "orientation__programme", "agreement", "by"
)


@require_GET
def calculations(request: Request) -> HttpResponse:
    found = [
        (one, compare(given_by(one))) for one in ROWS.visible_to(request.user).order_by("-at", "-pk")
    ]  # fmt: skip
    may_calculate = request.user.has_perm("agreements.calculate")
    return render(request, "agreements/calculations.html", {"rows": found, "may_calculate": may_calculate})


@require_GET
def calculation(request: Request, pk: int) -> HttpResponse:
    found: Calculation = get_visible(ROWS, request.user, pk=pk)
    given = given_by(found)
    comparison = compare(given)
    may_change = request.user.has_perm("agreements.change_calculation", found)
    points = curve(given)
    context = {
        "calculation": found,
        "given": given,
        "found": comparison,
        "cheaper": _cheaper(comparison),
        "less": abs(comparison.difference.value or 0),
        "most_pupils": MOST_PUPILS,
        "price_words": _price_words(given),
        "parts": _parts(comparison),
        "sides": _sides(found),
        "points": points,
        "drawing": _drawing(found, points) if points else "",
        "may_change": may_change,
        "attach_form": AttachForm(drafts=drafts_to_attach(found, request.user)) if may_change else None,
        "sees_agreement": Agreement.objects.visible_to(request.user).filter(calculations=found).exists(),
    }
    return render(request, "agreements/calculation.html", context)


def _cheaper(found: Comparison) -> str:
    """Which way costs less: "home", "neighbour" or "same"; "" when that cannot be told."""
    if found.difference.value is None:
        return ""
    return "same" if found.difference.value == 0 else "home" if found.difference.value < 0 else "neighbour"


def _parts(found: Comparison) -> list[tuple[str, list[tuple[str, Any]]]]:
    """What the costs consist of, in the order in which they are added."""
    return [
        (
            _("At home, per school year"),
            [
                (_("Teachers"), found.teachers),
                (_("Premises"), found.premises),
                (_("Equipment, for each year it is used"), found.equipment),
                (_("Other costs of the pupils"), found.other),
                (_("Seats for those who still choose the neighbour"), found.away),
                (_("Sum"), found.home_total),
            ],
        ),
        (
            _("With the neighbour, per pupil and school year"),
            [
                (_("Price of the seat"), found.price),
                (_("Support for travel"), found.travel),
                (_("Extra costs"), found.extra),
                (_("Sum"), found.neighbour_each),
            ],
        ),
    ]


def _price_words(given: Mapping[str, Any]) -> list[str]:
    """What kind of price it is and what it holds, said wherever it is compared."""
    if given["price"] is None or given["price_kind"] is None:
        return []
    meals = {
        "yes": _("Meals are included in it."),
        "no": _("Meals are not included in it: see that both ways hold the same."),
        None: _("It is not stated whether meals are included in it."),
    }
    vat = {
        "yes": _("VAT is included in it."),
        "no": _("VAT is not included in it."),
        None: _("It is not stated whether VAT is included in it."),
    }
    kind = _("The price of the seat is %(kind)s.") % {"kind": PriceKind(given["price_kind"]).label}
    return [kind, meals[given["price_meals"]], vat[given["price_vat"]]]


def _sides(calculation: Calculation) -> list[tuple[Any, list[tuple[Any, str, str]]]]:
    """The assumptions of each side, as people read them."""
    rows = []
    for one, value, source in rows_of(calculation):
        shown = str(dict(one.choices)[value]) if one.choices and value else _number(value)
        rows.append((one, shown, source))
    return [(heading, [row for row in rows if row[0].side == side]) for side, heading in SIDES]


def _number(text: str) -> str:
    return number_format(Decimal(text), use_l10n=True, force_grouping=True) if text else ""


def _drawing(calculation: Calculation, points: list[tuple[int, Decimal, Decimal]]) -> SafeString:
    """Both ways as lines, drawn on the server in the page's colours."""
    chart = blocks.chart(
        "kalkyl",
        "line",
        str(calculation.programme),
        "",
        "",
        [
            blocks.column(_("Pupils in an intake"), "label"),
            blocks.column(_("at home")),
            blocks.column(_beside(calculation)),
        ],
        [
            [str(pupils), *(blocks.figure(int(round(cost)), source="kalkyl") for cost in (home, neighbour))]
            for pupils, home, neighbour in points
        ],
    )
    return mark_safe(charts.for_page(draw_once([chart])[0]))  # numbers and two escaped names


def _beside(calculation: Calculation) -> str:
    return calculation.provider.name if calculation.provider else _("the neighbour")


def new(request: Request) -> HttpResponse:
    require(request.user, "agreements.calculate")
    own = list(Municipality.objects.filter(pk__in=request.user.bodies_where(RoleKind.ADMINISTRATOR)).in_swedish_order())
    what = WhatForm(_asked(request, own), own=own, neighbours=_neighbours(own))
    if not request.GET.get("program") or not what.is_valid():
        if not request.GET.get("program"):
            what = WhatForm(own=own, neighbours=_neighbours(own))
            what.initial = {name: request.GET.get(name, "") for name in what.fields}
        return render(request, "agreements/calculation_what.html", {"form": what})
    chosen = what.cleaned_data
    home, provider, programme, orientation = (chosen[name] for name in ("kommun", "hos", "program", "inriktning"))
    known = known_for(home, provider, programme, orientation)
    title = f"{orientation.name if orientation else programme.name_sv}, {home.name}"
    form = CalculationForm(request.POST if request.method == "POST" else None, title=title, known=known)
    made: list[Calculation] = []

    def make() -> None:
        made.append(
            make_calculation(
                title=form.cleaned_data["title"],
                municipality=home,
                provider=provider,
                programme=programme,
                orientation=orientation,
                assumptions=form.assumptions(),
                by=request.user,
                on_behalf_of=home.body,
            )
        )

    if request.method == "POST" and tried(form, make):
        messages.success(request, _("The calculation is saved."))
        return redirect(made[0])
    context = {
        "form": form,
        "home": home,
        "provider": provider,
        "programme": programme,
        "orientation": orientation,
        "known": known,
    }
    return render(request, "agreements/calculation_new.html", context)


def _asked(request: Request, own: list[Municipality]) -> dict[str, str]:
    """What the address says; without a municipality the reader's own, if it can be only one."""
    said = {name: request.GET.get(name, "") for name in ("kommun", "program", "inriktning", "hos")}
    if not said["kommun"] and len(own) == 1:
        said["kommun"] = own[0].code
    return said


def _neighbours(own: list[Municipality]) -> list[Municipality]:
    """Members of the areas that one's own municipalities are in."""
    areas = Membership.objects.on().filter(municipality__in=own).values("area")
    members = Membership.objects.on().filter(area__in=areas).select_related("municipality").in_agreed_order()
    return list({member.municipality_id: member.municipality for member in members}.values())


def change(request: Request, pk: int) -> HttpResponse:
    found: Calculation = get_permitted(ROWS, request.user, "agreements.change_calculation", pk=pk)
    form = CalculationForm(request.POST if request.method == "POST" else None, calculation=found)
    meanwhile: list[CalculationChanged] = []

    def save() -> None:
        try:
            change_calculation(
                found,
                edit=form.cleaned_data["edit"],
                title=form.cleaned_data["title"],
                assumptions=form.assumptions(),
                by=request.user,
                on_behalf_of=found.municipality.body,
            )
        except CalculationChanged as changed:
            meanwhile.append(changed)
            raise

    if request.method == "POST" and tried(form, save):
        messages.success(request, _("The calculation is saved."))
        return redirect(found)
    for changed in meanwhile:
        form.show_what_stands(changed)
    return render(request, "agreements/calculation_change.html", {"form": form, "calculation": found})


@require_POST
def attach(request: Request, pk: int) -> HttpResponse:
    found: Calculation = get_permitted(ROWS, request.user, "agreements.change_calculation", pk=pk)
    form = AttachForm(request.POST, drafts=drafts_to_attach(found, request.user))

    def do() -> None:
        attach_calculation(found, form.cleaned_data["agreement"], by=request.user, on_behalf_of=found.municipality.body)

    if tried(form, do):
        messages.success(request, _("The administrators of all parties to the draft now see the calculation."))
    else:
        messages.error(request, _("Choose a draft to which the municipality is a party."))
    return redirect(found)


@require_POST
def detach(request: Request, pk: int) -> HttpResponse:
    found: Calculation = get_permitted(ROWS, request.user, "agreements.change_calculation", pk=pk)
    try:
        detach_calculation(found, by=request.user, on_behalf_of=found.municipality.body)
    except RuleBroken as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, _("Only the municipality's own administrators now see the calculation."))
    return redirect(found)
