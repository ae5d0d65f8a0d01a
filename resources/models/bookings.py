"""Who has a resource when: bookings, series, blockings, and the claims that make it impossible to have it twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Self
from uuid import uuid4

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from collab4m.clock import now, today
from organisations.models import Body, Municipality
from programmes.models import Programme
from records.people import answering, concerning
from resources.models.catalogue import PriceRule, Resource, Unit, deputising


class RequestState(models.TextChoices):
    REQUESTED = "requested", _("waits for the owner")
    INFO_NEEDED = "info_needed", _("the owner asks for more")
    APPROVED = "approved", pgettext_lazy("booking", "approved")
    DECLINED = "declined", _("declined")
    WITHDRAWN = "withdrawn", pgettext_lazy("booking", "withdrawn")
    EXPIRED = "expired", _("expired without an answer")
    CANCELLED = "cancelled", _("cancelled")

    @classmethod
    def open(cls) -> list[RequestState]:
        return [cls.REQUESTED, cls.INFO_NEEDED]

    @classmethod
    def alive(cls) -> list[RequestState]:
        """Those that are going to happen or may."""
        return [cls.REQUESTED, cls.INFO_NEEDED, cls.APPROVED]

    @classmethod
    def ended(cls) -> list[RequestState]:
        """Those that came to nothing."""
        return [cls.DECLINED, cls.WITHDRAWN, cls.EXPIRED, cls.CANCELLED]


class Series(models.Model):
    """Bookings that were asked for together: a weekly rule in local time, until a day."""

    resource = models.ForeignKey(Resource, models.PROTECT, related_name="series")
    booked_for = models.ForeignKey(Body, models.PROTECT, related_name="+")
    first_day = models.DateField()
    last_day = models.DateField()
    weekdays = models.JSONField(default=list)  # 1 Monday – 7 Sunday
    every_weeks = models.PositiveSmallIntegerField(default=1)
    starts = models.TimeField()
    minutes = models.PositiveIntegerField()
    breaks_of = models.ForeignKey(Municipality, models.PROTECT, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField(default=now)

    class Meta:
        verbose_name = _("series")

    def __str__(self) -> str:
        return f"{self.resource}, {self.first_day}–{self.last_day}"


class BookingQuerySet(models.QuerySet["Booking"]):
    def visible_to(self, user: Any) -> Self:
        """What the user's bodies asked for, or were asked for, by today's roles; and what one decides as a deputy."""
        if not user.is_authenticated:
            return self.none()
        deputised = deputising(user).values("owner")
        return self.filter(concerning(user, "booked_for", "resource__owner") | Q(resource__owner__in=deputised))

    def decidable_by(self, user: Any) -> Self:
        """What the user has the word about today, as an owner or as a deputy."""
        return self.filter(answering(user, "resource__owner") | Q(resource__owner__in=deputising(user).values("owner")))

    def to_decide(self, user: Any, state: str = RequestState.REQUESTED) -> Self:
        """Requests that wait for the user's own word today; or those in another state."""
        return self.decidable_by(user).filter(request_state=state)

    def alive(self) -> Self:
        return self.filter(request_state__in=RequestState.alive())

    def ended(self) -> Self:
        return self.filter(request_state__in=RequestState.ended())

    def coming(self) -> Self:
        """Those whose time is to come or under way."""
        return self.filter(during__endswith__gt=now())

    def past(self) -> Self:
        return self.filter(during__endswith__lte=now())


