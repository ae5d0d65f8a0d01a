"""Price lists, and what municipalities owe each other for pupils: statements and their lines."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Self

import pgtrigger
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from agreements.models.agreements import PriceKind, Revision
from collab4m.clock import now
from collab4m.school_year import SchoolYearField
from organisations.models import Body, CollaborationArea, Municipality, RoleKind, SemesterKind
from programmes.models import OpenQuerySet, Orientation, Programme
from records.models import Sourced, Version


class PriceList(Sourced):
    """Prices for a calendar year (prislista), as published: the municipality's, the area's or the national one.

    A later edition never replaces an earlier one: `number` grows, and rows are never changed. `incl_meals` and
    `incl_vat` are null where the source does not say.
    """

    kind = models.CharField(_("kind"), max_length=13, choices=PriceKind)
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("municipality")
    )
    area = models.ForeignKey(
        CollaborationArea, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("area")
    )
    year = models.PositiveSmallIntegerField(_("calendar year"))
    number = models.PositiveSmallIntegerField(_("edition"), default=1)
    title = models.CharField(_("title"), max_length=150)
    incl_meals = models.BooleanField(_("meals included"), null=True, blank=True)
    incl_vat = models.BooleanField(_("VAT included"), null=True, blank=True)
    decided_on = models.DateField(_("decided on"), null=True, blank=True)
    made_at = models.DateTimeField(default=now)
    by = models.ForeignKey("organisations.User", models.PROTECT, null=True, blank=True, related_name="+")
    on_behalf_of = models.ForeignKey(Body, models.PROTECT, null=True, blank=True, related_name="+")

    objects = OpenQuerySet.as_manager()

    class Meta:
        verbose_name = _("price list")
        verbose_name_plural = _("price lists")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "municipality", "area", "year", "incl_meals", "number"],
                name="price_list_edition_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="price_list_of_whom",
                condition=Q(kind__in=["self_cost", "own_list"], municipality__isnull=False, area=None)
                | Q(kind="common_list", municipality=None, area__isnull=False)
                | Q(kind="national_list", municipality=None, area=None),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="published",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "kind", "municipality", "area", "year", "number", "incl_meals", "incl_vat"
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.year}" if str(self.year) not in self.title else self.title

    def get_absolute_url(self) -> str:
        return reverse("price_list", args=[self.pk])

    def owners(self) -> list[Body]:
        return [self.municipality] if self.municipality else []


class PriceRow(models.Model):
    """A price in a list: SEK per pupil and year, for a programme or one of its orientations."""

    price_list = models.ForeignKey(PriceList, models.CASCADE, related_name="rows")
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+")
    orientation = models.ForeignKey(Orientation, models.PROTECT, null=True, blank=True, related_name="+")
    label = models.CharField(max_length=150, blank=True)  # as the list has it
    sek_per_pupil_year = models.DecimalField(
        max_digits=9, decimal_places=2, validators=[MinValueValidator(Decimal("0"))]
    )

    class Meta:
        verbose_name = _("price")
        constraints = [
            models.UniqueConstraint(
                fields=["price_list", "programme", "orientation"], name="price_row_once", nulls_distinct=False
            ),
            models.CheckConstraint(name="price_row_not_negative", condition=Q(sek_per_pupil_year__gte=0)),
        ]
        triggers = [pgtrigger.Protect(name="published", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.orientation or self.programme}: {self.sek_per_pupil_year}"


class StatementState(models.TextChoices):
    DRAFT = "draft", _("under review")
    LOCKED = "locked", _("locked")


class StatementQuerySet(models.QuerySet["Statement"]):
    def visible_to(self, user: Any) -> Self:
        """To the administrators and committees of the two municipalities."""
        if not user.is_authenticated:
            return self.none()
        own = user.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE)
        return self.filter(Q(first__in=own) | Q(second__in=own))


class Statement(models.Model):
    """What two municipalities owe each other for a semester (ersättningsunderlag). `first` has the lower code.

    When it is locked, nothing in it changes any more; a correction is a new edition.
    """

    first = models.ForeignKey(Municipality, models.PROTECT, related_name="+")
    second = models.ForeignKey(Municipality, models.PROTECT, related_name="+")
    school_year = SchoolYearField(_("school year"))
    semester = models.CharField(_("semester"), max_length=2, choices=SemesterKind)
    number = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=6, choices=StatementState, default=StatementState.DRAFT)
    made_at = models.DateTimeField(default=now)
    locked_at = models.DateTimeField(null=True, blank=True)
    version = models.ForeignKey(Version, models.PROTECT, null=True, blank=True, related_name="+")

    objects = StatementQuerySet.as_manager()

    class Meta:
        verbose_name = _("statement of compensation")
        verbose_name_plural = _("statements of compensation")
        constraints = [
            models.UniqueConstraint(
                fields=["first", "second", "school_year", "semester", "number"], name="statement_edition_once"
            ),
            models.UniqueConstraint(
                fields=["first", "second", "school_year", "semester"],
                name="statement_one_draft",
                condition=Q(state="draft"),
            ),
            models.CheckConstraint(name="statement_between_two", condition=~Q(first=F("second"))),
        ]
        triggers = [
            pgtrigger.Protect(
                name="locked", operation=pgtrigger.Update | pgtrigger.Delete, condition=pgtrigger.Q(old__state="locked")
            )
        ]

    def __str__(self) -> str:
        return f"{self.first} – {self.second}, {self.semester} {self.school_year}"

    def get_absolute_url(self) -> str:
        return reverse("statement", args=[self.pk])

    def owners(self) -> list[Body]:
        return [self.first, self.second]


class LineBasis(models.TextChoices):
    """Why a line has the price it has."""

    AGREEMENT = "agreement", _("the agreement in force")
    SELF_COST = "self_cost", _("no agreement: the provider's self-cost")
    CHOSEN = "chosen", _("chosen by an official")
    NO_PRICE = "no_price", _("no price is known")
    SEVERAL_PRICES = "several_prices", _("the price depends on the orientation")


class StatementLine(models.Model):
    """Pupils of one municipality on one programme in the other, and what that costs in the semester.

    `amount_sek` is half the yearly price for each pupil; null while no price is known, and then counted in no sum.
    """

    statement = models.ForeignKey(Statement, models.CASCADE, related_name="lines")
    home = models.ForeignKey(Municipality, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Municipality, models.PROTECT, related_name="+")
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+")
    pupils = models.PositiveIntegerField()
    flow_key = models.BigIntegerField()  # of programmes.PupilFlow; its figure may be reported anew afterwards
    flow_source = models.CharField(max_length=10)
    example = models.BooleanField(default=False)
    basis = models.CharField(max_length=14, choices=LineBasis)
    revision = models.ForeignKey(Revision, models.PROTECT, null=True, related_name="+")
    price_row = models.ForeignKey(PriceRow, models.PROTECT, null=True, related_name="+")
    price_kind = models.CharField(max_length=13, choices=PriceKind, blank=True)
    incl_meals = models.BooleanField(null=True)
    incl_vat = models.BooleanField(null=True)
    price_sek = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    amount_sek = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    chosen_why = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["statement", "home", "provider", "programme"], name="statement_line_once")
        ]
        triggers = [
            pgtrigger.Trigger(
                name="locked",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=pgtrigger.Func(
                    """
                    IF EXISTS (
                        SELECT 1 FROM agreements_statement
                        WHERE id IN (CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE OLD.statement_id END,
                                     CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE NEW.statement_id END)
                        AND state = 'locked'
                    ) THEN
                        RAISE EXCEPTION 'the statement is locked'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'statement_locked';
                    END IF;
                    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                    RETURN NEW;
                    """
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.home} → {self.provider}: {self.programme}"

    @property
    def is_open(self) -> bool:
        return self.amount_sek is None


class Dispute(models.Model):
    """That a municipality does not accept a line, and how that was settled."""

    line = models.ForeignKey(StatementLine, models.CASCADE, related_name="disputes")
    raised_by = models.ForeignKey(Municipality, models.PROTECT, related_name="+")
    text = models.TextField(_("what is wrong"), max_length=2000)
    by = models.ForeignKey("organisations.User", models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)
    settlement = models.TextField(_("how it was settled"), max_length=2000, blank=True)
    settled_by = models.ForeignKey("organisations.User", models.PROTECT, null=True, blank=True, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("dispute")
        constraints = [models.UniqueConstraint(fields=["line"], name="dispute_one_open", condition=Q(settled_at=None))]

    def __str__(self) -> str:
        return f"{self.line}: {self.raised_by}"
