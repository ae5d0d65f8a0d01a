"""The timeline: what each resource is taken up by, day by day, as the reader may know it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection, models
from django.db.models import Case, Count, OuterRef, Q, Subquery, When
from django.db.models.functions import Lower, Upper
from django.utils.translation import gettext_lazy as _

from organisations.models import User
from resources.models import Booking, OpenSpan, RequestState, Resource, ResourceUnit, Takes, keepers
from resources.operations.alternatives import askable_by
from resources.operations.claiming import span_of
from resources.operations.opening import Span


class SlotKind(models.TextChoices):
    OWN = "own", _("your booking")
    ASKED = "asked", _("a request that waits for an answer")
    BUSY = "busy", _("taken")
    BLOCKED = "blocked", _("blocked")
    CLOSED = "closed", _("closed")


class Slot(NamedTuple):
    """A stretch that is not free. Whose it is, and what for, is told only to those whom it concerns.

    `units` are taken from `starts_at` until `until`, which is `ends_at` with the turnaround.
    """

    kind: str
    starts_at: datetime
    ends_at: datetime
    until: datetime
    words: str = ""
    booking: int | None = None
    body: str = ""
    units: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Row:
    """A resource with what is not free in a window of time, in order."""

    resource: Resource
    slots: list[Slot]


@dataclass
class Line:
    """A resource as the timeline knows it: values, since Django's objects would cost more than the whole page."""

    pk: int
    name: str
    owner: str
    municipality: int
    is_pool: bool  # a booking takes as many units as are asked for
    turnaround: timedelta
    lead: timedelta
    example: bool
    units: int  # of a pool
    may_ask: bool


def timeline_of(resources: Collection[Resource], begins: datetime, ends: datetime, *, reader: User) -> list[Row]:
    """What is not free in [begins, ends), closed times with the rest. Three queries whatever there is."""
    ids = [resource.pk for resource in resources]
    slots = slots_of(ids, begins, ends, reader=reader)
    closed = closed_between(opened_of(ids, begins, ends), begins, ends)
    return [
        Row(resource, sorted([*slots[resource.pk], *closed[resource.pk]], key=lambda slot: slot.starts_at))
        for resource in resources
    ]


# What holds units; what held pieces that were removed since, told of but not counted among those that are there; and
# requests by their ids alone, since some hold nothing. When the units are free again stands there only where it is
# later than the end: each of thousands of moments takes time to read.
TAKEN = """
    SELECT there.resource_id, claim.unit_id, lower(claim.during), upper(claim.during),
        nullif(upper(claim.blocked), upper(claim.during)), claim.booking_id, claim.blocking_id, blocking.reason
    FROM resources_claim claim
    JOIN resources_resourceunit there USING (unit_id)
    LEFT JOIN resources_blocking blocking ON blocking.id = claim.blocking_id
    WHERE claim.blocked && %(window)s AND there.resource_id = ANY(%(ids)s)
    UNION ALL
    SELECT booking.resource_id, NULL, lower(claim.during), upper(claim.during),
        nullif(upper(claim.blocked), upper(claim.during)), claim.booking_id, NULL, NULL
    FROM resources_claim claim
    JOIN resources_unit gone ON gone.id = claim.unit_id AND gone.is_retired
    JOIN resources_booking booking ON booking.id = claim.booking_id
    WHERE claim.blocked && %(window)s AND booking.resource_id = ANY(%(ids)s)
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, id, NULL, NULL
    FROM resources_booking
    WHERE during && %(window)s AND resource_id = ANY(%(ids)s) AND request_state = ANY(%(open)s)
"""


