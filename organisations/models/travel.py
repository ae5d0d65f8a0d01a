"""How long it takes to go from one municipality to another."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models.functions import Greatest, Least
from django.utils.translation import gettext_lazy as _

from organisations.models.bodies import Body, DirectoryQuerySet, Municipality
from records.models import Dated, Sourced


class TravelMode(models.TextChoices):
    RAIL = "rail", _("train")
    ROAD = "road", _("road")
    BUS = "bus", _("bus")


class TravelTime(Sourced, Dated):
    """Minutes between the main towns of two municipalities, one way. Unknown minutes stay unknown (null)."""

    origin = models.ForeignKey(Municipality, models.CASCADE, related_name="+", verbose_name=_("from"))
    destination = models.ForeignKey(Municipality, models.CASCADE, related_name="+", verbose_name=_("to"))
    mode = models.CharField(_("by"), max_length=4, choices=TravelMode)
    minutes = models.PositiveSmallIntegerField(_("minutes"), null=True, blank=True)

    objects = DirectoryQuerySet.as_manager()

    sourced_fields = ("minutes",)

    class Meta:
        verbose_name = _("travel time")
        verbose_name_plural = _("travel times")
        constraints = [
            ExclusionConstraint(
                name="travel_time_once_either_way",
                expressions=[
                    (Least("origin", "destination"), RangeOperators.EQUAL),
                    (Greatest("origin", "destination"), RangeOperators.EQUAL),
                    ("mode", RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
            )
        ]

    def __str__(self) -> str:
        return f"{self.origin}–{self.destination}, {self.get_mode_display()}"

    def get_absolute_url(self) -> str:
        return self.origin.get_absolute_url()

    def owners(self) -> list[Body]:
        return [self.origin, self.destination]
