"""Bodies that people act for: municipalities and schools, with their boards, providers and sites."""

from __future__ import annotations

from typing import Any, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from collab4m.swedish import swedish_order
from organisations.models.case_numbers import check_case_number_mask, matches_case_number_mask
from records.models import Dated, DatedQuerySet, Sourced

check_school_unit_code = RegexValidator(r"^[0-9]{8}\Z", _("Write the school unit code with eight figures."))


class DirectoryQuerySet(DatedQuerySet):
    """The directory of who and where: open to everyone who is logged in."""

    def visible_to(self, user: Any) -> Self:
        return self if user.is_authenticated else self.none()

    def in_swedish_order(self) -> Self:
        return self.order_by(swedish_order("name"), "pk")


class BodyKind(models.TextChoices):
    MUNICIPALITY = "municipality", _("municipality")
    SCHOOL = "school", _("school")


class Body(Sourced, Dated):
    """Something a person can act for. `kind` says which of the subclasses the row is."""

    kind = models.CharField(max_length=12, choices=BodyKind, editable=False)
    name = models.CharField(_("name"), max_length=150)

    objects = DirectoryQuerySet.as_manager()

    askable = True

    class Meta:
        verbose_name = _("body")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse(self.kind, args=[self.pk])


class Municipality(Body):
    """A municipality. `full_name` is what it calls itself in documents, such as "Västerås stad"."""

    body = models.OneToOneField(
        Body, models.CASCADE, parent_link=True, related_name="as_municipality", primary_key=True
    )
    code = models.CharField(_("municipality code"), max_length=4, unique=True)
    full_name = models.CharField(_("full name"), max_length=150, blank=True)
    county = models.CharField(_("county"), max_length=60, blank=True)

    objects = DirectoryQuerySet.as_manager()  # type: ignore[misc]

    sourced_fields = ("full_name", "county")

    class Meta:
        verbose_name = _("municipality")
        verbose_name_plural = _("municipalities")

    def save(self, **kwargs: Any) -> None:
        self.kind = BodyKind.MUNICIPALITY
        super().save(**kwargs)

    @property
    def official_name(self) -> str:
        """The name for documents; the short one when the full name is not known."""
        return self.full_name or self.name

    def owners(self) -> list[Body]:
        return [self]


class ProviderKind(models.TextChoices):
    MUNICIPAL = "municipal", _("municipal")
    REGIONAL = "regional", _("regional")
    INDEPENDENT = "independent", _("independent")
    UNKNOWN = "unknown", _("not known")


