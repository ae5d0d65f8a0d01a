"""Blockings: the owner takes a resource out of use for a time, and sees first what that displaces."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from django.utils.translation import gettext as _

from collab4m.clock import now
from organisations.models import Body, User
from records.operations import record, send
from records.people import speaking_for
from resources import mails
from resources.models import Blocking, Booking, RequestState, Resource
from resources.operations.alternatives import alternatives_to
from resources.operations.asking import BookingRefused, MayNotAsk, NotAlive
from resources.operations.claiming import claim_time, lock_shared, release, sharing_with, span_of
from resources.operations.letting_go import fall_back, offer_freed


def displaced_by(resource: Resource, starts_at: datetime, ends_at: datetime) -> list[Booking]:
    """The bookings that a blocking would displace, in order of time: of this and of all that share its units."""
    window = (starts_at, ends_at)
    bookings = Booking.objects.alive().filter(Q(during__overlap=window) | Q(kept__overlap=window))
    bookings = bookings.filter(resource__in=sharing_with(resource)).select_related(
        "resource__owner", "resource__municipality", "booked_for", "asked_by", "kept_price_rule"
    )
    return list(bookings.order_by("during", "pk"))


@transaction.atomic
def block_resource(
    resource: Resource,
    *,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    seen: set[int],
    by: User,
    on_behalf_of: Body,
) -> Blocking:
    """Take a resource out of use. What stands in the way is cancelled, with what those could have instead.

    `seen` are the ids of the bookings that the owner was shown; if others have come since, nothing is done.
    Raises MayNotAsk, BookingRefused.
    """
    lock_shared(resource)
    if on_behalf_of.pk not in speaking_for(by, resource.owner):
        raise MayNotAsk(_("The owner blocks its own resources."))
    if ends_at <= starts_at:
        raise BookingRefused(_("The end comes before the start. Change one of them."), "ends_at")
    if ends_at <= now():
        raise BookingRefused(_("That time has passed. Choose a later one."), "ends_at")
    if not reason.strip():
        raise BookingRefused(_("Write why, such as service. Everyone reads it."), "reason")
    displaced = displaced_by(resource, starts_at, ends_at)
    if {booking.pk for booking in displaced} - seen:
        raise BookingRefused(
            _("Another booking has come meanwhile. Look at what would be displaced, and confirm again.")
        )
    during = span_of(starts_at, ends_at)
    gone = [booking for booking in displaced if not _stands_beside(booking, during, reason.strip(), by, on_behalf_of)]
    for booking in gone:
        release([booking])
        booking.request_state, booking.answer, booking.kept = RequestState.CANCELLED, reason.strip(), None
        booking.sequence += 1
        booking.save()
        record("booking.displaced", booking, by=by, on_behalf_of=on_behalf_of, reason=reason.strip())
    blocking = Blocking.objects.create(resource=resource, during=during, reason=reason.strip(), by=by)
    claim_time(resource, during, blocking=blocking)
    offer_freed(resource)
    for booking in gone:
        instead = alternatives_to(booking.resource, booking.starts_at, booking.ends_at, user=booking.asked_by)
        send(*mails.displaced(booking, reason.strip(), instead))
    record("resource.blocked", resource, by=by, on_behalf_of=on_behalf_of, reason=reason.strip())
    return blocking


def _stands_beside(booking: Booking, during: DateTimeTZRange, reason: str, by: User, on_behalf_of: Body) -> bool:
    """Whether a booking goes on with the time that it keeps, when only the other one it asked for is blocked."""
    if booking.kept is None or (booking.kept.lower < during.upper and during.lower < booking.kept.upper):
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
