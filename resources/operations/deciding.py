"""The owner's word on requests: yes to one declines its rivals, no says why, a question sends it back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collab4m.clock import now
from collab4m.errors import RuleBroken
from collab4m.templatetags.shell import moment_in_words, span_in_words
from organisations.models import Body, User
from records.models import Event
from records.operations import record, send
from records.people import speaking_for
from resources import mails
from resources.models import (
    Booking,
    Claim,
    RequestState,
    Resource,
    ResourceUnit,
    Series,
    Takes,
    deputising,
    turned_around,
)
from resources.operations.alternatives import Alternative, alternatives_to
from resources.operations.asking import BookingRefused, with_alternatives
from resources.operations.claiming import (
    CannotBeHad,
    SlotTaken,
    claim_booking,
    for_history,
    is_free,
    lock_shared,
    lock_units,
    release,
    sharing_with,
    span_of,
)
from resources.operations.letting_go import (
    after_what_is_due,
    decide,
    end_due,
    expire_locked,
    fall_back,
    locked,
    offer_freed,
)

# The longest turnaround that the column holds: how far around a request its rivals are looked for.
MOST_TURNAROUND = timedelta(minutes=32767)


class NotAwaitingDecision(CannotBeHad):
    code = "not_awaiting_decision"
    message = gettext_lazy("This request is already decided, withdrawn or expired.")

    @classmethod
    def about(cls, booking: Booking) -> NotAwaitingDecision:
        """With what became of it and what can be done, when it ran out."""
        if not booking.has_run_out or booking.decide_by is None:
            return cls(booking.during)
        words = {"until": moment_in_words(booking.decide_by), "who": booking.booked_for}
        if booking.kept is not None or booking.request_state == RequestState.APPROVED:
            text = _(
                "Nobody answered by %(until)s, so the wish for another time ran out, and the booking stands as before. "
                "Ask %(who)s to ask for the other time again."
            )
        else:
            text = _("Nobody answered by %(until)s, so the request ran out. Ask %(who)s to ask again.")
        return cls(booking.during, text % words)


class MayNotDecide(RuleBroken):
    code = "may_not_decide"
    message = gettext_lazy("The owner of the resource decides.")


class ChangedSinceShown(RuleBroken):
    """What would be decided is no longer what was shown."""

    code = "changed_since_shown"
    message = gettext_lazy("The requests have changed since you opened the page. Look at them and decide again.")


@dataclass
class Effect:
    """The other requests for some of the same units and time, and those that go without if this one is approved."""

    rivals: list[Booking] = field(default_factory=list)
    turned_down: list[Booking] = field(default_factory=list)


def deciding_body(user: User, resource: Resource) -> Body | None:
    """The body as which `user` decides about a resource today: one that speaks for the owner, or the owner itself."""
    if own := speaking_for(user, resource.owner):
        return resource.owner if resource.owner_id in own else Body.objects.get(pk=own[0])
    return resource.owner if deputising(user).filter(owner=resource.owner_id).exists() else None


def _require_decider(booking: Booking, by: User, on_behalf_of: Body) -> None:
    own = speaking_for(by, booking.resource.owner)
    if on_behalf_of.pk in own:
        return
    is_deputy = deputising(by).filter(owner=booking.resource.owner_id).exists()
    if not is_deputy or on_behalf_of.pk != booking.resource.owner_id:
        raise MayNotDecide


# Yes


def approve_booking(
    booking: Booking, *, note: str = "", seen: Collection[int] | None = None, by: User, on_behalf_of: Body
) -> Booking:
    """Give a request its units, and decline those that wanted the same time, with what they could have instead.

    `seen` are the ids of the rivals that whoever decides was shown; if others have come since, nothing is done.
    Raises MayNotDecide, NotAwaitingDecision, ChangedSinceShown, and SlotTaken if another claim holds part of the time.
    """

    def approve() -> Booking:
        end_due([booking])
        with transaction.atomic():
            lock_shared(booking.resource)
            found = locked(booking)
            _require_decider(found, by, on_behalf_of)
            if seen is not None and {rival.pk for rival in rivals_of(found)} - set(seen):
                raise ChangedSinceShown
            before = found.kept
            lost = _approve(found, note, by, on_behalf_of)
            send(*mails.approved(found, before=before))
            _decline_all(lost, _("Somebody else got the time."), by, on_behalf_of)
            offer_freed(found.resource)
            return found

    return with_alternatives(booking.resource, approve, user=by, quantity=booking.quantity)


def _approve(booking: Booking, note: str, by: User, on_behalf_of: Body) -> list[Booking]:
    """Yes to one whose units are locked; returns the rivals for which there is no longer room."""
    _check_awaiting(booking)
    if booking.starts_at <= now():
        words = _("The time that was asked for has begun, so it cannot be approved any more.")
        raise NotAwaitingDecision(booking.during, words)
    release([booking])
    before, booking.kept = booking.kept, None
    claim_booking(booking)
    decide(booking, RequestState.APPROVED, note, by)
    moved: dict[str, Any] = {"before": for_history(before), "after": for_history(booking.during)} if before else {}
    record(
        "booking.approved", booking, by=by, on_behalf_of=on_behalf_of, resource=booking.resource.name, **moved
    )  # fmt: skip
    return [
        rival
        for rival in rivals_of(booking)
        if not is_free(
            rival.resource,
            rival.during,
            quantity=rival.quantity,
            turnaround_minutes=rival.turnaround_minutes,
            but=rival,
        )
    ]


def _check_awaiting(booking: Booking) -> None:
    # Its time may have run out while its units were waited for; then the clock ends it.
    if not booking.is_open or booking.is_due:
        raise NotAwaitingDecision.about(booking)


# No


@after_what_is_due
def decline_booking(booking: Booking, *, reason: str, by: User, on_behalf_of: Body) -> Booking:
    """Say no to a request, and why; the answer goes with what could be had instead.

    Raises MayNotDecide, NotAwaitingDecision, BookingRefused without a reason.
    """
    lock_shared(booking.resource)
    booking = locked(booking)
    _require_decider(booking, by, on_behalf_of)
    _check_awaiting(booking)
    _decline_all([booking], _reason(reason), by, on_behalf_of)
    offer_freed(booking.resource)
    return booking


def _reason(reason: str) -> str:
    if not reason.strip():
        raise BookingRefused(_("Say why. Whoever asked for it reads it."), "reason")
    return reason.strip()


def _decline_all(bookings: Iterable[Booking], reason: str, by: User, on_behalf_of: Body) -> None:
    """No: what was asked for is let go of; a booking that asked for another time keeps the one it had.

    Those of one series get one mail together. What has run out meanwhile is not declined, but ends.
    """
    declined = []
    for booking in bookings:
        if booking.is_due:
            expire_locked([booking])
            continue
        if booking.kept is not None:
            fall_back(booking, reason, by, on_behalf_of)
            continue
        release([booking])
        decide(booking, RequestState.DECLINED, reason, by)
        record("booking.declined", booking, by=by, on_behalf_of=on_behalf_of, reason=reason)
        declined.append(booking)
    send(*mails.declined([(booking, instead_of(booking)) for booking in declined]))


def instead_of(booking: Booking) -> list[Alternative]:
    """What whoever asked could have instead; never what the owner has just said no to."""
    found = alternatives_to(
        booking.resource, booking.starts_at, booking.ends_at, user=booking.asked_by, quantity=booking.quantity
    )
    return [one for one in found if (one.resource.pk, one.starts_at) != (booking.resource_id, booking.starts_at)]


# Many at once


def decide_series(
    series: Series,
    *,
    owner: Body,
    approve: Collection[int],
    shown: Collection[int],
    reason: str = "",
    note: str = "",
    by: User,
    on_behalf_of: Body,
) -> tuple[list[Booking], list[Booking]]:
    """Approve these dates of those that an owner has to decide and decline its others, all or nothing; returns the two.

    `shown` are the ids of the dates and of their rivals that whoever decides was shown.
    Raises MayNotDecide, ChangedSinceShown, BookingRefused without a reason, NotAwaitingDecision, and SlotTaken for the
    first date that cannot be had.
    """

    def word() -> tuple[list[Booking], list[Booking]]:
        end_due(open_dates(series, owner))
        with transaction.atomic():
            lock_shared(*Resource.objects.filter(bookings__in=series.bookings.all()))
            dates = [locked(one) for one in open_dates(series, owner)]
            for date in series.bookings.filter(pk__in=approve, resource__owner=owner.pk).select_related("booked_for"):
                if date.has_run_out:
                    raise _on_the_day(date, NotAwaitingDecision.about(date))
            _check_shown(dates, set(approve), set(shown))
            for date in dates:
                _require_decider(date, by, on_behalf_of)
            given = [date for date in dates if date.pk in approve]
            refused = [date for date in dates if date.pk not in approve]
            before = {date.pk: date.kept for date in given}
            if refused:
                _decline_all(refused, _reason(reason), by, on_behalf_of)
            # Once each, also those that wanted the time of several dates.
            lost = {rival.pk: rival for date in given for rival in _approve_date(date, note, by, on_behalf_of)}
            if given:
                send(*mails.approved(*given, before=before[given[0].pk]))
            _decline_all(lost.values(), _("Somebody else got the time."), by, on_behalf_of)
            for resource in {date.resource_id: date.resource for date in dates}.values():
                offer_freed(resource)
            return given, refused

    quantity = series.bookings.values_list("quantity", flat=True).first() or 1
    return with_alternatives(series.resource, word, user=by, quantity=quantity)


def open_dates(series: Series, owner: Body) -> list[Booking]:
    """The dates of a series on what `owner` shares that are not decided, in order."""
    rows = series.bookings.filter(request_state__in=RequestState.open(), resource__owner=owner.pk)
    return list(_with_facts(rows).order_by("during", "pk"))


def _check_shown(dates: Sequence[Booking], approve: set[int], shown: set[int]) -> None:
    found = {date.pk for date in dates}
    rivals = {rival.pk for effect in effects_of(dates).values() for rival in effect.rivals}
    if not dates:
        raise ChangedSinceShown(_("All dates of the series are already decided, withdrawn or expired."))
    if approve - found or (found | rivals) - shown:
        raise ChangedSinceShown


def _approve_date(date: Booking, note: str, by: User, on_behalf_of: Body) -> list[Booking]:
    try:
        return _approve(date, note, by, on_behalf_of)
    except CannotBeHad as refusal:
        raise _on_the_day(date, refusal) from refusal


def _on_the_day(date: Booking, refusal: CannotBeHad) -> CannotBeHad:
    """The refusal with the day that it is about."""
    day = span_in_words(date.during)
    if isinstance(refusal, SlotTaken):
        words = _("%(day)s: somebody else has the resource then. Leave that date out.") % {"day": day}
    else:
        words = _("%(day)s: %(why)s") % {"day": day, "why": refusal}
    found = type(refusal)(date.during, words)
    found.resource = date.resource
    return found


# Who else wants it


def rivals_of(booking: Booking) -> list[Booking]:
    """Other requests for some of the same units and time that hold nothing then, in the order they were made."""
    return effects_of([booking])[booking.pk].rivals


def effects_of(bookings: Sequence[Booking]) -> dict[int, Effect]:
    """For each booking its rivals, and those of them that approving it would turn down. A look only; three queries."""
    if not bookings:
        return {}
    units: dict[int, list[int]] = {}
    pairs = ResourceUnit.objects.filter(resource__in=sharing_with(*{one.resource for one in bookings}))
    for resource, unit in pairs.order_by("unit").values_list("resource", "unit"):
        units.setdefault(resource, []).append(unit)
    window = span_of(
        min(one.starts_at for one in bookings) - MOST_TURNAROUND, max(one.ends_at for one in bookings) + MOST_TURNAROUND
    )
    holding = Claim.objects.filter(booking=OuterRef("pk"), during__contains=OuterRef("during"))
    asked = Booking.objects.filter(
        ~Exists(holding), during__overlap=window, resource__in=units, request_state__in=RequestState.open()
    )
    others = list(_with_facts(asked).order_by("asked_at", "pk"))
    every = {unit for found in units.values() for unit in found}
    claims = list(
        Claim.objects.filter(unit__in=every, blocked__overlap=window).values_list("unit", "blocked", "booking")
    )
    return {one.pk: _effect(one, others, units, claims) for one in bookings}


def _effect(
    booking: Booking, others: Iterable[Booking], units: dict[int, list[int]], claims: Iterable[tuple[int, Any, int]]
) -> Effect:
    own = units.get(booking.resource_id, [])
    found = Effect()
    taken = {
        unit for unit, blocked, holder in claims if holder != booking.pk and _meet(blocked, _blocked_by(booking))
    }  # fmt: skip
    would_take = [unit for unit in own if unit not in taken][: _wanted(booking, own)]
    for rival in others:
        theirs = units.get(rival.resource_id, [])
        if rival.pk == booking.pk or not set(own) & set(theirs) or not _meet(_blocked_by(booking), _blocked_by(rival)):
            continue
        found.rivals.append(rival)
        gone = {
            unit for unit, blocked, holder in claims
            if holder not in (booking.pk, rival.pk) and _meet(blocked, _blocked_by(rival))
        }  # fmt: skip
        if len(set(theirs) - gone - set(would_take)) < _wanted(rival, theirs):
            found.turned_down.append(rival)
    return found


def _wanted(booking: Booking, units: Sequence[int]) -> int:
    return len(units) if booking.resource.takes == Takes.ALL else booking.quantity


def _blocked_by(booking: Booking) -> Any:
    return turned_around(booking.during, booking.turnaround_minutes)


def _meet(one: Any, other: Any) -> bool:
    return bool(one.lower < other.upper and other.lower < one.upper)


def _with_facts(rows: Any) -> Any:
    return rows.select_related(
        "resource__owner__as_school", "resource__municipality", "booked_for", "asked_by", "programme", "series",
        "kept_price_rule",
    )  # fmt: skip


def requests_for(user: User) -> list[Booking]:
    """What waits for the user's own word, and what they have asked about and wait for, by the owners' deadlines."""
    rows = Booking.objects.to_decide(user) | Booking.objects.to_decide(user, RequestState.INFO_NEEDED)
    return list(_with_facts(rows).order_by("decide_by", "asked_at", "pk"))


# Asking back


@after_what_is_due
def ask_for_more(booking: Booking, *, question: str, by: User, on_behalf_of: Body) -> Booking:
    """Send a request back with a question. The time is held as before, and the deadline stays.

    Raises MayNotDecide, NotAwaitingDecision, BookingRefused.
    """
    lock_units(booking.resource)
    booking = locked(booking)
    _require_decider(booking, by, on_behalf_of)
    _check_awaiting(booking)
    if not question.strip():
        raise BookingRefused(_("Write what you need to know."), "question")
    booking.request_state, booking.answer = RequestState.INFO_NEEDED, question.strip()
    booking.reminded_at = None
    booking.save(update_fields=["request_state", "answer", "reminded_at"])
    record("booking.info_needed", booking, by=by, on_behalf_of=on_behalf_of, question=question.strip())
    send(*mails.info_needed(booking))
    return booking


def was_asked(booking: Booking) -> tuple[bool, str]:
    """Whether its `answer` is the owner's question, not a word on what was decided; and what was answered to it."""
    words = ["booking.info_needed", "booking.answered", "booking.approved", "booking.kept"]
    last = Event.objects.about(booking).filter(name__in=words).order_by("at", "pk").last()
    if last is None or last.name in ("booking.approved", "booking.kept"):
        return False, ""
    return True, str(last.data.get("answer", ""))
