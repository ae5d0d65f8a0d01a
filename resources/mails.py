"""Mail about bookings: to whoever decides, and to whoever asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from collab4m.clock import today
from organisations.models import Body, User
from records.messages import Message, mail_kind, render_message
from records.people import answering_for, still_answering
from resources.calendars import invitation
from resources.models import Booking, Deputy, RequestState, Resource, Waiting, WaitingOffer

REQUEST = mail_kind("resources.request", _("Requests for what we share"))
ANSWER = mail_kind("resources.answer", _("Answers to what I have asked for"))


def asking_address(resource: Resource, starts_at: datetime, ends_at: datetime, quantity: int = 1) -> str:
    """Where to ask for a resource, with the time filled in."""
    span = {"fran": starts_at, "till": ends_at}
    filled = {name: f"{timezone.localtime(at):%Y-%m-%dT%H:%M}" for name, at in span.items()}
    more = {"antal": quantity} if quantity > 1 else {}
    return f"{reverse('booking_new', args=[resource.pk])}?{urlencode(filled | more)}"


def _whole(address: str) -> str:
    return f"{settings.SITE_URL}{address}"


def _render(
    kind: str, person: User, template: str, booking: Booking, *, calendar: str = "", address: str = "", **context: Any
) -> Message:
    context |= {
        "booking": booking,
        "resource": booking.resource,
        "address": _whole(address or booking.get_absolute_url()),
    }
    return render_message(kind, person, f"resources/mails/{template}.txt", context, calendar=calendar)


def told_of(resource: Resource, people: Iterable[User]) -> list[User]:
    """Those of the people who are told what happens to a resource; of an example only people who are examples."""
    return [person for person in people if person.example or not resource.example]


def deciders(owner: Body) -> list[User]:
    """Those who decide for an owner today: who answers for it, and its deputies."""
    deputies = Deputy.objects.filter(owner=owner, valid__contains=today()).values("user")
    people = [*answering_for(owner), *User.objects.filter(is_active=True, pk__in=deputies).order_by("pk")]
    return list({person.pk: person for person in people}.values())


def _to_owner(template: str, booking: Booking, **context: Any) -> list[Message]:
    people = told_of(booking.resource, deciders(booking.resource.owner))
    return [_render(REQUEST, person, template, booking, **context) for person in people]


def _to_asker(template: str, booking: Booking, *, invites: bool = False, ended: bool = False, **context: Any) -> Any:
    """To whoever asked. With `invites` it goes along to their calendar, a series whole; `ended` takes it away there."""
    return [
        _render(
            ANSWER,
            person,
            template,
            booking,
            calendar=invitation(booking, person.email, ended=ended) if invites else "",
            **context,
        )
        for person in told_of(booking.resource, still_answering(booking.asked_by, booking.booked_for))
    ]


# Asking


def to_decide(booking: Booking, *more: Booking, before: Any = None, answer: str = "") -> list[Message]:
    """To those who decide for the owner: new requests of one series or one alone, another time, or an answer.

    When another time is asked for, whoever asked gets the difference as well.
    """
    address = reverse("series_decide", args=[booking.pk]) if more else ""
    sent = _to_owner("to_decide", booking, before=before, answer=answer, dates=[booking, *more], address=address)
    if before is not None:
        sent += _to_asker("asked_to_move", booking, before=before, dates=[booking, *more])
    return sent


def moved(booking: Booking, before: Any, *more: Booking) -> list[Message]:
    """To both sides: a booking has another time, which the owner has approved beforehand; dates of a series in one."""
    dates = [booking, *more]
    return [
        *_to_owner("moved", booking, before=before, dates=dates),
        *_to_asker("moved_for_you", booking, before=before, dates=dates, invites=True),
    ]


def changed(booking: Booking) -> list[Message]:
    """To the owner: what a booking is for has changed."""
    return _to_owner("changed", booking)


def cancelled(booking: Booking, *more: Booking, by_owner: bool) -> list[Message]:
    """To the other side, dates of one series in one mail; and a receipt to whoever cancelled what was theirs."""
    dates = [booking, *more]
    was_booked = any(one.request_state == RequestState.CANCELLED for one in dates)
    if by_owner:
        return list(_to_asker("cancelled", booking, dates=dates, invites=was_booked, ended=True))
    sent = _to_owner("cancelled", booking, dates=dates, is_request=not was_booked)
    if was_booked:
        sent += _to_asker("cancelled_by_you", booking, dates=dates, invites=was_booked, ended=True)
    return sent


# Deciding


def to_remind(bookings: Sequence[Booking]) -> list[Message]:
    """To those who decide for their owner: requests that run out soon, in one mail."""
    first, owner = bookings[0], bookings[0].resource.owner
    return [
        _render(REQUEST, person, "to_remind", first, dates=shown, address=reverse("to_decide"), owner=owner)
        for person in deciders(owner)
        if (shown := [one for one in bookings if told_of(one.resource, [person])])
    ]


def approved(booking: Booking, *more: Booking, before: Any = None) -> list[Message]:
    """To whoever asked. Dates of one series in one mail; `before`: another time was asked for, and this was it."""
    dates = [booking, *more]
    return list(_to_asker("approved", booking, dates=dates, before=before, invites=True))


def declined(answers: Sequence[tuple[Booking, Iterable[Any]]]) -> list[Message]:
    """To whoever asked, with what they could have instead; dates of one series in one mail."""
    together: dict[Any, list[tuple[Booking, list[Any]]]] = {}
    for booking, instead in answers:
        key = ("series", booking.series_id) if booking.series_id else ("alone", booking.pk)
        ways = [with_way(one, booking.quantity) for one in instead]
        together.setdefault(key, []).append((booking, ways))
    messages: list[Message] = []
    for group in together.values():
        messages += _to_asker("declined", group[0][0], answers=group)
    return messages


def with_way(one: Any, quantity: int = 1) -> dict[str, Any]:
    """What could be had instead, with the address where one asks for it."""
    return {
        "resource": one.resource,
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
        "during": _Span(one.starts_at, one.ends_at),
        "address": _whole(asking_address(one.resource, one.starts_at, one.ends_at, quantity)),
    }


class _Span:
    """A stretch of time as the templates read it."""

    def __init__(self, lower: datetime, upper: datetime) -> None:
        self.lower, self.upper = lower, upper


def kept(booking: Booking, asked: Any) -> list[Message]:
    """Another time, `asked`, was asked for and not given."""
    return list(_to_asker("kept", booking, asked=asked))


def info_needed(booking: Booking) -> list[Message]:
    return list(_to_asker("info_needed", booking))


def to_answer(bookings: Sequence[Booking]) -> list[Message]:
    """To whoever asked: requests that run out soon, with what the owner has asked about each, in one mail."""
    first, *more = bookings
    address = reverse("bookings") if more else ""
    return [
        _render(ANSWER, person, "to_answer", first, dates=shown, address=address)
        for person in still_answering(first.asked_by, first.booked_for)
        if (shown := [one for one in bookings if told_of(one.resource, [person])])
    ]


def expired(booking: Booking, *more: Booking, was_asked: bool) -> list[Message]:
    """To whoever asked; and to those who decide, who should know what became of it. Dates of one series in one mail.

    `was_asked`: the owner had asked something, and that was not answered.
    """
    told: dict[str, Any] = {"dates": [booking, *more], "was_asked": was_asked}
    return [*_to_asker("expired", booking, **told), *_to_owner("expired_unanswered", booking, **told)]


def displaced(
    booking: Booking, reason: str, instead: Iterable[Any], *, was_booked: bool, invites: bool
) -> list[Message]:
    """To whoever asked: the owner has blocked the time. A request that was never approved is in nobody's calendar."""
    ways = [with_way(one, booking.quantity) for one in instead]
    context: dict[str, Any] = {"reason": reason, "instead": ways, "was_booked": was_booked}
    return list(_to_asker("displaced", booking, invites=invites, ended=True, **context))


