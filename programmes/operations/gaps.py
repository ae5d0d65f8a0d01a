"""What a municipality does not offer itself: who near it does, that nobody does, or that it cannot be said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from collab4m.clock import today
from collab4m.school_year import SchoolYear
from organisations.models import CollaborationArea, Membership, Municipality, TravelTime
from programmes.models import Answer, OfferingFact, Orientation, Programme, PupilFlow, together
from programmes.operations.flows import Count, count_of
from programmes.operations.offer import Cell, MunicipalityOffer, Offer, SchoolOffer
from records.models import span


class GapState(models.TextChoices):
    NEIGHBOUR_OFFERS = "neighbour_offers", _("a neighbour offers it")
    NOBODY_OFFERS = "nobody_offers", _("nobody offers it")
    NOT_REPORTED = "not_reported", _("not reported")


@dataclass(frozen=True)
class GapOffer:
    """A school that offers what is missing at home. `travel` is the shortest known way, None where none is known."""

    municipality: Municipality
    school: SchoolOffer
    cell: Cell
    travel: TravelTime | None = None

    @property
    def address(self) -> str:
        """Of the report's row that says so."""
        return self.cell.offerings[0].get_absolute_url() if self.cell.offerings else ""

    @property
    def travel_minutes(self) -> int | None:
        return self.travel.minutes if self.travel else None


@dataclass(frozen=True)
class Gap:
    """A programme, or an orientation of one that is offered, which the municipality's own schools do not offer.

    `offers` are those of neighbours whose provider is public; `beside` are independent schools, which pupils may
    choose whatever the municipalities agree on. `waits_for` are the schools whose answer is missing. `demand` counts
    the municipality's own pupils who study it elsewhere, as the reader may see them.
    """

    state: GapState
    programme: Programme
    orientation: Orientation | None
    own: Cell
    own_cells: Sequence[tuple[SchoolOffer, Cell]]
    offers: Sequence[GapOffer]
    beside: Sequence[GapOffer]
    waits_for: Sequence[SchoolOffer]
    silent: Sequence[Municipality]
    demand: Count = field(default_factory=Count)

    @property
    def key(self) -> str:
        """How slots and addresses name the row: BA, or BA:17 for an orientation."""
        return f"{self.programme.code}:{self.orientation.pk}" if self.orientation else self.programme.code

    @property
    def anchor(self) -> str:
        return f"{self.programme.pk}-{self.orientation.pk if self.orientation else 0}"

    @property
    def name(self) -> str:
        return self.orientation.name if self.orientation else self.programme.name

    @property
    def more_apply_than_fit(self) -> bool:
        """Whether some neighbour has more first-choice applicants than seats."""
        return any(
            (offer.cell.figures.first_choice_applicants or 0) > offer.cell.figures.seats
            for offer in self.offers
            if offer.cell.figures.seats is not None
        )

    @property
    def example(self) -> bool:
        reports = [report for offer in self.offers for report in offer.cell.reports]
        return any(report.example for report in (*self.own.reports, *reports))

    @property
    def facts(self) -> list[OfferingFact]:
        """The last known facts of the schools that have not answered."""
        return [cell.fact for _one, cell in self.own_cells if cell.fact]


@dataclass(frozen=True)
class Gaps:
    """The gaps of a municipality in a school year, over all areas it belongs to then."""

    municipality: Municipality
    year: SchoolYear
    areas: Sequence[CollaborationArea]
    offer: Offer
    rows: Sequence[Gap]

    def of(self, state: GapState) -> list[Gap]:
        return [row for row in self.rows if row.state == state]


def gaps_of(municipality: Municipality, year: SchoolYear, *, reader: Any, kinds: Iterable[str] = ()) -> Gaps:
    """What `municipality` does not offer itself in a school year. The same number of queries whatever there is."""
    in_year = span(year.first_day, year.last_day)
    mine = Membership.objects.filter(municipality=municipality, valid__overlap=in_year)
    memberships = (
        Membership.objects.filter(area__in=mine.values("area"), valid__overlap=in_year)
        .select_related("municipality", "area")
        .in_agreed_order()
    )
    members: dict[int, tuple[Municipality, Membership | None]] = {}
    areas: dict[int, CollaborationArea] = {}
    for membership in memberships:
        members.setdefault(membership.municipality_id, (membership.municipality, membership))
        areas.setdefault(membership.area_id, membership.area)
    members.setdefault(municipality.pk, (municipality, None))
    offer = Offer(year, list(members.values()), kinds)
    home = next(member for member in offer.members if member.municipality.pk == municipality.pk)
    finder = _Finder(offer, home, _travel_from(municipality), _demand_of(municipality, year, reader))
    return Gaps(municipality, year, list(areas.values()), offer, list(finder.rows()))


