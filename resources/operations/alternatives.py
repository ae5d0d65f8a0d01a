"""What could be had instead: the same resource at another time, or one of the same category at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q

from collab4m.clock import now
from organisations.models import User
from resources.models import Claim, OpenSpan, Resource, ResourceUnit, Takes
from resources.operations.claiming import span_of, units_of

MOST = 3
DAYS_AROUND = 14
LATER_DAYS = 120
STEP = timedelta(minutes=30)


@dataclass(frozen=True)
class Alternative:
    """A resource and a time that nobody had a moment ago."""

    resource: Resource
    starts_at: datetime
    ends_at: datetime


def alternatives_to(resource: Resource, starts_at: datetime, ends_at: datetime, *, user: User) -> list[Alternative]:
    """Up to three: the nearest free time of the resource itself, then others of its kind at the time wanted."""
    if ends_at <= starts_at:
        return []
    length = ends_at - starts_at
    found = [Alternative(resource, begins, begins + length) for begins in _nearest(resource, starts_at, length)][:1]
    for other in _similar(resource, starts_at, ends_at, user):
        found.append(Alternative(other, starts_at, ends_at))
        if len(found) == MOST:
            return found
    more = _nearest(resource, starts_at, length)
    known = {(one.resource.pk, one.starts_at) for one in found}
    for begins in more:
        if len(found) == MOST:
            break
        if (resource.pk, begins) not in known:
            found.append(Alternative(resource, begins, begins + length))
    return found


def _similar(resource: Resource, starts_at: datetime, ends_at: datetime, user: User) -> list[Resource]:
    """Others of the same category that are open and free then, those that lend at once first."""
    during = span_of(starts_at, ends_at)
    others = Resource.objects.visible_to(user).in_use().filter(category=resource.category_id).exclude(pk=resource.pk)
    if resource.capacity:
        others = others.filter(Q(capacity=None) | Q(capacity__gte=resource.capacity))
    others = others.filter(Exists(OpenSpan.objects.filter(resource=OuterRef("pk"), during__contains=during)))
    others = others.exclude(takes=Takes.ALL, resource_units__unit__claims__blocked__overlap=during)
    free_unit = ResourceUnit.objects.filter(resource=OuterRef("pk")).exclude(
        unit__in=Claim.objects.filter(blocked__overlap=during).values("unit")
    )
    return list(others.filter(Exists(free_unit)).select_related("owner").order_by("approval", "pk").distinct()[:MOST])


def _nearest(resource: Resource, wanted: datetime, length: timedelta) -> Iterator[datetime]:
    """Starts of free times of that length, the nearest first: within two weeks, then further on."""
    earliest = now() + timedelta(minutes=max(resource.lead_minutes, 5))
    around = timedelta(days=DAYS_AROUND)
    near = sorted(
        _free_starts(resource, max(earliest, wanted - around), wanted + around, length, wanted),
        key=lambda begins: abs(begins - wanted),
    )
    yield from near
    if not near:
        yield from _free_starts(
            resource, max(earliest, wanted + around), wanted + timedelta(days=LATER_DAYS), length, wanted
        )


def _free_starts(
    resource: Resource, begins: datetime, ends: datetime, length: timedelta, wanted: datetime
) -> Iterator[datetime]:
    """In each open stretch without a claim: the start nearest to the hour that was wanted, in steps of half an hour."""
    turnaround = timedelta(minutes=resource.turnaround_minutes)
    for opens, closes in _free_stretches(resource, begins, ends):
        latest = closes - length
        if latest < opens:
            continue
        wish = wanted
        while wish + length <= opens:
            wish += timedelta(days=1)
        start = min(max(wish, opens), latest)
        steps = -(-(start - opens) // STEP)
        start = min(opens + steps * STEP, latest)
        if start + length + turnaround <= closes + turnaround:
            yield start


def _free_stretches(resource: Resource, begins: datetime, ends: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The open time between the claims, as if a booking needed all units. Two queries."""
    window = span_of(begins, ends)
    spans = resource.open_spans.filter(during__overlap=window).order_by("during").values_list("during", flat=True)
    units = list(units_of(resource).values_list("pk", flat=True))
    turnaround = timedelta(minutes=resource.turnaround_minutes)
    claims: Any = Claim.objects.filter(unit__in=units, blocked__overlap=window).values_list("blocked", flat=True)
    # A booking that ends just before a claim needs its turnaround free as well.
    taken = sorted((one.lower - turnaround, one.upper) for one in claims)
    for span in spans:
        free_from, closes = max(span.lower, begins), min(span.upper, ends)
        for lower, upper in taken:
            if upper <= free_from or lower >= closes:
                continue
            if lower > free_from:
                yield free_from, lower
            free_from = max(free_from, upper)
        if free_from < closes:
            yield free_from, closes
