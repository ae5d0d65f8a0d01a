"""Cooperation areas and who belongs to them, in the order their members agreed on."""

from __future__ import annotations

from typing import Any, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from collab4m.clock import today
from organisations.models.bodies import DirectoryQuerySet, Municipality
from records.models import Dated, Sourced


class CollaborationArea(Sourced):
    """Municipalities that plan and offer upper-secondary education together (samverkansområde)."""

    slug = models.SlugField(_("short name in addresses"), unique=True)
    name = models.CharField(_("name"), max_length=120, unique=True)
    short_name = models.CharField(_("short name"), max_length=30)

    objects = DirectoryQuerySet.as_manager()

    askable = True

    class Meta:
        verbose_name = _("cooperation area")
        verbose_name_plural = _("cooperation areas")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("area", args=[self.slug])


class MembershipQuerySet(DirectoryQuerySet):
    def around(self, user: Any) -> Self:
        """Today's members of the areas in which one has a role, or works for a municipality or a school."""
        bodies = user.bodies_today()
        areas = [role.area_id for role in user.roles_today if role.area_id]
        members = self.on()
        mine = members.filter(Q(municipality__in=bodies) | Q(municipality__schools__in=bodies))
        return members.filter(Q(area__in=mine.values("area")) | Q(area__in=areas))

    def in_agreed_order(self) -> Self:
        return self.order_by("area", "position", "pk")


class Membership(Sourced, Dated):
    """A municipality's time in an area, with its place in the agreed order and its mark of one or two letters."""

    area = models.ForeignKey(CollaborationArea, models.CASCADE, related_name="memberships")
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, related_name="memberships", verbose_name=_("municipality")
    )
    position = models.PositiveSmallIntegerField(_("place in the agreed order"))
    mark = models.CharField(_("mark"), max_length=3)
    colour = models.CharField(_("colour"), max_length=10, blank=True)  # m1–m4 of the theme, or none

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        constraints = [
            ExclusionConstraint(
                name="membership_once_at_a_time",
                expressions=[
                    ("area", RangeOperators.EQUAL),
                    ("municipality", RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
            ),
            ExclusionConstraint(
                name="membership_one_per_position",
                expressions=[
                    ("area", RangeOperators.EQUAL),
                    ("position", RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
                deferrable=models.Deferrable.IMMEDIATE,  # checked per statement, so that two may change places in one
            ),
        ]

    def __str__(self) -> str:
        return f"{self.municipality} ({self.area.short_name})"

    def get_absolute_url(self) -> str:
        return self.area.get_absolute_url()

    @property
    def has_ended(self) -> bool:
        return self.last_day is not None and self.last_day < today()
