"""What is shared: categories, features, resources and the units they take up."""

from __future__ import annotations

from typing import Any, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from collab4m.clock import today
from collab4m.swedish import swedish_order
from organisations.models import Body, Municipality, RoleKind, Site
from records.models import Dated, Sourced


class ResourceKind(models.TextChoices):
    VEHICLE = "vehicle", _("vehicle")
    PREMISES = "premises", _("premises")
    EQUIPMENT = "equipment", _("equipment")


class Named(models.Model):
    """Something with a Swedish name, and an English one when that is known."""

    name_sv = models.CharField(_("Swedish name"), max_length=100)
    name_en = models.CharField(_("English name"), max_length=100, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.name_en if self.name_en and get_language() == "en" else self.name_sv

    @property
    def name_lang(self) -> str:
        return "en" if self.name_en and get_language() == "en" else "sv"


class OpenToAll(models.QuerySet[Any]):
    """Open to everyone who is logged in."""

    def visible_to(self, user: Any) -> Self:
        return self if user.is_authenticated else self.none()


class Category(Named, Sourced):
    """A kind of thing in the tree that people search in, such as truck under vehicle."""

    kind = models.CharField(_("kind"), max_length=9, choices=ResourceKind)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    slug = models.SlugField(_("short name in addresses"), unique=True)

    objects = OpenToAll.as_manager()

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")


class Feature(Named, Sourced):
    """Something a resource has that people look for, such as a tow bar."""

    slug = models.SlugField(_("short name in addresses"), unique=True)
    kind = models.CharField(_("kind"), max_length=9, choices=ResourceKind, blank=True)

    objects = OpenToAll.as_manager()

    class Meta:
        verbose_name = _("feature")
        verbose_name_plural = _("features")


class Approval(models.TextChoices):
    AUTOMATIC = "automatic", _("approved at once")
    BY_OWNER = "by_owner", _("the owner decides")


class Rivalry(models.TextChoices):
    """What happens while somebody's request waits for the owner."""

    HOLD = "hold", _("the first request holds the time until the owner's deadline")
    COMPETE = "compete", _("several may ask for the same time, and the owner chooses")


class Askers(models.TextChoices):
    OWNER = "owner", _("the owner's own schools")
    AREA = "area", _("everyone in the area")


class Takes(models.TextChoices):
    """How a booking takes up the resource's units."""

    ALL = "all", _("all of them together")
    SOME = "some", _("as many as are asked for")


class ResourceQuerySet(models.QuerySet["Resource"]):
    def visible_to(self, user: Any) -> Self:
        """What is shared in the areas around one, and what one's own bodies have."""
        if not user.is_authenticated:
            return self.none()
        around = {one.municipality_id for one in user.around_today}
        return self.filter(Q(municipality__in=around) | Q(owner__in=user.bodies_today()))

    def in_use(self) -> Self:
        return self.filter(is_retired=False)

    def in_swedish_order(self) -> Self:
        return self.order_by(swedish_order("name"), "pk")


class Resource(Sourced):
    """A vehicle, premises or equipment that its owner shares (resurs).

    `turnaround_minutes` after each booking are blocked as well. `lead_minutes`: how long before its start one asks at
    the latest. `permits` is what the driver or the group must have, in words that the owner has confirmed.
    `decide_hours`: how long a request waits for the owner before it expires.
    """

    owner = models.ForeignKey(Body, models.PROTECT, related_name="resources", verbose_name=_("owner"))
    municipality = models.ForeignKey(Municipality, models.PROTECT, related_name="+")  # where the owner belongs
    category = models.ForeignKey(Category, models.PROTECT, related_name="resources", verbose_name=_("category"))
    kind = models.CharField(_("kind"), max_length=9, choices=ResourceKind)
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), max_length=2000, blank=True)
    site = models.ForeignKey(
        Site, models.PROTECT, null=True, blank=True, related_name="resources", verbose_name=_("site")
    )
    features = models.ManyToManyField(Feature, blank=True, related_name="resources", verbose_name=_("features"))
    capacity = models.PositiveSmallIntegerField(_("seats or places"), null=True, blank=True)
    terms = models.TextField(_("terms"), max_length=2000, blank=True)
    permits = models.TextField(_("permits needed"), max_length=500, blank=True)
    permits_confirmed_at = models.DateTimeField(null=True, blank=True)
    takes = models.CharField(_("a booking takes"), max_length=4, choices=Takes, default=Takes.ALL)
    approval = models.CharField(_("approval"), max_length=9, choices=Approval, default=Approval.BY_OWNER)
    rivalry = models.CharField(_("rival requests"), max_length=7, choices=Rivalry, default=Rivalry.HOLD)
    askers = models.CharField(_("who may ask"), max_length=5, choices=Askers, default=Askers.AREA)
    decide_hours = models.PositiveSmallIntegerField(_("hours to decide"), default=48)
    turnaround_minutes = models.PositiveSmallIntegerField(_("turnaround, minutes"), default=0)
    lead_minutes = models.PositiveIntegerField(_("ask at the latest, minutes before"), default=0)
    longest_minutes = models.PositiveIntegerField(_("longest booking, minutes"), null=True, blank=True)
    cancel_hours = models.PositiveSmallIntegerField(_("cancel at the latest, hours before"), default=0)
    is_retired = models.BooleanField(_("no longer shared"), default=False)
    edit = models.PositiveIntegerField(default=0)

    objects = ResourceQuerySet.as_manager()

    sourced_fields = ("capacity", "terms")
    askable = True

    class Meta:
        verbose_name = _("resource")
        verbose_name_plural = _("resources")
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="resource_once_by_name"),
        ]
        indexes = [models.Index(fields=["municipality", "category"], name="resource_by_place")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("resource", args=[self.pk])

    def owners(self) -> list[Body]:
        return [self.owner]


class UnitQuerySet(models.QuerySet["Unit"]):
    def lock_in_order(self) -> list[Unit]:
        """The units, locked in order of id so that queues never cross: whoever writes claims begins here."""
        return list(self.order_by("pk").select_for_update(no_key=True, of=("self",)))

    def visible_to(self, user: Any) -> Self:
        """The pieces of what one sees; those that were removed belong to nothing any more."""
        seen = ResourceUnit.objects.filter(resource__in=Resource.objects.visible_to(user))
        return self.filter(pk__in=seen.values("unit"))


class Unit(models.Model):
    """A piece that can be in one place once (exemplar): a van, half a hall, iPad no 7.

    A hall and its halves, or a kit and its items, are resources that share units. One that was removed after it
    had been lent is retired: it belongs to no resource, and what it was taken up by until then still names it.
    """

    owner = models.ForeignKey(Body, models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=100)
    serial = models.CharField(_("number or registration"), max_length=60, blank=True)
    is_retired = models.BooleanField(_("removed"), default=False)
    resources = models.ManyToManyField(Resource, through="ResourceUnit", related_name="units")

    objects = UnitQuerySet.as_manager()

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        indexes = [models.Index(fields=["id"], name="unit_retired", condition=Q(is_retired=True))]

    def __str__(self) -> str:
        return self.name


class ResourceUnit(models.Model):
    """That a resource takes up a unit."""

    resource = models.ForeignKey(Resource, models.CASCADE, related_name="resource_units")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="resource_units")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["resource", "unit"], name="resource_unit_once")]

    def __str__(self) -> str:
        return f"{self.resource}: {self.unit}"


