"""What the offer shows on the start page, in search and in the menu: the first mandate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from collab4m.cards import MOST_HITS, Date_, Done, Hit, Mandate, NavItem, StartCards, Todo
from collab4m.clock import today
from collab4m.school_year import SchoolYear
from collab4m.swedish import matching
from organisations.models import Membership, RoleKind, School, User
from programmes.models import OfferingReport, Orientation, Programme, ReportingDeadline, year_in_address
from programmes.operations import latest_year, whole_offers

FIRST_MANDATE = 1
LATE_FOR = timedelta(days=365)  # what is later than that is no longer on anybody's list


def nav(user: User) -> list[NavItem]:
    return [NavItem(label=_("Programmes"), url=reverse("programmes"), prefix=reverse("programmes"))]


def start_cards(user: User) -> StartCards:
    members = list(Membership.objects.around(user).select_related("municipality", "area").in_agreed_order())
    if not members:
        return StartCards()
    deadlines = _deadlines(members)
    return StartCards(
        todos=_todos(user, members, deadlines),
        mandates=[_mandate(members)],
        dates=[
            Date_(
                day=deadline.last_day,
                title=_("Last day to report the offer %(year)s") % {"year": deadline.school_year},
                place=deadline.area.name,
                url=f"{reverse('reporting')}?omrade={deadline.area.slug}&lasar={year_in_address(deadline.school_year)}",
            )
            for deadline in deadlines
        ],
    )


def _deadlines(members: Sequence[Membership]) -> list[ReportingDeadline]:
    areas = {member.area_id for member in members}
    deadlines = ReportingDeadline.objects.filter(area__in=areas, last_day__gte=today() - LATE_FOR)
    return list(deadlines.select_related("area").order_by("last_day"))


def _todos(user: User, members: Sequence[Membership], deadlines: Sequence[ReportingDeadline]) -> list[Todo]:
    """One for each own school that has not reported its whole offer for a year with a last day."""
    own = {*user.bodies_where(RoleKind.ADMINISTRATOR), *user.bodies_where(RoleKind.PRINCIPAL)}
    if not own or not deadlines:
        return []
    schools = School.objects.filter(Q(municipality__in=own, provider__kind="municipal") | Q(pk__in=own))
    by_area = {(member.area_id, member.municipality_id) for member in members}
    done = set(
        OfferingReport.objects.filter(
            complete=True, school__in=schools, school_year__in={deadline.school_year for deadline in deadlines}
        ).values_list("school", "school_year")
    )
    todos = []
    rows = [
        one
        for one in schools.select_related("municipality", "provider").in_swedish_order()
        if one.is_municipal or one.pk in own
    ]
    for deadline in deadlines:
        year = deadline.school_year
        for school in rows:
            lies_there = (deadline.area_id, school.municipality_id) in by_area
            if lies_there and (school.pk, year) not in done and school.holds_on(year.first_day):
                todos.append(_todo(school, year, deadline))
    return todos


def _todo(school: School, year: SchoolYear, deadline: ReportingDeadline) -> Todo:
    report = OfferingReport(school=school, school_year=year)
    return Todo(
        title=_("Report what %(school)s offers %(year)s") % {"school": school.name, "year": year},
        url=reverse("offering_report_change", args=[school.pk, year_in_address(report.school_year)]),
        why=_("The neighbours see what their pupils can apply for, and where agreements are needed."),
        verb=_("Report"),
        due=deadline.last_day,
        for_body=school.municipality.name,
    )


def _mandate(members: Sequence[Membership]) -> Mandate:
    """How far the ground of agreements has come: who has reported the whole offer of the latest year."""
    ids = [member.municipality_id for member in members]
    year = latest_year(ids) or SchoolYear.of(today())
    words: dict[bool | None, Done] = {True: "yes", False: "no", None: "unknown"}
    done = {municipality: words[whole] for municipality, whole in whole_offers(ids, year).items()}
    count = sum(state == "yes" for state in done.values())
    state = ngettext(
        "%(done)s of %(all)s municipality has reported its whole offer %(year)s",
        "%(done)s of %(all)s municipalities have reported their whole offer %(year)s",
        len(done),
    ) % {"done": count, "all": len(done), "year": year}
    next_step = _("See what is missing at home") if count else _("Report what the schools offer")
    return Mandate(number=FIRST_MANDATE, state=state, next_step=next_step, url=reverse("matrix"), done=done)


def search(user: User, words: str) -> list[Hit]:
    """Programmes and orientations that resemble the words; a code finds just its own."""
    return [*_programmes(user, words), *_orientations(user, words)]


def _programmes(user: User, words: str) -> list[Hit]:
    rows = matching(Programme.objects.visible_to(user), words, "name_sv", "name_en", "code")[:MOST_HITS]
    return [Hit(title=str(one), url=one.get_absolute_url(), kind=_("Programmes"), text=_validity(one)) for one in rows]


def _orientations(user: User, words: str) -> list[Hit]:
    orientations = Orientation.objects.visible_to(user).select_related("programme")
    rows = matching(orientations, words, "name_sv", "name_en", "code")[:MOST_HITS]
    return [
        Hit(
            title=f"{one.name}, {one.programme.code}",
            url=one.get_absolute_url(),
            kind=_("Orientations"),
            text=_validity(one),
        )
        for one in rows
    ]


def _validity(fact: Any) -> str:
    if fact.last_day and fact.last_day < today():
        return _("Takes no new pupils. The last day was %(day)s.") % {"day": fact.last_day.isoformat()}
    return ""