def slots_of(ids: Collection[int], begins: datetime, ends: datetime, *, reader: User) -> dict[int, list[Slot]]:
    """What takes resources up in [begins, ends), in order, by the resource's id. Two queries whatever there is."""
    window, shown = span_of(begins, ends), set(ids)
    begins, ends = window.lower, window.upper  # in UTC, as the database answers: compared with each of its moments
    with connection.cursor() as cursor:
        cursor.execute(TAKEN, {"window": window, "ids": list(shown), "open": RequestState.open()})
        rows = cursor.fetchall()
    # By id alone: of anything more PostgreSQL would read every booking there is, or try each against each id.
    held = {booking for *_times, booking, _blocking, _reason in rows if booking}
    seen, waiting = _told(Booking.objects.visible_to(reader).filter(pk__any=held))
    # A resource with several units is told of once for each booking, blocking or offer.
    found: dict[tuple[Any, ...], Slot] = {}
    for resource, unit, lower, upper, until, booking, blocking, reason in rows:
        if resource is None:
            continue
        until, units = until or upper, frozenset([unit] if unit else ())
        if booking in seen:
            purpose, body = seen[booking]
            slots = [Slot(SlotKind.OWN, lower, upper, until, purpose, booking, body, units)]
        elif booking in waiting:
            told = [one for one in waiting[booking][1] if one[1] < upper and one[2] > lower]
            slots = [_tell(one, upper, until, units) for one in told]
        elif blocking:
            slots = [Slot(SlotKind.BLOCKED, lower, upper, until, reason or "", units=units)]
        else:
            slots = [Slot(SlotKind.BUSY, lower, upper, until, units=units)]
        for slot in slots:
            key = (resource, booking, blocking, slot.starts_at, slot.kind)
            found[key] = slot._replace(units=found[key].units | units) if key in found else slot
    for booking, (resource, told) in waiting.items():
        for one in told if resource in shown else ():
            found.setdefault((resource, booking, None, one[1], one[0]), _tell(one, one[2], one[2], frozenset()))
    slots_by_resource: dict[int, list[Slot]] = defaultdict(list)
    for key, slot in found.items():
        if slot.starts_at < ends and slot.until > begins:
            slots_by_resource[key[0]].append(slot)
    for slots in slots_by_resource.values():
        slots.sort(key=attrgetter("starts_at", "kind"))
    return slots_by_resource


Told = tuple[str, datetime, datetime, str, int, str]  # kind, from, to, purpose, id, body


def _told(bookings: Any) -> tuple[dict[int, tuple[str, str]], dict[int, tuple[int, list[Told]]]]:
    """What the reader may know of bookings: purpose and body of what is decided, and what waits for an answer.

    The latter with its own times, both of them while one is kept: it may hold others, or none.
    """
    waits = Q(request_state__in=RequestState.open())
    seen: dict[int, tuple[str, str]] = {}
    waiting: dict[int, tuple[int, list[Told]]] = {}
    for pk, resource, purpose, body, asked, kept in bookings.values_list(
        "pk", "resource", "purpose", "booked_for__name", Case(When(waits, then="during")), "kept"
    ):
        if asked is None:
            seen[pk] = (purpose, body)
            continue
        told: list[Told] = [(SlotKind.ASKED, asked.lower, asked.upper, purpose, pk, body)]
        if kept:
            told.append((SlotKind.OWN, kept.lower, kept.upper, purpose, pk, body))
        waiting[pk] = (resource, told)
    return seen, waiting


def _tell(told: Told, upper: datetime, until: datetime, units: frozenset[int]) -> Slot:
    kind, begins, ends, purpose, booking, body = told
    return Slot(kind, begins, ends, until if ends == upper else ends, purpose, booking, body, units)


def opened_of(ids: Collection[int], begins: datetime, ends: datetime) -> dict[int, tuple[Span, ...]]:
    """The open stretches that share a moment with [begins, ends), in order, by the resource's id. One query."""
    spans = OpenSpan.objects.filter(resource__pk__any=ids, during__overlap=span_of(begins, ends))
    times = spans.values_list(Lower("during"), Upper("during")).order_by(Lower("during"), Upper("during"))
    opened: dict[int, tuple[Span, ...]] = dict.fromkeys(ids, ())
    # In the order of a key that PostgreSQL must read the rows for: else it reads a constraint's index from end to end.
    for lower, upper, resources in times.annotate(resources=ArrayAgg("resource", order_by="pk")):
        for resource in resources:
            opened[resource] += ((lower, upper),)
    return opened


def closed_between(
    opened: dict[int, tuple[Span, ...]], begins: datetime, ends: datetime
) -> dict[int, tuple[Slot, ...]]:
    """The time between the open stretches, by the resource's id."""
    closed = {pattern: tuple(_between(pattern, begins, ends)) for pattern in set(opened.values())}
    return {resource: closed[pattern] for resource, pattern in opened.items()}


