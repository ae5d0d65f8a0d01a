"""Series: dates by a weekly rule in local time, shown one by one before anything is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from organisations.models import Body, Municipality, SchoolBreak, User
from records.operations import record
from resources.models import Booking, Claim, Resource, Series, Takes
from resources.operations.alternatives import Alternative, alternatives_to
from resources.operations.asking import (
    BookingRefused,
    check_asker,
    check_time,
    make_booking,
    with_alternatives,
)
from resources.operations.claiming import lock_units, span_of, units_of
from resources.operations.opening import local

MOST_DATES = 200


@dataclass(frozen=True)
class Pattern:
    """Which days, from which time and for how long, in wall-clock time: it stays the same when clocks change."""

    first_day: date
    last_day: date
    starts: time
    minutes: int
    weekdays: Collection[int] = ()  # 1 Monday – 7 Sunday; none: that of the first day
    every_weeks: int = 1
    breaks_of: Municipality | None = None  # leave out this municipality's breaks

    def dates(self) -> list[date]:
        """Its days in order. Raises BookingRefused for a rule that gives none or too many."""
        if self.last_day < self.first_day:
            raise BookingRefused(_("The last day comes before the first. Change one of them."), "last_day")
        if not 1 <= self.every_weeks <= 52:
            raise BookingRefused(_("Choose every week, or every so many weeks up to fifty-two."), "every_weeks")
        if (self.last_day - self.first_day).days > 800:
            raise BookingRefused(_("Choose a last day within two years."), "last_day")
        weekdays = set(self.weekdays) or {self.first_day.isoweekday()}
        monday = self.first_day - timedelta(days=self.first_day.weekday())
        days = (self.first_day + timedelta(days=step) for step in range((self.last_day - self.first_day).days + 1))
        found = [
            day for day in days
            if day.isoweekday() in weekdays and ((day - monday).days // 7) % self.every_weeks == 0
        ]  # fmt: skip
        if self.breaks_of is not None:
            breaks = list(
                SchoolBreak.objects.filter(
                    municipality=self.breaks_of, valid__overlap=(self.first_day, self.last_day + timedelta(days=1))
                )
            )
            found = [day for day in found if not any(day in one.valid for one in breaks)]
        if not found:
            raise BookingRefused(_("The rule gives no day. Change the weekdays or the last day."), "weekdays")
        if len(found) > MOST_DATES:
            words = {"dates": len(found), "most": MOST_DATES}
            raise BookingRefused(
                _("The rule gives %(dates)s days. Ask for %(most)s at a time at most.") % words, "last_day"
            )
        return found

    def times(self) -> list[tuple[datetime, datetime]]:
        """Start and end of each day, aware."""
        begun = [local(day, self.starts) for day in self.dates()]
        ends = [
            local((datetime.combine(day, self.starts) + timedelta(minutes=self.minutes)).date(),
                  (datetime.combine(day, self.starts) + timedelta(minutes=self.minutes)).time())
            for day in self.dates()
        ]  # fmt: skip
        return list(zip(begun, ends, strict=True))


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


def preview(
    resource: Resource, times: Iterable[tuple[datetime, datetime]], *, user: User, quantity: int = 1
) -> list[Occurrence]:
    """Each date and whether it can be had. Three queries, and two for each date that is taken."""
    times = list(times)
    if not times:
        return []
    window = span_of(times[0][0], times[-1][1])
    units = list(units_of(resource).values_list("pk", flat=True))
    wanted = len(units) if resource.takes == Takes.ALL else quantity
    claims = list(Claim.objects.filter(unit__in=units, blocked__overlap=window).values_list("unit", "blocked"))
    spans = list(resource.open_spans.filter(during__overlap=window).values_list("during", flat=True))
    found = []
    for starts_at, ends_at in times:
        blocked_to = ends_at + timedelta(minutes=resource.turnaround_minutes)
        taken = {unit for unit, blocked in claims if blocked.lower < blocked_to and blocked.upper > starts_at}
        is_open = any(span.lower <= starts_at and span.upper >= ends_at for span in spans)
        try:
            check_time(resource, starts_at, ends_at)
        except BookingRefused as refusal:
            found.append(Occurrence(starts_at, ends_at, DateState.REFUSED, str(refusal)))
            continue
        if not is_open:
            found.append(Occurrence(starts_at, ends_at, DateState.CLOSED))
        elif len(units) - len(taken) < wanted:
            instead = alternatives_to(resource, starts_at, ends_at, user=user)
            found.append(Occurrence(starts_at, ends_at, DateState.TAKEN, instead=instead))
        else:
            found.append(Occurrence(starts_at, ends_at, DateState.FREE))
    return found


def request_series(
    resource: Resource,
    pattern: Pattern,
    *,
    leave_out: Collection[date] = (),
    by: User,
    on_behalf_of: Body,
    **what: Any,
) -> tuple[Series, list[Booking]]:
    """Ask for every date of the pattern but those left out: all of them, or none if one cannot be had.

    Raises what `request_booking` raises, for the first date that cannot be had.
    """
    times = [(begins, ends) for begins, ends in pattern.times() if begins.date() not in set(leave_out)]
    if not times:
        raise BookingRefused(_("No date is left. Keep one at least."))

    def ask() -> tuple[Series, list[Booking]]:
        with transaction.atomic():
            lock_units(resource)
            check_asker(resource, by, on_behalf_of)
            series = Series.objects.create(
                resource=resource,
                booked_for_id=on_behalf_of.pk,
                first_day=pattern.first_day,
                last_day=pattern.last_day,
                weekdays=sorted(pattern.weekdays),
                every_weeks=pattern.every_weeks,
                starts=pattern.starts,
                minutes=pattern.minutes,
                breaks_of=pattern.breaks_of,
            )
            made = []
            for begins, ends in times:
                made.append(
                    make_booking(
                        resource,
                        starts_at=begins,
                        ends_at=ends,
                        by=by,
                        on_behalf_of=on_behalf_of,
                        series=series,
                        **what,
                    )
                )
            record("booking.series_made", made[0], by=by, on_behalf_of=on_behalf_of, dates=len(made))
            return series, made

    return with_alternatives(resource, ask, user=by)
