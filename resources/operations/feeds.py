"""Calendar addresses: who may have which, what each shows, and taking one back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from icalendar import Event

from collab4m.clock import now
from collab4m.errors import RuleBroken
from collab4m.templatetags.shell import capital
from organisations.models import Body, User
from organisations.models.people import hash_of, new_secret
from records.operations import record
from resources import calendars
from resources.models import Blocking, Booking, FeedKind, FeedToken, RequestState, Resource
from resources.models.bookings import BookingQuerySet

BACK, AHEAD = timedelta(days=60), timedelta(days=550)
MOST_FEEDS = 20
SEEN_AGAIN = timedelta(hours=1)  # how often it is written down that an address was fetched


class FeedRefused(RuleBroken):
    code = "feed_refused"


@transaction.atomic
def make_feed(
    kind: str, *, by: User, body: Body | None = None, resource: Resource | None = None
) -> tuple[FeedToken, str]:
    """A new calendar address, and its secret, which is told this once.

    Raises FeedRefused for a school one does not work for, a resource one may not see, or too many addresses.
    """
    if body is not None and body.pk not in by.bodies_today():
        raise FeedRefused(_("Choose a school or a municipality that you work for."), "what")
    if resource is not None and not Resource.objects.visible_to(by).filter(pk=resource.pk).exists():
        raise FeedRefused(_("Choose a resource that you may see."), "what")
    if (kind == FeedKind.SCHOOL) != (body is not None) or (kind == FeedKind.RESOURCE) != (resource is not None):
        raise FeedRefused(_("Choose what the calendar is to show."), "what")
    if by.feed_tokens.filter(revoked_at=None).count() >= MOST_FEEDS:
        raise FeedRefused(_("You have twenty calendar addresses. Take one back before you make another."))
    secret = new_secret()
    token = FeedToken.objects.create(user=by, kind=kind, body=body, resource=resource, token_sha256=hash_of(secret))
    record("feed.made", token, by=by, shows=kind, shown=_shown(token))
    return token, secret


def _shown(token: FeedToken) -> str:
    return str(token.body or token.resource or "")


@transaction.atomic
def revoke_feed(token: FeedToken, *, by: User) -> FeedToken:
    """Make an address stop working. One that already has is left as it is. Raises FeedRefused for another's."""
    token = FeedToken.objects.select_for_update().get(pk=token.pk)
    if token.user_id != by.pk:
        raise FeedRefused(_("This calendar address is another’s. Only its holder takes it back."))
    if token.revoked_at is None:
        token.revoked_at = now()
        token.save(update_fields=["revoked_at"])
        record("feed.revoked", token, by=by, shows=token.kind, shown=_shown(token))
    return token


def feed_by(secret: str) -> FeedToken | None:
    """The address with this secret, unless it is taken back or its holder's account is closed."""
    rows = FeedToken.objects.filter(revoked_at=None, user__is_active=True)
    token = rows.select_related("user", "body", "resource").filter(token_sha256=hash_of(secret)).first()
    if token is not None and (token.last_used_at is None or token.last_used_at < now() - SEEN_AGAIN):
        token.last_used_at = now()
        token.save(update_fields=["last_used_at"])
    return token


def calendar_of(token: FeedToken) -> bytes:
    """What its holder may see today of what the address shows, as iCalendar."""
    return calendars.feed(capital(str(token)), _events(token))


def _events(token: FeedToken) -> Iterator[Event]:
    reader = token.user
    window = (now() - BACK, now() + AHEAD)
    near = Booking.objects.filter(Q(during__overlap=window) | Q(kept__overlap=window)).select_related(
        "resource__site", "booked_for"
    )
    seen = near.filter(pk__in=Booking.objects.visible_to(reader).values("pk")).order_by("during", "pk")
    match token.kind:
        case FeedKind.PERSON:
            yield from calendars.events_of(seen.filter(asked_by=reader), reader)
        case FeedKind.SCHOOL:
            yield from calendars.events_of(seen.filter(booked_for=token.body), reader)
        case FeedKind.DECIDER:
            yield from map(calendars.event_of, _to_decide(reader, seen))
        case _ if token.resource and Resource.objects.visible_to(reader).contains(token.resource):
            yield from _of_resource(token, near, seen)


def _to_decide(reader: User, seen: BookingQuerySet) -> BookingQuerySet:
    """What waits for the reader's word, and what no longer does, so that calendars let go of it."""
    return seen.decidable_by(reader).exclude(request_state=RequestState.APPROVED, decide_by=None)


def _of_resource(token: FeedToken, near: QuerySet[Booking], seen: QuerySet[Booking]) -> Iterator[Event]:
    """Everything that takes up the resource: as a whole or by its parts."""
    sharing = Resource.objects.filter(resource_units__unit__resources=token.resource_id).distinct()
    told = set(seen.filter(resource=token.resource_id).values_list("pk", flat=True))
    yield from map(calendars.event_of, seen.filter(pk__in=told))
    others = near.filter(resource__in=sharing, claims__isnull=False).exclude(pk__in=told).distinct()
    yield from map(calendars.busy, others.order_by("during", "pk"))
    since = now() - BACK
    blockings = Blocking.objects.filter(resource__in=sharing, during__endswith__gt=since)
    yield from map(calendars.blocked, blockings.select_related("resource").order_by("during", "pk"))
