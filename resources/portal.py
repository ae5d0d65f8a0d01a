"""What resources show on the start page, in search and in the menu: the second mandate."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from collab4m.cards import MOST_HITS, Date_, Done, Hit, Mandate, NavItem, StartCards, Todo
from collab4m.clock import now
from collab4m.swedish import matching
from collab4m.templatetags.shell import capital, in_words, moment_in_words, span_in_words
from organisations.models import Membership, User
from records.people import answering
from resources.models import Booking, RequestState, Resource, WaitingOffer

SECOND_MANDATE = 2
WEEK = timedelta(days=7)


def nav(user: User) -> list[NavItem]:
    return [NavItem(label=_("Resources"), url=reverse("resources"), prefix=reverse("resources"))]


def start_cards(user: User) -> StartCards:
    """Six queries."""
    own = _own_bookings(user)
    todos = [*_to_decide(user), *_questions(own), *_offers(user)]
    mandate = _mandate(user)
    return StartCards(todos=todos, mandates=[mandate] if mandate else [], dates=_dates(own))


def _mandate(user: User) -> Mandate | None:
    """How many resources are shared by whom, and how many bookings are to come; nothing until something is shared."""
    members = list(Membership.objects.around(user).values_list("municipality", flat=True))
    if not members:
        return None
    shared = Counter(Resource.objects.in_use().filter(municipality__in=members).values_list("municipality", flat=True))
    if not shared:
        return None
    coming = Booking.objects.filter(
        resource__municipality__in=members, request_state=RequestState.APPROVED, during__endswith__gt=now()
    ).count()
    state = ngettext("%(words)s resource is shared", "%(words)s resources are shared", shared.total())
    booked = ngettext("%(words)s booking is to come", "%(words)s bookings are to come", coming)
    words = [state % {"words": capital(in_words(shared.total()))}, booked % {"words": in_words(coming)}]
    done: dict[int, Done] = {municipality: "yes" if shared[municipality] else "no" for municipality in members}
    return Mandate(
        number=SECOND_MANDATE,
        state=", ".join(words),
        next_step="" if len(shared) == len(set(members)) else _("Share something from every municipality"),
        url=reverse("resources"),
        done=done,
    )


# What waits for the reader


def _to_decide(user: User) -> list[Todo]:
    """Requests that wait for one's word, one for each series."""
    rows = Booking.objects.to_decide(user).select_related("resource__owner", "booked_for").order_by("decide_by", "pk")
    alike: dict[Any, list[Booking]] = {}
    for one in rows:
        alike.setdefault(one.series_id and ("series", one.series_id) or one.pk, []).append(one)
    return [_decision(dates) for dates in alike.values()]


def _decision(dates: list[Booking]) -> Todo:
    first = dates[0]
    words = {"resource": first.resource.name, "body": first.booked_for, "dates": len(dates)}
    if len(dates) > 1:
        title = _("Decide about %(resource)s for %(body)s, %(dates)s dates") % words
        url = reverse("series_decide", args=[first.pk])
    else:
        title, url = _("Decide about %(resource)s for %(body)s") % words, first.get_absolute_url()
    until = first.decide_by
    why = f"{capital(span_in_words(first.during))}."
    if until:
        runs_out = _("Without an answer by %(until)s the request runs out.") % {"until": moment_in_words(until)}
        why = f"{why} {runs_out}"
    return Todo(
        title=title,
        url=url,
        why=why,
        verb=_("Decide"),
        due=timezone.localtime(until).date() if until else None,
        for_body=first.resource.owner.name,
    )


def _own_bookings(user: User) -> list[Booking]:
    """What one's bodies have asked for that an owner asks about, or that is approved for the coming week."""
    soon = Q(request_state=RequestState.APPROVED, during__overlap=(now(), now() + WEEK))
    rows = Booking.objects.filter(answering(user, "booked_for"), soon | Q(request_state=RequestState.INFO_NEEDED))
    return list(rows.select_related("resource__owner", "booked_for").order_by("during", "pk"))


def _questions(bookings: list[Booking]) -> list[Todo]:
    return [
        Todo(
            title=_("Answer %(owner)s about %(resource)s")
            % {"owner": one.resource.owner, "resource": one.resource.name},
            url=one.get_absolute_url(),
            why=_("The owner asks: %(question)s") % {"question": one.answer},
            verb=_("Answer"),
            due=timezone.localtime(one.decide_by).date() if one.decide_by else None,
            for_body=one.booked_for.name,
        )
        for one in bookings
        if one.request_state == RequestState.INFO_NEEDED
    ]


def _offers(user: User) -> list[Todo]:
    """Times that are held for one's bodies until they answer."""
    offers = WaitingOffer.objects.filter(
        answering(user, "waiting__booked_for"), ended_at=None, until__gt=now()
    ).select_related("waiting__resource", "waiting__booked_for")
    return [
        Todo(
            title=_("Take or leave %(resource)s") % {"resource": one.waiting.resource.name},
            url=reverse("offer_accept", args=[one.pk]),
            why=_("%(span)s is held for you until %(until)s. After that it goes to the next in line.")
            % {"span": capital(span_in_words(one.waiting.during)), "until": moment_in_words(one.until)},
            verb=_("Answer"),
            due=timezone.localtime(one.until).date(),
            for_body=one.waiting.booked_for.name,
        )
        for one in offers.order_by("until", "pk")
    ]


def _dates(bookings: list[Booking]) -> list[Date_]:
    """One's bookings of the coming week."""
    return [
        Date_(
            day=max(timezone.localtime(one.starts_at).date(), timezone.localtime(now()).date()),
            title=one.resource.name,
            place=f"{capital(span_in_words(one.during))}. {one.booked_for}",
            url=one.get_absolute_url(),
        )
        for one in bookings
        if one.request_state == RequestState.APPROVED
    ]


# Search


def search(user: User, words: str) -> list[Hit]:
    """Resources whose name or category resembles the words, then those that have such a feature."""
    rows: Any = Resource.objects.visible_to(user).in_use().select_related("owner", "category")
    alike = list(matching(rows, words, "name", "category__name_sv", "category__name_en")[:MOST_HITS])
    named = Q(features__name_sv__unaccent__icontains=words) | Q(features__name_en__unaccent__icontains=words)
    featured = rows.exclude(pk__in=[one.pk for one in alike]).filter(pk__in=Resource.objects.filter(named).values("pk"))
    return [
        Hit(title=one.name, url=one.get_absolute_url(), kind=_("Resources"), text=_about(one))
        for one in [*alike, *featured.in_swedish_order()[: MOST_HITS - len(alike)]]
    ]


def _about(resource: Resource) -> str:
    words = f"{resource.category.name}, {resource.owner}"
    example = _("Example")
    return f"{words}. {example}." if resource.example else words
