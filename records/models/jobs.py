"""The job ledger: work that outlives a request, and signs of life from the parts that do it."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now


class JobState(models.TextChoices):
    QUEUED = "queued", _("waiting its turn")
    RUNNING = "running", _("in progress")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: Any) -> Self:
        """The jobs a person ordered, alone or with others; the system administrator sees all of them."""
        if user.is_system_administrator:
            return self
        followed = self.model.followers.through.objects.filter(user=user)
        return self.filter(Q(by=user) | Q(pk__in=followed.values("job")))

    def unfinished(self) -> Self:
        return self.filter(state__in=[JobState.QUEUED, JobState.RUNNING])


class Job(models.Model):
    """A piece of work: ordered once under its key, done by one worker at a time, taken up again when that one dies."""

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200)
    args = models.JSONField(default=dict)
    by = models.ForeignKey("organisations.User", models.PROTECT, null=True, blank=True, related_name="jobs")
    on_behalf_of = models.ForeignKey("organisations.Body", models.PROTECT, null=True, blank=True, related_name="+")
    # Those who ordered the same work while it waited or went on.
    followers = models.ManyToManyField("organisations.User", blank=True, related_name="+")
    state = models.CharField(max_length=8, choices=JobState, default=JobState.QUEUED)
    step = models.CharField(max_length=200, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(default=now)
    created_at = models.DateTimeField(default=now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], name="job_once_at_a_time", condition=Q(state__in=["queued", "running"])
            )
        ]
        indexes = [
            models.Index(fields=["not_before"], name="job_to_do", condition=Q(state__in=["queued", "running"])),
            models.Index(fields=["by", "-created_at"], name="job_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"

    def get_absolute_url(self) -> str:
        return reverse("job", args=[self.pk])

    @property
    def percent(self) -> int | None:
        return min(100, round(100 * self.done / self.total)) if self.total else None


class Pulse(models.Model):
    """When a part of the portal last gave a sign of life: `worker`, `beat`, `queue` (a wake-up call came through)."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField(default=now)

    FRESH_SECONDS = 30

    def __str__(self) -> str:
        return self.name

    @property
    def is_fresh(self) -> bool:
        return (now() - self.at).total_seconds() < max(self.FRESH_SECONDS, settings.JOB_HEARTBEAT_SECONDS)