class OpenRule(models.Model):
    """When a resource can be used on a weekday (1 Monday – 7 Sunday), in local time. `closes` at 00.00 is midnight.

    No rule at all: it is never closed.
    """

    resource = models.ForeignKey(Resource, models.CASCADE, related_name="open_rules")
    weekday = models.PositiveSmallIntegerField(_("weekday"))
    opens = models.TimeField(_("opens"))
    closes = models.TimeField(_("closes"))
    in_breaks = models.BooleanField(_("in breaks too"), default=False)
    on_red_days = models.BooleanField(_("on red days too"), default=False)

    class Meta:
        verbose_name = _("opening rule")
        constraints = [models.CheckConstraint(name="open_rule_on_a_weekday", condition=Q(weekday__range=(1, 7)))]
        ordering = ["weekday", "opens"]

    def __str__(self) -> str:
        return f"{self.resource}: {self.weekday} {self.opens}–{self.closes}"


class OpenSpan(models.Model):
    """A stretch of time in which a resource is open, worked out from its rules, the municipality's breaks and red days.

    Stretches that touch are one, so that whoever asks whether a time lies within one need look at one row only.
    """

    resource = models.ForeignKey(Resource, models.CASCADE, related_name="open_spans")
    during = DateTimeRangeField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="open_span_no_overlap",
                expressions=[("resource", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            )
        ]
        indexes = [GistIndex(fields=["during"], name="open_span_by_time")]

    def __str__(self) -> str:
        return f"{self.resource}: {self.during}"


class PriceUnit(models.TextChoices):
    HOUR = "hour", _("hour")
    DAY = "day", _("day")
    OCCASION = "occasion", _("occasion")


class VatTreatment(models.TextChoices):
    WITHOUT = "without", _("without VAT")
    WITH = "with", _("with VAT")
    ASK = "ask", _("ask the finance department")


class PriceRule(Dated):
    """What a resource costs from a day to a day, in SEK. 0 is a price; no rule means that none is set."""

    resource = models.ForeignKey(Resource, models.CASCADE, related_name="price_rules")
    number = models.PositiveSmallIntegerField()
    unit = models.CharField(_("per"), max_length=8, choices=PriceUnit)
    sek = models.DecimalField(_("SEK"), max_digits=9, decimal_places=2)
    vat = models.CharField(_("VAT"), max_length=7, choices=VatTreatment, default=VatTreatment.ASK)

    class Meta:
        verbose_name = _("price")
        constraints = [
            ExclusionConstraint(
                name="price_rule_one_at_a_time",
                expressions=[("resource", RangeOperators.EQUAL), ("valid", RangeOperators.OVERLAPS)],
            ),
            models.UniqueConstraint(fields=["resource", "number"], name="price_rule_number_once"),
            models.CheckConstraint(name="price_rule_not_negative", condition=Q(sek__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.resource}: {self.sek} kr/{self.unit}"


class Picture(models.Model):
    """A picture of a resource, kept under its hash, with the words for those who do not see it."""

    resource = models.ForeignKey(Resource, models.CASCADE, related_name="pictures")
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    alt = models.CharField(_("what the picture shows"), max_length=300)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("picture")
        ordering = ["order", "pk"]

    def __str__(self) -> str:
        return self.alt


class Deputy(Dated):
    """That somebody else decides for an owner, from a day to a day."""

    owner = models.ForeignKey(Body, models.CASCADE, related_name="+")
    user = models.ForeignKey("organisations.User", models.CASCADE, related_name="deputy_for")

    class Meta:
        verbose_name = _("deputy")
        constraints = [
            ExclusionConstraint(
                name="deputy_once_at_a_time",
                expressions=[
                    ("owner", RangeOperators.EQUAL),
                    ("user", RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.owner}"


def keepers(user: Any) -> list[int]:
    """Ids of the bodies whose resources `user` keeps today."""
    return user.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.PRINCIPAL)


def deputising(user: Any) -> Any:
    """The rows by which `user` decides for an owner today."""
    return Deputy.objects.filter(user=user, valid__contains=today())
