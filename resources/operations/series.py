"""Series: dates by a weekly rule in local time, shown one by one before anything is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from django.db import models, transaction
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from collab4m.clock import now
from collab4m.errors import RuleBroken
from organisations.models import Body, Municipality, SchoolBreak, Semester, User
from records.operations import record, send
from records.people import speaking_for
from resources import mails
from resources.models import Booking, Claim, RequestState, Resource, Series, Takes
from resources.operations.alternatives import Alternative, alternatives_to_each
from resources.operations.asking import (
    BookingRefused,
    KeyUsed,
    NotAlive,
    approved_at_once,
    change_time,
    check_asker,
    check_time,
    make_booking,
    move_booking,
    tell_of,
    tell_of_move,
    with_alternatives,
)
from resources.operations.cancelling import cancel_booking, check_cancelling, let_go
from resources.operations.claiming import (
    TooFewUnits,
    lock_shared,
    lock_units,
    needed_between,
    release,
    span_of,
    turnaround_words,
    units_of,
)
from resources.operations.freedom import Time
from resources.operations.lateness import TooLate
from resources.operations.letting_go import end_due, locked, offer_freed
from resources.operations.opening import local

A_DAY = timedelta(days=1)
MOST_DATES = 200
MOST_NAMED = 3
LONGEST_BETWEEN = timedelta(days=100)  # a longer time between two semesters lacks one that is not entered


@dataclass(frozen=True)
class Pattern:
    """Which days, from which time and for how long, in wall-clock time: it stays the same when clocks change."""

    first_day: date
    last_day: date
    starts: time
    minutes: int
    weekdays: Collection[int] = ()  # 1 Monday – 7 Sunday; none: that of the first day
    every_weeks: int = 1
    breaks_of: Municipality | None = None  # leave out this municipality's breaks, and what lies between its semesters

    def dates(self) -> list[date]:
        """Its days in order. Raises BookingRefused for a rule that gives none or too many."""
        found, _skipped = self._days()
        if not found:
            raise BookingRefused(_("The rule gives no day. Change the weekdays or the last day."), "weekdays")
        if len(found) > MOST_DATES:
            words = {"dates": len(found), "most": MOST_DATES}
            raise BookingRefused(
                _("The rule gives %(dates)s days. Ask for %(most)s at a time at most.") % words, "last_day"
            )
        return found

    def skipped(self) -> list[date]:
        """The days of the rule that fall in a break which is left out. Raises BookingRefused as `dates`."""
        return self._days()[1]

    def _days(self) -> tuple[list[date], list[date]]:
        if self.last_day < self.first_day:
            raise BookingRefused(_("The last day comes before the first. Change one of them."), "last_day")
        if not 1 <= self.every_weeks <= 52:
            raise BookingRefused(_("Choose every week, or every so many weeks up to fifty-two."), "every_weeks")
        if (self.last_day - self.first_day).days > 800:
            raise BookingRefused(_("Choose a last day within two years."), "last_day")
        weekdays = set(self.weekdays) or {self.first_day.isoweekday()}
        monday = self.first_day - timedelta(days=self.first_day.weekday())
        days = (self.first_day + timedelta(days=step) for step in range((self.last_day - self.first_day).days + 1))
        by_rule = [
            day for day in days
            if day.isoweekday() in weekdays and ((day - monday).days // 7) % self.every_weeks == 0
        ]  # fmt: skip
        if self.breaks_of is None:
            return by_rule, []
        off = _days_off(self.breaks_of, self.first_day, self.last_day)
        skipped = [day for day in by_rule if any(day in one for one in off)]
        return [day for day in by_rule if day not in skipped], skipped

    def times(self) -> list[tuple[datetime, datetime]]:
        """Start and end of each day, aware."""
        length = timedelta(minutes=self.minutes)
        ends = {day: datetime.combine(day, self.starts) + length for day in self.dates()}
        return [(local(day, self.starts), local(end.date(), end.time())) for day, end in ends.items()]


def _days_off(municipality: Municipality, first_day: date, last_day: date) -> list[DateRange]:
    """Its breaks in these days, and the time between two of its semesters. Two queries."""
    breaks = SchoolBreak.objects.filter(municipality=municipality, valid__overlap=(first_day, last_day + A_DAY))
    around = (first_day - LONGEST_BETWEEN, last_day + LONGEST_BETWEEN)
    semesters = Semester.objects.filter(municipality=municipality, valid__overlap=around).order_by("valid")
    between = [
        DateRange(one.upper, following.lower)
        for one, following in pairwise(semesters.values_list("valid", flat=True))
        if timedelta() < following.lower - one.upper <= LONGEST_BETWEEN
    ]
    return [*breaks.values_list("valid", flat=True), *between]


class DateState(models.TextChoices):
    FREE = "free", gettext_lazy("free")
    TAKEN = "taken", gettext_lazy("taken")
    CLOSED = "closed", gettext_lazy("closed")
    REFUSED = "refused", gettext_lazy("cannot be asked for")


@dataclass(frozen=True)
class Occurrence:
    """A date of a series: free, taken, closed, or against the owner's rule, with what could be had instead."""

    starts_at: datetime
    ends_at: datetime
    state: str
    why: str = ""
    instead: list[Alternative] = field(default_factory=list)

    @property
    def during(self) -> DateTimeTZRange:
        return span_of(self.starts_at, self.ends_at)


