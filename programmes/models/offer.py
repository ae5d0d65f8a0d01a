"""What schools report that they offer, what open sources say, and when reports are due."""

from __future__ import annotations

import re
from typing import Any, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Case, Q, SmallIntegerField, Value, When
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now
from collab4m.school_year import SchoolYear, SchoolYearField
from organisations.models import Body, CollaborationArea, Municipality, Provider, School
from programmes.models.catalogue import Orientation, Programme, orientation_of_its_programme
from records.models import Sourced

# What an offering counts. They sit at the programme or at its orientations, never at both.
FIGURES = ("seats", "first_choice_applicants", "admitted", "workplace_learning_capacity")
COUNTS_SOMETHING = (
    Q(seats__isnull=False)
    | Q(first_choice_applicants__isnull=False)
    | Q(admitted__isnull=False)
    | Q(workplace_learning_capacity__isnull=False)
)
COUNTS_NOTHING = Q(seats=None, first_choice_applicants=None, admitted=None, workplace_learning_capacity=None)


def at_level() -> Case:
    """0 for a programme as a whole, 1 for one of its orientations."""
    return Case(When(orientation__isnull=True, then=Value(0)), default=Value(1), output_field=SmallIntegerField())


class OpenQuerySet(models.QuerySet[Any]):
    """What is offered where is open to everyone who is logged in."""

    def visible_to(self, user: Any) -> Self:
        return self if user.is_authenticated else self.none()


