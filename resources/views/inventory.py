"""Inventories in files: what one's bodies share goes out, and comes in after a look at what would change."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from collab4m.access import require
from collab4m.errors import RuleBroken
from collab4m.forms import refuse
from collab4m.tables import download
from organisations.models import Body
from organisations.views.shared import Request
from programmes.operations import FileRefused
from resources.forms.inventory import InventoryForm
from resources.models import Category, Feature
from resources.operations import (
    INVENTORY_COLUMNS,
    Inventory,
    InventoryChanged,
    Planned,
    bodies_shared_for,
    import_inventory,
    inventory_headings,
    inventory_rows,
    plan_inventory,
    plan_seen,
    read_inventory,
    shared_by,
)

SALT = "resources.inventory"
READ, SAVE = "las", "spara"
MOST_PACKED = 1_500_000  # what a form may send is limited


@require_GET
def inventory_file(request: Request, kind: str) -> HttpResponse:
    """All that the reader's bodies share; an import reads it again."""
    require(request.user, "resources.share")
    return download(kind, "resurser", [*inventory_headings(), _("Example")], inventory_rows(shared_by(request.user)))


@require_GET
def inventory_template(request: Request, kind: str) -> HttpResponse:
    """The headings alone, to begin from."""
    require(request.user, "resources.share")
    return download(kind, "resurser-mall", inventory_headings(), [])


def inventory_import(request: Request) -> HttpResponse:
    require(request.user, "resources.share")
    if not bodies_shared_for(request.user):  # the school that they head has closed
        raise PermissionDenied
    step = request.POST.get("steg", READ) if request.method == "POST" else ""
    if step == SAVE:
        return _save(request)
    if step == READ:
        return _read(request)
    return _form_page(request, _form(request))


def _form(request: Request, *, bound: bool = False) -> InventoryForm:
    bodies = bodies_shared_for(request.user)
    return InventoryForm(request.POST if bound else None, request.FILES if bound else None, bodies=bodies)


def _form_page(request: Request, form: InventoryForm, refused: FileRefused | None = None) -> HttpResponse:
    context = {
        "form": form,
        "columns": INVENTORY_COLUMNS,
        "categories": Category.objects.exclude(parent=None).select_related("parent").order_by("kind", "parent", "pk"),
        "features": Feature.objects.order_by("kind", "pk"),
        "problems": refused.problems if refused else [],
        "total": refused.total if refused else 0,
        "name": refused.name if refused else "",
    }
    return render(request, "resources/inventory_import.html", context)


def _read(request: Request) -> HttpResponse:
    """Read what is sent; show what would happen, or what is wrong with it."""
    form = _form(request, bound=True)
    if not form.is_valid():
        return _form_page(request, form)
    sent = form.cleaned_data["file"]
    try:
        inventory = read_inventory(sent.name, sent.read())
        plan = plan_inventory(inventory, owner=form.body, by=request.user)
    except RuleBroken as broken:
        broken.field = "file"
        refuse(form, broken)
        return _form_page(request, form, broken if isinstance(broken, FileRefused) else None)
    packed = _packed(request, inventory, form.body)
    if len(packed) > MOST_PACKED:
        form.add_error("file", _("The file says too much at once. Divide it into several files."))
        return _form_page(request, form)
    return _preview(request, plan, packed, form.body)


def _packed(request: Request, inventory: Inventory, owner: Body) -> str:
    """What the file says. It travels with the page, signed, so that nothing is lost between the steps."""
    said = {"by": request.user.pk, "owner": owner.pk, **vars(inventory)}
    return signing.dumps(said, salt=SALT, compress=True)


def _preview(request: Request, plan: list[Planned], packed: str, owner: Body) -> HttpResponse:
    states = [one.state for one in plan]
    context = {
        "plan": plan,
        "owner": owner,
        "new": states.count("new"),
        "changed": states.count("changed"),
        "unchanged": states.count("unchanged"),
        "packed": packed,
        "seen": plan_seen(plan),
        "several": len({one.owner.pk for one in plan}) > 1,
    }
    return render(request, "resources/inventory_preview.html", context)


def _save(request: Request) -> HttpResponse:
    packed = request.POST.get("paket", "")
    said = _unpacked(request, packed)
    owner = next((body for body in bodies_shared_for(request.user) if said and body.pk == said["owner"]), None)
    if said is None or owner is None:
        messages.error(request, _("The rows could not be read again. Send the file once more."))
        return redirect("inventory_import")
    inventory = Inventory(
        said["name"],
        {column: (place, heading) for column, (place, heading) in said["places"].items()},
        [(line, cells) for line, cells in said["rows"]],
    )
    try:
        plan = import_inventory(inventory, seen=request.POST.get("sett", ""), by=request.user, on_behalf_of=owner)
    except InventoryChanged as changed:
        messages.error(request, str(changed))
        try:
            return _preview(request, plan_inventory(inventory, owner=owner, by=request.user), packed, owner)
        except FileRefused as refused:
            return _form_page(request, _form(request), refused)
    except FileRefused as refused:
        messages.error(request, str(refused))
        return _form_page(request, _form(request), refused)
    states = [one.state for one in plan]
    words = {"new": states.count("new"), "changed": states.count("changed")}
    messages.success(request, _("The inventory is taken in: %(new)s new and %(changed)s changed.") % words)
    return redirect("resources")


def _unpacked(request: Request, packed: str) -> dict[str, Any] | None:
    """What the preview showed, if it was made here for this person."""
    try:
        said = signing.loads(packed, salt=SALT)
    except signing.BadSignature:
        return None
    return said if said["by"] == request.user.pk else None
