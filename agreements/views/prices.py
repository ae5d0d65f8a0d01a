"""Price lists: the register, a list, and publishing one from a file or by hand after a look at what it says."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core import signing
from django.core.paginator import Paginator
from django.db.models import Count, F
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from agreements.forms.prices import MORE_ROWS, PriceFileForm, PriceListForm, price_rows
from agreements.models import PriceKind, PriceList
from agreements.operations import (
    LIST_KINDS,
    PRICE_COLUMNS,
    NewPrice,
    PriceCatalogue,
    named_prices,
    publish_prices,
    read_prices,
)
from agreements.price_tables import price_headings
from agreements.price_tables import price_rows as table_rows
from agreements.views.shared import Request
from collab4m.access import get_visible, require
from collab4m.clock import today
from collab4m.errors import RuleBroken
from collab4m.forms import refuse
from collab4m.swedish import swedish_order
from collab4m.tables import download
from organisations.models import Body, CollaborationArea, Membership, Municipality, RoleKind
from programmes.operations import FileRefused
from records.models import CameIn

LISTS_PER_PAGE = 50
SALT = "agreements.prices"
READ, PUBLISH, CHANGE, MORE = "las", "publicera", "andra", "rader"


@require_GET
def price_lists(request: Request) -> HttpResponse:
    found = PriceList.objects.visible_to(request.user)
    kind, year, words = (request.GET.get(name, "").strip() for name in ("slag", "ar", "vem"))
    if kind:
        if kind not in LIST_KINDS:
            raise Http404
        found = found.filter(kind=kind)
    years = list(PriceList.objects.order_by("-year").values_list("year", flat=True).distinct())
    if year:
        if not (year.isascii() and year.isdigit() and len(year) == 4):
            raise Http404
        found = found.filter(year=int(year))
    if words:
        found = found.filter(title__icontains=words) | found.filter(municipality__name__icontains=words)
    rows = found.select_related("municipality", "area", "source").annotate(prices=Count("rows"))
    order = (F("year").desc(), "kind", swedish_order("title"), F("number").desc(), "pk")
    page = Paginator(rows.order_by(*order), LISTS_PER_PAGE).get_page(request.GET.get("sida"))
    query = request.GET.copy()
    query.pop("sida", None)
    context = {
        "page": page,
        "kinds": [(one.value, one.label) for one in LIST_KINDS],
        "kind": kind,
        "years": [str(one) for one in years],
        "year": year,
        "words": words,
        "query": query.urlencode(),
        "may_publish": request.user.has_perm("agreements.import_prices", PriceList(kind=PriceKind.NATIONAL_LIST)),
    }
    return render(request, "agreements/price_lists.html", context)


def _list(request: Request, pk: int) -> PriceList:
    rows = PriceList.objects.select_related("municipality", "area", "source", "on_behalf_of")
    found: PriceList = get_visible(rows, request.user, pk=pk)
    return found


def _rows(found: PriceList) -> Any:
    return found.rows.select_related("programme", "orientation").order_by(
        "programme__code", F("orientation__code").asc(nulls_first=True), "pk"
    )


@require_GET
def price_list(request: Request, pk: int) -> HttpResponse:
    found = _list(request, pk)
    same = PriceList.objects.filter(
        kind=found.kind, municipality=found.municipality, area=found.area, year=found.year, incl_meals=found.incl_meals
    )
    editions = list(same.order_by("-number"))
    context = {
        "price_list": found,
        "rows": list(_rows(found)),
        "editions": editions,
        "latest": editions[0],
        "may_publish": request.user.has_perm("agreements.import_prices", found),
    }
    return render(request, "agreements/price_list.html", context)


@require_GET
def price_list_file(request: Request, pk: int, kind: str) -> HttpResponse:
    found = _list(request, pk)
    name = f"prislista-{found.year}-{found.pk}-utgava-{found.number}"
    return download(kind, name, price_headings(), table_rows(found, _rows(found)))


# Publishing


def price_list_new(request: Request) -> HttpResponse:
    """From a file: read, shown, and then published whole."""
    return _publishing(request, by_hand=False)


def price_list_write(request: Request) -> HttpResponse:
    """By hand: a few rows, shown, and then published whole."""
    return _publishing(request, by_hand=True)


def _publishing(request: Request, *, by_hand: bool) -> HttpResponse:
    require(request.user, "agreements.import_prices", PriceList(kind=PriceKind.NATIONAL_LIST))
    step = request.POST.get("steg", READ) if request.method == "POST" else ""
    if step in (PUBLISH, CHANGE):
        packed = _unpacked(request)
        if packed is None:
            messages.error(request, _("The prices could not be read again. Send them once more."))
            return redirect(request.path)
        return _publish(request, packed) if step == PUBLISH else _again(request, packed, by_hand)
    if step == MORE:
        return _form_page(request, _form(request, by_hand, initial=_typed(request)), _more_rows(request), by_hand)
    if step:
        return _read(request, by_hand)
    initial = {"year": today().year, "kind": PriceKind.OWN_LIST}
    return _form_page(request, _form(request, by_hand, initial=initial), _empty_rows() if by_hand else None, by_hand)


def _form(request: Request, by_hand: bool, *, initial: Any = None, bound: bool = False) -> PriceListForm:
    own = request.user.bodies_where(RoleKind.ADMINISTRATOR)
    areas = Membership.objects.on().filter(municipality__in=own).values("area")
    chosen = {
        "bodies": list(Municipality.objects.filter(pk__in=own).in_swedish_order()),
        "areas": list(CollaborationArea.objects.filter(pk__in=areas).order_by(swedish_order("name"), "pk")),
        "initial": initial,
    }
    if by_hand:
        return PriceListForm(request.POST if bound else None, **chosen)
    return PriceFileForm(request.POST if bound else None, request.FILES if bound else None, **chosen)


def _empty_rows(initial: Any = ()) -> Any:
    return price_rows(None, PriceCatalogue(), initial)


def _typed(request: Request) -> dict[str, Any]:
    return {name: request.POST.get(name, "") for name in (*PriceListForm.base_fields, "on_behalf_of")}


def _more_rows(request: Request) -> Any:
    """What is written in the rows, and some empty ones below."""
    typed = []
    for place in range(200 - MORE_ROWS):
        row = {name: request.POST.get(f"rad-{place}-{name}", "") for name in ("code", "price", "label")}
        if f"rad-{place}-code" in request.POST:
            typed.append(row)
    return _empty_rows(typed)


def _read(request: Request, by_hand: bool) -> HttpResponse:
    """Read what is sent; show it as it would be published, or what is wrong with it."""
    form = _form(request, by_hand, bound=True)
    rows = price_rows(request.POST, PriceCatalogue()) if by_hand else None
    is_right = form.is_valid()
    if rows is not None:
        is_right = rows.is_valid() and is_right
    refused: FileRefused | None = None
    prices: list[NewPrice] = []
    if is_right and rows is not None:
        prices = rows.prices()
    elif is_right:
        sent = form.cleaned_data["file"]
        try:
            prices = [one.price for one in read_prices(sent.name, sent.read())]
        except RuleBroken as broken:
            refused = broken if isinstance(broken, FileRefused) else None
            broken.field = "file"
            refuse(form, broken)
    if prices:
        packed = {
            "by": request.user.pk,
            "on_behalf_of": form.body.pk,
            "facts": form.facts(),
            "typed": _typed(request),
            "rows": [[one.programme, one.orientation, str(one.price_sek), one.label] for one in prices],
            "by_hand": by_hand,
        }
        return _preview(request, packed, by_hand)
    return _form_page(request, form, rows, by_hand, refused)


def _form_page(
    request: Request, form: PriceListForm, rows: Any, by_hand: bool, refused: FileRefused | None = None
) -> HttpResponse:
    context = {
        "form": form,
        "rows": rows,
        "by_hand": by_hand,
        "columns": PRICE_COLUMNS,
        "problems": refused.problems if refused else [],
        "total": refused.total if refused else 0,
        "name": refused.name if refused else "",
    }
    return render(request, "agreements/price_list_new.html", context)


def _preview(request: Request, packed: dict[str, Any], by_hand: bool) -> HttpResponse:
    """What would be published. It travels with the page, signed, so that nothing is lost between the steps."""
    facts = packed["facts"]
    shown = PriceList(**{**_facts(facts), "number": _next_number(facts)})
    context = {
        "shown": shown,
        "rows": named_prices(_prices(packed)),
        "packed": signing.dumps(packed, salt=SALT, compress=True),
        "by_hand": by_hand,
    }
    return render(request, "agreements/price_list_preview.html", context)


def _next_number(facts: dict[str, Any]) -> int:
    same = ("kind", "municipality", "area", "year", "incl_meals")
    latest = PriceList.objects.filter(**{name: facts[name] for name in same}).order_by("-number").first()
    return latest.number + 1 if latest else 1


def _unpacked(request: Request) -> dict[str, Any] | None:
    """What the preview showed, if it was made here for this person and still holds."""
    try:
        packed = signing.loads(request.POST.get("paket", ""), salt=SALT)
    except signing.BadSignature:
        return None
    if packed["by"] != request.user.pk or len(named_prices(_prices(packed))) != len(packed["rows"]):
        return None
    return dict(packed)


def _prices(packed: dict[str, Any]) -> list[NewPrice]:
    return [
        NewPrice(programme, orientation, Decimal(sek), label) for programme, orientation, sek, label in packed["rows"]
    ]


def _facts(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts of a list with the rows that they name."""
    return {
        **facts,
        "municipality": Municipality.objects.filter(pk=facts["municipality"]).first(),
        "area": CollaborationArea.objects.filter(pk=facts["area"]).first(),
        "decided_on": date.fromisoformat(facts["decided_on"]) if facts["decided_on"] else None,
    }


def _publish(request: Request, packed: dict[str, Any]) -> HttpResponse:
    body = Body.objects.filter(pk=packed["on_behalf_of"]).first()
    if body is None:
        raise Http404
    try:
        found = publish_prices(
            **_facts(packed["facts"]),
            rows=_prices(packed),
            by=request.user,
            on_behalf_of=body,
            came_in=CameIn.FORM if packed["by_hand"] else CameIn.IMPORT,
        )
    except RuleBroken as broken:
        messages.error(request, str(broken))
        return _preview(request, packed, packed["by_hand"])
    messages.success(request, _("The price list is published."))
    return redirect(found)


def _again(request: Request, packed: dict[str, Any], by_hand: bool) -> HttpResponse:
    """Back to the form, with what was written in it."""
    form = _form(request, by_hand, initial=packed["typed"])
    if not by_hand:
        return _form_page(request, form, None, by_hand)
    typed = [
        {
            "code": (orientation.code or orientation.name_sv) if orientation else programme.code,
            "price": f"{price.price_sek:f}".replace(".", ","),
            "label": price.label,
        }
        for price, programme, orientation in named_prices(_prices(packed))
    ]
    return _form_page(request, form, _empty_rows(typed), by_hand)
