"""Sharing: what a body has and lends, the pieces it consists of, when it is open and what it costs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F, Max, Q, QuerySet
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collab4m.clock import now, today
from collab4m.errors import RuleBroken, refused
from collab4m.templatetags.shell import capital
from organisations.models import Body, Membership, Municipality, Role, RoleKind, School, User
from records.models import CameIn, span
from records.operations import differences, record, send
from records.people import in_agreed_order, speaking_for
from resources import mails
from resources.models import (
    Booking,
    Deputy,
    Feature,
    OpenRule,
    PriceRule,
    Resource,
    ResourceUnit,
    Unit,
    WaitingOffer,
    WaitState,
    keepers,
)
from resources.operations.claiming import lock_shared, lock_units
from resources.operations.letting_go import end_offer, end_places, offer_freed
from resources.operations.opening import open_up

# What a form or a file says of a resource.
FACTS = (
    "name", "category", "kind", "description", "site", "capacity", "terms", "permits", "takes", "approval", "rivalry",
    "askers", "decide_hours", "turnaround_minutes", "lead_minutes", "longest_minutes", "cancel_hours",
)  # fmt: skip

MOST_UNITS = 1000


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


def names_of_run(words: str, *, typed: bool = False) -> list[str]:
    """The names of pieces that somebody wrote at once: iPad 1–30 is thirty. Anything else is one name.

    `typed`: a hyphen does as well, which keyboards have, from three pieces on; Sal 1-2 is the name of a room.
    """
    run = re.fullmatch(r"(.*?)([0-9]{1,4})\s*([-–])\s*([0-9]{1,4})", words)
    if run is None or int(run[2]) >= int(run[4]) or (run[3] == "-" and not (typed and int(run[4]) - int(run[2]) > 1)):
        return [words]
    return [f"{run[1]}{number}" for number in range(int(run[2]), int(run[4]) + 1)]


def place_of(owner: Body) -> Municipality:
    """The municipality where an owner belongs: itself, or the one where the school lies."""
    school = School.objects.filter(pk=owner.pk).select_related("municipality").first()
    return school.municipality if school else Municipality.objects.get(pk=owner.pk)


def bodies_shared_for(user: User) -> list[Body]:
    """The bodies for which `user` shares: those they answer for, and the schools that a municipality of theirs runs."""
    run = School.objects.filter(
        municipality__in=user.bodies_where(RoleKind.ADMINISTRATOR), provider__municipality=F("municipality")
    )
    found = Q(pk__in=keepers(user)) | Q(pk__in=run.values("pk"))
    return in_agreed_order(user, Body.objects.on().filter(found))


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

    Without either it is one piece of its own name. Whoever writes which permits are needed vouches for them.
    Raises NotYours, NameTaken, ResourceRefused.
    """
    if not speaking_for(by, owner):
        raise NotYours(field="owner")
    resource = Resource(owner=owner, municipality=place_of(owner), came_in=came_in, example=example, **facts)
    _check(resource)
    resource.permits_confirmed_at = now() if resource.permits else None
    with refused(resource_once_by_name=NameTaken), transaction.atomic():
        resource.save()
    resource.features.set(features)
    parts, names = list(parts), list(units)
    lock_units(*parts)
    pieces = {pk for part in parts for pk in part.units.values_list("pk", flat=True)}
    if any(part.owner_id != owner.pk for part in parts):
        raise ResourceRefused(_("A whole consists of parts of the same owner."), "parts")
    if any(part.kind != resource.kind for part in parts):
        raise ResourceRefused(_("A whole consists of parts of its own kind: vehicles, premises or equipment."), "parts")
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
    confirms_permits: bool = False,
) -> Resource:
    """Change what is said of a resource. Bookings keep the turnaround and the price they were made with.

    `confirms_permits`: the permits needed still hold, also where they are not changed.
    Raises NotYours, ResourceChanged, NameTaken, ResourceRefused.
    """
    resource = to_change(resource, seen, by, on_behalf_of)
    if confirms_permits and resource.permits:
        resource.permits_confirmed_at = now()
    _change(resource, facts, by, on_behalf_of, features=features)
    return resource


def to_change(resource: Resource, seen: int | None, by: User, on_behalf_of: Body) -> Resource:
    """The resource, locked, for its owner to change as it stood at the edit `seen`."""
    rows = Resource.objects.select_for_update(no_key=True, of=("self",)).select_related("owner", "category", "site")
    resource = rows.get(pk=resource.pk)
    _require_owner(resource, by, on_behalf_of)
    if seen is not None and seen != resource.edit:
        raise ResourceChanged
    return resource


def _require_owner(resource: Resource, by: User, on_behalf_of: Body) -> None:
    if on_behalf_of.pk not in speaking_for(by, resource.owner):
        raise NotYours(field="owner")


