"""The catalogue: programmes and orientations with their validity, and what replaced what."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from collab4m.school_year import SchoolYear
from collab4m.swedish import swedish_order
from organisations.models import Body
from records.models import Dated, DatedQuerySet, Sourced

PROGRAMME_CODE = "[A-Z]{2}[A-Z0-9]{0,8}"  # BA, BA25, RX006: so that no other address is taken for a programme


class Curriculum(models.TextChoices):
    GY11 = "gy11", "Gy11"
    GY25 = "gy25", "Gy25"


class ProgrammeKind(models.TextChoices):
    VOCATIONAL = "vocational", _("vocational programme")
    PREPARATORY = "preparatory", _("preparatory programme")
    INTRODUCTORY = "introductory", _("introductory programme")
    NATIONAL_INTAKE = "national_intake", _("programme with national intake")
    OTHER = "other", _("other programme")

    @property
    def plural(self) -> str:
        """The heading over several of them."""
        return str(_PLURALS[self])


_PLURALS = {
    ProgrammeKind.VOCATIONAL: _("Vocational programmes"),
    ProgrammeKind.PREPARATORY: _("Preparatory programmes"),
    ProgrammeKind.INTRODUCTORY: _("Introductory programmes"),
    ProgrammeKind.NATIONAL_INTAKE: _("Programmes with national intake"),
    ProgrammeKind.OTHER: _("Other programmes"),
}


class CatalogueQuerySet(DatedQuerySet):
    """The catalogue is open to everyone who is logged in."""

    def visible_to(self, user: Any) -> Self:
        return self if user.is_authenticated else self.none()

    def for_intake(self, year: SchoolYear) -> Self:
        """What new pupils may begin on in that school year: it holds on the year's first day."""
        return self.on(year.first_day)

    def in_swedish_order(self) -> Self:
        return self.order_by(swedish_order("name_sv"), "pk")


class Named(models.Model):
    """Something with a Swedish name, and an English one when that is known."""

    name_sv = models.CharField(_("Swedish name"), max_length=150)
    name_en = models.CharField(_("English name"), max_length=150, blank=True)

    class Meta:
        abstract = True

    @property
    def name(self) -> str:
        """The name in the reader's language, the Swedish one when there is no other."""
        return self.name_en if self.name_en and get_language() == "en" else self.name_sv

    @property
    def name_lang(self) -> str:
        """The language of `name`, for the page's `lang` attribute."""
        return "en" if self.name_en and get_language() == "en" else "sv"


class Programme(Named, Sourced, Dated):
    """A programme of upper-secondary school (program), as one curriculum has it.

    `valid` ends with the last day for new starts: pupils already there go on. `family` is the key under which
    statistics count a programme through curricula and changes of name: BA and BA25 are both BA.
    """

    code = models.CharField(_("code"), max_length=10, unique=True, validators=[RegexValidator(f"^{PROGRAMME_CODE}$")])
    kind = models.CharField(_("kind"), max_length=15, choices=ProgrammeKind)
    curriculum = models.CharField(_("curriculum"), max_length=4, choices=Curriculum, blank=True)
    family = models.CharField(_("key in statistics"), max_length=10, db_index=True)
    outcome_sv = models.TextField(_("what pupils become, in Swedish"), blank=True)
    outcome_en = models.TextField(_("what pupils become, in English"), blank=True)

    objects = CatalogueQuerySet.as_manager()

    sourced_fields = ("name_sv", "outcome_sv")
    askable = True

    class Meta:
        verbose_name = _("programme")
        verbose_name_plural = _("programmes")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def get_absolute_url(self) -> str:
        return reverse("programme", args=[self.code])

    @property
    def outcome(self) -> str:
        return self.outcome_en if self.outcome_en and get_language() == "en" else self.outcome_sv

    @property
    def outcome_lang(self) -> str:
        return "en" if self.outcome_en and get_language() == "en" else "sv"

    @property
    def is_national(self) -> bool:
        """One of the national programmes that every municipality must see to that its pupils can choose."""
        return self.kind in (ProgrammeKind.VOCATIONAL, ProgrammeKind.PREPARATORY)


