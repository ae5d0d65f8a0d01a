"""The waiting list: what is freed is offered to the first in turn whose whole need fits, for a while."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Prefetch
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collab4m.clock import now
from collab4m.errors import RuleBroken
from organisations.models import Body, User
from programmes.models import Programme
from records.operations import record
from records.people import speaking_for
from resources.models import Booking, Resource, Waiting, WaitingOffer, WaitState
from resources.operations.asking import (
    BookingRefused,
    MayNotAsk,
    check_asker,
    check_pieces,
    check_time,
    check_what,
    make_booking,
    tell_of,
    with_alternatives,
)
from resources.operations.claiming import CannotBeHad, is_free, lock_shared, lock_units, span_of
from resources.operations.letting_go import end_offer, expire_offer, locked_offer, offer_freed
from resources.operations.opening import is_open


class OfferEnded(CannotBeHad):
    code = "offer_ended"
    message = gettext_lazy("The offer has ended or has been answered. Stand in line again if you still want the time.")


class NothingTaken(RuleBroken):
    code = "nothing_taken"
    message = gettext_lazy("It is free at that time. Ask for it instead.")


class NotWaiting(RuleBroken):
    code = "not_waiting"
    message = gettext_lazy("This place in line is already left, or the offer is taken.")


@transaction.atomic
def wait_for(
    resource: Resource,
    *,
    starts_at: datetime,
    ends_at: datetime,
    purpose: str,
    quantity: int = 1,
    programme: Programme | None = None,
    pupils: int | None = None,
    licence_confirmed: bool = False,
    cost_place: str = "",
    by: User,
    on_behalf_of: Body,
) -> Waiting:
    """Stand in line for a time that is taken; whoever stands there already for the same keeps that place.

    Raises MayNotAsk, BookingRefused, TooFewUnits, NothingTaken.
    """
    lock_units(resource)
    resource = Resource.objects.select_related("owner__as_school", "municipality").get(pk=resource.pk)
    check_asker(resource, by, on_behalf_of)
    check_time(resource, starts_at, ends_at)
    # What will never fit is refused at once, not when its turn comes. The licence is confirmed then at the latest.
    check_what(resource, purpose, pupils=pupils, licence_confirmed=True)
    check_pieces(resource, quantity)
    during = span_of(starts_at, ends_at)
    if not is_open(resource, during):
        raise BookingRefused(
            _("%(name)s is closed for some of that time, so nobody can get it. Choose another time.")
            % {"name": resource.name}
        )
    if is_free(resource, during, quantity=quantity):
        raise NothingTaken
    known = _standing(resource, during, quantity, on_behalf_of)
    if known is not None:
        return known
    waiting = Waiting.objects.create(
        resource=resource,
        booked_for_id=on_behalf_of.pk,
        asked_by=by,
        during=during,
        quantity=quantity,
        purpose=purpose.strip(),
        programme=programme,
        pupils=pupils,
        licence_confirmed=licence_confirmed,
        cost_place=cost_place.strip(),
    )
    record("booking.waits", waiting, by=by, on_behalf_of=on_behalf_of, body=str(on_behalf_of))
    return waiting


def _standing(resource: Resource, during: Any, quantity: int, on_behalf_of: Body) -> Waiting | None:
    standing = [WaitState.WAITING, WaitState.OFFERED]
    rows = Waiting.objects.filter(resource=resource, booked_for=on_behalf_of.pk, state__in=standing)
    return rows.filter(during=during, quantity=quantity).order_by("pk").first()


def accept_offer(
    offer: WaitingOffer, *, licence_confirmed: bool | None = None, by: User, on_behalf_of: Body
) -> Booking:
    """Take what was offered: it becomes a request or a booking, as the owner's rule says.

    Raises MayNotAsk, BookingRefused, such as when the driver's licence is not confirmed, and OfferEnded with
    alternatives.
    """
    resource = offer.waiting.resource

    def accept() -> Booking:
        if offer.until <= now():
            expire_offer(offer)
        with transaction.atomic():
            lock_units(resource)
            found = locked_offer(offer)
            waiting = found.waiting
            _require_asker(waiting, by, on_behalf_of)
            if found.ended_at is not None or found.until <= now():
                raise OfferEnded(waiting.during)
            end_offer(found, WaitState.TAKEN)
            booking = make_booking(
                resource,
                starts_at=waiting.during.lower,
                ends_at=waiting.during.upper,
                purpose=waiting.purpose,
                by=by,
                on_behalf_of=waiting.booked_for,
                quantity=waiting.quantity,
                programme=waiting.programme,
                pupils=waiting.pupils,
                licence_confirmed=waiting.licence_confirmed if licence_confirmed is None else licence_confirmed,
                cost_place=waiting.cost_place,
                was_held=True,
            )
            tell_of([booking], by)
            return booking

    return with_alternatives(resource, accept, user=by, quantity=offer.waiting.quantity)


@transaction.atomic
def leave_list(waiting: Waiting, *, by: User, on_behalf_of: Body) -> None:
    """Stand in line no longer; what was offered goes to the next. Raises MayNotAsk, NotWaiting."""
    lock_shared(waiting.resource)
    waiting = (
        Waiting.objects.select_for_update(of=("self",)).select_related("resource", "booked_for").get(pk=waiting.pk)
    )
    _require_asker(waiting, by, on_behalf_of)
    if waiting.state not in (WaitState.WAITING, WaitState.OFFERED):
        raise NotWaiting
    for offer in waiting.offers.filter(ended_at=None):
        offer.waiting = waiting
        end_offer(offer, WaitState.GIVEN_UP)
    waiting.state = WaitState.GIVEN_UP
    waiting.save(update_fields=["state"])
    record("booking.waits_no_more", waiting, by=by, on_behalf_of=on_behalf_of, body=str(waiting.booked_for))
    offer_freed(waiting.resource)


def _require_asker(waiting: Waiting, by: User, on_behalf_of: Body) -> None:
    if on_behalf_of.pk not in speaking_for(by, waiting.booked_for):
        raise MayNotAsk


def places_of(user: User) -> list[Waiting]:
    """The places in line of the user's bodies that may still come to something, offers first. Two queries."""
    rows = Waiting.objects.visible_to(user).filter(
        state__in=[WaitState.WAITING, WaitState.OFFERED], during__startswith__gt=now()
    )
    offers = Prefetch("offers", WaitingOffer.objects.filter(ended_at=None), to_attr="standing")
    rows = rows.select_related("resource__owner", "booked_for", "programme").prefetch_related(offers)
    return sorted(rows.order_by("during", "pk").distinct(), key=lambda one: one.state != WaitState.OFFERED)
