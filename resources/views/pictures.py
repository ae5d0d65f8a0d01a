"""Pictures of a resource: shown to those who may see it, and kept in order by its owner."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from collab4m.access import get_permitted, get_visible, require
from collab4m.errors import RuleBroken
from collab4m.forms import tried
from organisations.views.shared import Request
from records import storage
from resources.forms.pictures import AltForm, PictureForm
from resources.models import Picture, Resource
from resources.operations import add_picture, describe_picture, media_type, move_picture, remove_picture
from resources.operations.pictures import MOST_PICTURES
from resources.views.shared import who_acts

log = logging.getLogger(__name__)


@require_GET
def picture(request: Request, pk: int) -> HttpResponse:
    """The file, for those who may see the resource. It never changes, so that browsers may keep it for themselves."""
    row = get_object_or_404(Picture, pk=pk)
    get_visible(Resource.objects, request.user, pk=row.resource_id)
    etag = f'"{row.sha256}"'
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponse(status=304)
    else:
        try:
            data = storage.read(row.sha256)
        except storage.FileMissing as missing:
            log.error("The picture %s of resource %s is missing or damaged", row.sha256, row.resource_id)
            raise Http404 from missing
        response = HttpResponse(data, content_type=media_type(data))
        response["Content-Disposition"] = "inline"
    response["ETag"] = etag
    response["Cache-Control"] = "private, max-age=3600"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def pictures(request: Request, pk: int) -> HttpResponse:
    """All of them, with a form for one more."""
    rows = Resource.objects.select_related("owner__as_school", "municipality")
    resource: Resource = get_permitted(rows, request.user, "resources.change_resource", pk=pk)
    form = PictureForm(request.POST or None, request.FILES or None)

    def add() -> None:
        data = form.cleaned_data["picture"].read()
        add_picture(resource, data=data, alt=form.cleaned_data["alt"], **who_acts(request.user, resource.owner))

    if request.method == "POST" and tried(form, add):
        messages.success(request, _("The picture is added."))
        return redirect("resource_pictures", pk)
    shown = list(resource.pictures.all())
    context = {
        "resource": resource,
        "pictures": shown,
        "form": form if len(shown) < MOST_PICTURES else None,
    }
    return render(request, "resources/resource_pictures.html", context)


def picture_change(request: Request, pk: int) -> HttpResponse:
    """What a picture shows, in other words."""
    row = _own(request, pk)
    form = AltForm(request.POST if request.method == "POST" else None, initial={"alt": row.alt})

    def save() -> None:
        describe_picture(row, alt=form.cleaned_data["alt"], **who_acts(request.user, row.resource.owner))

    if request.method == "POST" and tried(form, save):
        messages.success(request, _("The text is saved."))
        return redirect("resource_pictures", row.resource_id)
    return render(request, "resources/picture_change.html", {"picture": row, "resource": row.resource, "form": form})


@require_POST
def picture_move(request: Request, pk: int) -> HttpResponse:
    row = _own(request, pk)
    earlier = request.POST.get("at") != "senare"
    return _done(request, row, lambda **who: move_picture(row, earlier=earlier, **who), _("The order is changed."))


def picture_remove(request: Request, pk: int) -> HttpResponse:
    """Asks first; nobody can take it back."""
    row = _own(request, pk)
    if request.method == "POST":
        return _done(request, row, lambda **who: remove_picture(row, **who), _("The picture is removed."))
    return render(request, "resources/picture_remove.html", {"picture": row, "resource": row.resource})


def _own(request: Request, pk: int) -> Picture:
    rows = Picture.objects.select_related("resource__owner__as_school", "resource__municipality")
    row = get_object_or_404(rows, pk=pk)
    get_visible(Resource.objects, request.user, pk=row.resource_id)
    require(request.user, "resources.change_resource", row.resource)
    return row


def _done(request: Request, row: Picture, do: Callable[..., object], said: str) -> HttpResponse:
    try:
        do(**who_acts(request.user, row.resource.owner))
    except RuleBroken as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, said)
    return redirect("resource_pictures", row.resource_id)