def _change(
    resource: Resource,
    facts: dict[str, Any],
    by: User,
    on_behalf_of: Body,
    *,
    features: Iterable[Feature] | None = None,
) -> None:
    changes = differences(resource, facts)
    for name, value in facts.items():
        setattr(resource, name, value)
    _check(resource)
    if "permits" in changes:
        resource.permits_confirmed_at = now() if resource.permits else None
    if features is not None:
        features = list(features)
        before = ", ".join(sorted(str(one) for one in resource.features.all()))
        after = ", ".join(sorted(str(one) for one in features))
        if before != after:
            changes["features"] = [before, after]
        resource.features.set(features)
    resource.edit += 1
    with refused(resource_once_by_name=NameTaken), transaction.atomic():
        resource.save()
    if changes:
        record("resource.changed", resource, by=by, on_behalf_of=on_behalf_of, changes=changes)


@transaction.atomic
def set_opening(
    resource: Resource,
    *,
    openings: Iterable[Opening],
    by: User,
    on_behalf_of: Body,
    facts: dict[str, Any] | None = None,
    seen: int | None = None,
) -> Resource:
    """Say when a resource is open; nothing said: always. `facts`: the rules for whoever asks, changed with it.

    What is booked stays booked, with the turnaround it was made with.
    Raises NotYours, ResourceChanged, ResourceRefused for stretches of a day that overlap.
    """
    resource = to_change(resource, seen, by, on_behalf_of)
    openings = sorted(openings, key=lambda one: (one.weekday, one.opens))
    if day := overlapping_day(openings):
        words = {"weekday": day}
        raise ResourceRefused(_("%(weekday)s: two stretches overlap. Change one of them.") % words, "openings")
    _change(resource, facts or {}, by, on_behalf_of)
    if openings_of(resource) == openings:
        return resource
    resource.open_rules.all().delete()
    OpenRule.objects.bulk_create(OpenRule(resource=resource, **vars(one)) for one in openings)
    open_up(resource)
    record("resource.opening_changed", resource, by=by, on_behalf_of=on_behalf_of)
    return resource


def overlapping_day(openings: Sequence[Opening]) -> str:
    """The weekday on which two stretches, in order of time, share a moment; empty if there is none."""
    for one, following in pairwise(openings):
        if one.weekday == following.weekday and (one.closes <= one.opens or following.opens < one.closes):
            return capital(str(WEEKDAYS[one.weekday - 1]))
    return ""


def openings_of(resource: Resource) -> list[Opening]:
    """When a resource is open, stretch by stretch in order; none: it is never closed."""
    return [opening_of(rule) for rule in resource.open_rules.order_by("weekday", "opens")]


def opening_of(rule: OpenRule) -> Opening:
    return Opening(rule.weekday, rule.opens, rule.closes, rule.in_breaks, rule.on_red_days)


@transaction.atomic
def set_price(
    resource: Resource,
    *,
    unit: str,
    sek: Decimal,
    vat: str,
    first_day: date,
    by: User,
    on_behalf_of: Body,
    seen: int | None = None,
) -> PriceRule:
    """Set what a resource costs from a day on. Earlier rules end the day before; bookings keep the price they have.

    `seen`: the number of the latest price that was shown, 0 for none.
    Raises NotYours, ResourceChanged, ResourceRefused.
    """
    lock_units(resource)  # a booking that is being made may have read the price
    resource = to_change(resource, None, by, on_behalf_of)
    latest = resource.price_rules.aggregate(latest=Max("number"))["latest"] or 0
    if seen is not None and seen != latest:
        raise ResourceChanged
    if first_day < today():
        raise ResourceRefused(_("A price holds from today on or later."), "first_day")
    if sek < 0:
        raise ResourceRefused(_("A price is nought or more."), "sek")
    for rule in resource.price_rules.order_by("valid"):
        if rule.first_day and rule.first_day >= first_day:
            if Booking.objects.filter(Q(price_rule=rule) | Q(kept_price_rule=rule)).exists():
                raise ResourceRefused(
                    _("A later price has been used in bookings. Set the price from after that."), "first_day"
                )
            rule.delete()
        elif rule.last_day is None or rule.last_day >= first_day:
            rule.valid = DateRange(rule.valid.lower, first_day, "[)")
            rule.save(update_fields=["valid"])
    made = PriceRule.objects.create(
        resource=resource, number=latest + 1, unit=unit, sek=sek, vat=vat, valid=span(first_day, None)
    )
    words: dict[str, Any] = {"sek": str(sek), "unit": unit, "first_day": str(first_day)}
    record("resource.price_set", resource, by=by, on_behalf_of=on_behalf_of, **words)
    return made


def in_the_way(resource: Resource) -> QuerySet[Booking]:
    """What must be cancelled or moved before a resource is no longer shared, in order of time."""
    coming = resource.bookings.alive().filter(Q(during__endswith__gt=now()) | Q(kept__endswith__gt=now()))
    return coming.order_by("during", "pk")


