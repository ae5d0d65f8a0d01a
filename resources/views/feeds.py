"""Calendar addresses: one's own, and what they answer to a calendar program."""

from __future__ import annotations

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from collab4m.access import get_visible
from collab4m.forms import tried
from organisations.views.shared import Request
from resources import calendars
from resources.forms.feeds import FeedForm
from resources.models import Booking, FeedToken, Resource
from resources.operations import calendar_of, feed_by, make_feed, revoke_feed

NEW_FEED = "resources.new_feed"
NEW_FEED_SECONDS = 300
CALENDAR = "text/calendar; charset=utf-8"


@never_cache
def feeds(request: Request) -> HttpResponse:
    """One's own calendar addresses. A new one is shown once, on the page that follows the form that made it."""
    resource = None
    if (pk := request.GET.get("resurs", "")).isdecimal() and len(pk) < 10:
        resource = Resource.objects.visible_to(request.user).in_use().filter(pk=int(pk)).first()
    form = FeedForm(request.POST if request.method == "POST" else None, reader=request.user, resource=resource)
    made: list[tuple[FeedToken, str]] = []

    def make() -> None:
        made.append(make_feed(**form.chosen(), by=request.user))

    if request.method == "POST" and tried(form, make):
        token, secret = made[0]
        request.session[NEW_FEED] = signing.dumps([token.pk, secret], salt=NEW_FEED)
        return redirect("feeds")
    tokens = FeedToken.objects.visible_to(request.user).select_related("user", "body", "resource")
    new = _new_feed(request, tokens)
    context = {
        "form": form,
        "new": new,
        "address": f"{settings.SITE_URL}{reverse('feed', args=[new[1]])}" if new else "",
        "tokens": tokens.filter(revoked_at=None).order_by("-made_at", "-pk"),
    }
    return render(request, "resources/feeds.html", context)


def _new_feed(request: Request, tokens: QuerySet[FeedToken]) -> tuple[FeedToken, str] | None:
    """The address that was made just now, which is gone from the session when it has been told."""
    kept = request.session.pop(NEW_FEED, "") if request.method == "GET" else ""
    try:
        pk, secret = signing.loads(kept, salt=NEW_FEED, max_age=NEW_FEED_SECONDS)
    except signing.BadSignature:
        return None
    token = tokens.filter(pk=pk).first()
    return (token, secret) if token else None


@require_POST
def feed_revoke(request: Request, pk: int) -> HttpResponse:
    token = get_visible(FeedToken.objects.select_related("body", "resource"), request.user, pk=pk)
    revoke_feed(token, by=request.user)
    messages.success(request, _("The calendar address for %(what)s no longer works.") % {"what": token})
    return redirect("feeds")


@require_safe
@login_not_required
@never_cache
def feed(request: HttpRequest, secret: str) -> HttpResponseBase:
    """What a calendar program fetches, without log-in: whoever knows the address reads it."""
    if too_many := ratelimit.consume_or_429(request, action="calendar", limit_get=True):
        return too_many
    token = feed_by(secret)
    if token is None:
        raise Http404
    with override(token.user.language):
        answer = HttpResponse(calendar_of(token), content_type=CALENDAR)
    answer["Content-Disposition"] = 'inline; filename="bokningar.ics"'
    return answer


@require_safe
def booking_calendar(request: Request, pk: int) -> HttpResponse:
    """One booking, to be put in a calendar; of a series, all that is approved."""
    rows = Booking.objects.select_related("resource__site", "booked_for")
    booking = get_visible(rows, request.user, pk=pk)
    content = calendars.feed(booking.resource.name, calendars.events_of([booking], request.user))
    answer = HttpResponse(content, content_type=CALENDAR)
    answer["Content-Disposition"] = 'attachment; filename="bokning.ics"'
    return answer
