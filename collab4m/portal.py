"""The roof: the shell around every page, the start page and the search, gathered from the apps' `portal.py`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import import_module
from importlib.util import find_spec
from itertools import groupby
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST
from django.views.i18n import set_language

from collab4m import health
from collab4m.cards import MOST_HITS, Mandate, NavItem, StartCards
from collab4m.clock import now, today
from collab4m.templatetags.shell import capital, in_words, squares
from organisations.models import Board, CollaborationArea, Membership, Municipality, RoleKind, School, Site
from organisations.operations import change_preferences
from records.histories import Line, lines_of
from records.models import Event, Job, JobState
from records.work import kind_named

# The apps that show something on the start page, in search or in the menu, in the menu's order.
APPS = ["programmes", "agreements", "resources", "reports", "organisations", "records"]
DATES_SHOWN, JOBS_SHOWN, LONGEST_SEARCH = 8, 5, 100
NEWS_SHOWN, NEWS_READ, NEWS_DAYS = 5, 50, 14
DIRECTORY = [CollaborationArea, Municipality, School, Board, Site]


def gather(name: str, *args: Any) -> Iterator[Any]:
    """What each app's `portal.<name>` answers, for those that have one."""
    for app in APPS:
        if find_spec(f"{app}.portal") and (ask := getattr(import_module(f"{app}.portal"), name, None)):
            yield ask(*args)


# The shell


@dataclass
class Place:
    """A word of the menu, and whether the reader is there."""

    item: NavItem
    is_current: bool


class Shell:
    """What `base.html` and the tags need to know. Everything is looked up when first asked for, once per request."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.sources: dict[Any, int] = {}  # what {% source %} has noted, with its number below the content
        self.marks_drawn: dict[Any, Any] = {}  # for tags that draw the same mark hundreds of times on a page

    @cached_property
    def user(self) -> Any:
        user = getattr(self.request, "user", None)
        return user if user is not None and user.is_authenticated else None

    @cached_property
    def roles(self) -> list[Any]:
        return self.user.roles_today if self.user else []

    @cached_property
    def memberships(self) -> list[Membership]:
        """Today's members of the reader's areas in the agreed order; without one, those of the only area there is."""
        if any(role.body_id or role.area_id for role in self.roles):
            around: list[Membership] = self.user.around_today
            return around
        only = list(CollaborationArea.objects.values_list("pk", flat=True)[:2])
        members = Membership.objects.on().select_related("municipality", "area").in_agreed_order()
        return list(members.filter(area__in=only)) if len(only) == 1 else []

    @cached_property
    def marks(self) -> dict[int, Membership]:
        return {membership.municipality_id: membership for membership in self.memberships}

    @cached_property
    def areas(self) -> list[tuple[CollaborationArea, list[Membership]]]:
        """Each of the reader's areas with its members."""
        return [
            (members[0].area, members)
            for _area, group in groupby(self.memberships, key=lambda membership: membership.area_id)
            if (members := list(group))
        ]

    @cached_property
    def nav(self) -> list[Place]:
        if not self.user:
            return []
        items = [NavItem(label=_("Start"), url=reverse("start"), prefix="")]
        for answer in gather("nav", self.user):
            items += answer
        path = self.request.path
        current = max(
            (item for item in items if (path.startswith(item.prefix) if item.prefix else path == item.url)),
            key=lambda item: len(item.prefix),
            default=None,
        )
        return [Place(item, item is current) for item in items]

    @cached_property
    def place(self) -> str:
        return next((place.item.label for place in self.nav if place.is_current), "")


def shell(request: HttpRequest) -> dict[str, Shell]:
    """Context processor: the shell, made once per request."""
    if not hasattr(request, "shell"):
        request.shell = Shell(request)  # type: ignore[attr-defined]
    return {"shell": request.shell}  # type: ignore[attr-defined]


# The start page


def mandate_names() -> list[str]:
    return [
        _("Cooperation agreements"),
        _("Practical cooperation"),
        _("The labour market's needs"),
        _("Programme councils across municipal borders"),
        _("Report back"),
    ]


@dataclass
class MandateRow:
    """One of the five mandates for an area: how far it has come, and which members have done their part."""

    number: int
    name: str
    card: Mandate | None
    squares: list[dict[str, Any]]
    words: str


def mandate_rows(cards: dict[int, Mandate], members: list[Membership]) -> list[MandateRow]:
    rows = []
    for number, name in enumerate(mandate_names(), start=1):
        card = cards.get(number)
        done = [card.done.get(member.municipality_id, "unknown") if card else "unknown" for member in members]
        rows.append(MandateRow(number, name, card, squares(done), who_remains(done, members)))
    return rows


def who_remains(done: Sequence[str], members: list[Membership]) -> str:
    left = [member.municipality.name for state, member in zip(done, members, strict=True) if state != "yes"]
    if not left:
        return _("All have done their part")
    if len(left) == len(members):
        return _("No one yet")
    if len(left) == 1:
        return _("%(municipality)s remains") % {"municipality": left[0]}
    if len(left) == 2:
        return _("%(one)s and %(other)s remain") % {"one": left[0], "other": left[1]}
    return _("%(done)s of %(all)s") % {"done": len(members) - len(left), "all": len(members)}


