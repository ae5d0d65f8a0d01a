"""Letting go of a booking: whoever asked withdraws it or cancels it, or the owner cancels it and says why."""

from __future__ import annotations

from django.utils.translation import gettext as _

from collab4m.clock import now
from organisations.models import Body, User
from records.operations import record, send
from records.people import speaking_for
from resources import mails
from resources.models import Booking, RequestState
from resources.operations.asking import BookingRefused, MayNotAsk, check_alive
from resources.operations.claiming import lock_shared, release
from resources.operations.lateness import TooLate, check_lateness
from resources.operations.letting_go import after_what_is_due, back_to_kept, locked, offer_freed


@after_what_is_due
def cancel_booking(booking: Booking, *, reason: str = "", by: User, on_behalf_of: Body) -> Booking:
    """Let go of a booking: the asker withdraws a request or cancels what is approved; the owner cancels with a reason.

    Raises NotAlive, MayNotAsk, BookingRefused, TooLate by the owner's rule.
    """
    lock_shared(booking.resource)
    booking = locked(booking)
    by_owner = let_go(booking, reason, by=by, on_behalf_of=on_behalf_of)
    send(*mails.cancelled(booking, by_owner=by_owner))
    offer_freed(booking.resource)
    return booking


def let_go(booking: Booking, reason: str, *, by: User, on_behalf_of: Body) -> bool:
    """Cancel a booking in the caller's transaction, which has locked it and tells of it; whether the owner did it."""
    is_asker = on_behalf_of.pk in speaking_for(by, booking.booked_for)
    is_owner = on_behalf_of.pk in speaking_for(by, booking.resource.owner) or (
        on_behalf_of.pk == booking.resource.owner_id and by.has_perm("resources.decide_booking", booking)
    )
    if not (is_asker or is_owner):
        raise MayNotAsk(_("Only those who asked for it and the owner can cancel it."))
    check_cancelling(booking, is_owner=is_owner)
    if is_owner and not is_asker and not reason.strip():
        raise BookingRefused(_("Say why. Whoever asked for it reads it."), "reason")
    release([booking])
    was_approved = booking.request_state == RequestState.APPROVED or booking.kept is not None
    booking.request_state = RequestState.CANCELLED if was_approved else RequestState.WITHDRAWN
    booking.answer = reason.strip()
    back_to_kept(booking)
    booking.sequence += 1
    booking.save()
    record("booking.cancelled", booking, by=by, on_behalf_of=on_behalf_of, reason=reason.strip())
    return is_owner and not is_asker


def check_cancelling(booking: Booking, *, is_owner: bool) -> None:
    """Raises NotAlive, or TooLate by the owner's rule, which does not bind the owner."""
    check_alive(booking)
    was_approved = booking.request_state == RequestState.APPROVED or booking.kept is not None
    had = booking.kept or booking.during
    if was_approved and had.upper <= now():
        raise TooLate(_("It is over, so it cannot be cancelled."))
    if not is_owner:
        check_lateness(booking, _("The owner wants it cancelled %(hours)s hours ahead at least. Call the owner."))
