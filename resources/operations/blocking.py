"""Blockings: the owner takes a resource out of use for a time, and sees first what that displaces."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from collab4m.clock import now
from collab4m.templatetags.shell import moment_in_words, span_in_words
from organisations.models import Body, User
from records.operations import record, send
from records.people import speaking_for
from resources import mails
from resources.models import Blocking, Booking, Claim, RequestState, Resource, Takes, WaitingOffer, WaitState
from resources.operations.alternatives import alternatives_to
from resources.operations.asking import SHORTEST, BookingRefused, MayNotAsk, NotAlive
from resources.operations.claiming import claim_time, lock_shared, release, sharing_with, span_of, units_of
from resources.operations.letting_go import back_to_kept, end_offer, fall_back, locked, locked_offer, offer_freed
from resources.operations.opening import DAYS_AHEAD


def _window(starts_at: datetime, ends_at: datetime) -> DateTimeTZRange:
    """What a blocking takes: from this minute at the earliest, so that what is over stays as it was."""
    return span_of(max(starts_at, now().replace(second=0, microsecond=0)), ends_at)


def displaced_by(resource: Resource, starts_at: datetime, ends_at: datetime) -> list[Booking]:
    """The bookings that a blocking would displace, in order of time.

    Those that hold some of the resource's units then, and the requests that hold nothing yet and would go without.
    """
    window = _window(starts_at, ends_at)
    if window.upper <= window.lower:
        return []
    units = units_of(resource).values("pk")
    holds = Claim.objects.filter(booking=OuterRef("pk"), unit__in=units, during__overlap=window)
    holds_its_time = Claim.objects.filter(booking=OuterRef("pk"), during__contains=OuterRef("during"))
    goes_without = (
        Q(request_state__in=RequestState.open(), during__overlap=window)
        & Q(~Exists(holds_its_time))
        & (Q(resource=resource) | Q(resource__in=sharing_with(resource), resource__takes=Takes.ALL))
    )
    bookings = Booking.objects.alive().filter(Q(Exists(holds)) | goes_without)
    bookings = bookings.select_related(
        "resource__owner", "resource__municipality", "booked_for__as_school", "asked_by", "kept_price_rule", "programme"
    )
    return list(bookings.order_by("during", "pk"))


def offers_displaced_by(resource: Resource, starts_at: datetime, ends_at: datetime) -> list[WaitingOffer]:
    """The offers to the waiting list that a blocking would take back."""
    window = _window(starts_at, ends_at)
    claims = Claim.objects.filter(unit__in=units_of(resource).values("pk"), during__overlap=window)
    offers = WaitingOffer.objects.filter(ended_at=None, pk__in=claims.values("offer"))
    return list(offers.select_related("waiting__resource__owner", "waiting__booked_for").order_by("pk"))


def blockings_of(resource: Resource) -> list[Blocking]:
    """The blockings, not over, of a resource and of what shares units with it, in order of time."""
    rows = Blocking.objects.filter(resource__in=sharing_with(resource), ended_at=None, during__endswith__gt=now())
    return list(rows.select_related("by", "resource").order_by("during", "pk"))


def check_blocking(resource: Resource, starts_at: datetime, ends_at: datetime, reason: str) -> None:
    """Raises BookingRefused for a blocking that cannot be made whatever it displaces."""
    asked, window = span_of(starts_at, ends_at), _window(starts_at, ends_at)
    if asked.upper <= asked.lower:
        raise BookingRefused(_("The end comes before the start. Change one of them."), "ends_at")
    if ends_at <= now():
        raise BookingRefused(_("That time has passed. Choose a later one."), "ends_at")
    if window.upper - window.lower < SHORTEST:
        raise BookingRefused(_("Block five minutes at least."), "ends_at")
    if (ends_at - now()).days >= DAYS_AHEAD:
        raise BookingRefused(_("That is too far ahead. Block at most eighteen months ahead."), "ends_at")
    if not reason.strip():
        raise BookingRefused(_("Write why, such as service. Everyone reads it."), "reason")
    claims = Claim.objects.filter(unit__in=units_of(resource).values("pk"))
    other = claims.filter(during__overlap=window, blocking__isnull=False).select_related("blocking").first()
    if other is not None and other.blocking is not None:
        words = {"time": span_in_words(other.blocking.during), "reason": other.blocking.reason}
        raise BookingRefused(
            _("It is already blocked %(time)s: %(reason)s. End that blocking, or choose another time.") % words,
            "starts_at",
        )
    turned = claims.filter(during__endswith__lte=window.lower, blocked__overlap=window).order_by("-blocked").first()
    if turned is not None:
        words = {"time": moment_in_words(turned.blocked.upper)}
        raise BookingRefused(
            _("The turnaround after a booking lasts until %(time)s. Let the blocking begin then.") % words, "starts_at"
        )


@transaction.atomic
def block_resource(
    resource: Resource,
    *,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    seen: Collection[int],
    by: User,
    on_behalf_of: Body,
) -> Blocking:
    """Take a resource out of use. What stands in the way is cancelled, with what those could have instead.

    `seen` are the ids of the bookings that the owner was shown; if others have come since, nothing is done.
    Raises MayNotAsk, BookingRefused.
    """
    # Those displaced let go of units that the resource does not have itself: the other half of the hall.
    nearby = list(sharing_with(resource))
    lock_shared(*nearby)
    if on_behalf_of.pk not in speaking_for(by, resource.owner):
        raise MayNotAsk(_("The owner blocks its own resources."))
    check_blocking(resource, starts_at, ends_at, reason)
    displaced = displaced_by(resource, starts_at, ends_at)
    if {booking.pk for booking in displaced} - set(seen):
        raise BookingRefused(
            _("Another booking has come meanwhile. Look at what would be displaced, and confirm again.")
        )
    during, reason = _window(starts_at, ends_at), reason.strip()
    gone = []
    for booking in map(locked, displaced):
        if not _stands_beside(booking, during, reason, by, on_behalf_of):
            gone.append((booking, _displace(booking, reason, by, on_behalf_of)))
    for offer in map(locked_offer, offers_displaced_by(resource, starts_at, ends_at)):
        end_offer(offer, WaitState.WAITING)
        send(*mails.offer_withdrawn(offer, reason))
    blocking = Blocking.objects.create(resource=resource, during=during, reason=reason, by=by)
    claim_time(resource, during, blocking=blocking)
    offer_freed(*nearby)
    told: set[int] = set()
    for booking, was_booked in gone:
        instead = alternatives_to(
            booking.resource, booking.starts_at, booking.ends_at, user=booking.asked_by, quantity=booking.quantity
        )
        invites = was_booked and booking.series_id not in told  # a series goes whole, once
        if invites and booking.series_id:
            told.add(booking.series_id)
        send(*mails.displaced(booking, reason, instead, was_booked=was_booked, invites=invites))
    record(
        "resource.blocked", resource, by=by, on_behalf_of=on_behalf_of, reason=reason,
        begins=during.lower.isoformat(), ends=during.upper.isoformat(), displaced=len(gone),
    )  # fmt: skip
    return blocking


def _displace(booking: Booking, reason: str, by: User, on_behalf_of: Body) -> bool:
    """Cancel one; returns whether some time of it was approved."""
    was_booked = booking.request_state == RequestState.APPROVED or booking.kept is not None
    release([booking])
    back_to_kept(booking)
    booking.request_state, booking.answer = RequestState.CANCELLED, reason
    booking.decided_by, booking.decided_at = by, now()
    booking.sequence += 1
    booking.save()
    record("booking.displaced", booking, by=by, on_behalf_of=on_behalf_of, reason=reason)
    return was_booked


def _stands_beside(booking: Booking, during: DateTimeTZRange, reason: str, by: User, on_behalf_of: Body) -> bool:
    """Whether a booking goes on with the time that it keeps, when only the other one it asked for is blocked."""
    kept: Any = booking.kept
    if kept is None or (kept.lower < during.upper and during.lower < kept.upper):
        return False
    fall_back(booking, reason, by, on_behalf_of)
    return True


@transaction.atomic
def end_blocking(blocking: Blocking, *, by: User, on_behalf_of: Body) -> Blocking:
    """Let the resource be used again. Raises MayNotAsk, NotAlive."""
    lock_shared(blocking.resource)
    blocking = Blocking.objects.select_for_update(of=("self",)).select_related("resource__owner").get(pk=blocking.pk)
    if on_behalf_of.pk not in speaking_for(by, blocking.resource.owner):
        raise MayNotAsk(_("The owner blocks its own resources."))
    if blocking.ended_at is not None:
        raise NotAlive(_("The blocking has ended already."))
    release(blockings=[blocking])
    blocking.ended_at = now()
    blocking.save(update_fields=["ended_at"])
    record("resource.unblocked", blocking.resource, by=by, on_behalf_of=on_behalf_of, reason=blocking.reason)
    offer_freed(blocking.resource)
    return blocking
