"""Where a municipality's pupils go to school: numbers only, never people."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from collab4m.school_year import SchoolYearField
from organisations.models import Body, Municipality, RoleKind, SemesterKind
from programmes.models.catalogue import Programme
from programmes.models.offer import OpenQuerySet
from records.models import Sourced

MASKED_UNDER = 5


class PupilFlow(Sourced):
    """How many pupils of a home municipality study a programme in another (or the same) municipality in a semester."""

    home = models.ForeignKey(Municipality, models.PROTECT, related_name="+", verbose_name=_("home municipality"))
    provider_municipality = models.ForeignKey(
        Municipality, models.PROTECT, related_name="+", verbose_name=_("municipality where they study")
    )
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+", verbose_name=_("programme"))
    school_year = SchoolYearField(_("school year"))
    semester = models.CharField(_("semester"), max_length=2, choices=SemesterKind)
    pupils = models.PositiveIntegerField(_("pupils"))

    objects = OpenQuerySet.as_manager()

    class Meta:
        verbose_name = _("pupil flow")
        verbose_name_plural = _("pupil flows")
        constraints = [
            models.UniqueConstraint(
                fields=["school_year", "semester", "home", "provider_municipality", "programme"],
                name="pupil_flow_once_a_semester",
            )
        ]
        indexes = [models.Index(fields=["school_year", "provider_municipality"], name="pupil_flow_by_provider")]

    def __str__(self) -> str:
        return f"{self.home} → {self.provider_municipality}, {self.programme}, {self.semester} {self.school_year}"

    def get_absolute_url(self) -> str:
        return reverse("flows")

    def owners(self) -> list[Body]:
        return [self.home, self.provider_municipality]

    def visible_events(self, user: Any) -> Q:
        """History tells numbers, so only those who see them unmasked read it."""
        return Q() if sees_unmasked(user, self.home_id, self.provider_municipality_id) else Q(pk__in=[])

    def shown_to(self, user: Any) -> int | None:
        """The number, or None where it is masked for `user`."""
        if self.pupils >= MASKED_UNDER or sees_unmasked(user, self.home_id, self.provider_municipality_id):
            return self.pupils
        return None


def sees_unmasked(user: Any, home: int, provider_municipality: int) -> bool:
    """Whether `user` may see small numbers: administrators of the two municipalities between which the pupils go."""
    own = user.bodies_where(RoleKind.ADMINISTRATOR) if user is not None and user.is_authenticated else []
    return home in own or provider_municipality in own
