"""Where the chapter's figures are from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from organisations.models import TravelTime
from programmes.models import OfferingFact, OfferingReport
from programmes.operations import Cell, Offer
from records.documents import words
from records.documents.blocks import figure, source_of
from records.documents.content import Content

ID = "utbud"  # what the ids of the chapter's sections and tables, and the keys of its sources, begin with


class Sources:
    """The sources of the chapter's figures by their keys. Equal ones are told once."""

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        self.entries: dict[str, Content] = {}
        self._sums: dict[tuple[int, ...], str] = {}
        self._same: dict[tuple[Any, ...], str] = {}  # what a source says -> its key
        self.reports = [
            report
            for member in offer.members
            for report in (*(one.report for one in member.schools), member.denial)
            if report
        ]
        self.example = any(report.example for report in self.reports)
        self.portal = f"{ID}:portalen:{offer.year}"
        self.entries[self.portal] = self._counted()
        for report in self.reports:
            self.entries[_key_of(report)] = source_of(
                None, came_in=report.came_in, verified=report.verified, note=_told_by(report)
            )

    def _counted(self) -> Content:
        what = _("Counted by the portal: the national programmes that new pupils could begin on in %(year)s") % {
            "year": self.offer.year
        }
        if self.reports:
            latest = max(report.reported_at for report in self.reports)
            told = ngettext(
                "from %(number)s report of the offer, which came in on %(day)s",
                "from %(number)s reports of the offer, the latest of which came in on %(day)s",
                len(self.reports),
            ) % {"number": len(self.reports), "day": words.day(localtime(latest).date())}
        else:
            told = _("nobody had reported any offer")
        return entry_of_sum(self.reports, f"{what}, {told}")

    def count(self, number: int, unit: str = "", *, example: bool | None = None) -> Content:
        """A number that the portal has counted from all reports."""
        return figure(number, unit, source=self.portal, example=self.example if example is None else example)

    def of_cell(self, cell: Cell) -> str:
        """The report behind a cell; for a sum over schools, a source that names them all."""
        if len(cell.reports) == 1:
            return _key_of(cell.reports[0])
        together = tuple(report.pk for report in cell.reports)
        if together not in self._sums:
            key = self._sums[together] = f"{ID}:summa:{len(self._sums) + 1}"
            told = "; ".join(_told_by(report) for report in cell.reports)
            self.entries[key] = entry_of_sum(cell.reports, _("Added up by the portal. %(told)s") % {"told": told})
        return self._sums[together]

    def of_travel(self, time: TravelTime) -> str:
        names = {member.municipality.pk: member.municipality.name for member in self.offer.members}
        way = f"{names[time.origin_id]}–{names[time.destination_id]}, {time.get_mode_display()}"
        return self._told("restid", time, sentences(way, time.source_note))

    def of_fact(self, fact: OfferingFact) -> str:
        return self._told("uppgift", fact, fact.source_note)

    def _told(self, kind: str, fact: Any, told: str) -> str:
        """The key of a fact's own source. A source without a name is told by its address, or as not given."""
        has_name = fact.source and (fact.source.publisher or fact.source.title)
        if not has_name and not fact.source_note:
            address = fact.source.address if fact.source else ""
            told = sentences(told, address or _("The source is not given"))
        entry = source_of(fact.source, came_in=fact.came_in, verified=fact.verified, note=told)
        key = self._same.setdefault(tuple(entry.values()), f"{ID}:{kind}:{fact.pk}")
        self.entries[key] = entry
        return key


def _key_of(report: OfferingReport) -> str:
    return f"{ID}:rapport:{report.pk}"


def _told_by(report: OfferingReport) -> str:
    """Who reported and when, as one source among others."""
    told = _("%(who)s: reported on %(day)s") % {
        "who": report.school or report.provider,
        "day": words.day(localtime(report.reported_at).date()),
    }
    return sentences(told, str(report.source or ""), report.source_note)


def sentences(*parts: str) -> str:
    """One after another, without a stop at the end: more may follow."""
    return ". ".join(part.strip().removesuffix(".") for part in parts if part.strip())


def entry_of_sum(facts: Sequence[Any], told: str) -> Content:
    """A source of what the portal has added up or counted; it is checked if all its parts are."""
    verified = bool(facts) and all(fact.verified for fact in facts)
    return source_of(None, came_in="computed", verified=verified, note=told)
