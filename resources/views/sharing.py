"""Sharing: what one's bodies have, when it can be booked, what it costs, and who decides meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.db.models import F, Prefetch, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from collab4m.access import get_permitted, require
from collab4m.clock import now, today
from collab4m.errors import RuleBroken
from collab4m.forms import tried
from collab4m.swedish import swedish_key
from organisations.models import Body, Municipality, Role, SchoolBreak, Semester, User
from organisations.views.shared import Request
from records.people import speaking_for
from resources.forms.opening import OpeningForm, hours_by_day
from resources.forms.sharing import (
    DeputyForm,
    NewResourceForm,
    PriceForm,
    ResourceForm,
    SeenEdit,
    UnitNameForm,
    UnitsForm,
    category_tree,
)
from resources.models import Category, Deputy, Resource, Takes, Unit
from resources.operations import (
    ResourceChanged,
    add_units,
    bodies_shared_for,
    change_resource,
    emptied_without,
    end_deputy,
    in_the_way,
    name_deputy,
    needing,
    openings_of,
    red_day_names,
    remove_unit,
    rename_unit,
    retire_resource,
    set_opening,
    set_price,
    share_again,
    share_resource,
)
from resources.views.shared import who_acts

DAYS_SHOWN = 365
MOST_ENDED = 20


def _resource(request: Request, pk: int) -> Resource:
    """A resource that the reader may change."""
    rows = Resource.objects.select_related("owner__as_school", "municipality", "category", "site", "source")
    found: Resource = get_permitted(rows, request.user, "resources.change_resource", pk=pk)
    return found


def _saved(form: SeenEdit, do: Callable[[], object], stands: Callable[[], tuple[dict[str, Any], int]]) -> bool:
    """As `tried`; if somebody has saved since the form was shown, it also tells what stands now."""
    meanwhile: list[ResourceChanged] = []

    def notice() -> None:
        try:
            do()
        except ResourceChanged as changed:
            meanwhile.append(changed)
            raise

    done = tried(form, notice)
    if meanwhile:
        form.show_what_stands(*stands())
    return done


# What it is


def new(request: Request) -> HttpResponse:
    """First which category it is of, since that says which features to ask for; then the rest."""
    require(request.user, "resources.share")
    categories = list(Category.objects.all())
    category = next((one for one in categories if one.slug == request.GET.get("kategori")), None)
    if category is None:
        return render(request, "resources/resource_category.html", {"kinds": category_tree(categories)})
    bodies = bodies_shared_for(request.user)
    alike = Resource.objects.in_use().filter(owner__in=bodies, kind=category.kind).select_related("owner")
    form = NewResourceForm(
        request.POST if request.method == "POST" else None,
        category=category,
        places=_places(bodies),
        bodies=bodies,
        parts=list(alike.in_swedish_order()),
    )
    made: list[Resource] = []

    def share() -> None:
        made.append(
            share_resource(
                owner=form.owner,
                facts=form.facts(),
                features=form.cleaned_data.get("features", ()),
                units=form.units(),
                parts=form.parts(),
                by=request.user,
                example=request.user.example,
            )
        )

    if request.method == "POST" and tried(form, share):
        return redirect("resource_shared", made[0].pk)
    context = {"form": form, "category": category, "only": bodies[0] if len(bodies) == 1 else None}
    return render(request, "resources/resource_new.html", context)


def _places(bodies: Iterable[Body]) -> set[int]:
    """Ids of the municipalities where these belong."""
    return {body.as_school.municipality_id if body.kind == "school" else body.pk for body in bodies}


@require_GET
def shared(request: Request, pk: int) -> HttpResponse:
    """What is left to say of something that is shared."""
    return render(request, "resources/resource_shared.html", {"resource": _resource(request, pk)})


def change(request: Request, pk: int) -> HttpResponse:
    found = _resource(request, pk)
    form = ResourceForm(
        request.POST if request.method == "POST" else None,
        category=found.category,
        places={found.municipality_id},
        resource=found,
        features=list(found.features.all()),
    )

    def save() -> None:
        change_resource(
            found,
            facts=form.facts(),
            features=form.cleaned_data.get("features"),
            seen=form.cleaned_data["seen"],
            confirms_permits=form.cleaned_data["confirmed"],
            **who_acts(request.user, found.owner),
        )

    def stands() -> tuple[dict[str, Any], int]:
        now = _resource(request, pk)
        facts: dict[str, Any] = {name: getattr(now, name) for name in ResourceForm.FACTS}
        return facts | {"features": list(now.features.all())}, now.edit

    if request.method == "POST" and _saved(form, save, stands):
        messages.success(request, _("What is said of it is saved."))
        return redirect(found)
    return render(request, "resources/resource_change.html", {"form": form, "resource": found})


# When it can be booked


def opening(request: Request, pk: int) -> HttpResponse:
    found = _resource(request, pk)
    form = OpeningForm(request.POST if request.method == "POST" else None, resource=found, openings=openings_of(found))
    now: list[Resource] = []

    def save() -> None:
        set_opening(
            found,
            openings=form.openings,
            facts=form.facts(),
            seen=form.cleaned_data["seen"],
            **who_acts(request.user, found.owner),
        )

    def stands() -> tuple[dict[str, Any], int]:
        now.append(_resource(request, pk))
        return {name: getattr(now[0], name) for name in OpeningForm.RULES}, now[0].edit

    if request.method == "POST" and _saved(form, save, stands):
        messages.success(request, _("Times and rules are saved. Bookings that exist stand as they are."))
        return redirect(found)
    context = {
        "form": form,
        "resource": found,
        "standing": hours_by_day(openings_of(now[0])) if now else None,
        "stands": bool(now),
        **_calendar(found.municipality),
    }
    return render(request, "resources/resource_opening.html", context)


def _calendar(municipality: Municipality) -> dict[str, Any]:
    """The semesters, breaks and red days of the coming year, by which one sees what "in breaks" means."""
    first, last = today(), today() + timedelta(days=DAYS_SHOWN)
    coming = {"municipality": municipality, "valid__overlap": (first, last)}
    red_days = red_day_names(first.year) | red_day_names(last.year)
    return {
        "semesters": list(Semester.objects.filter(**coming).order_by("valid")),
        "breaks": list(SchoolBreak.objects.filter(**coming).order_by("valid")),
        "red_days": [(day, name) for day, name in sorted(red_days.items()) if first <= day <= last],
    }


# What it costs


def price(request: Request, pk: int) -> HttpResponse:
    found = _resource(request, pk)
    rules = list(found.price_rules.order_by("-number"))
    latest = rules[0] if rules else None
    form = PriceForm(request.POST if request.method == "POST" else None, latest=latest)

    def save() -> None:
        set_price(found, **form.cleaned_data, **who_acts(request.user, found.owner))

    def stands() -> tuple[dict[str, Any], int]:
        latest = found.price_rules.order_by("-number").first()
        if latest is None:
            return {}, 0
        return {"unit": latest.unit, "sek": latest.sek, "vat": latest.vat, "first_day": latest.first_day}, latest.number

    if request.method == "POST" and _saved(form, save, stands):
        messages.success(request, _("The price is set. Bookings that exist keep the price they have."))
        return redirect("resource_price", pk)
    rules = list(found.price_rules.order_by("-number"))
    context = {
        "form": form,
        "resource": found,
        "rules": rules,
        "current": next((rule for rule in rules if rule.holds_on(today())), None),
        "coming": any(rule.first_day and rule.first_day > today() for rule in rules),
    }
    return render(request, "resources/resource_price.html", context)


# Its pieces


def units(request: Request, pk: int) -> HttpResponse:
    found = _resource(request, pk)
    form = UnitsForm(request.POST if request.method == "POST" else None) if found.takes == Takes.SOME else None
    made: list[Unit] = []

    def add() -> None:
        assert form
        made.extend(add_units(found, names=form.cleaned_data["names"], **who_acts(request.user, found.owner)))

    if request.method == "POST" and form and tried(form, add):
        words = {"name": found.name, "number": len(made)}
        messages.success(request, _("%(name)s has more pieces: %(number)s new.") % words)
        return redirect("resource_units", pk)
    others = Prefetch("resources", Resource.objects.exclude(pk=found.pk).order_by("name"), to_attr="shared_with")
    rows = list(found.units.order_by("pk").prefetch_related(others))
    context = {"form": form, "resource": found, "units": rows, "whole": any(unit.shared_with for unit in rows)}
    return render(request, "resources/resource_units.html", context)


def unit_change(request: Request, pk: int, unit: int) -> HttpResponse:
    found, piece = _piece(request, pk, unit)
    form = UnitNameForm(request.POST if request.method == "POST" else None, initial={"name": piece.name})

    def save() -> None:
        rename_unit(piece, name=form.cleaned_data["name"], **who_acts(request.user, found.owner))

    if request.method == "POST" and tried(form, save):
        messages.success(request, _("The name is saved."))
        return redirect("resource_units", pk)
    return render(request, "resources/unit_change.html", {"form": form, "resource": found, "unit": piece})


def unit_remove(request: Request, pk: int, unit: int) -> HttpResponse:
    """Asks first, and shows what stands in the way; nobody can take it back."""
    found, piece = _piece(request, pk, unit)
    if request.method == "POST":
        try:
            remove_unit(piece, **who_acts(request.user, found.owner))
        except RuleBroken as broken:
            messages.error(request, str(broken))
            return redirect("unit_remove", pk, unit)
        messages.success(request, _("“%(name)s” is removed.") % {"name": piece.name})
        return redirect("resource_units", pk)
    context = {
        "resource": found,
        "unit": piece,
        "last_of": emptied_without(piece),
        "moves": piece.claims.filter(booking__isnull=False, during__endswith__gt=now()).exists(),
        "bookings": list(needing(piece).select_related("booked_for", "resource")),
        "others": list(piece.resources.exclude(pk=pk).order_by("name")),
    }
    return render(request, "resources/unit_remove.html", context)


def _piece(request: Request, pk: int, unit: int) -> tuple[Resource, Unit]:
    found = _resource(request, pk)
    return found, get_object_or_404(found.units, pk=unit)


# No longer


def retire(request: Request, pk: int) -> HttpResponse:
    """Share it no longer; or again, when it is no longer shared."""
    found = _resource(request, pk)
    if request.method == "POST":
        again = request.POST.get("gor") == "igen"
        do, done = (
            (share_again, _("It is shared again, by the rules it had."))
            if again
            else (retire_resource, _("It is no longer shared. Its history stays."))
        )
        try:
            do(found, **who_acts(request.user, found.owner))
        except RuleBroken as broken:
            messages.error(request, str(broken))
            return redirect("resource_retire", pk)
        messages.success(request, done)
        return redirect(found)
    blocking = list(in_the_way(found).select_related("booked_for"))
    return render(request, "resources/resource_retire.html", {"resource": found, "bookings": blocking})


# Who decides meanwhile


def deputies(request: Request) -> HttpResponse:
    require(request.user, "resources.share")
    bodies = bodies_shared_for(request.user)
    people = _people(request.user, bodies)
    form = DeputyForm(request.POST if request.method == "POST" else None, bodies=bodies, people=people)

    def name() -> None:
        said = {key: form.cleaned_data[key] for key in ("user", "first_day", "last_day")}
        name_deputy(form.owner, **said, **who_acts(request.user, form.owner))

    if request.method == "POST" and tried(form, name):
        words = {"person": form.cleaned_data["user"], "owner": form.owner}
        messages.success(request, _("%(person)s decides for %(owner)s on those days, beside you.") % words)
        return redirect("deputies")
    rows = Deputy.objects.filter(owner__in=bodies).select_related("owner", "user")
    standing = list(rows.filter(_not_ended(today())).order_by("valid", "pk"))
    context = {
        "form": form if people else None,
        "several": len(bodies) > 1,
        "only": bodies[0] if len(bodies) == 1 else None,
        "standing": standing,
        "ended": list(rows.exclude(_not_ended(today())).order_by("-valid", "-pk")[:MOST_ENDED]),
        "today": today(),
    }
    return render(request, "resources/deputies.html", context)


def _not_ended(day: date) -> Q:
    return Q(valid__endswith__gt=day) | Q(valid__endswith=None)


def _people(user: User, bodies: Sequence[Body]) -> list[tuple[User, str]]:
    """Whom the reader may name: colleagues in the owners' municipalities, and others whom they may see."""
    places = _places(bodies)
    run = Q(body__as_school__municipality__in=places)
    run &= Q(body__as_school__provider__municipality=F("body__as_school__municipality"))
    colleagues = Q(body__in=places) | run | Q(body__in=[body.pk for body in bodies])
    roles = Role.objects.on().filter(colleagues | Q(user__in=User.objects.visible_to(user)), user__is_active=True)
    roles = roles.exclude(Q(user=user) | Q(body=None, area=None)).select_related("user", "body", "area")
    words: dict[User, list[str]] = {}
    for role in roles.order_by("pk"):
        words.setdefault(role.user, []).append(f"{role.get_kind_display()}, {role.scope}")
    found = [(person, "; ".join([str(person), *held])) for person, held in words.items()]
    return sorted(found, key=lambda row: swedish_key(row[1]))


@require_POST
def deputy_end(request: Request, pk: int) -> HttpResponse:
    require(request.user, "resources.share")
    bodies = bodies_shared_for(request.user)
    found = get_object_or_404(Deputy.objects.select_related("owner__as_school", "user"), pk=pk, owner__in=bodies)
    if not speaking_for(request.user, found.owner):
        raise Http404
    try:
        end_deputy(found, **who_acts(request.user, found.owner))
    except RuleBroken as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, _("%(person)s no longer decides.") % {"person": found.user})
    return redirect("deputies")
