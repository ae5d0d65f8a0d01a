"""Cover as a table for CSV and XLSX: the same rows as the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from agreements.operations import CoverCell, Covering, CoverMatrix
from programmes.tables import count_in_words

Row = list[Any]


def cover_headings() -> list[str]:
    return [
        _("School year"), _("Programme code"), _("Programme"), _("Orientation code"), _("Orientation"),
        _("Home municipality"), _("State"), _("Offered by"), pgettext("agreement", "Provider"),
        pgettext("noun", "Agreement"), _("Standing"), _("Last intake"), _("Seats per intake"),
        _("Seats are shared by the orientations"), _("Admitted"), _("Free seats"), _("Last day"),
        _("First reminder"), _("Second reminder"), _("Example"),
    ]  # fmt: skip


def cover_rows(matrix: CoverMatrix) -> Iterator[Row]:
    """A row for each leaf and home municipality; one for each agreement where several cover it."""
    for cell in matrix.cells:
        one = cell.orientation
        head = [
            str(matrix.year), cell.programme.code, cell.programme.name, (one.code or "") if one else "",
            one.name if one else "", cell.home.name, str(cell.state.label), _names(cell),
        ]  # fmt: skip
        for covering in cell.coverings:
            yield [*head, *_covering(covering)]
        if not cell.coverings:
            yield [*head, *[None] * 11, cell.own.example]


def _names(cell: CoverCell) -> str:
    return ", ".join(one.name for one in cell.neighbours)


def _covering(covering: Covering) -> Row:
    cover = covering.cover
    leads: Row = [lead.day for lead in covering.leads] or [None, None]
    return [
        covering.provider.name, covering.agreement.number, cover.get_standing_display(),
        str(cover.last_intake) if cover.last_intake else _("no end is set"),
        seats_in_words(covering), covering.is_shared, used_in_words(covering), covering.free, covering.ends_on, *leads,
        covering.agreement.example,
    ]  # fmt: skip


def seats_in_words(covering: Covering) -> Any:
    """How many seats are agreed: a number, that there is no limit, or that nothing is said."""
    if covering.cover.unlimited:
        return _("no limit")
    return _("not stated") if covering.cover.seats is None else covering.cover.seats


def used_in_words(covering: Covering) -> Any:
    """How many were admitted, as the reader may see it."""
    return covering.used.number if covering.used.number is not None else count_in_words(covering.used)
