"""Ways from the directory's pages to what is taught there."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from collab4m import slots
from collab4m.clock import today
from collab4m.school_year import SchoolYear
from organisations.models import CollaborationArea, Municipality, School
from programmes.models import year_in_address
from programmes.operations import latest_year


def links_of(fact: Any) -> list[tuple[str, str]]:
    """Words and address for a school, a municipality or an area."""
    if isinstance(fact, School):
        year = latest_year([fact.municipality_id]) or SchoolYear.of(today())
        address = reverse("offering_report", args=[fact.pk, year_in_address(year)])
        return [(_("What %(school)s offers, %(year)s") % {"school": fact.name, "year": year}, address)]
    if isinstance(fact, Municipality):
        return [(_("What %(town)s does not offer") % {"town": fact.name}, f"{reverse('gaps')}?kommun={fact.code}")]
    if isinstance(fact, CollaborationArea):
        return [
            (_("What is taught where"), f"{reverse('matrix')}?omrade={fact.slug}"),
            (_("How reporting goes"), f"{reverse('reporting')}?omrade={fact.slug}"),
        ]
    return []


slots.fill("organisations.links", links_of)
