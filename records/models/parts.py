"""Texts that officials of several municipalities write together, and everything that was ever written in them."""

from typing import Any, Self

import pgtrigger
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now
from records.subjects import types_of, written_models

LONGEST_TEXT = 20_000  # characters; a browser sends at most 64 kB as it leaves a page


class PartQuerySet(models.QuerySet["Part"]):
    def about(self, subject: models.Model) -> Self:
        """The parts of `subject`, in their order."""
        return self.filter(subject_type__in=types_of(subject), subject_id=subject.pk).order_by("order", "pk")

    def visible_to(self, user: Any) -> Self:
        """The parts of what `user` sees."""
        seen = Q(pk__in=[])
        for model in written_models():
            subjects = model._default_manager.visible_to(user)  # type: ignore[attr-defined]
            seen |= Q(subject_type__in=types_of(model()), subject_id__in=subjects.values("pk"))
        return self.filter(seen)

    def lock_in_order(self) -> list["Part"]:
        """The parts, locked: whoever closes their subject does so first, so that no text comes in after it."""
        return list(self.order_by("pk").select_for_update())


class Part(models.Model):
    """A text of a report, an agreement or minutes, saved alone. `version` 0: nobody has written in it.

    The subject's model names in `write_permission` who may write in its parts. Where it has a page for that work,
    `get_work_url` leads there.
    """

    subject_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    subject_id = models.BigIntegerField()
    subject = GenericForeignKey("subject_type", "subject_id")
    key = models.CharField(max_length=60)  # what the subject's app calls it
    heading = models.CharField(_("heading"), max_length=200)
    order = models.PositiveSmallIntegerField(default=0)
    text = models.TextField(_("text"), max_length=LONGEST_TEXT, blank=True)
    version = models.PositiveIntegerField(default=0)
    last_by = models.ForeignKey("organisations.User", models.PROTECT, null=True, blank=True, related_name="+")
    last_on_behalf_of = models.ForeignKey("organisations.Body", models.PROTECT, null=True, blank=True, related_name="+")
    last_at = models.DateTimeField(null=True, blank=True)

    objects = PartQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject_type", "subject_id", "key"], name="part_once")]
        triggers = [
            pgtrigger.Protect(
                name="new_text_new_version",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(
                    old__text__df=pgtrigger.F("new__text"), old__version__gte=pgtrigger.F("new__version")
                ),
            )
        ]

    def __str__(self) -> str:
        return self.heading

    def get_absolute_url(self) -> str:
        return reverse("part", args=[self.pk])


class Choice(models.TextChoices):
    """What became of two texts that were written from the same one."""

    MINE = "mine", _("one's own text")
    THEIRS = "theirs", _("the other's text")
    JOINED = "joined", _("the two joined")


class Wording(models.Model):
    """A text that somebody wrote in a part. With a `version` it stood there; without, another's had come first.

    `sitting` and `turn` tell apart the savings of one open page, so that a late one never overwrites a later one.
    Rows are never changed or deleted.
    """

    part = models.ForeignKey(Part, models.PROTECT, related_name="wordings")
    version = models.PositiveIntegerField(null=True, blank=True)
    base_version = models.PositiveIntegerField()
    text = models.TextField(max_length=LONGEST_TEXT, blank=True)
    by = models.ForeignKey("organisations.User", models.PROTECT, related_name="+")
    on_behalf_of = models.ForeignKey("organisations.Body", models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=now)
    choice = models.CharField(max_length=6, choices=Choice, blank=True)
    sitting = models.CharField(max_length=36, blank=True)
    turn = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["part", "version"], name="wording_one_per_version")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.part_id} {self.at:%Y-%m-%d %H:%M}"
