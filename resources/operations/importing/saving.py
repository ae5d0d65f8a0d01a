"""Taking in what was shown, all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from collab4m.clock import today
from collab4m.errors import RuleBroken
from organisations.models import Body, User
from programmes.operations import FileRefused, Problem
from records.models import CameIn
from resources.models import Resource
from resources.operations.claiming import lock_shared
from resources.operations.importing.checking import Planned, plan_inventory, plan_seen
from resources.operations.importing.columns import FACTS, MOST_PROBLEMS
from resources.operations.importing.reading import Inventory
from resources.operations.sharing import change_resource, set_opening, set_price, share_resource
from resources.operations.units import add_units


class InventoryChanged(RuleBroken):
    code = "inventory_changed"
    message = _("Something has changed since the rows were shown. Nothing is saved. Look through them again.")


@transaction.atomic
def import_inventory(inventory: Inventory, *, seen: str, by: User, on_behalf_of: Body) -> list[Planned]:
    """Share what is new and change what differs, all of it or nothing. `seen` is the sum of the plan that was shown.

    Raises FileRefused with every fault, InventoryChanged if something else would happen than what was shown.
    """
    plan = plan_inventory(inventory, owner=on_behalf_of, by=by)
    if plan_seen(plan) != seen:
        raise InventoryChanged
    touched = [one.resource for one in plan if one.resource is not None and one.changes]
    names = {name for one in plan for name in one.values.get("parts", ())}
    parts = Resource.objects.filter(owner__in={one.owner.pk for one in plan}, name__in=names)
    lock_shared(*touched, *parts)  # before any resource: whoever books locks in that order
    list(Resource.objects.filter(pk__in=[one.pk for one in touched]).order_by("pk").select_for_update(no_key=True))
    made: dict[tuple[int, str], Resource] = {}
    problems = []
    for one in plan:
        try:
            with transaction.atomic():
                made[one.owner.pk, one.name] = _take_in(one, made, by)
        except RuleBroken as broken:
            place, heading = inventory.places.get(broken.field or "", ("", ""))
            problems.append(Problem(one.line, place, heading, "", str(broken)))
    if problems:
        raise FileRefused(inventory.name, problems[:MOST_PROBLEMS], len(problems))
    return plan


def _take_in(one: Planned, made: Mapping[tuple[int, str], Resource], by: User) -> Resource:
    facts = {name: value for name, value in one.values.items() if name in FACTS}
    if one.resource is None:
        parts = [made.get((one.owner.pk, name)) or Resource.objects.get(owner=one.owner, name=name)
                 for name in one.values.get("parts", ())]  # fmt: skip
        resource = share_resource(
            owner=one.owner,
            facts={"name": one.name, **facts},
            features=one.values.get("features", ()),
            units=one.values.get("units", ()),
            parts=parts,
            by=by,
            example=by.example,
            came_in=CameIn.IMPORT,
        )
    else:
        resource = one.resource
        if facts or "features" in one.values:
            resource = change_resource(
                resource, facts=facts, features=one.values.get("features"), seen=resource.edit, by=by,
                on_behalf_of=one.owner,
            )  # fmt: skip
        if "units" in one.values:
            add_units(resource, names=one.values["units"], by=by, on_behalf_of=one.owner)
    if "openings" in one.values:
        set_opening(resource, openings=one.values["openings"], by=by, on_behalf_of=one.owner)
    if "price" in one.values:
        sek, unit, vat = one.values["price"]
        set_price(resource, unit=unit, sek=sek, vat=vat, first_day=today(), by=by, on_behalf_of=one.owner)
    return resource