def _travel_from(municipality: Municipality) -> dict[int, TravelTime]:
    """The shortest known way to each other municipality, today."""
    times = TravelTime.objects.on(today()).filter(Q(origin=municipality) | Q(destination=municipality))
    shortest: dict[int, TravelTime] = {}
    for time in times.exclude(minutes=None).select_related("source").order_by("-minutes", "pk"):
        shortest[time.destination_id if time.origin_id == municipality.pk else time.origin_id] = time
    return shortest


def _demand_of(municipality: Municipality, year: SchoolYear, reader: Any) -> dict[str, Count]:
    """By the programme's key in statistics: the municipality's pupils who study elsewhere, in the latest semester."""
    flows = PupilFlow.objects.filter(home=municipality, school_year=year).exclude(provider_municipality=municipality)
    rows = list(flows.select_related("programme"))
    latest = max((row.semester for row in rows), default="")
    found: dict[str, Count] = {}
    for row in rows:
        if row.semester == latest:
            found[row.programme.family] = found.get(row.programme.family, Count()) + count_of(row, reader)
    return found


class _Finder:
    """Goes through the catalogue and says of each programme and orientation whether and why it is a gap."""

    def __init__(
        self, offer: Offer, home: MunicipalityOffer, travel: dict[int, TravelTime], demand: dict[str, Count]
    ) -> None:
        self.offer, self.home, self.travel, self.demand = offer, home, travel, demand
        self.neighbours = [member for member in offer.members if member is not home]

    def rows(self) -> Iterable[Gap]:
        for programme in self.offer.programmes:
            own = self.offer.at_municipality(self.home, programme)
            if own.answer != Answer.OFFERED:
                yield self._gap(own, programme)
                continue
            for orientation in self.offer.orientations.get(programme.pk, ()):
                own = self.offer.at_municipality(self.home, programme, orientation)
                if own.answer != Answer.OFFERED:
                    yield self._gap(own, programme, orientation)

    def _gap(self, own: Cell, programme: Programme, orientation: Orientation | None = None) -> Gap:
        own_cells = [(one, self.offer.at_school(one, programme, orientation)) for one in self.home.own]
        offers: list[GapOffer] = []
        beside: list[GapOffer] = []
        waits_for: list[SchoolOffer] = []
        silent: list[Municipality] = []
        for one, cell in own_cells:
            if cell.answer == Answer.NOT_REPORTED:
                waits_for.append(one)
        if own.answer == Answer.NOT_REPORTED:
            silent.append(self.home.municipality)
        for member in self.neighbours:
            cells = [(one, self.offer.at_school(one, programme, orientation)) for one in member.schools]
            for one, cell in cells:
                if cell.answer == Answer.OFFERED:
                    found = GapOffer(member.municipality, one, cell, self.travel.get(member.municipality.pk))
                    (beside if one.is_independent else offers).append(found)
            own_answers = [(one, cell.answer) for one, cell in cells if one.is_own]
            if not member.denial and together(answer for _one, answer in own_answers) == Answer.NOT_REPORTED:
                silent.append(member.municipality)
                waits_for += [one for one, answer in own_answers if answer == Answer.NOT_REPORTED]
        for one in self.home.others:
            cell = self.offer.at_school(one, programme, orientation)
            if cell.answer == Answer.OFFERED:
                found = GapOffer(self.home.municipality, one, cell)
                (beside if one.is_independent else offers).append(found)
        return Gap(
            state=_state(own.answer, bool(offers), bool(silent)),
            programme=programme,
            orientation=orientation,
            own=own,
            own_cells=own_cells,
            offers=offers,
            beside=beside,
            waits_for=waits_for,
            silent=silent,
            demand=self.demand.get(programme.family, Count()) if orientation is None else Count(),
        )


def _state(own: Answer, is_offered_near: bool, somebody_is_silent: bool) -> GapState:
    """An answer that is missing at home, or at a neighbour while none is known to offer it, leaves it open."""
    if own == Answer.NOT_REPORTED:
        return GapState.NOT_REPORTED
    if is_offered_near:
        return GapState.NEIGHBOUR_OFFERS
    return GapState.NOT_REPORTED if somebody_is_silent else GapState.NOBODY_OFFERS
