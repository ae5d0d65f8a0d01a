"""Calculations: what it costs to start a programme at home, beside seats with a neighbour."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from agreements.models.agreements import Agreement
from collab4m.clock import now
from organisations.models import Body, Municipality, RoleKind
from programmes.models import Orientation, Programme


class CalculationQuerySet(models.QuerySet["Calculation"]):
    def visible_to(self, user: Any) -> Self:
        """To the administrators of the municipality; once attached to an agreement, to all its parties'."""
        if not user.is_authenticated:
            return self.none()
        own = user.bodies_where(RoleKind.ADMINISTRATOR)
        return self.filter(
            models.Q(municipality__in=own) | models.Q(agreement__parties__municipality__in=own)
        ).distinct()


class Calculation(models.Model):
    """Two ways of giving a municipality's pupils a programme, side by side (kalkyl).

    `assumptions` is a list of {"key", "value", "source"}: numbers as text, "" where nothing is assumed yet. Which there
    are, with names and units, is in `agreements.operations.calculating`.
    """

    title = models.CharField(_("title"), max_length=150)
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, related_name="+", verbose_name=_("home municipality")
    )
    provider = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("neighbour")
    )
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+", verbose_name=_("programme"))
    orientation = models.ForeignKey(
        Orientation, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("orientation")
    )
    agreement = models.ForeignKey(
        Agreement, models.PROTECT, null=True, blank=True, related_name="calculations", verbose_name=_("agreement")
    )
    assumptions = models.JSONField(default=list)
    edit = models.PositiveIntegerField(default=0)
    by = models.ForeignKey("organisations.User", models.PROTECT, related_name="+")
    on_behalf_of = models.ForeignKey(Body, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)
    example = models.BooleanField(_("example"), default=False)

    objects = CalculationQuerySet.as_manager()

    class Meta:
        verbose_name = _("calculation")
        verbose_name_plural = _("calculations")

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("calculation", args=[self.pk])

    def owners(self) -> list[Body]:
        return [self.municipality]