@transaction.atomic
def retire_resource(resource: Resource, *, by: User, on_behalf_of: Body) -> Resource:
    """Share it no longer. Those who stand in line for it are told so, and do so no more.

    Raises NotYours, ResourceRefused while somebody is to have it.
    """
    lock_shared(resource)
    resource = to_change(resource, None, by, on_behalf_of)
    if resource.is_retired:
        return resource
    if in_the_way(resource).exists():
        raise ResourceRefused(_("Somebody is to have it. Cancel or move those bookings first."))
    resource.is_retired = True
    resource.save(update_fields=["is_retired"])
    for offer in WaitingOffer.objects.filter(waiting__resource=resource, ended_at=None).select_related("waiting"):
        end_offer(offer, WaitState.WAITING)
    end_places(resource, Q(), by=by, on_behalf_of=on_behalf_of)
    offer_freed(resource)
    record("resource.retired", resource, by=by, on_behalf_of=on_behalf_of)
    return resource


@transaction.atomic
def share_again(resource: Resource, *, by: User, on_behalf_of: Body) -> Resource:
    """Share anew what was no longer shared, by the rules it had. Raises NotYours, ResourceRefused."""
    lock_units(resource)
    resource = to_change(resource, None, by, on_behalf_of)
    if not resource.is_retired:
        return resource
    if not resource.units.exists():
        raise ResourceRefused(_("Its pieces have been removed. Share it as something new."))
    resource.is_retired = False
    resource.save(update_fields=["is_retired"])
    open_up(resource)
    record("resource.shared_again", resource, by=by, on_behalf_of=on_behalf_of)
    return resource


def deputies_for(owner: Body) -> QuerySet[User]:
    """Those who may be named deputy for an owner: whoever works today in the areas of its municipality."""
    place = place_of(owner)
    around = Membership.objects.on().filter(municipality=place)
    near = Membership.objects.on().filter(area__in=around.values("area")).values("municipality")
    bodies = Q(body=place.pk) | Q(body__as_school__municipality=place.pk)
    bodies |= Q(body__in=near) | Q(body__as_school__municipality__in=near)
    roles = Role.objects.on().filter(bodies | Q(area__in=around.values("area")))
    return User.objects.filter(is_active=True, pk__in=roles.values("user"))


@transaction.atomic
def name_deputy(owner: Body, *, user: User, first_day: date, last_day: date, by: User, on_behalf_of: Body) -> Deputy:
    """Let somebody else decide on requests for an owner's resources, from a day through another.

    Raises NotYours, ResourceRefused.
    """
    if on_behalf_of.pk not in speaking_for(by, owner):
        raise NotYours(field="owner")
    if last_day < first_day or last_day < today() or last_day - first_day > timedelta(days=366):
        raise ResourceRefused(_("Choose a last day after the first, within a year."), "last_day")
    words: dict[str, Any] = {"person": str(user), "owner": str(owner)}
    if speaking_for(user, owner):
        raise ResourceRefused(_("%(person)s decides for %(owner)s already. Choose somebody else.") % words, "user")
    if not deputies_for(owner).filter(pk=user.pk).exists():
        raise ResourceRefused(_("%(person)s has no role in the area today. Choose somebody else.") % words, "user")
    twice = _("%(person)s is deputy for %(owner)s on some of those days already. Choose other days.") % words
    with refused(deputy_once_at_a_time=lambda: ResourceRefused(twice, "first_day")), transaction.atomic():
        deputy = Deputy.objects.create(owner=owner, user=user, valid=span(first_day, last_day))
    words |= {"first_day": str(first_day), "last_day": str(last_day)}
    record("deputy.named", user, by=by, on_behalf_of=on_behalf_of, **words)
    send(*mails.deputy_named(deputy, by))
    return deputy


@transaction.atomic
def end_deputy(deputy: Deputy, *, by: User, on_behalf_of: Body) -> None:
    """Let somebody decide no longer, from this moment. Raises NotYours."""
    found = Deputy.objects.select_for_update(of=("self",)).select_related("owner", "user").filter(pk=deputy.pk).first()
    if found is None or (found.last_day and found.last_day < today()):
        return
    if on_behalf_of.pk not in speaking_for(by, found.owner):
        raise NotYours(field="owner")
    if found.first_day and found.first_day < today():
        found.valid = DateRange(found.valid.lower, today(), "[)")
        found.save(update_fields=["valid"])
    else:
        found.delete()
    words: dict[str, Any] = {"person": str(found.user), "owner": str(found.owner)}
    record("deputy.ended", found.user, by=by, on_behalf_of=on_behalf_of, **words)
    send(*mails.deputy_ended(found, by))
