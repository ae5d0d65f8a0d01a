"""What is final: content that nobody changes any more, and the files made of it."""

from typing import Any, Self

import pgtrigger
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now
from records.documents.content import sha256_of
from records.subjects import types_of

SHA256_LENGTH = 64


class RenditionKind(models.TextChoices):
    PDF = "pdf", "PDF"
    SEALED = "sealed", _("PDF, sealed")
    DOCX = "docx", _("Word, a working copy")
    HTML = "html", _("web page")
    CSV = "csv", "CSV"
    XLSX = "xlsx", "Excel"
    ZIP = "zip", _("all files in one")


class VersionQuerySet(models.QuerySet["Version"]):
    def of(self, subject: models.Model) -> Self:
        """The final versions of `subject`, latest first."""
        return self.filter(subject_type__in=types_of(subject), subject_id=subject.pk).order_by("-number")


class Version(models.Model):
    """The content of a subject as it was made final: numbered, hashed, never changed or deleted.

    Boards decide on `content_sha256`. A later version names the one it supersedes; a number is never used twice.
    """

    subject_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    subject_id = models.BigIntegerField()
    subject = GenericForeignKey("subject_type", "subject_id")
    number = models.PositiveIntegerField()
    schema = models.CharField(max_length=40)
    content = models.JSONField()
    content_sha256 = models.CharField(max_length=SHA256_LENGTH, db_index=True)
    frozen_at = models.DateTimeField(default=now)
    by = models.ForeignKey("organisations.User", models.PROTECT, null=True, related_name="+")
    on_behalf_of = models.ForeignKey("organisations.Body", models.PROTECT, null=True, related_name="+")
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, related_name="superseded_by")

    objects = VersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject_type", "subject_id", "number"], name="version_number_once")
        ]
        triggers = [pgtrigger.Protect(name="frozen", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.title}, version {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("version", args=[self.pk])

    @property
    def title(self) -> str:
        return str(self.content["title"])

    @property
    def later(self) -> "Version | None":
        """The latest version of the same subject, unless this is it."""
        same = Version.objects.filter(subject_type=self.subject_type_id, subject_id=self.subject_id)
        return same.filter(number__gt=self.number).order_by("-number").first()

    def is_intact(self) -> bool:
        """Whether the content still is what was hashed."""
        return sha256_of(self.content) == self.content_sha256


class RenditionQuerySet(models.QuerySet["Rendition"]):
    def current(self) -> Self:
        """The latest file of each kind and variant; an earlier one had another cover."""
        same = {name: OuterRef(name) for name in ("version", "kind", "variant")}
        return self.exclude(Exists(Rendition.objects.filter(**same, pk__gt=OuterRef("pk"))))


class Rendition(models.Model):
    """A file made of a version. The bytes lie in the store of final files, under their hash.

    `variant` is whose cover it has, or which table it holds; "" when there is only one. `cover` is what the cover says,
    `made_with` the programs and fonts that give the same bytes again.
    """

    version = models.ForeignKey(Version, models.PROTECT, related_name="renditions")
    kind = models.CharField(max_length=6, choices=RenditionKind)
    variant = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=SHA256_LENGTH, db_index=True)
    cover = models.JSONField(default=dict)
    made_with = models.JSONField(default=dict)
    made_at = models.DateTimeField(default=now)

    objects = RenditionQuerySet.as_manager()

    class Meta:
        triggers = [pgtrigger.Protect(name="frozen", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("rendition", args=[self.pk])

    @property
    def is_current(self) -> bool:
        later: Any = Rendition.objects.filter(version=self.version_id, kind=self.kind, variant=self.variant)
        return not later.filter(pk__gt=self.pk).exists()