@require_GET
def start(request: HttpRequest) -> HttpResponse:
    reader = shell(request)["shell"]
    cards: list[StartCards] = list(gather("start_cards", reader.user))
    todos = sorted((todo for card in cards for todo in card.todos), key=lambda todo: (todo.due or date.max, todo.title))
    dates = sorted((day for card in cards for day in card.dates if day.day >= today()), key=lambda day: day.day)
    mandates: dict[int, Mandate] = {}
    for mandate in (mandate for card in cards for mandate in card.mandates):
        told = mandates.get(mandate.number)
        mandates[mandate.number] = told.followed_by(mandate) if told else mandate
    kinds = {role.kind for role in reader.roles}
    conditions = health.pulses() if RoleKind.SYSTEM_ADMINISTRATOR in kinds else []
    for_cases = kinds - {RoleKind.SYSTEM_ADMINISTRATOR}
    return render(
        request,
        "collab4m/start.html",
        {
            "heading": start_heading(len(todos), bool(kinds), sum(not condition.well for condition in conditions)),
            "todos": todos,
            "several_bodies": len(set(reader.user.bodies_today())) > 1,
            "late_before": today(),
            "areas": [
                {"area": area, "members": members, "rows": mandate_rows(mandates, members), "has_cards": bool(mandates)}
                for area, members in (reader.areas if for_cases else [])
            ],
            "dates": dates[:DATES_SHOWN],
            "news": news(reader),
            "jobs": my_jobs(reader.user),
            "health": conditions,
        },
    )


def start_heading(waiting: int, has_role: bool, silent_parts: int) -> str:
    if silent_parts:
        text = ngettext(
            "%(number)s part of the portal does not answer",
            "%(number)s parts of the portal do not answer",
            silent_parts,
        )
        return capital(text % {"number": in_words(silent_parts)})
    if not waiting:
        return _("Nothing waits for you") if has_role else _("You have no role in the portal today")
    text = ngettext("%(number)s thing waits for you", "%(number)s things wait for you", waiting)
    return capital(text % {"number": in_words(waiting)})


@dataclass(frozen=True)
class News:
    """Something the neighbours changed, what it happened to, and how often."""

    line: Line
    subject: Any
    times: int

    @property
    def names_it(self) -> bool:
        return self.subject is not None and self.subject.name.lower() in self.line.sentence.lower()


def news(reader: Shell) -> list[News]:
    """What the neighbours lately changed in the directory, which is open to everyone who is logged in.

    The same thing that happened to the same subject several times is told of once, with how often.
    """
    neighbours = {membership.municipality_id for membership in reader.memberships} - set(reader.user.bodies_today())
    if not reader.roles or not neighbours:
        return []
    events = Event.objects.filter(
        subject_type__in=ContentType.objects.get_for_models(*DIRECTORY).values(),
        on_behalf_of__in=neighbours,
        at__gte=now() - timedelta(days=NEWS_DAYS),
    )
    lines = lines_of(events.prefetch_related("subject").order_by("-at", "-pk")[:NEWS_READ])
    alike: dict[Any, list[Line]] = {}
    for line in lines:
        about = (line.event.subject_type_id, line.event.subject_id)
        alike.setdefault((*about, line.event.on_behalf_of_id, line.sentence), []).append(line)
    return [News(same[0], same[0].event.subject, len(same)) for same in alike.values()][:NEWS_SHOWN]


def my_jobs(user: Any) -> list[tuple[Job, Any]]:
    """What the reader has ordered, with its name: everything unfinished, and what was finished in the last week."""
    recent = Q(finished_at__gte=now() - timedelta(days=7))
    unfinished = Q(state__in=[JobState.QUEUED, JobState.RUNNING])
    jobs = Job.objects.filter(unfinished | recent, by=user).order_by("-created_at")[:JOBS_SHOWN]
    return [(job, kind.label if (kind := kind_named(job.kind)) else job.kind) for job in jobs]


# Search and language


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    words = " ".join(request.GET.get("q", "").split())[:LONGEST_SEARCH]
    hits = [hit for answer in gather("search", request.user, words) for hit in answer] if words else []
    groups = {kind: [hit for hit in hits if hit.kind == kind] for kind in dict.fromkeys(hit.kind for hit in hits)}
    is_cut = any(len(group) >= MOST_HITS for group in groups.values())
    return render(
        request,
        "collab4m/search.html",
        {
            "words": words,
            "groups": groups,
            "heading": search_heading(words, len(hits), is_cut),
        },
    )


def search_heading(words: str, hits: int, is_cut: bool = False) -> str:
    if not words:
        return _("Search the portal")
    if not hits:
        return _("Nothing resembles “%(words)s”") % {"words": words}
    if is_cut:
        return _("The first %(number)s hits for “%(words)s”") % {"number": in_words(hits), "words": words}
    text = ngettext("%(number)s hit for “%(words)s”", "%(number)s hits for “%(words)s”", hits)
    return capital(text % {"number": in_words(hits), "words": words})


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Switch language: in a cookie for this browser, and for the reader's pages and mail everywhere."""
    wanted = request.POST.get("language", "")
    user = shell(request)["shell"].user
    if user and wanted != user.language and wanted in dict(settings.LANGUAGES):
        change_preferences(user, language=wanted)
    return set_language(request)
