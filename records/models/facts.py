"""Where a figure comes from, and from when to when something holds."""

from datetime import date, timedelta
from typing import Any, Self

from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext_lazy as _

from collab4m.clock import today


class Source(models.Model):
    """Who published a fact, where and when."""

    key = models.CharField(_("key"), max_length=200, unique=True)
    publisher = models.CharField(_("publisher"), max_length=200, blank=True)
    title = models.CharField(_("title"), max_length=300, blank=True)
    year = models.CharField(_("year"), max_length=20, blank=True)
    address = models.TextField(_("address"), blank=True)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")

    def __str__(self) -> str:
        return ", ".join(part for part in (self.publisher or self.title or self.address, self.year) if part)


class CameIn(models.TextChoices):
    """The door through which a fact entered the portal."""

    REFERENCE = "reference", _("shipped with the portal")
    IMPORT = "import", _("imported from a file")
    FORM = "form", _("entered in a form")
    CONNECTOR = "connector", _("fetched from another system")


class Sourced(models.Model):
    """A fact that carries its source. Subclasses may name `owners()`: the bodies that decide what is right."""

    reference_key = models.CharField(max_length=100, unique=True, null=True, blank=True, editable=False)
    source = models.ForeignKey(
        "records.Source", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("source")
    )
    source_note = models.TextField(_("note on the source"), blank=True)
    came_in = models.CharField(_("came in by"), max_length=10, choices=CameIn, default=CameIn.FORM)
    verified = models.BooleanField(_("verified"), default=False)
    example = models.BooleanField(_("example"), default=False)

    # The fields of which somebody may say "this figure is wrong".
    sourced_fields: tuple[str, ...] = ()

    class Meta:
        abstract = True

    def owners(self) -> list[Any]:
        """The bodies whose administrators answer for this fact."""
        return []


def figures_of(subject: models.Model) -> tuple[str, ...]:
    """The fields of `subject` of which somebody may say "this figure is wrong"."""
    return subject.sourced_fields if isinstance(subject, Sourced) else ()


class DatedQuerySet(models.QuerySet[Any]):
    def on(self, day: date | None = None) -> Self:
        """What holds on `day` (today)."""
        return self.filter(valid__contains=day or today())


class Dated(models.Model):
    """Something that holds from a day to a day. The column is half-open; people see the last day inclusive."""

    valid = DateRangeField(_("valid"), default=DateRange)

    class Meta:
        abstract = True

    @property
    def first_day(self) -> date | None:
        """The first day it holds; None when that is not known."""
        return self.valid.lower

    @property
    def last_day(self) -> date | None:
        """The last day it holds, inclusive; None when no end is set."""
        return self.valid.upper - timedelta(days=1) if self.valid.upper else None

    def holds_on(self, day: date) -> bool:
        return day in self.valid


def span(first_day: date | None, last_day: date | None) -> DateRange:
    """The half-open range for first and last day, both inclusive to people; None means open."""
    return DateRange(first_day, last_day + timedelta(days=1) if last_day else None, "[)")
