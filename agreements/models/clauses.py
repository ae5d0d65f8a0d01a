"""The library of clauses: texts that agreements may take up, and which of them they did."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from agreements.models.agreements import Revision
from collab4m.clock import now
from organisations.models import Body, CollaborationArea, Membership


class ClauseQuerySet(models.QuerySet["Clause"]):
    def visible_to(self, user: Any) -> Self:
        """Those that come with the portal to everyone who is logged in, an area's own to whoever is in the area."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(Q(area=None) | Q(area__in=Membership.objects.around(user).values("area")))

    def of_area(self, area: CollaborationArea) -> Self:
        """What the area may choose from: its own, and those that come with the portal."""
        return self.filter(Q(area=None) | Q(area=area))


class Clause(models.Model):
    """A text that agreements may take up (klausul), in the area's library. Its versions are never changed."""

    area = models.ForeignKey(CollaborationArea, models.PROTECT, null=True, blank=True, related_name="clauses")
    section = models.CharField(_("section"), max_length=40)
    name = models.CharField(_("name"), max_length=100)
    is_retired = models.BooleanField(_("no longer used"), default=False)
    reference_key = models.CharField(max_length=100, unique=True, null=True, blank=True, editable=False)

    objects = ClauseQuerySet.as_manager()

    class Meta:
        verbose_name = _("clause")
        constraints = [
            models.UniqueConstraint(fields=["area", "section", "name"], name="clause_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("clause", args=[self.pk])


class ClauseVersion(models.Model):
    """The wording number `number` of a clause."""

    clause = models.ForeignKey(Clause, models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    text = models.TextField(_("text"), max_length=5000)
    by = models.ForeignKey("organisations.User", models.PROTECT, null=True, related_name="+")
    on_behalf_of = models.ForeignKey(Body, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clause", "number"], name="clause_version_once")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.clause}, {self.number}"


class ClauseUse(models.Model):
    """Which wording a section of a revision was begun from."""

    revision = models.ForeignKey(Revision, models.CASCADE, related_name="clause_uses")
    section = models.CharField(max_length=40)
    clause_version = models.ForeignKey(ClauseVersion, models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["revision", "section"], name="clause_use_once")]

    def __str__(self) -> str:
        return f"{self.section}: {self.clause_version}"