def preview(
    resource: Resource,
    times: Iterable[tuple[datetime, datetime]],
    *,
    user: User,
    quantity: int = 1,
    but: Sequence[Collection[int]] = (),
) -> list[Occurrence]:
    """Each date and whether it can be had, not counting for each what the bookings with the ids in `but` hold.

    A fixed number of queries. What is offered instead is neither a time of the series itself nor offered twice.
    """
    times = list(times)
    if not times:
        return []
    window = span_of(min(begins for begins, _ends in times), max(ends for _begins, ends in times) + A_DAY)
    units = dict(units_of(resource).order_by("pk").values_list("pk", "name"))
    wanted = len(units) if resource.takes == Takes.ALL else quantity
    claims = list(
        Claim.objects.filter(unit__in=list(units), blocked__overlap=window).values_list(
            "unit", "during", "blocked", "booking"
        )
    )
    spans = list(resource.open_spans.filter(during__overlap=window).values_list("during", flat=True))
    found: list[Occurrence] = []
    own: list[Time] = []
    for place, (starts_at, ends_at) in enumerate(times):
        during = span_of(starts_at, ends_at)
        blocked_to = during.upper + timedelta(minutes=resource.turnaround_minutes)
        not_counted = but[place] if but else ()
        taken = [
            (unit, held, blocked)
            for unit, held, blocked, booking in claims
            if blocked.lower < blocked_to and blocked.upper > during.lower and booking not in not_counted
        ]
        is_open = any(span.lower <= during.lower and span.upper >= during.upper for span in spans)
        try:
            check_time(resource, starts_at, ends_at)
        except BookingRefused as refusal:
            found.append(Occurrence(starts_at, ends_at, DateState.REFUSED, str(refusal)))
            continue
        free = len(units) - wanted
        if wanted > len(units) > 0:
            found.append(Occurrence(starts_at, ends_at, DateState.REFUSED, str(TooFewUnits(resource, len(units)))))
        elif not is_open:
            found.append(Occurrence(starts_at, ends_at, DateState.CLOSED))
        elif wanted * (1 + sum(begins < blocked_to and ends > during.lower for begins, ends in own)) > len(units) > 0:
            found.append(
                Occurrence(starts_at, ends_at, DateState.REFUSED, _("It runs into the date before in the same series."))
            )
        elif not units or len({unit for unit, _held, _blocked in taken}) > free:
            between = needed_between(taken, during, free=free, turnaround=resource.turnaround_minutes)
            names = [units[pk] for pk in units if pk in {unit for unit, _held, _blocked in taken}]
            why = turnaround_words(resource, between) if between else _taken_in_words(names, len(units))
            found.append(Occurrence(starts_at, ends_at, DateState.TAKEN, why))
        else:
            own.append((during.lower, blocked_to))
            found.append(Occurrence(starts_at, ends_at, DateState.FREE))
    return _with_substitutes(resource, found, user, quantity)


def _taken_in_words(names: Sequence[str], of: int) -> str:
    """Which pieces are taken, or how many when they are many; nothing when all of it is."""
    if len(names) == of:
        return ""
    if len(names) <= MOST_NAMED:
        text = ngettext("%(names)s is taken then.", "%(names)s are taken then.", len(names))
        return text % {"names": ", ".join(names)}
    free = of - len(names)
    words = {"free": free, "total": of}
    return ngettext("%(free)s of %(total)s is free then.", "%(free)s of %(total)s are free then.", free) % words


def _with_substitutes(resource: Resource, dates: Sequence[Occurrence], user: User, quantity: int) -> list[Occurrence]:
    taken = [one for one in dates if one.state in (DateState.TAKEN, DateState.CLOSED)]
    if not taken:
        return list(dates)
    turnaround = timedelta(minutes=resource.turnaround_minutes)
    spoken_for = [(resource.pk, one.starts_at, one.ends_at) for one in dates if one.state == DateState.FREE]
    each = alternatives_to_each(resource, [(one.starts_at, one.ends_at) for one in taken], user=user, quantity=quantity)
    instead: dict[datetime, list[Alternative]] = {}
    for one, offered in zip(taken, each, strict=True):
        instead[one.starts_at] = [
            other
            for other in offered
            if not any(
                pk == other.resource.pk and begins < other.ends_at + turnaround and other.starts_at < ends + turnaround
                for pk, begins, ends in spoken_for
            )
        ]
        spoken_for += [(other.resource.pk, other.starts_at, other.ends_at) for other in instead[one.starts_at]]
    return [replace(one, instead=instead.get(one.starts_at, [])) for one in dates]


