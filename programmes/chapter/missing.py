"""What the members' own schools do not offer: the findings, and a section for each member."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from organisations.models import Municipality
from programmes.chapter.phrases import listed, names_of, placed, reported, school_name
from programmes.chapter.sources import ID, Sources
from programmes.models import Answer, Programme
from programmes.operations import (
    Cell,
    Gap,
    GapOffer,
    Gaps,
    GapState,
    MunicipalityOffer,
    Offer,
    SchoolOffer,
)
from records.documents.blocks import (
    Inline,
    bullets,
    chart,
    column,
    figure,
    not_reported,
    note,
    paragraph,
    said,
    section,
    strong,
    table,
)
from records.documents.content import Content

MOST_BARS = 40  # municipalities in one chart
MOST_NAMED = 6  # of those elsewhere whom an answer waits for; more are counted


@dataclass(frozen=True)
class Missing:
    """What the members' own schools do not offer: the findings, and a section for each member."""

    offer: Offer
    gaps: Sequence[Gaps]
    sources: Sources

    @property
    def year(self) -> dict[str, str]:
        return {"year": str(self.offer.year)}

    def findings(self) -> list[Content]:
        return [
            *self._how_much_is_reported(),
            *self._by_municipality(),
            *self._charts(),
            *self._offered_by_nobody(),
            *self._more_apply_than_fit(),
        ]

    def _how_much_is_reported(self) -> Iterator[Content]:
        own = [one for member in self.offer.members for one in member.own]
        others = [one for member in self.offer.members for one in member.others]
        without = [member.municipality.name for member in self.offer.members if member.denial]
        if own:
            yield paragraph(
                said(
                    _(
                        "Of the schools that the members run themselves, %(whole)s of %(all)s have reported their "
                        "whole offer for the school year %(year)s."
                    ),
                    whole=self._with_whole_offer(own),
                    all=self._all_schools(own),
                    **self.year,
                )
            )
        else:
            yield paragraph(_("The members run no upper-secondary schools of their own that the portal knows of."))
        if others:
            yield paragraph(
                said(
                    _("Of the area's other schools, %(whole)s of %(all)s have done so."),
                    whole=self._with_whole_offer(others),
                    all=self._all_schools(others),
                )
            )
        if without:
            yield paragraph(_("These have told that they run no school: %(names)s.") % {"names": names_of(without)})
        if not self.sources.reports:
            yield note(
                _(
                    "Nobody has reported any offer for the school year %(year)s. What is missing can therefore not be "
                    "told. What was last known from open sources is listed below, and is not counted."
                )
                % self.year
            )

    def _with_whole_offer(self, schools: Sequence[SchoolOffer]) -> Content:
        return self.sources.count(
            sum(one.is_complete for one in schools), example=any(one.report and one.report.example for one in schools)
        )

    def _all_schools(self, schools: Sequence[SchoolOffer]) -> Content:
        return self.sources.count(len(schools), example=any(one.school.example for one in schools))

    def _by_municipality(self) -> Iterator[Content]:
        if not self.sources.reports:
            return
        yield paragraph(
            _(
                "Of the national programmes that each municipality's own schools do not offer, this is known. A "
                "neighbour is a municipal or regional school in the area that the municipality does not run."
            )
        )
        yield bullets(*(self._in_short(found) for found in self.gaps))

    def _in_short(self, found: Gaps) -> list[Inline]:
        states = _by_state(found)
        if self._is_silent(found):
            return said(
                _("%(municipality)s: nothing can be told, since no answer has come in."),
                municipality=strong(found.municipality.name),
            )
        if not states[GapState.NOT_REPORTED]:
            return said(
                _("%(municipality)s: %(near)s programmes are offered by a neighbour, %(nobody)s by no neighbour."),
                municipality=strong(found.municipality.name),
                near=self.sources.count(states[GapState.NEIGHBOUR_OFFERS]),
                nobody=self.sources.count(states[GapState.NOBODY_OFFERS]),
            )
        return said(
            _(
                "%(municipality)s: %(near)s programmes are offered by a neighbour, %(nobody)s by no neighbour, and "
                "of %(unknown)s it cannot be told, since answers are missing."
            ),
            municipality=strong(found.municipality.name),
            near=self.sources.count(states[GapState.NEIGHBOUR_OFFERS]),
            nobody=self.sources.count(states[GapState.NOBODY_OFFERS]),
            unknown=self.sources.count(states[GapState.NOT_REPORTED]),
        )

    def _is_silent(self, found: Gaps) -> bool:
        """Whether the municipality has said nothing of any programme."""
        own = [row.own.answer for row in found.rows if row.orientation is None]
        return own == [Answer.NOT_REPORTED] * len(self.offer.programmes)

    def _charts(self) -> Iterator[Content]:
        for first in range(0, len(self.gaps), MOST_BARS):
            drawn = self.gaps[first : first + MOST_BARS]
            if not all(self._is_silent(found) for found in drawn):
                yield self._chart(first // MOST_BARS + 1, drawn)

    def _chart(self, number: int, drawn: Sequence[Gaps]) -> Content:
        rows: list[list[Inline]] = []
        for found in drawn:
            states = _by_state(found)
            cells: list[Content] = [not_reported(), not_reported()]
            if not self._is_silent(found):
                shown = (GapState.NEIGHBOUR_OFFERS, GapState.NOBODY_OFFERS)
                cells = [self.sources.count(states[state]) for state in shown]
            rows.append([found.municipality.name, *cells])
        caption = self._found_in_chart(drawn)
        return chart(
            f"{ID}-saknas-{number}",
            "bars",
            caption,
            _("Number of national programmes that the municipality's own schools do not offer, %(year)s") % self.year,
            _("Bar chart. %(finding)s. %(bars)s") % {"finding": caption, "bars": self._bars_in_words(drawn)},
            [
                column(_("Municipality"), "label"),
                column(_("A neighbour offers it"), "number"),
                column(_("No neighbour offers it"), "number"),
            ],
            rows,
        )

    def _found_in_chart(self, drawn: Sequence[Gaps]) -> str:
        """The finding: who lacks most programmes."""
        lacks = {found.municipality.name: _lacking(found) for found in drawn if not self._is_silent(found)}
        most = max(lacks.values())
        names = [name for name, number in lacks.items() if number == most]
        if most == 0:
            return _("No programme is known to be missing in any municipality")
        if len(names) > 3:
            return _("Several municipalities lack equally many programmes")
        return _("Most programmes are missing in %(names)s") % {"names": names_of(names)}

    def _bars_in_words(self, drawn: Sequence[Gaps]) -> str:
        """The bars of those who lack most, so many that it can be listened to."""
        told = [found for found in drawn if not self._is_silent(found)]
        longest = {found.municipality.pk for found in sorted(told, key=_lacking, reverse=True)[:MOST_NAMED]}
        bars = [
            _("%(municipality)s: %(near)s offered by a neighbour, %(nobody)s by no neighbour.")
            % {
                "municipality": found.municipality.name,
                "near": _by_state(found)[GapState.NEIGHBOUR_OFFERS],
                "nobody": _by_state(found)[GapState.NOBODY_OFFERS],
            }
            for found in told
            if found.municipality.pk in longest
        ]
        if len(told) > len(longest):
            bars.append(_("The others lack fewer or as many; all numbers stand in the table."))
        if silent := len(drawn) - len(told):
            bars.append(
                ngettext(
                    "%(number)s municipality has not reported.", "%(number)s municipalities have not reported.", silent
                )
                % {"number": silent}
            )
        return " ".join(bars)

    def _offered_by_nobody(self) -> Iterator[Content]:
        rows = [row for row in self.gaps[0].of(GapState.NOBODY_OFFERS) if row.orientation is None]
        if not rows:
            return
        yield paragraph(
            said(
                ngettext(
                    "%(number)s national programme is offered by no municipal or regional school in the area:",
                    "%(number)s national programmes are offered by no municipal or regional school in the area:",
                    len(rows),
                ),
                number=self.sources.count(len(rows)),
            )
        )
        yield bullets(*(self._named_with_beside(row) for row in rows))

    def _named_with_beside(self, row: Gap) -> str:
        if not row.beside:
            return row.programme.name
        return _("%(programme)s, though independent schools offer it: %(schools)s") % {
            "programme": row.programme.name,
            "schools": names_of(placed(offer.school) for offer in row.beside),
        }

    def _more_apply_than_fit(self) -> Iterator[Content]:
        known = [
            (programme, member, one, cell)
            for programme in self.offer.programmes
            for member in self.offer.members
            for one in member.schools
            if (cell := self.offer.at_school(one, programme)).figures.seats is not None
            and cell.figures.first_choice_applicants is not None
        ]
        pressed = [place for place in known if _applicants_over_seats(place[3]) > 0]
        if not known:
            return
        yield paragraph(
            said(
                _(
                    "In %(pressed)s of the %(known)s cases where a school has reported both seats and applicants "
                    "for a programme, there are more first-choice applicants than seats."
                ),
                pressed=self.sources.count(len(pressed)),
                known=self.sources.count(len(known)),
            )
        )
        if pressed:
            yield table(
                f"{ID}-fler-sokande",
                _("Programmes with more first-choice applicants than seats, %(year)s") % self.year,
                [
                    column(_("Programme"), "label"),
                    column(_("Municipality"), "label"),
                    column(_("School"), "label"),
                    column(_("Seats"), "number"),
                    column(_("First-choice applicants"), "number"),
                ],
                [
                    [
                        programme.name,
                        member.municipality.name,
                        school_name(one),
                        *self._figures(cell, "seats", "first_choice_applicants"),
                    ]
                    for programme, member, one, cell in pressed
                ],
            )

    def _figures(self, cell: Cell, *names: str) -> list[Content]:
        key = self.sources.of_cell(cell)
        return [reported(getattr(cell.figures, name), key, cell.example) for name in names]

    # A section for each member

    def section_of(self, home: MunicipalityOffer, found: Gaps) -> Content:
        municipality = found.municipality
        whole = [row for row in found.rows if row.orientation is None]
        heading = _("What is missing in %(municipality)s") % {"municipality": municipality.name}
        return section(
            f"{ID}-{municipality.code}",
            heading,
            *self._what_is_offered(home, whole),
            *self._offered_near(municipality, [row for row in whole if row.state == GapState.NEIGHBOUR_OFFERS]),
            *self._offered_nowhere([row for row in whole if row.state == GapState.NOBODY_OFFERS]),
            *self._not_told(home, [row for row in whole if row.state == GapState.NOT_REPORTED]),
            *self._orientations([row for row in found.rows if row.orientation]),
        )

    def _what_is_offered(self, home: MunicipalityOffer, whole: Sequence[Gap]) -> Iterator[Content]:
        if home.denial:
            yield paragraph(_("The municipality has told that it runs no upper-secondary school."))
        elif any(one.report for one in home.own):
            yield paragraph(
                said(
                    _("The municipality's own schools offer %(offered)s of %(all)s national programmes."),
                    offered=self.sources.count(len(self.offer.programmes) - len(whole)),
                    all=self.sources.count(len(self.offer.programmes), example=False),
                )
            )
        elif home.own:
            yield note(_("None of the municipality's own schools has reported what it offers."))
        else:
            yield note(
                _(
                    "The portal knows of no school that the municipality runs, and the municipality has not told "
                    "whether it runs any."
                )
            )

    def _offered_near(self, municipality: Municipality, rows: Sequence[Gap]) -> Iterator[Content]:
        if not rows:
            return
        yield table(
            f"{ID}-{municipality.code}-hos-granne",
            _("Programmes that %(municipality)s does not have but a neighbour offers, %(year)s")
            % {"municipality": municipality.name, **self.year},
            [
                column(_("Programme"), "label"),
                column(_("Offered in"), "label"),
                column(_("School"), "label"),
                column(_("Seats"), "number"),
                column(_("First-choice applicants"), "number"),
                column(_("Travel time, minutes"), "number"),
            ],
            [self._offer_near(municipality, row.programme, offer) for row in rows for offer in row.offers],
            _("Travel time is the shortest known, one way between the main towns."),
        )
        beside = [
            _("%(programme)s: %(schools)s")
            % {"programme": row.programme.name, "schools": names_of(placed(offer.school) for offer in row.beside)}
            for row in rows
            if row.beside
        ]
        if beside:
            yield paragraph(_("Independent schools in the area also offer:"))
            yield bullets(*beside)

    def _offer_near(self, municipality: Municipality, programme: Programme, offer: GapOffer) -> list[Inline]:
        return [
            programme.name,
            offer.municipality.name,
            school_name(offer.school),
            *self._figures(offer.cell, "seats", "first_choice_applicants"),
            self._travel(municipality, offer),
        ]

    def _travel(self, municipality: Municipality, offer: GapOffer) -> Inline:
        if offer.municipality == municipality:
            return _("in the municipality")
        if offer.travel is None or offer.travel.minutes is None:
            return pgettext("travel time", "not known")
        return figure(offer.travel.minutes, source=self.sources.of_travel(offer.travel), example=offer.travel.example)

    def _offered_nowhere(self, rows: Sequence[Gap]) -> Iterator[Content]:
        if rows:
            yield paragraph(_("No municipal or regional school in the area offers:"))
            yield bullets(*(self._named_with_beside(row) for row in rows))

    def _not_told(self, home: MunicipalityOffer, rows: Sequence[Gap]) -> Iterator[Content]:
        """What cannot be told, with who should answer; programmes that wait for the same are told together."""
        if not rows:
            return
        together: dict[tuple[tuple[int, ...], tuple[int, ...]], list[Gap]] = {}
        for row in rows:
            key = tuple(one.school.pk for one in row.waits_for), tuple(one.pk for one in row.silent)
            together.setdefault(key, []).append(row)
        yield paragraph(
            _("It cannot be told whether these are missing or who offers them, since answers are not reported:")
        )
        yield bullets(
            *(
                said(
                    _("%(programmes)s: waits for an answer from %(who)s."),
                    programmes=self._all_or_named(same),
                    who=self._waited_for(home.municipality, same[0]),
                )
                for same in together.values()
            )
        )

    def _all_or_named(self, rows: Sequence[Gap]) -> str:
        if len(rows) == len(self.offer.programmes):
            return _("All national programmes")
        return names_of(row.programme.name for row in rows)

    def _waited_for(self, home: Municipality, row: Gap) -> list[Inline]:
        """The home's own schools by name; others by name where they are few, else the number of municipalities."""
        schools = [(one.school.municipality_id, one) for one in row.waits_for]
        has_school = {municipality for municipality, _one in schools}
        without = [one for one in row.silent if one.pk not in has_school]
        here: list[Inline] = [one.school.name for municipality, one in schools if municipality == home.pk]
        here += [one.name for one in without if one == home]
        away: list[Inline] = [placed(one) for municipality, one in schools if municipality != home.pk]
        away += [one.name for one in without if one != home]
        if len(away) > MOST_NAMED:
            others = [one for one in row.silent if one != home]
            away = [
                said(
                    ngettext("%(number)s other municipality", "%(number)s other municipalities", len(others)),
                    number=self.sources.count(len(others)),
                )
            ]
        return listed(here + away)

    def _orientations(self, rows: Sequence[Gap]) -> Iterator[Content]:
        if rows:
            numbers = {state: sum(row.state == state for row in rows) for state in GapState}
            yield paragraph(
                said(
                    _(
                        "Orientations that are missing in programmes that the municipality has: %(near)s are offered "
                        "by a neighbour, %(nobody)s by no neighbour, and of %(unknown)s it cannot be told."
                    ),
                    near=self.sources.count(numbers[GapState.NEIGHBOUR_OFFERS]),
                    nobody=self.sources.count(numbers[GapState.NOBODY_OFFERS]),
                    unknown=self.sources.count(numbers[GapState.NOT_REPORTED]),
                )
            )


def _by_state(found: Gaps) -> dict[GapState, int]:
    """How many programmes are in each state; orientations are not counted among them."""
    return {state: sum(row.orientation is None for row in found.of(state)) for state in GapState}


def _lacking(found: Gaps) -> int:
    """How many programmes a municipality is known to lack."""
    states = _by_state(found)
    return states[GapState.NEIGHBOUR_OFFERS] + states[GapState.NOBODY_OFFERS]


def _applicants_over_seats(cell: Cell) -> int:
    return (cell.figures.first_choice_applicants or 0) - (cell.figures.seats or 0)
