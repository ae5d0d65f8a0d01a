"""Mail about bookings: to whoever decides, and to whoever asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from collab4m.clock import today
from organisations.models import Body, User
from records.messages import Message, mail_kind, render_message
from records.people import answering_for, still_answering
from resources.models import Booking, Deputy, WaitingOffer

REQUEST = mail_kind("resources.request", _("Requests for what we share"))
ANSWER = mail_kind("resources.answer", _("Answers to what I have asked for"))


def _render(kind: str, person: User, template: str, booking: Booking, **context: Any) -> Message:
    address = f"{settings.SITE_URL}{booking.get_absolute_url()}"
    context |= {"booking": booking, "resource": booking.resource, "address": address}
    return render_message(kind, person, f"resources/mails/{template}.txt", context)


def deciders(owner: Body) -> list[User]:
    """Those who decide for an owner today: who answers for it, and its deputies."""
    deputies = Deputy.objects.filter(owner=owner, valid__contains=today()).values("user")
    return [*answering_for(owner), *User.objects.filter(is_active=True, pk__in=deputies).order_by("pk")]


def to_decide(booking: Booking, *, before: Any = None, answer: str = "") -> list[Message]:
    """To those who decide for the owner: a new request, another time, or an answer to their question."""
    return [
        _render(REQUEST, person, "to_decide", booking, before=before, answer=answer)
        for person in deciders(booking.resource.owner)
    ]


def _to_asker(template: str, booking: Booking, **context: Any) -> list[Message]:
    people = still_answering(booking.asked_by, booking.booked_for)
    return [_render(ANSWER, person, template, booking, **context) for person in people]


def approved(booking: Booking) -> list[Message]:
    return _to_asker("approved", booking)


def declined(booking: Booking, instead: Iterable[Any]) -> list[Message]:
    return _to_asker("declined", booking, instead=list(instead))


def kept(booking: Booking) -> list[Message]:
    """Another time was asked for and not given."""
    return _to_asker("kept", booking)


def info_needed(booking: Booking) -> list[Message]:
    return _to_asker("info_needed", booking)


def expired(booking: Booking) -> list[Message]:
    return _to_asker("expired", booking)


def displaced(booking: Booking, reason: str, instead: Iterable[Any]) -> list[Message]:
    return _to_asker("displaced", booking, reason=reason, instead=list(instead))


def moved(booking: Booking, before: Any) -> list[Message]:
    """To the owner, who has approved such changes beforehand."""
    return [
        _render(REQUEST, person, "moved", booking, before=before) for person in answering_for(booking.resource.owner)
    ]


def cancelled(booking: Booking, *, by_owner: bool) -> list[Message]:
    """To the other side."""
    if by_owner:
        return _to_asker("cancelled", booking)
    return [_render(REQUEST, person, "cancelled", booking) for person in answering_for(booking.resource.owner)]


def offered(offer: WaitingOffer) -> list[Message]:
    """To whoever waits: a time is held for them until a moment."""
    waiting = offer.waiting
    address = f"{settings.SITE_URL}{waiting.resource.get_absolute_url()}"
    context = {"offer": offer, "waiting": waiting, "resource": waiting.resource, "address": address}
    return [
        render_message(ANSWER, person, "resources/mails/offered.txt", context)
        for person in still_answering(waiting.asked_by, waiting.booked_for)
    ]