def request_series(
    resource: Resource,
    pattern: Pattern,
    *,
    leave_out: Collection[date] = (),
    instead: Mapping[date, Alternative] | None = None,
    idempotency_key: str = "",
    by: User,
    on_behalf_of: Body,
    **what: Any,
) -> tuple[Series, list[Booking]]:
    """Ask for every date of the pattern but those left out: all of them, or none if one cannot be had.

    What is taken `instead` of a date, of the same resource or another, is a booking of the same series. The same
    `idempotency_key` from the same person gives the same series.
    Raises what `request_booking` raises, for the first date that cannot be had.
    """
    instead = instead or {}
    times: list[tuple[Resource, datetime, datetime]] = []
    for begins, ends in pattern.times():
        other = instead.get(begins.date())
        if other is not None:
            times.append((other.resource, other.starts_at, other.ends_at))
        elif begins.date() not in leave_out:
            times.append((resource, begins, ends))
    if not times:
        raise BookingRefused(_("No date is left. Keep one at least."))

    rule = {
        "booked_for_id": on_behalf_of.pk,
        "first_day": pattern.first_day,
        "last_day": pattern.last_day,
        "weekdays": sorted(pattern.weekdays),
        "every_weeks": pattern.every_weeks,
        "starts": pattern.starts,
        "minutes": pattern.minutes,
        "breaks_of": pattern.breaks_of,
    }

    def ask() -> tuple[Series, list[Booking]]:
        with transaction.atomic():
            lock_units(resource, *(other.resource for other in instead.values()))
            if known := series_asked_before(resource, by, idempotency_key, rule):
                return known, list(known.bookings.order_by("pk"))
            check_asker(resource, by, on_behalf_of)
            asked_at = now()
            series = Series.objects.create(resource=resource, **rule)
            made = [
                make_booking(
                    taken,
                    starts_at=begins,
                    ends_at=ends,
                    by=by,
                    on_behalf_of=on_behalf_of,
                    series=series,
                    tells=False,
                    asked_at=asked_at,
                    idempotency_key="" if place else idempotency_key,
                    **what,
                )
                for place, (taken, begins, ends) in enumerate(times)
            ]
            record("booking.series_made", made[0], by=by, on_behalf_of=on_behalf_of, dates=len(made))
            for bookings in by_resource(made):
                tell_of(bookings, by)
            return series, made

    return with_alternatives(resource, ask, user=by, quantity=what.get("quantity", 1))


def series_asked_before(resource: Resource, by: User, idempotency_key: str, rule: Mapping[str, Any]) -> Series | None:
    """The series that the same person made with the same key. Raises KeyUsed if that was of something else."""
    if not idempotency_key:
        return None
    known = (
        Booking.objects.filter(asked_by=by, idempotency_key=idempotency_key).select_related("series__resource").first()
    )
    if known is None:
        return None
    if known.series is None or known.series.resource_id != resource.pk:
        raise KeyUsed
    if any(getattr(known.series, name) != value for name, value in rule.items()):
        raise KeyUsed
    return known.series


def by_resource(bookings: Iterable[Booking]) -> list[list[Booking]]:
    """The bookings of each resource together, each in the order they came."""
    found: dict[int, list[Booking]] = {}
    for one in bookings:
        found.setdefault(one.resource_id, []).append(one)
    return list(found.values())


class Scope(models.TextChoices):
    """How much of a series is meant."""

    ONE = "one", gettext_lazy("this one only")
    FOLLOWING = "following", gettext_lazy("this and the following")
    ALL = "all", gettext_lazy("all coming")


def in_scope(booking: Booking, scope: str) -> list[Booking]:
    """The bookings that are meant, in order of time: itself alone, or those to come that have not been let go of."""
    if scope == Scope.ONE or booking.series_id is None:
        return [booking]
    coming = Booking.objects.alive().filter(series=booking.series_id, during__startswith__gt=now())
    if scope == Scope.FOLLOWING:
        coming = coming.filter(during__startswith__gte=booking.starts_at)
    return list(
        coming.select_related("resource__owner__as_school", "resource__municipality", "booked_for__as_school").order_by(
            "during", "pk"
        )
    )