class OfferingReport(Sourced):
    """A school's word on its offer in a school year (rapport om utbud).

    `complete` says "this is our whole offer": what it does not name is then not offered. Without a school it is the
    provider's word that it runs none.
    """

    provider = models.ForeignKey(
        Provider, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("provider")
    )
    school = models.ForeignKey(
        School, models.PROTECT, null=True, blank=True, related_name="offering_reports", verbose_name=_("school")
    )
    school_year = SchoolYearField(_("school year"))
    complete = models.BooleanField(_("whole offer"), default=False)
    reported_at = models.DateTimeField(_("reported"), default=now)
    on_behalf_of = models.ForeignKey(Body, models.PROTECT, null=True, related_name="+")

    objects = OpenQuerySet.as_manager()

    askable = True
    tells_of = "programmes.Offering"  # its history names their fields as "BA: Seats"

    class Meta:
        verbose_name = _("report of the offer")
        constraints = [
            models.UniqueConstraint(
                fields=["school", "school_year"], name="offering_report_once_a_year", condition=Q(school__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["provider", "school_year"], name="offering_report_of_no_school", condition=Q(school=None)
            ),
            models.CheckConstraint(
                name="offering_report_without_school_is_whole",
                condition=Q(school__isnull=False) | Q(complete=True, provider__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["school_year", "school"], name="offering_report_by_year")]

    def __str__(self) -> str:
        return f"{self.school or self.provider}, {self.school_year}"

    def get_absolute_url(self) -> str:
        if self.school_id is None:
            return reverse("reporting")
        return reverse("offering_report", args=[self.school_id, str(self.school_year).replace("/", "-")])

    def owners(self) -> list[Body]:
        return [self.school.municipality] if self.school else []

    @property
    def municipality(self) -> Municipality | None:
        """Where the school lies, or whose provider says that it runs none."""
        owner = self.school or self.provider
        return owner.municipality if owner else None


class Offering(Sourced):
    """An intake (intag): a programme, or one of its orientations, that a report says a school offers or does not.

    The figures are numbers of pupils or places; null means that nobody has said.
    """

    report = models.ForeignKey(OfferingReport, models.CASCADE, related_name="offerings")
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="offerings", verbose_name=_("programme"))
    orientation = models.ForeignKey(
        Orientation, models.PROTECT, null=True, blank=True, related_name="offerings", verbose_name=_("orientation")
    )
    offered = models.BooleanField(_("offered"), default=True)
    seats = models.PositiveSmallIntegerField(_("seats"), null=True, blank=True)
    first_choice_applicants = models.PositiveSmallIntegerField(_("first-choice applicants"), null=True, blank=True)
    admitted = models.PositiveSmallIntegerField(_("admitted"), null=True, blank=True)
    workplace_learning_capacity = models.PositiveSmallIntegerField(
        _("places for workplace-based learning"), null=True, blank=True
    )
    as_of = models.DateField(_("figures as of"), null=True, blank=True)

    objects = OpenQuerySet.as_manager()

    sourced_fields = FIGURES

    class Meta:
        verbose_name = _("offering")
        verbose_name_plural = _("offerings")
        constraints = [
            models.UniqueConstraint(
                fields=["report", "programme", "orientation"], name="offering_once_in_a_report", nulls_distinct=False
            ),
            models.CheckConstraint(name="offering_counts_what_is_offered", condition=Q(offered=True) | COUNTS_NOTHING),
            ExclusionConstraint(
                name="offering_figures_at_one_level",
                expressions=[
                    ("report", RangeOperators.EQUAL),
                    ("programme", RangeOperators.EQUAL),
                    (at_level(), RangeOperators.NOT_EQUAL),
                ],
                condition=COUNTS_SOMETHING,
            ),
            ExclusionConstraint(
                name="offering_of_what_is_not_denied",
                expressions=[
                    ("report", RangeOperators.EQUAL),
                    ("programme", RangeOperators.EQUAL),
                    (at_level(), RangeOperators.NOT_EQUAL),
                ],
                condition=Q(orientation=None, offered=False) | Q(orientation__isnull=False, offered=True),
            ),
        ]
        triggers = [
            orientation_of_its_programme("offering_orientation_of_its_programme"),
        ]

    def __str__(self) -> str:
        return f"{self.report}, {self.orientation or self.programme}"

    def get_absolute_url(self) -> str:
        return f"{self.report.get_absolute_url()}#rad-{self.programme_id}-{self.orientation_id or 0}"

    def owners(self) -> list[Body]:
        return self.report.owners()

    def visible_events(self, user: Any) -> Q:
        return Q()

    @property
    def counts_something(self) -> bool:
        return any(getattr(self, figure) is not None for figure in FIGURES)


class OfferingFact(Sourced):
    """What an open source says of what was offered: the last one knows where nobody has reported.

    It stands beside a cell and is never an answer. `school` is null where the source names only the municipality;
    `year` is as the source has it, and empty where it is undated.
    """

    municipality = models.ForeignKey(Municipality, models.CASCADE, related_name="+", verbose_name=_("municipality"))
    school = models.ForeignKey(
        School, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("school")
    )
    programme = models.ForeignKey(Programme, models.CASCADE, related_name="facts", verbose_name=_("programme"))
    orientation = models.ForeignKey(
        Orientation, models.CASCADE, null=True, blank=True, related_name="facts", verbose_name=_("orientation")
    )
    year = models.CharField(_("year"), max_length=20, blank=True)
    offered = models.BooleanField(_("offered"), default=True)

    objects = OpenQuerySet.as_manager()

    class Meta:
        verbose_name = _("known offering")

    def __str__(self) -> str:
        where = self.school or self.municipality
        return f"{where}, {self.orientation or self.programme}{f', {self.year}' if self.year else ''}"

    @property
    def latest_year(self) -> int:
        """The latest calendar year that the source speaks of; 0 when it is undated."""
        years = [int(year) for year in re.findall(r"\d{4}", self.year)]
        return max(years, default=0)


class ReportingDeadline(models.Model):
    """The day by which the members of an area have agreed to report their offer for a school year."""

    area = models.ForeignKey(CollaborationArea, models.CASCADE, related_name="reporting_deadlines")
    school_year = SchoolYearField(_("school year"))
    last_day = models.DateField(_("last day"))
    example = models.BooleanField(_("example"), default=False)

    class Meta:
        verbose_name = _("deadline")
        constraints = [models.UniqueConstraint(fields=["area", "school_year"], name="reporting_deadline_once_a_year")]

    def __str__(self) -> str:
        return f"{self.area.short_name} {self.school_year}: {self.last_day}"


class OfferingReminder(models.Model):
    """That somebody reminded a municipality of what its schools have not reported."""

    municipality = models.ForeignKey(Municipality, models.CASCADE, related_name="+")
    school_year = SchoolYearField(_("school year"))
    sent_at = models.DateTimeField(default=now)
    from_body = models.ForeignKey(Body, models.CASCADE, null=True, related_name="+")
    example = models.BooleanField(_("example"), default=False)

    class Meta:
        indexes = [models.Index(fields=["municipality", "school_year", "-sent_at"], name="reminder_latest")]

    def __str__(self) -> str:
        return f"{self.municipality} {self.school_year}"


def year_in_address(year: SchoolYear) -> str:
    """A school year as addresses have it: 2022-23."""
    return str(year).replace("/", "-")
