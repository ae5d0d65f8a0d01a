"""The annexes: programmes against municipalities, and all that each school offers."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from programmes.chapter.phrases import last_known, names_of, placed_school_name, reported
from programmes.chapter.sources import ID, Sources
from programmes.models import FIGURES, Answer, Orientation, Programme, ProgrammeKind
from programmes.operations import (
    Cell,
    Offer,
    SchoolOffer,
)
from records.documents.blocks import (
    Inline,
    column,
    figure,
    not_reported,
    note,
    said,
    section,
    table,
)
from records.documents.content import Content

MATRIX_WIDTH = 6  # municipalities in one table


def matrix(offer: Offer, sources: Sources) -> Content:
    """Programmes against municipalities, a few of them at a time."""
    tables = []
    for first in range(0, len(offer.members), MATRIX_WIDTH):
        members = offer.members[first : first + MATRIX_WIDTH]
        names = names_of(member.municipality.name for member in members)
        tables.append(
            table(
                f"{ID}-matris-{first // MATRIX_WIDTH + 1}",
                _("What the own schools of %(names)s offer, %(year)s") % {"names": names, "year": offer.year},
                [column(_("Programme"), "label"), *(column(member.municipality.name) for member in members)],
                [
                    [programme.name, *(_cell(offer.at_municipality(member, programme), sources) for member in members)]
                    for programme in offer.programmes
                ],
                _("The schools that the municipality runs count, no others."),
            )
        )
    return section(f"{ID}-matris", _("National programmes by municipality"), *tables)


def _cell(cell: Cell, sources: Sources) -> Inline:
    if cell.answer == Answer.NOT_REPORTED:
        return [not_reported(), last_known(cell.fact)]
    if cell.answer == Answer.NOT_OFFERED or cell.figures.seats is None:
        return str(Answer(cell.answer).label)
    unit = ngettext("seat", "seats", cell.figures.seats)
    seats = figure(cell.figures.seats, unit, source=sources.of_cell(cell), example=cell.example)
    return said(_("offered, %(seats)s"), seats=seats)


def whole_list(offer: Offer, sources: Sources) -> Content:
    heading = _("What each school offers")
    rows = [
        _offered_row(one, programme, orientation, cell, sources)
        for member in offer.members
        for one in member.schools
        for programme in offer.programmes
        for orientation, cell in _offered_at(offer, one, programme)
    ]
    if not rows:
        nothing = _("No school has reported any national programme for the school year %(year)s.")
        return section(f"{ID}-lista", heading, note(nothing % {"year": offer.year}))
    return section(
        f"{ID}-lista",
        heading,
        table(
            f"{ID}-skolornas-utbud",
            _("National programmes and orientations at the area's schools, %(year)s") % {"year": offer.year},
            [
                column(_("School"), "label"),
                column(_("Programme"), "label"),
                column(_("Orientation"), "label"),
                column(_("Seats"), "number"),
                column(_("First-choice applicants"), "number"),
                column(_("Admitted"), "number"),
                column(_("Places for workplace-based learning"), "number"),
            ],
            rows,
        ),
    )


def _offered_at(offer: Offer, one: SchoolOffer, programme: Programme) -> Iterator[tuple[Orientation | None, Cell]]:
    """What a school offers of a programme: its orientations, and the whole where that has figures or stands alone."""
    whole = offer.at_school(one, programme)
    if whole.answer != Answer.OFFERED:
        return
    parts = [
        (orientation, offer.at_school(one, programme, orientation))
        for orientation in offer.orientations.get(programme.pk, ())
    ]
    offered = [(orientation, cell) for orientation, cell in parts if cell.answer == Answer.OFFERED]
    if not offered or not whole.figures.is_sum:
        yield None, whole
    yield from offered


def _offered_row(
    one: SchoolOffer,
    programme: Programme,
    orientation: Orientation | None,
    cell: Cell,
    sources: Sources,
) -> list[Inline]:
    said_of_whole = orientation is not None and any(
        row.counts_something for key, row in one.rows[programme.pk].items() if key is None
    )
    key = sources.of_cell(cell)
    figures: list[Inline] = []
    for name in FIGURES:
        value = getattr(cell.figures, name)
        if value is None and said_of_whole:
            figures.append(_("with the programme"))
        elif value is None and name == "workplace_learning_capacity" and programme.kind == ProgrammeKind.PREPARATORY:
            figures.append(_("does not apply"))
        else:
            figures.append(reported(value, key, cell.example))
    return [placed_school_name(one), programme.name, orientation.name if orientation else "", *figures]
