"""What lower pages show of agreements: what is done about each gap, and a way to begin an agreement about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from agreements.operations import covered_keys
from agreements.operations.matrix import cover_states
from collab4m import slots
from organisations.models import Municipality, RoleKind
from programmes.models import year_in_address
from programmes.operations import Gap, GapChoice, Gaps, GapState


def states_of(gaps: Gaps, rows: Sequence[Gap], reader: Any) -> dict[str, list[tuple[str, str, str]]]:
    """Signed agreements that cover the intake, and drafts that the reader may see."""
    return cover_states(gaps.municipality, gaps.year, rows, reader)


def actions_of(gaps: Gaps, rows: Sequence[Gap], reader: Any) -> dict[str, list[tuple[str, str]]]:
    """To begin an agreement about what a neighbour offers and nothing covers yet."""
    if not _may_begin(gaps.municipality, reader):
        return {}
    near = [row for row in rows if row.state == GapState.NEIGHBOUR_OFFERS]
    covered = covered_keys(gaps, near, reader)
    return {row.key: [(_("Start an agreement"), _address(gaps, row))] for row in near if row.key not in covered}


def choice_of(gaps: Gaps, rows: Sequence[Gap], reader: Any) -> GapChoice | None:
    """To begin one agreement about several gaps."""
    if not _may_begin(gaps.municipality, reader):
        return None
    return GapChoice(_("Start an agreement on the chosen ones"), reverse("agreement_new"), _sent_along(gaps))


def _may_begin(municipality: Municipality, reader: Any) -> bool:
    return municipality.pk in reader.bodies_where(RoleKind.ADMINISTRATOR)


def _sent_along(gaps: Gaps) -> list[tuple[str, str]]:
    return [("kommun", gaps.municipality.code), ("lasar", year_in_address(gaps.year))]


def _address(gaps: Gaps, row: Gap) -> str:
    return f"{reverse('agreement_new')}?{urlencode([*_sent_along(gaps), ('rad', row.key)])}"


slots.fill("programmes.gap_states", states_of)
slots.fill("programmes.gap_actions", actions_of)
slots.fill("programmes.gap_choice", choice_of)
