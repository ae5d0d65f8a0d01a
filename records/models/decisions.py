"""What each body decides about a final version, who signed it off, and the documents that show it."""

from __future__ import annotations

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now
from records.models.versions import SHA256_LENGTH, Version


def on_the_content(constraint: str) -> pgtrigger.Trigger:
    """Refuses a row whose hash is not that of its version, in the name of a constraint."""
    return pgtrigger.Trigger(
        name="on_the_content",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func=pgtrigger.Func(
            f"""
            IF NOT EXISTS (
                SELECT 1 FROM records_version
                WHERE id = NEW.version_id AND content_sha256 = NEW.content_sha256
            ) THEN
                RAISE EXCEPTION 'it is about another content'
                USING ERRCODE = 'check_violation', CONSTRAINT = '{constraint}';
            END IF;
            RETURN NEW;
            """
        ),
    )


class Attachment(models.Model):
    """A document that somebody handed in: an extract of minutes, a scan. Its bytes lie in the store of final files."""

    version = models.ForeignKey(Version, models.PROTECT, related_name="attachments")
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=60)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=SHA256_LENGTH, db_index=True)
    at = models.DateTimeField(default=now)
    by = models.ForeignKey("organisations.User", models.PROTECT, related_name="+")
    on_behalf_of = models.ForeignKey("organisations.Body", models.PROTECT, null=True, related_name="+")

    class Meta:
        triggers = [pgtrigger.Protect(name="frozen", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("attachment", args=[self.pk])


class DecisionResult(models.TextChoices):
    APPROVED = "approved", _("approved")
    REMITTED = "remitted", _("sent back for changes")
    REJECTED = "rejected", _("rejected")


class DecisionQuerySet(models.QuerySet["Decision"]):
    def standing(self) -> Self:
        """The latest word of each body; what a later row replaced is left out."""
        return self.filter(replaced_by=None)


class Decision(models.Model):
    """What one body decided about one content: no decision is ever shared (beslut).

    Rows are never changed or deleted: what was missing or wrong is said anew in a row that `replaces` it. `board_name`
    is what the board was called then.
    """

    version = models.ForeignKey(Version, models.PROTECT, related_name="decisions")
    body = models.ForeignKey("organisations.Body", models.PROTECT, related_name="+", verbose_name=_("municipality"))
    board = models.ForeignKey("organisations.Board", models.PROTECT, null=True, related_name="+")
    board_name = models.CharField(_("who decided"), max_length=150)
    content_sha256 = models.CharField(max_length=SHA256_LENGTH)
    result = models.CharField(_("result"), max_length=8, choices=DecisionResult)
    day = models.DateField(_("day of the meeting"))
    paragraph = models.CharField(_("paragraph"), max_length=30)
    case_number = models.CharField(_("case number"), max_length=60)
    final_on = models.DateField(_("final on"), null=True, blank=True)
    document = models.ForeignKey(Attachment, models.PROTECT, null=True, related_name="+", verbose_name=_("document"))
    remark = models.TextField(_("remark"), max_length=2000, blank=True)
    by = models.ForeignKey("organisations.User", models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")

    objects = DecisionQuerySet.as_manager()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [
            models.UniqueConstraint(
                fields=["version", "body"], name="decision_one_per_body", condition=Q(replaces=None)
            ),
            models.CheckConstraint(
                name="decision_final_after_its_day", condition=Q(final_on=None) | Q(final_on__gte=models.F("day"))
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            on_the_content("decision_on_the_content"),
        ]

    def __str__(self) -> str:
        return f"{self.board_name}, {self.day} {self.paragraph}"


class SignOffMethod(models.TextChoices):
    SECOND_FACTOR = "second_factor", _("logged in with a second step")
    PAPER = "paper", _("signed on paper, scanned")
    SERVICE = "service", _("signed in a signing service")


class SignOff(models.Model):
    """That somebody stands for a content: a party's signature, an adjuster's adjustment (underskrift, justering).

    It counts for its own version only, so a later version voids it without touching it. `place` says as whom it is
    made, such as "party:12": once for each place. `signed_as` is who signed, by office. Rows are never changed.
    """

    version = models.ForeignKey(Version, models.PROTECT, related_name="sign_offs")
    place = models.CharField(max_length=40)
    body = models.ForeignKey("organisations.Body", models.PROTECT, null=True, related_name="+")
    content_sha256 = models.CharField(max_length=SHA256_LENGTH)
    method = models.CharField(_("method"), max_length=13, choices=SignOffMethod)
    signed_as = models.CharField(_("signed by"), max_length=150, blank=True)
    day = models.DateField(_("day of signature"))
    document = models.ForeignKey(Attachment, models.PROTECT, null=True, related_name="+", verbose_name=_("document"))
    evidence = models.JSONField(default=dict)  # what the log-in or the signing service said of it
    by = models.ForeignKey("organisations.User", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        verbose_name = _("signature")
        constraints = [
            models.UniqueConstraint(fields=["version", "place"], name="sign_off_once"),
            models.CheckConstraint(
                name="sign_off_shown_by_a_document",
                condition=Q(method="second_factor") | Q(document__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            on_the_content("sign_off_on_the_content"),
        ]

    def __str__(self) -> str:
        return f"{self.place}, {self.day}"
