"""Files on their way in: kept from the upload until somebody confirms or drops them."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now
from collab4m.school_year import SchoolYearField
from organisations.models import Body, Municipality
from records.models import Job


class FileKind(models.TextChoices):
    OFFERINGS = "offerings", _("offer")
    FLOWS = "flows", _("pupil flows")


class FileImportQuerySet(models.QuerySet["FileImport"]):
    def visible_to(self, user: Any) -> Self:
        """Only whoever sent the file."""
        return self.filter(by=user.pk) if user.is_authenticated else self.none()


class FileImport(models.Model):
    """A file that somebody sent and has not yet confirmed. Deleted when it is confirmed, dropped or old."""

    kind = models.CharField(max_length=9, choices=FileKind)
    municipality = models.ForeignKey(Municipality, models.CASCADE, related_name="+")
    school_year = SchoolYearField(_("school year"))
    name = models.CharField(_("file"), max_length=255)
    content = models.BinaryField()
    is_spreadsheet = models.BooleanField(default=False)
    columns = models.JSONField(null=True)  # field -> number of the column, once they are known
    is_read = models.BooleanField(default=False)
    problems = models.JSONField(default=list)  # what was wrong in it, when the reading was left to a job
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    on_behalf_of = models.ForeignKey(Body, models.CASCADE, related_name="+")
    at = models.DateTimeField(default=now)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    example = models.BooleanField(_("example"), default=False)

    objects = FileImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("file to import")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("file_import", args=[self.pk])


class ImportRow(models.Model):
    """A row of a file that was read without fault: where it stands, and what it says as the tables want it."""

    file = models.ForeignKey(FileImport, models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField()
    values = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "line"], name="import_row_once")]

    def __str__(self) -> str:
        return f"{self.file_id}:{self.line}"


class ColumnChoice(models.Model):
    """Which column of a file with these headings holds what, as somebody in the municipality chose the last time."""

    municipality = models.ForeignKey(Municipality, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=9, choices=FileKind)
    headings_sha256 = models.CharField(max_length=64)
    columns = models.JSONField()
    example = models.BooleanField(_("example"), default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["municipality", "kind", "headings_sha256"], name="column_choice_once")
        ]

    def __str__(self) -> str:
        return f"{self.municipality_id} {self.kind}"