class Orientation(Named, Sourced, Dated):
    """An orientation of a programme (inriktning). `code` is null where no official one is known."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="orientations", verbose_name=_("programme"))
    code = models.CharField(_("code"), max_length=10, unique=True, null=True, blank=True)

    objects = CatalogueQuerySet.as_manager()

    sourced_fields = ("name_sv",)

    class Meta:
        verbose_name = _("orientation")
        verbose_name_plural = _("orientations")

    def __str__(self) -> str:
        return f"{self.code} {self.name}" if self.code else self.name

    def get_absolute_url(self) -> str:
        return f"{self.programme.get_absolute_url()}#inriktning-{self.pk}"


class SuccessionKind(models.TextChoices):
    REPLACED = "replaced", _("replaced by")
    MERGED = "merged", _("merged into")
    SPLIT = "split", _("split into")
    CURRICULUM = "curriculum", _("goes on in the new curriculum as")
    PARTIAL = "partial", _("partly taken over by")

    @classmethod
    def full(cls) -> list[SuccessionKind]:
        """Those after which statistics count old and new as one."""
        return [cls.REPLACED, cls.CURRICULUM]


class SuccessionQuerySet(models.QuerySet["Succession"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_authenticated else self.none()

    def of_programmes(self) -> Self:
        return self.exclude(from_programme=None).exclude(to_programme=None)


class Succession(Sourced):
    """One step in the catalogue's history: what came after a programme or an orientation.

    A circle is refused by the database: whoever follows the steps always comes to an end.
    """

    kind = models.CharField(_("kind"), max_length=10, choices=SuccessionKind)
    from_programme = models.ForeignKey(Programme, models.CASCADE, null=True, blank=True, related_name="successions")
    from_orientation = models.ForeignKey(Orientation, models.CASCADE, null=True, blank=True, related_name="successions")
    to_programme = models.ForeignKey(Programme, models.CASCADE, null=True, blank=True, related_name="predecessions")
    to_orientation = models.ForeignKey(Orientation, models.CASCADE, null=True, blank=True, related_name="predecessions")
    since = models.DateField(_("since"), null=True, blank=True)

    objects = SuccessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("succession")
        constraints = [
            models.CheckConstraint(
                name="succession_from_one_thing",
                condition=Q(from_programme=None, from_orientation__isnull=False)
                | Q(from_programme__isnull=False, from_orientation=None),
            ),
            models.CheckConstraint(
                name="succession_to_one_thing",
                condition=Q(to_programme=None, to_orientation__isnull=False)
                | Q(to_programme__isnull=False, to_orientation=None),
            ),
            models.UniqueConstraint(
                name="succession_once",
                fields=["from_programme", "from_orientation", "to_programme", "to_orientation"],
                nulls_distinct=False,
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="without_circle",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                # Two steps written at the same moment could close a circle that neither of them sees.
                func=pgtrigger.Func(
                    """
                    PERFORM pg_advisory_xact_lock(4041202);
                    IF EXISTS (
                        WITH RECURSIVE heirs AS (
                            SELECT NEW.to_programme_id AS programme, NEW.to_orientation_id AS orientation
                            UNION
                            SELECT step.to_programme_id, step.to_orientation_id
                            FROM {meta.db_table} step JOIN heirs
                            ON step.from_programme_id = heirs.programme
                            OR step.from_orientation_id = heirs.orientation
                        )
                        SELECT 1 FROM heirs
                        WHERE programme = NEW.from_programme_id OR orientation = NEW.from_orientation_id
                    ) THEN
                        RAISE EXCEPTION 'a succession may not lead back to where it began'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'succession_without_circle';
                    END IF;
                    RETURN NULL;
                    """
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"

    @property
    def before(self) -> Programme | Orientation:
        return self.from_programme or self.from_orientation  # type: ignore[return-value]  # one is always there

    @property
    def after(self) -> Programme | Orientation:
        return self.to_programme or self.to_orientation  # type: ignore[return-value]

    def owners(self) -> list[Body]:
        return []


def orientation_of_its_programme(constraint: str) -> pgtrigger.Trigger:
    """Refuses a row whose orientation belongs to another programme than its own, in the name of a constraint."""
    return pgtrigger.Trigger(
        name="orientation_of_its_programme",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        condition=pgtrigger.Q(new__orientation__isnull=False),
        # Indented as its first migration has it: with other spaces it would be another trigger.
        func=pgtrigger.Func(
            f"""
                    IF NOT EXISTS (
                        SELECT 1 FROM programmes_orientation
                        WHERE id = NEW.orientation_id AND programme_id = NEW.programme_id
                    ) THEN
                        RAISE EXCEPTION 'the orientation belongs to another programme'
                        USING ERRCODE = 'check_violation', CONSTRAINT = '{constraint}';
                    END IF;
                    RETURN NEW;
                    """
        ),
    )
