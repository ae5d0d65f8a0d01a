"""Semesters and breaks: each municipality decides its own, for each school year."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.utils.translation import gettext_lazy as _

from collab4m.school_year import SchoolYearField
from organisations.models.bodies import Body, DirectoryQuerySet, Municipality
from records.models import Dated, Sourced


class SemesterKind(models.TextChoices):
    AUTUMN = "HT", _("autumn")
    SPRING = "VT", _("spring")


class Semester(Sourced, Dated):
    """First and last day of a semester in a municipality."""

    municipality = models.ForeignKey(Municipality, models.CASCADE, related_name="semesters")
    school_year = SchoolYearField(_("school year"))
    kind = models.CharField(_("semester"), max_length=2, choices=SemesterKind)

    objects = DirectoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("semester")
        constraints = [
            models.UniqueConstraint(fields=["municipality", "school_year", "kind"], name="semester_once_a_year")
        ]

    def __str__(self) -> str:
        return f"{self.municipality}, {self.kind} {self.school_year}"

    def owners(self) -> list[Body]:
        return [self.municipality]


class SchoolBreak(Sourced, Dated):
    """Days in a semester without teaching, such as sportlov."""

    municipality = models.ForeignKey(Municipality, models.CASCADE, related_name="breaks")
    school_year = SchoolYearField(_("school year"))
    name = models.CharField(_("name"), max_length=60)

    objects = DirectoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("break")
        constraints = [
            ExclusionConstraint(
                name="break_not_twice_a_day",
                expressions=[("municipality", RangeOperators.EQUAL), ("valid", RangeOperators.OVERLAPS)],
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.municipality}, {self.school_year}"

    def owners(self) -> list[Body]:
        return [self.municipality]
