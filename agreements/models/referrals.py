"""Referral: each party answers about a version of a revision, section by section."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agreements.models.agreements import Revision
from collab4m.clock import now
from organisations.models import Body, Municipality
from records.models import Version


class Referral(models.Model):
    """A version sent to the parties to answer (remiss), until and including `last_day`."""

    revision = models.ForeignKey(Revision, models.PROTECT, related_name="referrals")
    version = models.ForeignKey(Version, models.PROTECT, related_name="+")
    last_day = models.DateField(_("last day to answer"))
    sent_at = models.DateTimeField(default=now)
    by = models.ForeignKey("organisations.User", models.PROTECT, related_name="+")
    on_behalf_of = models.ForeignKey(Body, models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        constraints = [
            models.UniqueConstraint(fields=["revision"], name="referral_one_open", condition=Q(closed_at=None)),
            models.UniqueConstraint(fields=["version"], name="referral_once_a_version"),
        ]
        triggers = [pgtrigger.Protect(name="kept", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.revision}, {self.last_day}"


class AnswerKind(models.TextChoices):
    NO_OBJECTION = "no_objection", _("no objection")
    CHANGE_WANTED = "change_wanted", _("change wanted")
    COMMENT = "comment", _("comment")


class Outcome(models.TextChoices):
    ACCEPTED = "accepted", _("accepted")
    DECLINED = "declined", _("declined")


class ReferralAnswer(models.Model):
    """What a party says of a section, or with `section` "" of the whole (remissvar). The latest word counts.

    A change that is wanted opens the section's text for correction until the drafter has accepted or declined it.
    """

    referral = models.ForeignKey(Referral, models.PROTECT, related_name="answers")
    municipality = models.ForeignKey(Municipality, models.PROTECT, related_name="+")
    section = models.CharField(max_length=40, blank=True)
    kind = models.CharField(_("answer"), max_length=13, choices=AnswerKind)
    text = models.TextField(_("what is wanted, and why"), max_length=4000, blank=True)
    by = models.ForeignKey("organisations.User", models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome, blank=True)
    outcome_reason = models.TextField(_("reason"), max_length=2000, blank=True)
    outcome_by = models.ForeignKey("organisations.User", models.PROTECT, null=True, blank=True, related_name="+")
    outcome_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("answer on referral")
        constraints = [
            models.CheckConstraint(name="referral_answer_says_what", condition=Q(kind="no_objection") | ~Q(text="")),
            models.CheckConstraint(
                name="referral_answer_declined_with_reason", condition=~Q(outcome="declined") | ~Q(outcome_reason="")
            ),
        ]
        indexes = [models.Index(fields=["referral", "municipality", "-at"], name="referral_answer_latest")]
        triggers = [
            pgtrigger.Protect(
                name="said",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("referral", "municipality", "section", "kind", "text", "by", "at"),
            ),
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.municipality}: {self.get_kind_display()}"

    @property
    def is_open(self) -> bool:
        return self.kind == AnswerKind.CHANGE_WANTED and not self.outcome


class ReferralReminder(models.Model):
    """That somebody reminded a party of a referral."""

    referral = models.ForeignKey(Referral, models.CASCADE, related_name="reminders")
    municipality = models.ForeignKey(Municipality, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(default=now)

    class Meta:
        indexes = [models.Index(fields=["referral", "municipality", "-sent_at"], name="referral_reminder_latest")]

    def __str__(self) -> str:
        return f"{self.municipality} {self.sent_at:%Y-%m-%d}"