def _between(spans: Iterable[Span], begins: datetime, ends: datetime) -> Iterable[Slot]:
    for lower, upper in spans:
        if lower > begins:
            yield Slot(SlotKind.CLOSED, begins, lower, lower)
        begins = max(begins, upper)
    if begins < ends:
        yield Slot(SlotKind.CLOSED, begins, ends, ends)


def lines_of(resources: Any, *, reader: User) -> list[Line]:
    """The resources of a queryset as lines, with whether the reader may ask for each. One query.

    The rule is `rules.may_ask_for`, for all of them at once; a test holds the two together.
    """
    may_ask = Case(When(askable_by(reader), then=True), default=False, output_field=models.BooleanField())
    units = ResourceUnit.objects.filter(resource=OuterRef("pk")).values("resource").annotate(number=Count("pk"))
    of_pools = Case(When(takes=Takes.SOME, then=Subquery(units.values("number"))))
    values = resources.annotate(may_ask=may_ask, units_there=of_pools).values_list(
        "pk", "name", "owner__name", "municipality", "takes", "turnaround_minutes", "lead_minutes", "example",
        "units_there", "may_ask",
    )  # fmt: skip
    keeps = bool(keepers(reader))
    return [
        Line(
            pk, name, owner, municipality, takes == Takes.SOME, timedelta(minutes=turnaround), timedelta(minutes=lead),
            example, number or 0, keeps and may_ask,
        )
        for pk, name, owner, municipality, takes, turnaround, lead, example, number, may_ask in values
    ]  # fmt: skip


class Share(NamedTuple):
    """How much of a stretch a resource is open, and how much of that is free (0–1)."""

    is_open: bool
    free: float


# A lane is what can be taken at once: all the units of a resource together, or each unit of a pool by itself. The ids
# stand in no constraint: without them PostgreSQL reads the constraints' indexes from end to end, for each stretch.
SHARES = """
    WITH bucket AS (SELECT nr, span FROM unnest(%(spans)s::tstzrange[]) WITH ORDINALITY AS one(span, nr)),
    opened AS (
        SELECT resource_id, nr, range_agg(during * span) AS spans
        FROM bucket JOIN resources_openspan ON during && span AND resource_id = ANY(%(ids)s) AND id > 0
        GROUP BY resource_id, nr
    ),
    taken AS (
        SELECT resource_id, nr, range_agg(blocked * span) AS spans
        FROM bucket
        JOIN resources_claim ON blocked && span
        JOIN resources_resourceunit USING (unit_id)
        JOIN resources_resource ON resources_resource.id = resource_id
        WHERE resource_id = ANY(%(ids)s) AND resources_claim.id > 0
        GROUP BY resource_id, nr, CASE WHEN takes = 'some' THEN unit_id END
    ),
    lost AS (
        SELECT resource_id, nr, sum(
            (SELECT sum(upper(one) - lower(one)) FROM unnest(opened.spans * taken.spans) AS one)
        ) AS time
        FROM taken JOIN opened USING (resource_id, nr) GROUP BY resource_id, nr
    )
    SELECT resource_id, nr,
        extract(epoch FROM (SELECT sum(upper(one) - lower(one)) FROM unnest(opened.spans) AS one))::float,
        coalesce(extract(epoch FROM lost.time)::float, 0)
    FROM opened LEFT JOIN lost USING (resource_id, nr)
"""


def shares_of(lines: Collection[Line], spans: Collection[tuple[datetime, datetime]]) -> dict[tuple[int, int], Share]:
    """How much of each stretch is free, by the resource's id and the stretch's place. Not there: closed. One query."""
    lanes = {line.pk: line.units if line.is_pool else 1 for line in lines}
    with connection.cursor() as cursor:
        cursor.execute(SHARES, {"spans": [span_of(*span) for span in spans], "ids": list(lanes)})
        return {
            (resource, nr - 1): Share(True, max(1 - lost / (opened * lanes[resource]), 0.0) if lanes[resource] else 0.0)
            for resource, nr, opened, lost in cursor.fetchall()
        }
