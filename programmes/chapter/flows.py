"""The pupils who study in another member municipality than their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from collab4m.school_year import SchoolYear
from organisations.models import SemesterKind
from programmes.chapter.sources import ID, Sources, entry_of_sum, sentences
from programmes.operations import (
    Count,
    Flows,
    Offer,
    flow_semesters,
    flows_of,
)
from records.documents.blocks import (
    Inline,
    column,
    figure,
    masked,
    not_reported,
    note,
    paragraph,
    said,
    section,
    table,
)
from records.documents.content import Content


def flows_section(offer: Offer, sources: Sources, reader: Any) -> Content:
    municipalities = [member.municipality for member in offer.members]
    semesters = [semester for year, semester in flow_semesters(one.pk for one in municipalities) if year == offer.year]
    heading = _("Pupils between the municipalities")
    if not semesters:
        nobody = _(
            "Nobody has reported how many pupils study in another municipality than their own in the school year "
            "%(year)s."
        )
        return section(f"{ID}-elevstrommar", heading, note(nobody % {"year": offer.year}))
    flows = flows_of(municipalities, offer.year, semesters[0], reader=reader)
    semester = _semester(semesters[0], offer.year)
    key = f"{ID}:elevstrommar:{offer.year}:{semesters[0]}"
    told = _("Pupils by home municipality, where they study and programme, reported for the %(semester)s") % {
        "semester": semester
    }
    shown = [row for row in flows.rows if flows.counts[row.pk].is_whole]
    notes = sorted({part for row in shown for part in (str(row.source or ""), row.source_note) if part})
    sources.entries[key] = entry_of_sum(
        shown, sentences(told, _("Added up by the portal, without numbers under five"), *notes)
    )
    return section(
        f"{ID}-elevstrommar",
        heading,
        paragraph(
            _(
                "The table tells how many of each municipality's pupils study in another member municipality in the "
                "%(semester)s, and how many come from one. Numbers under five are not shown and not part of any sum."
            )
            % {"semester": semester}
        ),
        table(
            f"{ID}-netto",
            _("Pupils to and from the members' schools, %(semester)s") % {"semester": semester},
            [
                column(_("Municipality"), "label"),
                column(_("To others, pupils"), "number"),
                column(_("From others, pupils"), "number"),
                column(_("Net, pupils"), "number"),
            ],
            _balances(flows, key),
            _(
                "Net is those who come minus those who leave, and is told where no number is hidden. Nothing is "
                "counted of what nobody has reported."
            ),
        ),
    )


def _semester(semester: str, year: SchoolYear) -> str:
    if semester == SemesterKind.AUTUMN:
        return _("autumn semester of %(year)s") % {"year": year}
    return _("spring semester of %(year)s") % {"year": year}


def _balances(flows: Flows, key: str) -> Iterator[list[Inline]]:
    away = [row for row in flows.rows if row.home_id != row.provider_municipality_id]
    for balance in flows.balances():
        pk = balance.municipality.pk
        out = any(row.example for row in away if row.home_id == pk)
        into = any(row.example for row in away if row.provider_municipality_id == pk)
        yield [
            balance.municipality.name,
            _count(balance.out, key, out),
            _count(balance.into, key, into),
            _net(balance.net, balance.out, balance.into, key, out or into),
        ]


def _count(count: Count, key: str, example: bool) -> Inline:
    """A number of pupils as an outsider may see it."""
    if not count.parts:
        return not_reported()
    if count.is_hidden:
        return masked()
    if not count.is_whole and not count.least:
        return _("few, not shown")
    shown = figure(count.least, source=key, example=example)
    return shown if count.is_whole else said(_("at least %(number)s"), number=shown)


def _net(net: int | None, out: Count, into: Count, key: str, example: bool) -> Inline:
    if net is not None:
        return figure(net, source=key, example=example)
    return _("not shown") if out.parts and into.parts else not_reported()