# Deputies


def deputy_named(deputy: Deputy, by: User) -> list[Message]:
    """To a deputy: for whom they decide, from which day through which, and where."""
    waiting = Booking.objects.filter(resource__owner=deputy.owner, request_state=RequestState.REQUESTED)
    if not deputy.user.example:
        waiting = waiting.filter(resource__example=False)
    return _to_deputy("deputy_named", deputy, by, waiting=waiting.count())


def deputy_ended(deputy: Deputy, by: User) -> list[Message]:
    """To somebody who decides no longer, or who never got to."""
    return _to_deputy("deputy_ended", deputy, by)


def _to_deputy(template: str, deputy: Deputy, by: User, **context: Any) -> list[Message]:
    if by.example and not deputy.user.example:
        return []  # what somebody does in a demonstration is mailed to nobody outside it
    context |= {"deputy": deputy, "owner": deputy.owner, "by": by, "address": _whole(reverse("to_decide"))}
    template = f"resources/mails/{template}.txt"
    return [render_message(REQUEST, deputy.user, template, context, essential=True)]


# The waiting list


def _to_waiting(template: str, waiting: Waiting, address: str, **context: Any) -> list[Message]:
    context |= {"waiting": waiting, "resource": waiting.resource, "address": _whole(address)}
    people = told_of(waiting.resource, still_answering(waiting.asked_by, waiting.booked_for))
    return [render_message(ANSWER, person, f"resources/mails/{template}.txt", context) for person in people]


def offered(offer: WaitingOffer) -> list[Message]:
    """To whoever waits: a time is held for them until a moment."""
    return _to_waiting("offered", offer.waiting, reverse("offer_accept", args=[offer.pk]), offer=offer)


def offer_ended(offer: WaitingOffer) -> list[Message]:
    """To whoever did not answer in time: the offer has gone on."""
    again = reverse("wait", args=[offer.waiting.resource_id])
    return _to_waiting("offer_ended", offer.waiting, again, offer=offer)


def place_ended(waiting: Waiting, pieces: int) -> list[Message]:
    """To whoever can no longer get what they wait for: only so many pieces are left, or it is shared no longer."""
    return _to_waiting("place_ended", waiting, reverse("waiting_list"), pieces=pieces)


def offer_withdrawn(offer: WaitingOffer, reason: str) -> list[Message]:
    """To whoever was offered a time that the owner has blocked."""
    return _to_waiting("offer_withdrawn", offer.waiting, reverse("waiting_list"), offer=offer, reason=reason)
