"""What the directory of who and where shows on the start page, in search and in the menu."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, Value, When
from django.urls import reverse
from django.utils.translation import gettext as _

from collab4m.cards import MOST_HITS, Date_, Hit, NavItem, StartCards, Todo
from collab4m.clock import today
from collab4m.swedish import matching
from collab4m.templatetags.shell import in_text
from organisations.models import (
    Board,
    CollaborationArea,
    Contact,
    ContactPurpose,
    GlossaryEntry,
    Membership,
    Municipality,
    RoleKind,
    School,
    SchoolBreak,
    Semester,
    SemesterKind,
    Site,
    User,
)

DAYS_AHEAD = 200


def nav(user: User) -> list[NavItem]:
    items = [NavItem(label=_("Area"), url=_own_area(user), prefix="/omraden/")]
    if user.has_perm("organisations.see_people"):
        items.append(NavItem(label=_("People"), url=reverse("people"), prefix="/personer/"))
    if user.is_system_administrator:
        items.append(NavItem(label=_("Registers"), url=reverse("admin:index"), prefix="/admin/"))
    return items


def _own_area(user: User) -> str:
    """The only area one belongs to, or the list of areas."""
    slugs = {one.area.slug for one in user.around_today}
    return reverse("area", args=[slugs.pop()]) if len(slugs) == 1 else reverse("areas")


def _own_municipalities(user: User) -> list[int]:
    """The municipalities one acts for, and those where the schools lie that one acts for."""
    bodies = user.bodies_today()
    if not bodies:
        return []
    schools = School.objects.filter(pk__in=bodies).values_list("municipality", flat=True)
    return list(Municipality.objects.filter(pk__in=bodies).values_list("pk", flat=True).union(schools))


# The start page


def start_cards(user: User) -> StartCards:
    return StartCards(todos=_contacts_to_complete(user), dates=_days_ahead(_own_municipalities(user)))


def _contacts_to_complete(user: User) -> list[Todo]:
    """For an administrator: the municipality's contacts that the public pages lack."""
    municipalities = Municipality.objects.filter(pk__in=user.bodies_where(RoleKind.ADMINISTRATOR)).in_swedish_order()
    complete = {
        (contact.municipality_id, contact.purpose)
        for contact in Contact.objects.filter(municipality__in=municipalities)
        if contact.is_complete
    }
    todos = []
    for municipality in municipalities:
        lacking = [str(one.label) for one in ContactPurpose if (municipality.pk, one.value) not in complete]
        if lacking:
            todos.append(
                Todo(
                    title=_("Fill in who answers in %(municipality)s") % {"municipality": municipality.name},
                    url=reverse("contacts_change", args=[municipality.pk]),
                    why=_("The public pages lack: %(what)s.") % {"what": ", ".join(lacking)},
                    verb=_("Fill in"),
                    for_body=municipality.name,
                )
            )
    return todos


def _days_ahead(municipalities: list[int]) -> list[Date_]:
    """First and last days of semesters and breaks in one's own municipalities."""
    first, last = today(), today() + timedelta(days=DAYS_AHEAD)
    coming: dict[str, Any] = {"municipality__in": municipalities, "valid__overlap": (first, last)}
    found = []
    for semester in Semester.objects.filter(**coming).select_related("municipality"):
        is_autumn = semester.kind == SemesterKind.AUTUMN
        begins = _("The autumn semester begins") if is_autumn else _("The spring semester begins")
        ends = _("The autumn semester ends") if is_autumn else _("The spring semester ends")
        found += [(semester.first_day, begins, semester), (semester.last_day, ends, semester)]
    for school_break in SchoolBreak.objects.filter(**coming).select_related("municipality"):
        found.append(
            (school_break.first_day, _("%(break)s begins") % {"break": _capital(school_break.name)}, school_break)
        )
    return [
        _date(day, title, fact.municipality)
        for day, title, fact in sorted(found, key=lambda one: (one[0], one[1], one[2].pk))
        if first <= day < last
    ]


def _date(day: date, title: str, municipality: Municipality) -> Date_:
    return Date_(day=day, title=title, place=municipality.name, url=f"{municipality.get_absolute_url()}#lasar")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# Search


@dataclass(frozen=True)
class Near:
    """What lies close to the reader: own municipalities, then the others of one's areas, then the rest."""

    own: list[int]
    area: list[int]

    def by(self, field: str) -> Case:
        return Case(
            When(**{f"{field}__in": self.own}, then=Value(0)),
            When(**{f"{field}__in": self.area}, then=Value(1)),
            default=Value(2),
        )


def search(user: User, words: str) -> list[Hit]:
    """What resembles the words, own municipality first in each kind, then those of one's areas."""
    near = Near(
        own=_own_municipalities(user), area=list(Membership.objects.around(user).values_list("municipality", flat=True))
    )
    return [
        *_areas(user, words),
        *_municipalities(user, words, near),
        *_schools(user, words, near),
        *_boards(user, words, near),
        *_sites(user, words, near),
        *_words(user, words),
    ]


def _found(queryset: Any, words: str, *fields: str, far: Case | None = None) -> Any:
    rows = matching(queryset, words, *fields)
    if far is not None:
        rows = rows.annotate(far=far).order_by("far", "-likeness", "pk")
    return rows[:MOST_HITS]


def _areas(user: User, words: str) -> list[Hit]:
    areas = _found(CollaborationArea.objects.visible_to(user), words, "name", "short_name")
    return [Hit(title=one.name, url=one.get_absolute_url(), kind=_("Cooperation areas")) for one in areas]


def _municipalities(user: User, words: str, near: Near) -> list[Hit]:
    municipalities = Municipality.objects.visible_to(user).on()
    rows = _found(municipalities, words, "name", "full_name", far=near.by("pk"))
    return [Hit(title=one.name, url=one.get_absolute_url(), kind=_("Municipalities"), text=one.county) for one in rows]


def _schools(user: User, words: str, near: Near) -> list[Hit]:
    schools = School.objects.visible_to(user).select_related("municipality")
    rows = _found(schools, words, "name", far=near.by("municipality"))
    return [_in_municipality(one, one.name, _("Schools")) for one in rows]


def _boards(user: User, words: str, near: Near) -> list[Hit]:
    boards = Board.objects.visible_to(user).select_related("municipality")
    rows = _found(boards, words, "name", "administration", far=near.by("municipality"))
    return [_in_municipality(one, _capital(one.name), _("Boards")) for one in rows]


def _sites(user: User, words: str, near: Near) -> list[Hit]:
    sites = Site.objects.visible_to(user).select_related("municipality")
    rows = _found(sites, words, "name", "address", far=near.by("municipality"))
    return [_in_municipality(one, one.name, _("Sites")) for one in rows]


def _words(user: User, words: str) -> list[Hit]:
    entries = _found(GlossaryEntry.objects.visible_to(user).on(), words, "name", "name_en")
    return [
        Hit(title=_capital(one.name), url=one.get_absolute_url(), kind=_("Glossary"), text=one.meaning)
        for one in entries
    ]


def _in_municipality(row: Any, title: str, kind: str) -> Hit:
    """With its municipality, which many names repeat, and the word when it is no more."""
    is_over = row.last_day is not None and row.last_day < today()
    text = _("Closed. The last day was %(day)s.") % {"day": in_text(row.last_day)} if is_over else ""
    return Hit(title=f"{title}, {row.municipality.name}", url=row.get_absolute_url(), kind=kind, text=text)
