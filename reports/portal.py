"""What reports show on the start page, in search and in the menu: the fifth mandate."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from collab4m.cards import MOST_HITS, Done, Hit, Mandate, NavItem, StartCards
from collab4m.swedish import matching
from organisations.models import Membership, User
from records.models import Version
from reports.models import Report

FIFTH_MANDATE = 5


def nav(user: User) -> list[NavItem]:
    return [NavItem(label=_("Reports"), url=reverse("reports"), prefix=reverse("reports"))]


def start_cards(user: User) -> StartCards:
    report = Report.objects.visible_to(user).select_related("area").order_by("-due").first()
    if report is None:
        return StartCards()
    latest = Version.objects.of(report).defer("content").first()
    filled = dict(report.covers.exclude(case_number="").values_list("board__municipality", "case_number"))
    members = Membership.objects.on().filter(area=report.area_id).values_list("municipality", flat=True)
    done: dict[int, Done] = {member: "yes" if latest and member in filled else "no" for member in members}
    if latest:
        words = {"title": report.title, "number": latest.number}
        state = _("%(title)s is made, version %(number)s") % words
        next_step = _("Fill in case numbers") if len(filled) < len(done) else _("Read and decide")
    else:
        state, next_step = _("%(title)s is not made yet") % {"title": report.title}, _("Write the texts")
    address = report.get_absolute_url()
    mandate = Mandate(number=FIFTH_MANDATE, state=state, next_step=next_step, url=address, done=done)
    return StartCards(mandates=[mandate])


def search(user: User, words: str) -> list[Hit]:
    found = matching(Report.objects.visible_to(user).select_related("area"), words, "title")[:MOST_HITS]
    return [Hit(title=one.title, url=one.get_absolute_url(), kind=_("Reports"), text=one.area.name) for one in found]
