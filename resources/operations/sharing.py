"""Sharing: what a body has and lends, the pieces it consists of, when it is open and what it costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F, Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collab4m.clock import now, today
from collab4m.errors import RuleBroken, refused
from organisations.models import Body, Municipality, School, User
from records.models import CameIn, span
from records.operations import differences, record
from records.people import speaking_for
from resources.models import (
    Booking,
    Deputy,
    Feature,
    OpenRule,
    PriceRule,
    Resource,
    ResourceUnit,
    Takes,
    Unit,
)
from resources.operations.claiming import lock_units
from resources.operations.opening import open_up

# What a form or a file says of a resource.
FACTS = (
    "name", "category", "kind", "description", "site", "capacity", "terms", "permits", "takes", "approval", "rivalry",
    "askers", "decide_hours", "turnaround_minutes", "lead_minutes", "longest_minutes", "cancel_hours",
)  # fmt: skip


class NotYours(RuleBroken):
    code = "not_yours"
    message = gettext_lazy("You share what your own body has.")


class NameTaken(RuleBroken):
    code = "name_taken"

    def __init__(self) -> None:
        super().__init__(_("The owner has a resource with that name already. Choose another name."), "name")


class ResourceRefused(RuleBroken):
    code = "resource_refused"


class ResourceChanged(RuleBroken):
    code = "changed_meanwhile"

    def __init__(self) -> None:
        super().__init__(_("Somebody changed this while you wrote. Look at what now stands, and save again."))


@dataclass(frozen=True)
class Opening:
    """A stretch of a weekday (1 Monday – 7 Sunday) in which a resource can be used."""

    weekday: int
    opens: time
    closes: time
    in_breaks: bool = False
    on_red_days: bool = False


def place_of(owner: Body) -> Municipality:
    """The municipality where an owner belongs: itself, or the one where the school lies."""
    school = School.objects.filter(pk=owner.pk).select_related("municipality").first()
    return school.municipality if school else Municipality.objects.get(pk=owner.pk)


@transaction.atomic
def share_resource(
    *,
    owner: Body,
    facts: dict[str, Any],
    features: Iterable[Feature] = (),
    units: Iterable[str] = (),
    parts: Iterable[Resource] = (),
    by: User,
    example: bool = False,
    came_in: str = CameIn.FORM,
) -> Resource:
    """Share something. Its units are new pieces with these names, and those of its `parts`: a hall has its halves'.

    Without either it is one piece of its own name. Raises NotYours, NameTaken, ResourceRefused.
    """
    if not speaking_for(by, owner):
        raise NotYours(field="owner")
    resource = Resource(owner=owner, municipality=place_of(owner), came_in=came_in, example=example, **facts)
    _check(resource)
    with refused(resource_once_by_name=NameTaken), transaction.atomic():
        resource.save()
    resource.features.set(features)
    parts, names = list(parts), list(units)
    pieces = {pk for part in parts for pk in part.units.values_list("pk", flat=True)}
    if any(part.owner_id != owner.pk for part in parts):
        raise ResourceRefused(_("A whole consists of parts of the same owner."), "parts")
    if not pieces and not names:
        names = [resource.name]
    made = Unit.objects.bulk_create(Unit(owner=owner, name=name[:100]) for name in names)
    ResourceUnit.objects.bulk_create(
        ResourceUnit(resource=resource, unit_id=pk) for pk in [*pieces, *(unit.pk for unit in made)]
    )
    open_up(resource)
    record("resource.shared", resource, by=by, on_behalf_of=owner)
    return resource


def _check(resource: Resource) -> None:
    if not resource.name.strip():
        raise ResourceRefused(_("Give it a name that people know it by."), "name")
    if resource.kind != resource.category.kind:
        raise ResourceRefused(_("The category is of another kind. Choose one that fits."), "category")
    if resource.site and resource.site.municipality_id != resource.municipality_id:
        raise ResourceRefused(_("The site lies in another municipality."), "site")
    if resource.longest_minutes is not None and resource.longest_minutes < 5:
        raise ResourceRefused(_("The longest booking is five minutes at least."), "longest_minutes")
    if not 1 <= resource.decide_hours <= 24 * 60:
        raise ResourceRefused(_("Give yourselves one hour at least and sixty days at most to decide."), "decide_hours")
    if resource.turnaround_minutes > 7 * 24 * 60:
        raise ResourceRefused(_("A turnaround is a week at most."), "turnaround_minutes")


@transaction.atomic
def change_resource(
    resource: Resource,
    *,
    facts: dict[str, Any],
    features: Iterable[Feature] | None,
    seen: int,
    by: User,
    on_behalf_of: Body,
) -> Resource:
    """Change what is said of a resource. Bookings keep the turnaround and the price they were made with.

    Raises NotYours, ResourceChanged, NameTaken, ResourceRefused.
    """
    resource = (
        Resource.objects.select_for_update(of=("self",)).select_related("owner", "category", "site").get(pk=resource.pk)
    )
    _require_owner(resource, by, on_behalf_of)
    if seen != resource.edit:
        raise ResourceChanged
    changes = differences(resource, facts)
    for name, value in facts.items():
        setattr(resource, name, value)
    _check(resource)
    if "permits" in changes:
        resource.permits_confirmed_at = now()
    resource.edit = F("edit") + 1
    with refused(resource_once_by_name=NameTaken), transaction.atomic():
        resource.save()
    if features is not None:
        resource.features.set(features)
    resource.refresh_from_db()
    if changes:
        record("resource.changed", resource, by=by, on_behalf_of=on_behalf_of, changes=changes)
    return resource


def _require_owner(resource: Resource, by: User, on_behalf_of: Body) -> None:
    if on_behalf_of.pk not in speaking_for(by, resource.owner):
        raise NotYours(field="owner")


@transaction.atomic
def set_opening(resource: Resource, *, openings: Iterable[Opening], by: User, on_behalf_of: Body) -> None:
    """Say when a resource is open; nothing said: always. What is booked stays booked.

    Raises NotYours, ResourceRefused for stretches of a day that overlap.
    """
    resource = Resource.objects.select_for_update(of=("self",)).select_related("owner").get(pk=resource.pk)
    _require_owner(resource, by, on_behalf_of)
    openings = sorted(openings, key=lambda one: (one.weekday, one.opens))
    for one, following in zip(openings, openings[1:], strict=False):
        over_midnight = one.closes <= one.opens
        if one.weekday == following.weekday and (over_midnight or following.opens < one.closes):
            raise ResourceRefused(_("Two stretches of the same day overlap. Change one of them."))
    resource.open_rules.all().delete()
    OpenRule.objects.bulk_create(OpenRule(resource=resource, **vars(one)) for one in openings)
    open_up(resource)
    record("resource.opening_changed", resource, by=by, on_behalf_of=on_behalf_of)


@transaction.atomic
def set_price(
    resource: Resource, *, unit: str, sek: Decimal, vat: str, first_day: date, by: User, on_behalf_of: Body
) -> PriceRule:
    """Set what a resource costs from a day on. Earlier rules end the day before; bookings keep the price they have.

    Raises NotYours, ResourceRefused.
    """
    resource = Resource.objects.select_for_update(of=("self",)).select_related("owner").get(pk=resource.pk)
    _require_owner(resource, by, on_behalf_of)
    if first_day < today():
        raise ResourceRefused(_("A price holds from today on or later."), "first_day")
    if sek < 0:
        raise ResourceRefused(_("A price is nought or more."), "sek")
    rules = list(resource.price_rules.order_by("valid"))
    for rule in rules:
        if rule.first_day and rule.first_day >= first_day:
            if Booking.objects.filter(price_rule=rule).exists():
                raise ResourceRefused(
                    _("A later price has been used in bookings. Set the price from after that."), "first_day"
                )
            rule.delete()
        elif rule.last_day is None or rule.last_day >= first_day:
            rule.valid = DateRange(rule.valid.lower, first_day, "[)")
            rule.save(update_fields=["valid"])
    number = (resource.price_rules.aggregate(last=Max("number"))["last"] or 0) + 1
    made = PriceRule.objects.create(
        resource=resource, number=number, unit=unit, sek=sek, vat=vat, valid=span(first_day, None)
    )
    record("resource.price_set", resource, by=by, on_behalf_of=on_behalf_of, sek=str(sek), unit=unit)
    return made


@transaction.atomic
def add_units(resource: Resource, *, names: Iterable[str], by: User, on_behalf_of: Body) -> list[Unit]:
    """More pieces of something of which bookings take some. Raises NotYours, ResourceRefused."""
    lock_units(resource)
    _require_owner(resource, by, on_behalf_of)
    if resource.takes != Takes.SOME:
        raise ResourceRefused(_("Bookings of this take all of it, so it cannot get more pieces."))
    made = Unit.objects.bulk_create(Unit(owner=resource.owner, name=name[:100]) for name in names)
    ResourceUnit.objects.bulk_create(ResourceUnit(resource=resource, unit=unit) for unit in made)
    record("resource.units_added", resource, by=by, on_behalf_of=on_behalf_of, number=len(made))
    return made


@transaction.atomic
def retire_resource(resource: Resource, *, by: User, on_behalf_of: Body) -> Resource:
    """Share it no longer. Raises NotYours, ResourceRefused while somebody is to have it."""
    lock_units(resource)
    resource = Resource.objects.select_for_update(of=("self",)).select_related("owner").get(pk=resource.pk)
    _require_owner(resource, by, on_behalf_of)
    coming = resource.bookings.alive().filter(during__endswith__gt=now())
    if coming.exists():
        raise ResourceRefused(_("Somebody is to have it. Cancel or move those bookings first."))
    resource.is_retired = True
    resource.save(update_fields=["is_retired"])
    record("resource.retired", resource, by=by, on_behalf_of=on_behalf_of)
    return resource


@transaction.atomic
def name_deputy(owner: Body, *, user: User, first_day: date, last_day: date, by: User, on_behalf_of: Body) -> Deputy:
    """Let somebody else decide on requests for an owner's resources, from a day through another.

    Raises NotYours, ResourceRefused.
    """
    if on_behalf_of.pk not in speaking_for(by, owner):
        raise NotYours(field="owner")
    if last_day < first_day or last_day < today() or last_day - first_day > timedelta(days=366):
        raise ResourceRefused(_("Choose a last day after the first, within a year."), "last_day")
    with refused(deputy_once_at_a_time=ResourceRefused), transaction.atomic():
        deputy = Deputy.objects.create(owner=owner, user=user, valid=span(first_day, last_day))
    record("deputy.named", user, by=by, on_behalf_of=on_behalf_of, person=str(user), owner=str(owner))
    return deputy
