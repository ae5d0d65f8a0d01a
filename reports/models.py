"""Reports that the boards have asked for, and what each board has on its own front of them."""

from __future__ import annotations

from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from collab4m.school_year import SchoolYearField
from organisations.models import Board, Body, CollaborationArea, Membership
from records.models import Sourced, Version
from records.subjects import types_of


class ReportQuerySet(models.QuerySet["Report"]):
    def visible_to(self, user: Any) -> Self:
        """Those of the areas in which one has a role, or works for a member."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(area__in=Membership.objects.around(user).values("area"))

    def without_version(self) -> Self:
        """Those of which nothing has been made final yet."""
        final = Version.objects.filter(subject_type__in=types_of(Report()), subject_id=OuterRef("pk"))
        return self.exclude(Exists(final))


class Report(Sourced):
    """A report back to the boards of an area, on a school year. `due`: the first day on which it is to be there.

    Its texts are parts that officials write together; its figures come from the portal. What is made final are
    versions, each with a file for every board.
    """

    area = models.ForeignKey(CollaborationArea, models.PROTECT, related_name="reports", verbose_name=_("area"))
    title = models.CharField(_("title"), max_length=150)
    school_year = SchoolYearField(_("school year"))
    due = models.DateField(_("due"))

    objects = ReportQuerySet.as_manager()

    write_permission = "reports.write_report"
    tells_of = "reports.Cover"  # its history names their fields by board

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = [models.UniqueConstraint(fields=["area", "title"], name="report_once_in_an_area")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("report", args=[self.pk])

    def get_work_url(self) -> str:
        return reverse("report_work", args=[self.pk])

    def owners(self) -> list[Body]:
        return [membership.municipality for membership in self.area.memberships.on().select_related("municipality")]


class Cover(models.Model):
    """A board's own front of a report (försättsblad): what only that board decides, and how it files it."""

    report = models.ForeignKey(Report, models.CASCADE, related_name="covers")
    board = models.ForeignKey(Board, models.PROTECT, related_name="+", verbose_name=_("board"))
    case_number = models.CharField(_("case number"), max_length=60, blank=True)
    day = models.DateField(_("date"), null=True, blank=True)
    official = models.CharField(_("official"), max_length=100, blank=True)
    decision_points = models.TextField(_("decision points"), max_length=4000, blank=True)
    send_to = models.TextField(_("send the decision to"), max_length=1000, blank=True)
    example = models.BooleanField(_("example"), default=False)

    class Meta:
        verbose_name = _("cover")
        constraints = [models.UniqueConstraint(fields=["report", "board"], name="cover_once_a_board")]

    def __str__(self) -> str:
        return f"{self.report}, {self.board}"

    def get_absolute_url(self) -> str:
        return reverse("report_work", args=[self.report_id])

    def clean(self) -> None:
        super().clean()
        if self.case_number and not self.board.accepts_case_number(self.case_number):
            message = _("The board's case numbers are written as %(pattern)s, for example %(example)s.")
            words = {"pattern": self.board.case_number_pattern, "example": self.board.case_number_example or "–"}
            raise ValidationError({"case_number": message % words})
        wrong = next((point for point in self.points if not point.startswith("att ")), None)
        if wrong:
            message = _("Begin each point with “att”, so that it stands alone in an extract: “%(point)s”.")
            raise ValidationError({"decision_points": message % {"point": wrong[:80]}})

    @property
    def points(self) -> list[str]:
        return [" ".join(line.split()) for line in self.decision_points.splitlines() if line.strip()]

    @property
    def receivers(self) -> list[str]:
        return [" ".join(line.split()) for line in self.send_to.splitlines() if line.strip()]


class MemoSection(Sourced):
    """Where a section stands in a board's memos, and what it is called there."""

    board = models.ForeignKey(Board, models.CASCADE, related_name="memo_sections", verbose_name=_("board"))
    section = models.CharField(_("section"), max_length=40)
    heading = models.CharField(_("heading"), max_length=100, blank=True)
    position = models.PositiveSmallIntegerField(_("position"))

    class Meta:
        verbose_name = _("section of a memo")
        constraints = [models.UniqueConstraint(fields=["board", "section"], name="memo_section_once")]
        ordering = ["board", "position"]

    def __str__(self) -> str:
        return f"{self.board}: {self.section}"
