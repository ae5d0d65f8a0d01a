"""Until when whoever asked may let go of an approved time, by the owner's rule."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _

from collab4m.clock import now
from collab4m.errors import RuleBroken
from resources.models import Booking, RequestState


class TooLate(RuleBroken):
    code = "too_late"


def check_lateness(booking: Booking, late: str) -> None:
    """Raises TooLate, in the words `late`, when the owner's rule no longer lets go of the time that is approved."""
    had = booking.kept or (booking.during if booking.request_state == RequestState.APPROVED else None)
    hours = booking.resource.cancel_hours
    if had is None or now() <= had.lower - timedelta(hours=hours):
        return
    if not hours:
        raise TooLate(_("It has begun, so only the owner can end it. Call the owner."))
    raise TooLate(late % {"hours": hours})
