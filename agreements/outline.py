"""What an agreement consists of: its sections in reading order, what is written and what is filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

PARTIES, PURPOSE, VALIDITY, SCOPE, PRICE = "parter", "syfte", "giltighet", "omfattning", "ersattning"
TRAVEL, INTRODUCTORY, SPORTS = "resor", "introduktion", "idrott"
ANNEX, FOLLOW_UP, DISPUTES = "bilaga", "uppfoljning", "tvist"
OWN = "egen-"  # the keys of the parties' own clauses: egen-1, egen-2


@dataclass(frozen=True)
class Section:
    """A section of an agreement. `filled_in`: it has facts besides its text; `needs_text`: it is open until written."""

    key: str
    heading: Any
    filled_in: bool = False
    needs_text: bool = True


SECTIONS = (
    Section(PARTIES, _("Parties"), filled_in=True, needs_text=False),
    Section(PURPOSE, _("Purpose")),
    Section(VALIDITY, _("Term and notice"), filled_in=True, needs_text=False),
    Section(SCOPE, _("Programmes and seats"), filled_in=True, needs_text=False),
    Section(PRICE, _("Compensation"), filled_in=True, needs_text=False),
    Section(TRAVEL, _("Support for travel")),
    Section(INTRODUCTORY, _("Introductory programmes")),
    Section(SPORTS, _("Sports education")),
    Section(ANNEX, _("Yearly annex"), filled_in=True, needs_text=False),
    Section(FOLLOW_UP, _("Follow-up"), filled_in=True, needs_text=False),
    Section(DISPUTES, _("Settling disputes")),
)
BY_KEY = {section.key: section for section in SECTIONS}
KEYS = tuple(BY_KEY)
# What may be changed afterwards: who the parties are may not, that is another agreement.
CHANGEABLE = tuple(key for key in KEYS if key != PARTIES)
ANNEX_CHANGES = (SCOPE, PRICE)  # what a yearly annex changes unless it says otherwise
RENEWAL_CHANGES = (VALIDITY,)


def is_own(key: str) -> bool:
    """Whether it is a clause that the parties have added themselves."""
    return key.startswith(OWN)


def heading_of(key: str, own: str = "") -> str:
    return own if is_own(key) else str(BY_KEY[key].heading)
