"""Pages about a municipality and what it keeps right about itself: contacts, school years and travel times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from collab4m.access import get_permitted, get_visible
from collab4m.clock import today
from collab4m.forms import tried
from collab4m.school_year import SchoolYear
from collab4m.swedish import swedish_key, swedish_order
from organisations.forms.bodies import ContactForm
from organisations.forms.calendars import NewTravelTimeForm, SemestersForm, TravelTimeForm, breaks_form, breaks_in
from organisations.models import (
    ContactPurpose,
    Membership,
    Municipality,
    SchoolBreak,
    Semester,
    SemesterKind,
    TravelTime,
    User,
)
from organisations.operations import change_contact, change_school_year, change_travel_time, create_travel_time
from organisations.views.shared import Request, boards_in_order, contacts_of, saved, schools_in_order, who_acts

FIRST_SCHOOL_YEAR, LAST_SCHOOL_YEAR = 2000, 2100


@dataclass
class YearRow:
    """A municipality's school year: its semesters and breaks, as far as they are known."""

    year: SchoolYear
    url: str
    autumn: Semester | None = None
    spring: Semester | None = None
    breaks: list[SchoolBreak] = field(default_factory=list)


@dataclass
class Journey:
    """A way to another municipality, seen from here."""

    other: Municipality
    time: TravelTime


@require_GET
def municipality(request: Request, pk: int) -> HttpResponse:
    found = get_visible(Municipality.objects.select_related("source"), request.user, pk=pk)
    memberships = list(found.memberships.select_related("area", "source").order_by(swedish_order("area__name"), "pk"))
    may = request.user.has_perm
    years = _school_years(found)
    return render(
        request,
        "organisations/municipality.html",
        {
            "municipality": found,
            "memberships": memberships,
            "boards": boards_in_order(found.boards.all()),
            "schools": schools_in_order(found.schools.all()),
            "sites": found.sites.select_related("source").in_swedish_order(),
            "years": years,
            "travel": _travel(found, memberships),
            "contacts": contacts_of([found])[found.pk],
            "may_create": may("organisations.create_board"),
            "may_change_travel": may("organisations.change_travel_time", found),
            "may_correct": may("records.propose_correction"),
            "may_change_contacts": may("organisations.change_contacts", found),
            "may_change_years": may("organisations.change_school_year", found),
        },
    )


def year_url(municipality: Municipality, year: SchoolYear) -> str:
    return reverse("school_year_change", args=[municipality.pk, str(year).replace("/", "-")])


def _school_years(municipality: Municipality) -> list[YearRow]:
    """The school years of which something is known, and this one and the next, latest first."""
    this_year = SchoolYear.of(today())
    rows: dict[SchoolYear, YearRow] = {}

    def row(year: SchoolYear) -> YearRow:
        return rows.setdefault(year, YearRow(year, year_url(municipality, year)))

    row(this_year), row(this_year + 1)
    for semester in municipality.semesters.select_related("source"):
        if semester.kind == SemesterKind.AUTUMN:
            row(semester.school_year).autumn = semester
        else:
            row(semester.school_year).spring = semester
    for school_break in municipality.breaks.select_related("source").order_by("valid", "pk"):
        row(school_break.school_year).breaks.append(school_break)
    return sorted(rows.values(), key=lambda one: one.year, reverse=True)


def _travel(municipality: Municipality, memberships: Iterable[Membership]) -> list[Journey]:
    """Ways to and from here: first to those in the same areas in the agreed order, then the others."""
    times = TravelTime.objects.on().filter(Q(origin=municipality) | Q(destination=municipality))
    times = times.select_related("origin", "destination", "source").order_by("mode", "pk")
    areas = [one.area_id for one in memberships if one.holds_on(today())]
    near = Membership.objects.on().filter(area__in=areas).in_agreed_order()
    order = {pk: place for place, pk in enumerate(near.values_list("municipality", flat=True))}
    journeys = [Journey(time.destination if time.origin_id == municipality.pk else time.origin, time) for time in times]
    return sorted(journeys, key=lambda one: (order.get(one.other.pk, len(order)), swedish_key(one.other.name)))


