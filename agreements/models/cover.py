"""What the signed agreements cover, intake by intake, and how many seats of it are used."""

from __future__ import annotations

from typing import Any, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import IntegerRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from agreements.models.agreements import Agreement, Revision, Standing, Term
from collab4m.school_year import SchoolYear, SchoolYearField
from organisations.models import Body, Municipality
from programmes.models import MASKED_UNDER, OpenQuerySet, Orientation, Programme, sees_unmasked, year_in_address
from records.models import Sourced, Version


class CoverQuerySet(models.QuerySet["Cover"]):
    def visible_to(self, user: Any) -> Self:
        """What signed agreements say: open within the area, and to the parties."""
        return self.filter(agreement__in=Agreement.objects.visible_to(user).values("pk"))

    def of_intake(self, year: SchoolYear) -> Self:
        return self.filter(years__contains=year.starts)

    def among(self, municipalities: Any) -> Self:
        return self.filter(home__in=municipalities, provider__in=municipalities)


class Cover(models.Model):
    """That pupils of `home` may apply to `provider` on a leaf of the catalogue as if they lived there (täckning).

    A leaf is an orientation, or a programme that has none. `years` are the intakes, known by the year in which they
    start, half-open. Rows are derived from signed revisions and standing notices, and written nowhere else than in
    `operations.covering`.
    """

    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="covers")
    revision = models.ForeignKey(Revision, models.CASCADE, related_name="covers")
    version = models.ForeignKey(Version, models.PROTECT, related_name="+")
    term = models.ForeignKey(Term, models.CASCADE, related_name="covers")
    home = models.ForeignKey(Municipality, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Municipality, models.PROTECT, related_name="+")
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+")
    orientation = models.ForeignKey(Orientation, models.PROTECT, null=True, related_name="+")
    years = IntegerRangeField()
    standing = models.CharField(max_length=9, choices=Standing)
    seats = models.PositiveSmallIntegerField(null=True)
    unlimited = models.BooleanField(default=False)

    objects = CoverQuerySet.as_manager()

    class Meta:
        verbose_name = _("cover")
        constraints = [
            ExclusionConstraint(
                name="cover_one_of_a_standing",
                expressions=[
                    ("home", RangeOperators.EQUAL),
                    ("provider", RangeOperators.EQUAL),
                    ("programme", RangeOperators.EQUAL),
                    (Coalesce("orientation", 0), RangeOperators.EQUAL),
                    ("standing", RangeOperators.EQUAL),
                    ("years", RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(name="cover_of_some_intake", condition=Q(years__isempty=False)),
            models.CheckConstraint(name="cover_between_two", condition=~Q(home=F("provider"))),
        ]
        indexes = [models.Index(fields=["home", "programme"], name="cover_by_home")]

    def __str__(self) -> str:
        return f"{self.home} → {self.provider}: {self.orientation or self.programme}"

    @property
    def first_intake(self) -> SchoolYear:
        return SchoolYear(self.years.lower)

    @property
    def last_intake(self) -> SchoolYear | None:
        """The last intake it covers; None while no end is set."""
        return SchoolYear(self.years.upper - 1) if self.years.upper is not None else None


class SeatUse(Sourced):
    """How many pupils of `home` were admitted to what `provider` has under agreement, in an intake. Numbers only."""

    home = models.ForeignKey(Municipality, models.PROTECT, related_name="+", verbose_name=_("home municipality"))
    provider = models.ForeignKey(
        Municipality, models.PROTECT, related_name="+", verbose_name=_("provider municipality")
    )
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+", verbose_name=_("programme"))
    orientation = models.ForeignKey(
        Orientation, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("orientation")
    )
    intake = SchoolYearField(_("intake"))
    admitted = models.PositiveSmallIntegerField(_("admitted"))

    objects = OpenQuerySet.as_manager()

    class Meta:
        verbose_name = _("use of seats")
        constraints = [
            models.UniqueConstraint(
                fields=["home", "provider", "programme", "orientation", "intake"],
                name="seat_use_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.home} → {self.provider}: {self.orientation or self.programme} {self.intake}"

    def get_absolute_url(self) -> str:
        return f"{reverse('seat_use')}?lasar={year_in_address(self.intake)}"

    def owners(self) -> list[Body]:
        return [self.provider, self.home]

    def visible_events(self, user: Any) -> Q:
        """History tells numbers, so only those who see them unmasked read it."""
        return Q() if sees_unmasked(user, self.home_id, self.provider_id) else Q(pk__in=[])

    def shown_to(self, user: Any) -> int | None:
        """The number, or None where it is masked for `user`."""
        if self.admitted >= MASKED_UNDER or sees_unmasked(user, self.home_id, self.provider_id):
            return self.admitted
        return None
