"""What an inventory in a file may hold: its columns, and the words for each choice."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from programmes.operations import Column
from resources.models import Approval, Askers, PriceUnit, ResourceKind, Rivalry, Takes, VatTreatment

MOST_ROWS = 1_000
MOST_PROBLEMS = 200  # told of at once; more help nobody
LONGEST_SHOWN = 80
MOST_SEK = Decimal("9999999.99")
MOST_MINUTES = 400 * 24 * 60

_SPAN = _("As 30 min, 2 h or 3 days. A number alone is minutes.")
INVENTORY_COLUMNS = (
    Column("name", _("Name"), ("namn", "resurs"), _("What people know it by. One name once for each owner."), True),
    Column("owner", _("Owner"), ("ägare",), _("A body that you share for. Empty: the one you choose above.")),
    Column("kind", pgettext_lazy("of a resource", "Kind"), ("slag", "typ"), _("Vehicle, premises or equipment.")),
    Column("category", _("Category"), ("kategori",), _("As in the portal’s list, for example Minibuss."), True),
    Column("description", _("Description"), ("beskrivning",), _("At most 2,000 characters.")),
    Column("capacity", _("Seats or places"), ("platser", "antal platser"), _("A whole number, or empty.")),
    Column("features", _("Features"), ("egenskaper",), _("As in the portal’s list, with commas between.")),
    Column("site", _("Site"), ("plats",), _("A site in the owner’s municipality, as in the portal. Empty: none.")),
    Column(
        "units", _("Pieces"), ("exemplar",),
        _("Names with semicolons between, or as iPad 1–30. Empty: one piece of its own name."),
    ),
    Column("parts", _("Consists of"), ("består av", "delar"), _("Names of the owner’s resources, for a whole.")),
    Column("takes", _("A booking takes"), ("en bokning tar", "tar"), _("All of them, or as many as are asked for.")),
    Column(
        "openings", _("Opening times"), ("öppettider", "öppet"),
        _("As mon–fri 8–12, 13–16; sat 10–14 also in breaks; or always. Add also on red days where it is so."),
    ),
    Column("turnaround_minutes", _("Turnaround"), ("omställning", "omställningstid"), _SPAN),
    Column("lead_minutes", _("Ask at the latest before"), ("framförhållning",), _SPAN),
    Column("longest_minutes", _("Longest booking"), ("längst", "längsta bokning"), _SPAN),
    Column("cancel_hours", _("Cancel at the latest before"), ("avbokning",), _("As 24 h or 2 days.")),
    Column("askers", _("Who may ask"), ("vem får fråga",), _("Everyone in the area, or the owner’s own schools.")),
    Column("approval", _("Approved"), ("godkänns", "godkännande"), _("Approved at once, or the owner decides.")),
    Column(
        "rivalry", _("Rival requests"), ("flera frågar",),
        _("Hold: the first holds the time. Compete: the owner chooses."),
    ),
    Column("decide_hours", _("Time to decide"), ("svarstid",), _("Whole hours or days, from 1 h to 60 days.")),
    Column("terms", _("Terms"), ("villkor",), _("At most 2,000 characters.")),
    Column("permits", _("Permits needed"), ("krav",), _("What the driver or the group must have.")),
    Column("price", _("Price, SEK"), ("pris", "kronor"), _("In figures. 0 is a price; empty leaves it as it is.")),
    Column("price_unit", _("Price per"), ("prisenhet",), _("Hour, day or occasion.")),
    Column("vat", _("VAT"), ("moms",), _("Without VAT, with VAT, or ask the finance department.")),
)  # fmt: skip
BY_NAME = {column.name: column for column in INVENTORY_COLUMNS}
LONG = {"description": 2000, "terms": 2000, "permits": 500}
# Words for a choice besides its own label and value.
SYNONYMS: dict[str, tuple[str, ...]] = {
    Takes.ALL: ("alla", "allt"),
    Takes.SOME: ("några", "antal"),
    Askers.AREA: ("alla", "området"),
    Askers.OWNER: ("egna", "ägaren"),
    Approval.AUTOMATIC: ("direkt", "automatiskt"),
    Approval.BY_OWNER: ("ägaren",),
    Rivalry.HOLD: ("håller",),
    Rivalry.COMPETE: ("konkurrerar", "tävlar"),
    PriceUnit.HOUR: ("tim", "h"),
    PriceUnit.DAY: ("dag", "dygn"),
    PriceUnit.OCCASION: ("gång", "tillfälle"),
    VatTreatment.WITHOUT: ("utan",),
    VatTreatment.WITH: ("med",),
    VatTreatment.ASK: ("fråga",),
    ResourceKind.PREMISES: ("lokal",),
}
CHOICES: dict[str, type[models.TextChoices]] = {
    "kind": ResourceKind, "takes": Takes, "askers": Askers, "approval": Approval, "rivalry": Rivalry,
    "price_unit": PriceUnit, "vat": VatTreatment,
}  # fmt: skip
MINUTES = ("turnaround_minutes", "lead_minutes", "longest_minutes")
HOURS = ("cancel_hours", "decide_hours")
FACTS = (
    "category", "kind", "description", "capacity", "site", "takes", "turnaround_minutes", "lead_minutes",
    "longest_minutes", "cancel_hours", "askers", "approval", "rivalry", "decide_hours", "terms", "permits",
)  # fmt: skip
# What a row with an empty cell leaves as it stands; in others an empty cell means nothing.
KEPT_WHEN_EMPTY = {
    "owner", "kind", "category", "units", "parts", "takes", "openings", "askers", "approval", "rivalry", "decide_hours",
    "price", "price_unit", "vat",
}  # fmt: skip
