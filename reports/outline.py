"""What a report back consists of: its sections in the order that holds when a board has no order of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

MANDATES = (1, 2, 3, 4)
# The apps whose `chapter.py` tells of a mandate; where two tell of the same one, in this order. Until an app is there,
# the report says that nothing is collected.
CHAPTERS = ("programmes", "agreements", "resources", "labour_market", "councils")


@dataclass(frozen=True)
class Section:
    """A section of the report. `written`: officials write its text, as a part that is saved alone."""

    key: str
    heading: Any
    written: bool = True
    inside: tuple[Section, ...] = ()


MATTER = "arendet"
BASIS = "beslutsunderlag"
SECTIONS = (
    Section("sammanfattning", _("Summary")),
    Section(BASIS, _("Basis for the decision"), written=False),
    Section(
        MATTER,
        _("The matter"),
        written=False,
        inside=(
            Section("bakgrund", _("Background")),
            Section("uppdrag-1", _("Mandate 1: cooperation agreements")),
            Section("uppdrag-2", _("Mandate 2: practical cooperation")),
            Section("uppdrag-3", _("Mandate 3: the labour market's needs")),
            Section("uppdrag-4", _("Mandate 4: programme councils across municipal borders")),
        ),
    ),
    Section("bedomning", _("The administrations' assessment")),
    Section("ekonomi", _("Economic consequences")),
    Section("barn", _("Consequences for children")),
    Section("samverkan", _("Cooperation between the municipalities")),
    Section("uppfoljning", _("Follow-up")),
)


def written_sections() -> list[Section]:
    """Those that officials write, in reading order."""
    flat = [inner for section in SECTIONS for inner in (section, *section.inside)]
    return [section for section in flat if section.written]
