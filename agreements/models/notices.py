"""Notice: a party ends an agreement, all may agree that it did not, and what the clock has told of it."""

from __future__ import annotations

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from agreements.models.agreements import Agreement, NoticeEffect, NoticeEnds, Party
from collab4m.clock import now
from organisations.models import Body, CollaborationArea, Municipality
from programmes.models import OpenQuerySet
from records.guards import changed
from records.models import Sourced


class NoticeQuerySet(models.QuerySet["Notice"]):
    def standing(self) -> Self:
        return self.filter(withdrawn_at=None)


class Notice(models.Model):
    """That a party gave notice (uppsägning). `received_on`: when the last of the others had it, from which it counts.

    `effective_on` is the last day, computed when it was given by the rule that then held, which is kept beside it.
    """

    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="notices")
    given_by = models.ForeignKey(Municipality, models.PROTECT, related_name="+", verbose_name=_("given by"))
    given_on = models.DateField(_("given on"))
    received_on = models.DateField(_("received on"))
    reason = models.TextField(_("reason"), max_length=2000, blank=True)
    months = models.PositiveSmallIntegerField()
    effect = models.CharField(max_length=13, choices=NoticeEffect)
    ends = models.CharField(max_length=9, choices=NoticeEnds)
    effective_on = models.DateField(_("last day"))
    by = models.ForeignKey("organisations.User", models.PROTECT, related_name="+")
    on_behalf_of = models.ForeignKey(Body, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "given_by"], name="notice_one_per_party", condition=Q(withdrawn_at=None)
            ),
            models.CheckConstraint(name="notice_received_after_given", condition=Q(received_on__gte=F("given_on"))),
        ]
        triggers = [
            pgtrigger.Protect(
                name="given",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__withdrawn_at__isnull=False)
                | changed(
                    "agreement",
                    "given_by",
                    "given_on",
                    "received_on",
                    "reason",
                    "months",
                    "effect",
                    "ends",
                    "effective_on",
                    "by",
                    "at",
                ),
            ),
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.agreement}, {self.given_by}, {self.effective_on}"


class NoticeConsent(models.Model):
    """That a party agrees to the withdrawal of a notice. When all have, it is withdrawn."""

    notice = models.ForeignKey(Notice, models.PROTECT, related_name="consents")
    municipality = models.ForeignKey(Municipality, models.PROTECT, related_name="+")
    by = models.ForeignKey("organisations.User", models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "municipality"], name="notice_consent_once")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.notice}: {self.municipality}"


class ClockEvent(models.TextChoices):
    """What the yearly clock tells of."""

    ANNEX = "annex", _("the annex for the coming intake is fixed")
    APPLICATION_OPENS = "application_opens", _("applications open")
    APPLICATION_CLOSES = "application_closes", _("applications close")
    PRELIMINARY_ADMISSION = "preliminary_admission", _("preliminary admission is shown")
    RECHOICE = "rechoice", _("pupils may choose anew")
    FINAL_ADMISSION = "final_admission", _("final admission is shown")
    LAST_ANSWER = "last_answer", _("last day for pupils to answer")
    RESERVES_FROM = "reserves_from", _("admission of reserves begins")
    RESERVES_TO = "reserves_to", _("admission of reserves ends: seats are known")
    PRICE_LIST = "price_list", _("the national price list is decided")
    FOLLOW_UP = "follow_up", _("agreements are followed up")


class ClockDay(Sourced):
    """A day of the year that an area's agreements turn on (årshjul). `year`: of that year only; null: every year.

    `lead_days`: how long before it the administrators are reminded; null: not at all.
    """

    area = models.ForeignKey(CollaborationArea, models.CASCADE, related_name="clock_days", verbose_name=_("area"))
    event = models.CharField(_("what happens"), max_length=21, choices=ClockEvent)
    year = models.PositiveSmallIntegerField(_("year"), null=True, blank=True)
    month = models.PositiveSmallIntegerField(_("month"))
    day = models.PositiveSmallIntegerField(_("day"))
    lead_days = models.PositiveSmallIntegerField(_("remind, days before"), null=True, blank=True)
    objects = OpenQuerySet.as_manager()

    class Meta:
        verbose_name = _("day of the year")
        constraints = [
            models.UniqueConstraint(fields=["area", "event", "year"], name="clock_day_once", nulls_distinct=False),
            models.CheckConstraint(
                name="clock_day_in_the_calendar", condition=Q(month__range=(1, 12)) & Q(day__range=(1, 31))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_event_display()}, {self.day}/{self.month}"


class Reminder(models.Model):
    """That the clock told a party of something: once for each `about`, however often the clock ticks.

    `about` names the event, its day and which of the two lead times it was, such as "end:2025-06-30:1".
    """

    agreement = models.ForeignKey(Agreement, models.CASCADE, null=True, related_name="reminders")
    area = models.ForeignKey(CollaborationArea, models.CASCADE, null=True, related_name="+")
    party = models.ForeignKey(Party, models.CASCADE, null=True, related_name="reminders")
    municipality = models.ForeignKey(Municipality, models.CASCADE, related_name="+")
    about = models.CharField(max_length=60)
    sent_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "area", "municipality", "about"], name="reminder_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.municipality}: {self.about}"
