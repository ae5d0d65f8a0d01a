"""The waiting list: what is freed is offered to the first in turn whose whole need fits, for a while."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collab4m.clock import now
from collab4m.errors import RuleBroken
from organisations.models import Body, User
from records.operations import record
from records.people import speaking_for
from resources.models import Booking, Resource, Waiting, WaitingOffer, WaitState
from resources.operations.asking import MayNotAsk, check_asker, check_time, make_booking
from resources.operations.claiming import is_free, lock_shared, lock_units, span_of
from resources.operations.letting_go import end_offer, locked_offer, offer_freed
from resources.operations.opening import is_open


class OfferEnded(RuleBroken):
    code = "offer_ended"
    message = gettext_lazy("The offer has ended or has been answered. You are still on the list if you want to be.")


class NothingTaken(RuleBroken):
    code = "nothing_taken"
    message = gettext_lazy("It is free at that time. Ask for it instead.")


@transaction.atomic
def wait_for(
    resource: Resource,
    *,
    starts_at: datetime,
    ends_at: datetime,
    purpose: str,
    quantity: int = 1,
    by: User,
    on_behalf_of: Body,
) -> Waiting:
    """Stand in line for a time that is taken. Raises MayNotAsk, BookingRefused, NothingTaken."""
    lock_units(resource)
    resource = Resource.objects.select_related("owner__as_school", "municipality").get(pk=resource.pk)
    check_asker(resource, by, on_behalf_of)
    check_time(resource, starts_at, ends_at)
    during = span_of(starts_at, ends_at)
    if is_open(resource, during) and is_free(resource, during, quantity=quantity):
        raise NothingTaken
    waiting = Waiting.objects.create(
        resource=resource,
        booked_for_id=on_behalf_of.pk,
        asked_by=by,
        during=during,
        quantity=quantity,
        purpose=purpose.strip(),
    )
    record("booking.waits", resource, by=by, on_behalf_of=on_behalf_of, body=str(on_behalf_of))
    return waiting


def accept_offer(offer: WaitingOffer, *, by: User, on_behalf_of: Body) -> Booking:
    """Take what was offered: it becomes a request or a booking, as the owner's rule says.

    Raises MayNotAsk, OfferEnded.
    """
    resource = offer.waiting.resource
    with transaction.atomic():
        lock_units(resource)
        offer = locked_offer(offer)
        _require_asker(offer, by, on_behalf_of)
        if offer.ended_at is not None or offer.until <= now():
            raise OfferEnded
        waiting = offer.waiting
        end_offer(offer, WaitState.TAKEN)
        return make_booking(
            resource,
            starts_at=waiting.during.lower,
            ends_at=waiting.during.upper,
            purpose=waiting.purpose or _("From the waiting list"),
            by=by,
            on_behalf_of=on_behalf_of,
            quantity=waiting.quantity,
            licence_confirmed=True,
        )


@transaction.atomic
def leave_list(waiting: Waiting, *, by: User, on_behalf_of: Body) -> None:
    """Stand in line no longer; what was offered goes to the next. Raises MayNotAsk."""
    lock_shared(waiting.resource)
    waiting = (
        Waiting.objects.select_for_update(of=("self",)).select_related("resource", "booked_for").get(pk=waiting.pk)
    )
    if on_behalf_of.pk not in speaking_for(by, waiting.booked_for):
        raise MayNotAsk
    for offer in waiting.offers.filter(ended_at=None):
        offer.waiting = waiting
        end_offer(offer, WaitState.GIVEN_UP)
    waiting.state = WaitState.GIVEN_UP
    waiting.save(update_fields=["state"])
    offer_freed(waiting.resource)


def _require_asker(offer: WaitingOffer, by: User, on_behalf_of: Body) -> None:
    if on_behalf_of.pk not in speaking_for(by, offer.waiting.booked_for):
        raise MayNotAsk
