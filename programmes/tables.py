"""The offer, the gaps and the flows as tables for CSV and XLSX: the same rows as the pages, with every source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from programmes.models import FIGURES, Answer, OfferingFact, OfferingReport, Orientation, Programme
from programmes.operations import Cell, Flows, Gap, GapOffer, Offer, SchoolOffer

Row = list[Any]


def source_in_words(fact: Any) -> str:
    """Where a fact is from, in one line."""
    if isinstance(fact, OfferingReport):
        day = localtime(fact.reported_at).date().isoformat()
        said = _("reported %(day)s, %(door)s") % {"day": day, "door": fact.get_came_in_display()}
        return f"{said}. {fact.source_note}" if fact.source_note else said
    parts = [str(fact.source) if fact.source else "", str(fact.get_came_in_display()), fact.source_note]
    return ". ".join(part for part in parts if part)


def fact_in_words(fact: OfferingFact | None) -> str:
    """What an open source said, with the year it said it of."""
    if fact is None:
        return ""
    said = _("offered") if fact.offered else _("not offered")
    return f"{fact.programme.code}: {said}, {fact.year or _('undated')}"


def _ground(cell: Cell) -> list[Any]:
    """Source, checked, example: what an answer rests on."""
    facts: list[Any] = [*cell.reports] or ([cell.fact] if cell.fact else [])
    return [
        "; ".join(source_in_words(fact) for fact in facts),
        all(fact.verified for fact in facts) if facts else None,
        any(fact.example for fact in facts) if facts else None,
    ]


def offer_headings() -> list[str]:
    return [
        _("Municipality"), _("School"), _("Provider"), _("School year"), _("Programme code"), _("Programme"),
        _("Orientation code"), _("Orientation"), pgettext("noun", "Answer"), _("Seats"), _("First-choice applicants"),
        _("Admitted"), _("Places for workplace-based learning"), _("Added up"), _("Figures as of"), _("Last known"),
        _("Source"), _("Checked"), _("Example"),
    ]  # fmt: skip


def offer_rows(offer: Offer, chosen: Iterable[tuple[Programme, Orientation | None]] | None = None) -> Iterator[Row]:
    """One row for each school and programme or orientation, in the page's order."""
    lines = list(chosen) if chosen is not None else list(lines_of(offer))
    for member in offer.members:
        for one in member.schools:
            for programme, orientation in lines:
                cell = offer.at_school(one, programme, orientation)
                yield [
                    member.municipality.name, *_school(one), str(offer.year), programme.code, programme.name,
                    (orientation.code or "") if orientation else "", orientation.name if orientation else "",
                    str(Answer(cell.answer).label), *(getattr(cell.figures, name) for name in FIGURES),
                    cell.figures.is_sum, _as_of(cell), fact_in_words(cell.fact), *_ground(cell),
                ]  # fmt: skip


def lines_of(offer: Offer) -> Iterator[tuple[Programme, Orientation | None]]:
    """Every programme, each followed by its orientations."""
    for programme in offer.programmes:
        yield programme, None
        for orientation in offer.orientations.get(programme.pk, ()):
            yield programme, orientation


def _school(one: SchoolOffer) -> tuple[str, str]:
    return one.school.name, one.school.provider.name if one.school.provider else ""


def _as_of(cell: Cell) -> Any:
    days = [row.as_of for row in cell.offerings if row.as_of]
    return max(days) if days else None


def gap_headings() -> list[str]:
    return [
        _("State"), _("Programme code"), _("Programme"), _("Orientation code"), _("Orientation"),
        _("Own pupils elsewhere"), _("Municipality"), _("School"), _("Provider"), _("Seats"),
        _("First-choice applicants"), _("Travel minutes"), _("Waits for"), _("Source"), _("Checked"), _("Example"),
    ]  # fmt: skip


def gap_rows(rows: Iterable[Gap]) -> Iterator[Row]:
    """A row for each school that offers what is missing, those of neighbours first; one row where none does."""
    for gap in rows:
        head = [
            str(gap.state.label), gap.programme.code, gap.programme.name,
            (gap.orientation.code or "") if gap.orientation else "", gap.orientation.name if gap.orientation else "",
            count_in_words(gap.demand) if gap.demand.parts else "",
        ]  # fmt: skip
        waits = ", ".join(municipality.name for municipality in gap.silent)
        offers = [*gap.offers, *gap.beside]
        for offer in offers:
            yield [*head, *_offer_cells(offer), waits, *_ground(offer.cell)]
        if not offers:
            yield [*head, *[None] * 6, waits, *_ground(gap.own)]


def _offer_cells(offer: GapOffer) -> Row:
    figures = offer.cell.figures
    return [
        offer.municipality.name, *_school(offer.school), figures.seats, figures.first_choice_applicants,
        offer.travel_minutes,
    ]  # fmt: skip


def count_in_words(count: Any) -> str:
    """A count as the reader may see it: 12, at least 12, under 5."""
    if not count.parts:
        return _("not reported")
    if count.is_whole:
        return str(count.least)
    return _("under 5") if count.is_hidden else _("at least %(number)s") % {"number": count.least}


def flow_headings() -> list[str]:
    return [
        _("Home municipality"), _("Municipality where they study"), _("Programme code"), _("Programme"),
        _("School year"), _("Semester"), _("Pupils"), _("Source"), _("Checked"), _("Example"),
    ]  # fmt: skip


def flow_rows(flows: Flows) -> Iterator[Row]:
    """A row for each reported flow; the number is empty where the reader may not see it."""
    for row in flows.rows:
        number = flows.counts[row.pk].number
        yield [
            row.home.name, row.provider_municipality.name, row.programme.code, row.programme.name,
            str(row.school_year), row.semester, _("under 5") if number is None else number,
            source_in_words(row), row.verified, row.example,
        ]  # fmt: skip
