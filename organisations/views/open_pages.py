"""The glossary, and what the law asks every service to tell: accessibility, personal data and cookies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.messages.storage.cookie import CookieStorage
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from organisations.models import CollaborationArea, ContactPurpose, GlossaryEntry, Membership
from organisations.operations import RETENTION
from organisations.views.shared import Answerable, Request, contacts_of

STATEMENT_UPDATED = date(2026, 11, 23)


@require_GET
def glossary(request: Request) -> HttpResponse:
    words = GlossaryEntry.objects.on().visible_to(request.user).in_swedish_order()
    return render(request, "organisations/glossary.html", {"words": words})


def _answerable(purpose: ContactPurpose) -> list[tuple[CollaborationArea, list[Answerable]]]:
    """Who answers for `purpose` in every municipality that is a member of an area today."""
    members = Membership.objects.on().select_related("municipality").order_by("position", "pk")
    areas = CollaborationArea.objects.in_swedish_order()
    found = list(areas.prefetch_related(Prefetch("memberships", members, to_attr="members")))
    contacts = contacts_of(list({member.municipality for one in found for member in one.members}), purpose)
    return [(one, [contacts[member.municipality_id][0] for member in one.members]) for one in found if one.members]


@login_not_required
@require_GET
def accessibility(request: HttpRequest) -> HttpResponse:
    context = {"areas": _answerable(ContactPurpose.ACCESSIBILITY), "updated": STATEMENT_UPDATED}
    return render(request, "organisations/pages_accessibility.html", context)


@login_not_required
@require_GET
def personal_data(request: HttpRequest) -> HttpResponse:
    context = {"areas": _answerable(ContactPurpose.PERSONAL_DATA), "retention": RETENTION}
    return render(request, "organisations/pages_personal_data.html", context)


@dataclass
class Kept:
    """Something that the portal stores in a reader's browser."""

    name: str
    kind: str
    purpose: str
    lifetime: str


def kept_in_the_browser() -> list[Kept]:
    """Every cookie the portal sets, and what it keeps in local storage. A test holds this list to the truth."""
    hours = settings.SESSION_COOKIE_AGE // 3600
    cookie, local = _("cookie"), _("local storage")
    return [
        Kept(
            settings.SESSION_COOKIE_NAME,
            cookie,
            _("Remembers that you are logged in."),
            _("Until you log out or close the browser, at most %(hours)s hours") % {"hours": hours},
        ),
        Kept(
            settings.CSRF_COOKIE_NAME,
            cookie,
            _("Makes sure that a form is sent by you and from here."),
            _("One year"),
        ),
        Kept(
            settings.LANGUAGE_COOKIE_NAME,
            cookie,
            _("Remembers the language you chose."),
            _("Until you close the browser"),
        ),
        Kept(
            CookieStorage.cookie_name,
            cookie,
            _("Carries a message, such as that something is saved, to the next page."),
            _("Until the message is shown"),
        ),
        Kept(
            "scheme",
            local,
            _("Remembers whether you chose light or dark appearance. It is never sent to us."),
            _("Until you remove it in the browser"),
        ),
        Kept(
            "collab4m.part",
            local,
            _("Keeps a text that you are writing until it is saved. It is offered back to you, and to nobody else."),
            _("Until the text is saved or you throw it away"),
        ),
    ]


@login_not_required
@require_GET
def cookies(request: HttpRequest) -> HttpResponse:
    context = {"areas": _answerable(ContactPurpose.COOKIES), "kept": kept_in_the_browser()}
    return render(request, "organisations/pages_cookies.html", context)
