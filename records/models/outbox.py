"""The outbox: messages rendered when something happened, delivered by the worker."""

from typing import Self
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now


class OutgoingState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    BUNDLED = "bundled", _("waits for the digest")
    SENT = "sent", _("sent")
    IN_DIGEST = "in_digest", _("sent in a digest")
    FAILED = "failed", _("not delivered")


class OutgoingQuerySet(models.QuerySet["Outgoing"]):
    def due(self) -> Self:
        """What the worker is to deliver now."""
        return self.filter(state=OutgoingState.WAITING, not_before__lte=now())


class Outgoing(models.Model):
    """One message to one address, as it was written. Delivered at least once, always with the same Message-ID."""

    kind = models.CharField(max_length=40)  # what a person may mute, such as question.asked
    user = models.ForeignKey("organisations.User", models.PROTECT, null=True, blank=True, related_name="outgoing")
    to = models.EmailField()
    language = models.CharField(max_length=5)
    subject = models.CharField(max_length=250)
    text = models.TextField()
    calendar = models.TextField(blank=True)  # an iCalendar object (RFC 5546) that goes with it
    message_id = models.CharField(max_length=120, unique=True)
    state = models.CharField(max_length=10, choices=OutgoingState, default=OutgoingState.WAITING)
    created_at = models.DateTimeField(default=now)
    not_before = models.DateTimeField(default=now)
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)

    objects = OutgoingQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["not_before"], name="outgoing_due", condition=Q(state="waiting")),
            models.Index(fields=["user"], name="outgoing_bundled", condition=Q(state="bundled")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"


def new_message_id() -> str:
    """A Message-ID that no other message will ever have."""
    return f"<{uuid4().hex}@collab4m>"
