"""What a municipality does not offer itself: who near it does, that nobody does, or that it cannot be said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from collab4m.school_year import SchoolYear
from organisations.models import CollaborationArea, Membership, Municipality, TravelTime
from programmes.models import Answer, OfferingFact, Orientation, Programme, PupilFlow, together
from programmes.operations.flows import Count, count_of
from programmes.operations.offer import Cell, MunicipalityOffer, Offer, SchoolOffer, members_of
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
    """The gaps of a municipality in a school year, among the members of those areas."""

    municipality: Municipality
    year: SchoolYear
    areas: Sequence[CollaborationArea]
    offer: Offer
    rows: Sequence[Gap]

    def of(self, state: GapState) -> list[Gap]:
        return [row for row in self.rows if row.state == state]


@dataclass(frozen=True)
class GapChoice:
    """What a higher app does with several gaps together. Rows with an action can be ticked and are sent as `rad`.

    `sent_along` are fields that go with them to `address`.
    """

    verb: str
    address: str
    sent_along: Sequence[tuple[str, str]] = ()


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
    (gaps,) = _gaps([member for member in offer.members if member.municipality.pk == municipality.pk], offer, reader)
    return Gaps(municipality, year, list(areas.values()), offer, gaps)


def gaps_of_area(
    area: CollaborationArea, year: SchoolYear, *, reader: Any, kinds: Iterable[str] = ()
) -> tuple[Offer, list[Gaps]]:
    """The area's offer in a school year, and the gaps of each member in the agreed order.

    The area's other members are the neighbours; `gaps_of` counts those of a municipality's other areas too. The same
    number of queries whatever there is.
    """
    offer = Offer(year, members_of(area, year), kinds)
    found = zip(offer.members, _gaps(offer.members, offer, reader), strict=True)
    return offer, [Gaps(member.municipality, year, [area], offer, rows) for member, rows in found]


def _gaps(homes: Sequence[MunicipalityOffer], offer: Offer, reader: Any) -> list[list[Gap]]:
    """The gaps of each of some members of an offer, all others being its neighbours. Two queries."""
    ids = [home.municipality.pk for home in homes]
    travel, demand = _travel_from(ids, offer.year), _demand_of(ids, offer.year, reader)
    return [
        list(_Finder(offer, home, travel[home.municipality.pk], demand[home.municipality.pk]).rows()) for home in homes
    ]


def _travel_from(homes: Collection[int], year: SchoolYear) -> dict[int, dict[int, TravelTime]]:
    """For each home the shortest way to each other municipality that is known of the school year."""
    times = TravelTime.objects.filter(
        Q(origin__in=homes) | Q(destination__in=homes), valid__overlap=span(year.first_day, year.last_day)
    )
    shortest: dict[int, dict[int, TravelTime]] = defaultdict(dict)
    for time in times.exclude(minutes=None).select_related("source").order_by("-minutes", "pk"):
        shortest[time.origin_id][time.destination_id] = time
        shortest[time.destination_id][time.origin_id] = time
    return shortest


def _demand_of(homes: Collection[int], year: SchoolYear, reader: Any) -> dict[int, dict[str, Count]]:
    """For each home, by the programme's key in statistics: its pupils who study elsewhere, in its latest semester."""
    flows = PupilFlow.objects.filter(home__in=homes, school_year=year).exclude(provider_municipality=F("home"))
    rows = list(flows.select_related("programme"))
    latest: dict[int, str] = {}
    for row in rows:
        latest[row.home_id] = max(row.semester, latest.get(row.home_id, ""))
    found: dict[int, dict[str, Count]] = defaultdict(dict)
    for row in rows:
        if row.semester == latest[row.home_id]:
            counts, family = found[row.home_id], row.programme.family
            counts[family] = counts.get(family, Count()) + count_of(row, reader)
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