class Provider(Sourced, Dated):
    """Whoever is responsible for a school in law (huvudman)."""

    name = models.CharField(_("name"), max_length=150)
    kind = models.CharField(_("kind"), max_length=11, choices=ProviderKind, default=ProviderKind.UNKNOWN)
    municipality = models.OneToOneField(
        Municipality, models.PROTECT, null=True, blank=True, related_name="provider", verbose_name=_("municipality")
    )

    objects = DirectoryQuerySet.as_manager()

    sourced_fields = ("name", "kind")

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        constraints = [
            ExclusionConstraint(
                name="provider_once_by_name",
                expressions=[(Lower("name"), RangeOperators.EQUAL), ("valid", RangeOperators.OVERLAPS)],
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("provider", args=[self.pk])

    def owners(self) -> list[Body]:
        return [self.municipality] if self.municipality else []


class Site(Sourced, Dated):
    """A place where teaching happens. A school may have several, and several schools may share one."""

    name = models.CharField(_("name"), max_length=150)
    municipality = models.ForeignKey(Municipality, models.PROTECT, related_name="sites", verbose_name=_("municipality"))
    address = models.CharField(_("address"), max_length=200, blank=True)
    latitude = models.DecimalField(_("latitude"), max_digits=8, decimal_places=5, null=True, blank=True)
    longitude = models.DecimalField(_("longitude"), max_digits=8, decimal_places=5, null=True, blank=True)

    objects = DirectoryQuerySet.as_manager()

    sourced_fields = ("name", "address")

    askable = True

    class Meta:
        verbose_name = _("site")
        verbose_name_plural = _("sites")
        constraints = [
            ExclusionConstraint(
                name="site_once_in_a_municipality",
                expressions=[
                    ("municipality", RangeOperators.EQUAL),
                    (Lower("name"), RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("site", args=[self.pk])

    def owners(self) -> list[Body]:
        return [self.municipality]


class SchoolQuerySet(DirectoryQuerySet):
    def rivals_of(self, school: School) -> Self:
        """Other schools in the municipality that bear the same name at some time when `school` does."""
        namesakes = self.filter(municipality=school.municipality_id, name__iexact=school.name)
        return namesakes.filter(valid__overlap=school.valid).exclude(pk=school.pk)


class School(Body):
    """A school with upper-secondary education, in the municipality where it lies."""

    body = models.OneToOneField(Body, models.CASCADE, parent_link=True, related_name="as_school", primary_key=True)
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, related_name="schools", verbose_name=_("municipality")
    )
    provider = models.ForeignKey(
        Provider, models.PROTECT, null=True, blank=True, related_name="schools", verbose_name=_("provider")
    )
    school_unit_code = models.CharField(
        _("school unit code"), max_length=8, blank=True, validators=[check_school_unit_code]
    )
    status = models.CharField(_("status"), max_length=250, blank=True)
    sites = models.ManyToManyField(Site, blank=True, related_name="schools", verbose_name=_("sites"))

    objects = SchoolQuerySet.as_manager()  # type: ignore[misc]

    sourced_fields = ("name", "school_unit_code", "status")

    class Meta:
        verbose_name = _("school")
        verbose_name_plural = _("schools")

    def save(self, **kwargs: Any) -> None:
        self.kind = BodyKind.SCHOOL
        super().save(**kwargs)

    def clean(self) -> None:
        super().clean()
        if School.objects.rivals_of(self).exists():
            raise ValidationError({"name": _("The municipality already has a school with this name.")})

    @property
    def is_municipal(self) -> bool:
        """Whether the municipality where it lies also runs it."""
        return self.provider is not None and self.provider.municipality_id == self.municipality_id

    def owners(self) -> list[Body]:
        return [self.municipality]


class Board(Sourced, Dated):
    """A political board. Two in this area are called the same, so it is never shown without its municipality."""

    municipality = models.ForeignKey(
        Municipality, models.PROTECT, related_name="boards", verbose_name=_("municipality")
    )
    name = models.CharField(_("name"), max_length=150)
    administration = models.CharField(_("administration"), max_length=150, blank=True)
    memo_head = models.TextField(_("head of memos"), max_length=500, blank=True)
    case_number_pattern = models.CharField(
        _("pattern of case numbers"), max_length=200, blank=True, validators=[check_case_number_mask]
    )
    case_number_example = models.CharField(_("example of a case number"), max_length=60, blank=True)

    objects = DirectoryQuerySet.as_manager()

    sourced_fields = ("name", "administration", "memo_head", "case_number_pattern")

    askable = True

    class Meta:
        verbose_name = _("board")
        verbose_name_plural = _("boards")
        constraints = [
            ExclusionConstraint(
                name="board_once_in_a_municipality",
                expressions=[
                    ("municipality", RangeOperators.EQUAL),
                    (Lower("name"), RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.municipality.name}"

    def get_absolute_url(self) -> str:
        return reverse("board", args=[self.pk])

    def owners(self) -> list[Body]:
        return [self.municipality]

    def clean(self) -> None:
        super().clean()
        if not self.example_is_accepted:
            differs = _("The example is not written as the pattern says. Change one of them.")
            raise ValidationError({"case_number_example": differs})

    @property
    def example_is_accepted(self) -> bool:
        return not self.case_number_example or self.accepts_case_number(self.case_number_example)

    def accepts_case_number(self, case_number: str) -> bool:
        """Whether a case number is written as this board writes them; any is, while its pattern is not known."""
        return not self.case_number_pattern or matches_case_number_mask(self.case_number_pattern, case_number)


class ContactPurpose(models.TextChoices):
    ACCESSIBILITY = "accessibility", _("accessibility")
    PERSONAL_DATA = "personal_data", _("personal data")
    COOKIES = "cookies", _("cookies")


class Contact(models.Model):
    """Who answers for the portal's accessibility, personal data or cookies in a municipality."""

    municipality = models.ForeignKey(Municipality, models.CASCADE, related_name="contacts")
    purpose = models.CharField(_("purpose"), max_length=13, choices=ContactPurpose)
    owner = models.CharField(_("who is responsible"), max_length=150, blank=True)
    unit = models.CharField(_("contact"), max_length=150, blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    phone = models.CharField(_("telephone"), max_length=40, blank=True)
    example = models.BooleanField(_("example"), default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["municipality", "purpose"], name="contact_one_per_purpose")]

    def __str__(self) -> str:
        return f"{self.municipality}, {self.get_purpose_display()}"

    @property
    def is_complete(self) -> bool:
        """Whether a reader learns who answers and how to reach them."""
        return bool(self.owner and (self.email or self.phone))