# Contacts


def contacts_change(request: Request, pk: int) -> HttpResponse:
    found = get_permitted(Municipality.objects, request.user, "organisations.change_contacts", pk=pk)
    known = {contact.purpose: contact for contact in found.contacts.all()}
    data = request.POST if request.method == "POST" else None
    parts = [ContactForm(data, purpose=purpose, contact=known.get(purpose)) for purpose in ContactPurpose]
    if request.method == "POST" and _contacts_saved(parts, found, request.user):
        messages.success(request, _("The contacts are saved and are shown on the public pages."))
        return redirect(found)
    accessibility, personal_data, cookies = parts
    context = {"municipality": found, "parts": parts, "one": accessibility, "two": personal_data, "three": cookies}
    return render(request, "organisations/municipality_contacts.html", context)


def _contacts_saved(parts: Iterable[ContactForm], municipality: Municipality, user: User) -> bool:
    """All of them or none; each is tried, so that all errors are shown at once."""

    def change(form: ContactForm) -> None:
        change_contact(municipality, form.purpose, **form.cleaned_data, **who_acts(user, municipality))

    with transaction.atomic():
        done = [saved(form, partial(change, form)) for form in parts]
        if not all(done):
            transaction.set_rollback(True)
    return all(done)


# School years


def school_year_change(request: Request, pk: int, school_year: str) -> HttpResponse:
    try:
        year = SchoolYear.parse(school_year)
    except ValueError:
        raise Http404 from None
    if not FIRST_SCHOOL_YEAR <= year.starts <= LAST_SCHOOL_YEAR:
        raise Http404
    found = get_permitted(Municipality.objects, request.user, "organisations.change_school_year", pk=pk)
    data = request.POST if request.method == "POST" else None
    known = list(found.breaks.filter(school_year=year).order_by("valid", "pk"))
    form = SemestersForm(data, semesters=list(found.semesters.filter(school_year=year)), breaks=known)
    breaks = breaks_form(data, known)

    def change() -> None:
        days: dict[str, Any] = {"semesters": form.semesters(), "breaks": breaks_in(breaks)}
        said = {key: form.cleaned_data[key] for key in ("seen", "checked")}
        change_school_year(found, year, **days, **said, **who_acts(request.user, found))

    if request.method == "POST" and breaks.is_valid() and saved(form, change):
        messages.success(request, _("The school year is saved."))
        return redirect(found)
    context = {"municipality": found, "school_year": year, "form": form, "breaks": breaks}
    return render(request, "organisations/municipality_school_year.html", context)


# Travel times


def travel_time_new(request: Request, pk: int) -> HttpResponse:
    origin = get_permitted(Municipality.objects, request.user, "organisations.change_travel_time", pk=pk)
    form = NewTravelTimeForm(request.POST or None, origin=origin)

    def create() -> None:
        create_travel_time(origin=origin, **form.facts(), **who_acts(request.user, origin))

    if request.method == "POST" and tried(form, create):
        messages.success(request, _("The travel time is saved."))
        return redirect(f"{origin.get_absolute_url()}#restider")
    return render(request, "organisations/municipality_travel_new.html", {"form": form, "municipality": origin})


def travel_time_change(request: Request, pk: int) -> HttpResponse:
    times = TravelTime.objects.select_related("origin", "destination")
    found = get_permitted(times, request.user, "organisations.change_travel_time", pk=pk)
    form = TravelTimeForm.about(found, request.POST or None)

    def change() -> None:
        change_travel_time(found, **form.facts(), **who_acts(request.user, found))

    if request.method == "POST" and saved(form, change):
        messages.success(request, _("The travel time is saved."))
        return redirect(f"{found.get_absolute_url()}#restider")
    return render(request, "organisations/municipality_travel_change.html", {"form": form, "travel_time": found})