def shifted(booking: Booking, by_example: Booking, starts_at: datetime, ends_at: datetime) -> Time:
    """When a booking would be, if another moves to a time: as many days later, at the same hours by the clock."""
    was, begins, ends = (localtime(at) for at in (by_example.starts_at, starts_at, ends_at))
    day = localtime(booking.starts_at).date() + (begins.date() - was.date())
    return local(day, begins.time()), local(day + (ends.date() - begins.date()), ends.time())


def preview_move(
    booking: Booking, scope: str, *, starts_at: datetime, ends_at: datetime, user: User
) -> list[tuple[Booking, Occurrence]]:
    """Each booking that would move, and whether its new time can be had. Fixed queries for each resource."""
    moved = in_scope(booking, scope)
    found: list[tuple[Booking, Occurrence]] = []
    for bookings in by_resource(moved):
        resource = bookings[0].resource
        at_once = approved_at_once(resource, user)
        # What waits for the owner holds its approved time meanwhile, also against its own series.
        freed = {one.pk for one in bookings if at_once or (one.request_state != RequestState.APPROVED and not one.kept)}
        times = [shifted(one, booking, starts_at, ends_at) for one in bookings]
        dates = preview(
            resource, times, user=user, quantity=booking.quantity, but=[{one.pk, *freed} for one in bookings]
        )
        found += zip(bookings, dates, strict=True)
    return sorted(found, key=lambda pair: (pair[0].starts_at, pair[0].pk))


def move_series(
    booking: Booking, scope: str, *, starts_at: datetime, ends_at: datetime, by: User, on_behalf_of: Body
) -> list[Booking]:
    """Move a booking to a time and with it those of its series that are meant, all of them or none.

    Each moves as many days and keeps the same hours by the clock; returns those that had another time until now.
    Raises what `change_time` raises.
    """

    def move() -> list[Booking]:
        end_due(in_scope(booking, scope))
        with transaction.atomic():
            meant = in_scope(booking, scope)
            lock_shared(*{one.resource for one in meant})
            meant = [locked(one) for one in meant]
            before = {one.pk: one.during for one in meant}
            times = {one.pk: shifted(one, booking, starts_at, ends_at) for one in meant}
            # One that was moved there by itself stays as it is.
            found = [one for one in meant if span_of(*times[one.pk]) != one.during] or meant
            release(found)
            for one in found:
                move_booking(one, *times[one.pk], by=by, on_behalf_of=on_behalf_of)
            for first, *more in by_resource(found):
                tell_of_move(first, before[first.pk], *more)
                offer_freed(first.resource)
            return found

    if scope == Scope.ONE or booking.series_id is None:
        return [change_time(booking, starts_at=starts_at, ends_at=ends_at, by=by, on_behalf_of=on_behalf_of)]
    if not in_scope(booking, scope):
        raise NotAlive
    return with_alternatives(booking.resource, move, user=by, quantity=booking.quantity)


def why_not_cancelled(booking: Booking, *, is_owner: bool) -> str:
    """What stands against cancelling it, or nothing."""
    try:
        check_cancelling(booking, is_owner=is_owner)
    except RuleBroken as broken:
        return str(broken)
    return ""


def cancel_series(booking: Booking, scope: str, *, reason: str = "", by: User, on_behalf_of: Body) -> list[Booking]:
    """Let go of those of a series that are meant and can be cancelled still; the others stand.

    Raises what `cancel_booking` raises when it is one only, or when none of them can be cancelled.
    """
    if scope == Scope.ONE or booking.series_id is None:
        return [cancel_booking(booking, reason=reason, by=by, on_behalf_of=on_behalf_of)]
    end_due(in_scope(booking, scope))
    with transaction.atomic():
        return _cancel_those(booking, in_scope(booking, scope), reason, by, on_behalf_of)


def _cancel_those(booking: Booking, meant: list[Booking], reason: str, by: User, on_behalf_of: Body) -> list[Booking]:
    lock_shared(*{one.resource for one in meant})
    found = [
        locked(one) for one in meant if one.resource_id == booking.resource_id or may_let_go(one, by, on_behalf_of)
    ]
    last: RuleBroken | None = None
    gone = []
    for one in found:
        try:
            by_owner = let_go(one, reason, by=by, on_behalf_of=on_behalf_of)
        except (TooLate, NotAlive) as broken:
            last = broken
            continue
        gone.append((one, by_owner))
    if not gone:
        raise last or NotAlive.about(locked(booking))
    for bookings in by_resource([one for one, _by_owner in gone]):
        first, *more = bookings
        send(*mails.cancelled(first, *more, by_owner=gone[0][1]))
        offer_freed(first.resource)
    return [one for one, _by_owner in gone]


def may_let_go(booking: Booking, by: User, on_behalf_of: Body) -> bool:
    """Whether one stands on either side of a booking: a series may hold substitutes of other owners."""
    return any(on_behalf_of.pk in speaking_for(by, side) for side in booking.owners())
