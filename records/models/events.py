"""History: one append-only table of what happened."""

from typing import Any, Self

import pgtrigger
from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from collab4m.clock import now
from records.subjects import types_of

# What a subject's history tells of the questions and corrections about it. An accepted correction is told of as a
# change to the subject itself, to everyone who sees that.
QUESTION_EVENTS = ("question.asked", "question.answered", "question.added_to", "question.closed")
CORRECTION_EVENTS = ("correction.proposed", "correction.declined")


class EventQuerySet(models.QuerySet["Event"]):
    def about(self, subject: models.Model) -> Self:
        """Everything that happened to `subject`, latest first."""
        return self.filter(subject_type__in=types_of(subject), subject_id=subject.pk).order_by("-at", "-pk")

    def seen_by(self, user: Any, subject: models.Model) -> Self:
        """The same, with what `user` may know of questions and corrections about it.

        A subject whose `visible_events(user)` says so shows some readers only part of what happened to it.
        """
        questions = apps.get_model("records.Question")
        corrections = apps.get_model("records.Correction")
        told = Q(subject_type__in=types_of(subject), subject_id=subject.pk)
        if hasattr(subject, "visible_events"):
            told &= subject.visible_events(user)
        part_type = ContentType.objects.get_for_model(apps.get_model("records.Part"))
        parts = apps.get_model("records.Part").objects.about(subject)
        told |= Q(subject_type=part_type, subject_id__in=parts.order_by().values("pk"))
        for model, names in ((questions, QUESTION_EVENTS), (corrections, CORRECTION_EVENTS)):
            ids = list(model.objects.visible_to(user).about(subject).values_list("pk", flat=True))
            told |= Q(subject_type=ContentType.objects.get_for_model(model), subject_id__in=ids, name__in=names)
        return self.filter(told).order_by("-at", "-pk")


class Event(models.Model):
    """Something that happened to a subject: who did it, for whom, when, and which fields changed.

    The sentence is rendered when read, from `templates/records/history/<name>.html`. Rows are never changed or deleted.
    """

    name = models.CharField(max_length=60)
    subject_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    subject_id = models.BigIntegerField()
    subject = GenericForeignKey("subject_type", "subject_id")
    by = models.ForeignKey("organisations.User", models.PROTECT, null=True, related_name="+")
    on_behalf_of = models.ForeignKey("organisations.Body", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=now)
    changes = models.JSONField(default=dict)  # field name -> [before, after], as text people can read
    data = models.JSONField(default=dict)  # what the sentence needs besides the subject: names as they were then

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "-at"], name="event_by_subject"),
            models.Index(fields=["-at"], name="event_by_time"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d %H:%M}"

    def sentence_context(self) -> dict[str, Any]:
        return {"event": self, "by": self.by, "on_behalf_of": self.on_behalf_of, "data": self.data}


class Link(models.Model):
    """Two things that belong together, seen from both ends, such as a gap and the agreement it led to."""

    from_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    from_id = models.BigIntegerField()
    from_object = GenericForeignKey("from_type", "from_id")
    to_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    to_id = models.BigIntegerField()
    to_object = GenericForeignKey("to_type", "to_id")
    kind = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["from_type", "from_id", "to_type", "to_id", "kind"], name="link_once")
        ]
        indexes = [models.Index(fields=["to_type", "to_id"], name="link_by_target")]

    def __str__(self) -> str:
        return f"{self.from_type_id}:{self.from_id} {self.kind} {self.to_type_id}:{self.to_id}"