class Booking(models.Model):
    """What somebody asked for and perhaps got (bokning; förfrågan until the owner has approved).

    The price, the turnaround and the rule they came from are what they were when it was asked for. Whoever asks for
    another time keeps the approved one (`kept`, with its price and turnaround) until the owner has answered.
    """

    resource = models.ForeignKey(Resource, models.PROTECT, related_name="bookings")
    series = models.ForeignKey(Series, models.PROTECT, null=True, blank=True, related_name="bookings")
    booked_for = models.ForeignKey(Body, models.PROTECT, related_name="+", verbose_name=_("for"))
    asked_by = models.ForeignKey("organisations.User", models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=now)
    during = DateTimeRangeField(_("time"))
    quantity = models.PositiveSmallIntegerField(_("how many"), default=1)
    purpose = models.CharField(_("purpose"), max_length=300)
    programme = models.ForeignKey(
        Programme, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("programme")
    )
    pupils = models.PositiveSmallIntegerField(_("pupils"), null=True, blank=True)
    licence_confirmed = models.BooleanField(_("the driver's licence is confirmed"), default=False)
    cost_place = models.CharField(_("cost place"), max_length=60, blank=True)
    request_state = models.CharField(_("state"), max_length=11, choices=RequestState)
    decide_by = models.DateTimeField(_("answer by"), null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)  # when whoever has the next word was reminded
    decided_by = models.ForeignKey("organisations.User", models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(_("answer"), max_length=1000, blank=True)
    turnaround_minutes = models.PositiveSmallIntegerField(default=0)
    price_rule = models.ForeignKey(PriceRule, models.PROTECT, null=True, blank=True, related_name="+")
    price_sek = models.DecimalField(_("price, SEK"), max_digits=10, decimal_places=2, null=True, blank=True)
    vat = models.CharField(max_length=7, blank=True)
    kept = DateTimeRangeField(null=True, blank=True)
    kept_price_rule = models.ForeignKey(PriceRule, models.PROTECT, null=True, blank=True, related_name="+")
    kept_price_sek = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    kept_turnaround_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    uid = models.UUIDField(default=uuid4, unique=True)  # in calendars, for its whole life
    sequence = models.PositiveIntegerField(default=0)  # grows with each change that calendars must hear of
    idempotency_key = models.CharField(max_length=100, blank=True)
    example = models.BooleanField(_("example"), default=False)

    objects = BookingQuerySet.as_manager()

    class Meta:
        verbose_name = _("booking")
        verbose_name_plural = _("bookings")
        constraints = [
            models.UniqueConstraint(
                fields=["asked_by", "idempotency_key"],
                name="booking_once_per_key",
                condition=~Q(idempotency_key=""),
            ),
            models.CheckConstraint(
                name="booking_has_a_time",
                condition=Q(during__isempty=False, during__lower_inf=False, during__upper_inf=False),
            ),
            models.CheckConstraint(
                name="booking_keeps_while_it_asks",
                condition=Q(kept=None) | Q(request_state__in=["requested", "info_needed"]),
            ),
        ]
        indexes = [
            models.Index("resource", Lower("during"), name="booking_by_time"),
            models.Index(fields=["during", "id"], name="booking_in_order"),
            models.Index(fields=["booked_for", "request_state"], name="booking_by_asker"),
            models.Index(
                fields=["decide_by"],
                name="booking_to_decide",
                condition=Q(request_state__in=["requested", "info_needed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.resource}, {localtime(self.starts_at):%Y-%m-%d %H.%M}"

    def get_absolute_url(self) -> str:
        return reverse("booking", args=[self.pk])

    @property
    def starts_at(self) -> Any:
        return self.during.lower

    @property
    def ends_at(self) -> Any:
        return self.during.upper

    @property
    def is_open(self) -> bool:
        return self.request_state in RequestState.open()

    @property
    def is_due(self) -> bool:
        """Whether its time to be answered is over, and nothing has ended it yet."""
        return self.is_open and self.decide_by is not None and self.decide_by <= now()

    @property
    def has_run_out(self) -> bool:
        """Whether nobody answered what was asked for, so that it ended or fell back to the time that was kept."""
        ended = self.request_state in (RequestState.EXPIRED, RequestState.APPROVED)
        return self.is_due or (ended and self.decide_by is not None and self.decided_by_id is None)

    def owners(self) -> list[Body]:
        return [self.booked_for, self.resource.owner]


class BlockingQuerySet(models.QuerySet["Blocking"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(resource__in=Resource.objects.visible_to(user))


class Blocking(models.Model):
    """A time when the owner lets nobody have the resource: service, inspection, own use."""

    resource = models.ForeignKey(Resource, models.PROTECT, related_name="blockings")
    during = DateTimeRangeField(_("time"))
    reason = models.CharField(_("reason"), max_length=200)
    by = models.ForeignKey("organisations.User", models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = BlockingQuerySet.as_manager()

    class Meta:
        verbose_name = _("blocking")
        constraints = [models.CheckConstraint(name="blocking_has_a_time", condition=Q(during__isempty=False))]

    def __str__(self) -> str:
        return f"{self.resource}: {self.reason}"


class ClaimQuerySet(models.QuerySet["Claim"]):
    def on(self, units: Any, blocked: Any) -> Self:
        """Those that hold any of the units at any moment of a range."""
        return self.filter(unit__in=units, blocked__overlap=blocked)


class Claim(models.Model):
    """One unit, taken for one span (beläggning). Written only in `operations.claiming`, with the unit locked.

    `blocked` is `during` with the turnaround after it. A claim is there exactly as long as its booking, blocking or
    offer holds the time; when that ends the row goes, and history tells of it.
    """

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="claims")
    booking = models.ForeignKey(Booking, models.CASCADE, null=True, related_name="claims")
    blocking = models.ForeignKey(Blocking, models.CASCADE, null=True, related_name="claims")
    offer = models.ForeignKey("resources.WaitingOffer", models.CASCADE, null=True, related_name="claims")
    during = DateTimeRangeField()
    blocked = DateTimeRangeField()

    objects = ClaimQuerySet.as_manager()

    class Meta:
        verbose_name = _("claim")
        constraints = [
            ExclusionConstraint(
                name="claim_one_per_unit_at_a_time",
                expressions=[("unit", RangeOperators.EQUAL), ("blocked", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(
                name="claim_of_one_thing",
                condition=Q(booking__isnull=False, blocking=None, offer=None)
                | Q(booking=None, blocking__isnull=False, offer=None)
                | Q(booking=None, blocking=None, offer__isnull=False),
            ),
            models.CheckConstraint(
                name="claim_blocks_its_time",
                condition=Q(blocked__contains=models.F("during")) & Q(during__isempty=False),
            ),
        ]
        indexes = [
            models.Index("unit", Lower("during"), name="claim_by_unit"),
            GistIndex(fields=["blocked"], name="claim_by_time"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="of_a_living_booking",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Q(new__booking__isnull=False),
                func=pgtrigger.Func(
                    """
                    IF NOT EXISTS (
                        SELECT 1 FROM resources_booking
                        WHERE id = NEW.booking_id AND request_state IN ('requested', 'info_needed', 'approved')
                    ) THEN
                        RAISE EXCEPTION 'the booking is not alive'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'claim_of_a_living_booking';
                    END IF;
                    RETURN NEW;
                    """
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.unit}: {self.during}"


class WaitState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    OFFERED = "offered", _("offered")
    TAKEN = "taken", _("taken")
    GIVEN_UP = "given_up", _("given up")


class WaitingQuerySet(models.QuerySet["Waiting"]):
    def visible_to(self, user: Any) -> Self:
        """One's bodies' own places in line. How long a line is, and who stands in it, is told to nobody else."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(concerning(user, "booked_for"))


class Waiting(models.Model):
    """That somebody wants a resource at a time when it is taken (väntelista)."""

    resource = models.ForeignKey(Resource, models.CASCADE, related_name="waiting")
    booked_for = models.ForeignKey(Body, models.CASCADE, related_name="+")
    asked_by = models.ForeignKey("organisations.User", models.PROTECT, related_name="+")
    during = DateTimeRangeField(_("time"))
    quantity = models.PositiveSmallIntegerField(default=1)
    purpose = models.CharField(_("purpose"), max_length=300)
    programme = models.ForeignKey(Programme, models.SET_NULL, null=True, blank=True, related_name="+")
    pupils = models.PositiveSmallIntegerField(null=True, blank=True)
    licence_confirmed = models.BooleanField(default=False)
    cost_place = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=8, choices=WaitState, default=WaitState.WAITING)
    at = models.DateTimeField(default=now)

    objects = WaitingQuerySet.as_manager()

    class Meta:
        verbose_name = _("place on the waiting list")
        indexes = [models.Index(fields=["resource", "state", "at"], name="waiting_in_turn")]

    def __str__(self) -> str:
        return f"{self.resource}, {self.booked_for}"


class WaitingOffer(models.Model):
    """A freed time offered to the first in turn whose whole need fits, until a moment. Its claims hold the time."""

    waiting = models.ForeignKey(Waiting, models.CASCADE, related_name="offers")
    offered_at = models.DateTimeField(default=now)
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["waiting"], name="offer_one_at_a_time", condition=Q(ended_at=None))
        ]

    def __str__(self) -> str:
        return f"{self.waiting}, {self.until}"


class UnmetNeed(models.Model):
    """What was searched for and not found, for the question what the area lacks. Without who searched, and when.

    The same need is kept once a day for each municipality, however often the page is read. `example`: somebody tried
    the portal.
    """

    area = models.ForeignKey("organisations.CollaborationArea", models.CASCADE, null=True, related_name="+")
    from_municipality = models.ForeignKey(Municipality, models.CASCADE, null=True, related_name="+")
    sought = models.JSONField()
    day = models.DateField(default=today)
    example = models.BooleanField(_("example"), default=False)

    class Meta:
        verbose_name = _("unmet need")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "area", "from_municipality", "sought", "example"],
                name="unmet_need_once_a_day",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}"


class FeedKind(models.TextChoices):
    PERSON = "person", _("my bookings")
    SCHOOL = "school", _("a school's bookings")
    RESOURCE = "resource", _("a resource's bookings")
    DECIDER = "decider", _("requests for me to decide")


class FeedTokenQuerySet(models.QuerySet["FeedToken"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(user=user.pk)


class FeedToken(models.Model):
    """A calendar address that its holder can take back. Shown once, kept as a hash."""

    user = models.ForeignKey("organisations.User", models.CASCADE, related_name="feed_tokens")
    kind = models.CharField(max_length=8, choices=FeedKind)
    body = models.ForeignKey(Body, models.CASCADE, null=True, related_name="+")
    resource = models.ForeignKey(Resource, models.CASCADE, null=True, related_name="+")
    token_sha256 = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = FeedTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("calendar address")

    def __str__(self) -> str:
        return str(self.body or self.resource or self.get_kind_display())

    def get_absolute_url(self) -> str:
        return reverse("feeds")


def turned_around(during: DateTimeTZRange, minutes: int) -> DateTimeTZRange:
    """The range that is blocked: the booking's own, and the turnaround after it."""
    return DateTimeTZRange(during.lower, during.upper + timedelta(minutes=minutes), "[)")
