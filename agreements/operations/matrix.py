"""What pupils of each municipality have, leaf by leaf: the programme at home, cover by an agreement, or neither."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from django.db import models
from django.db.backends.postgresql.psycopg_any import NumericRange
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agreements.models import Agreement, Cover, Party, Revision, SeatUse, Term
from agreements.operations.covering import Validity, first_intake, intakes_of, validities_of
from collab4m.clock import today
from collab4m.school_year import SchoolYear
from collab4m.swedish import swedish_key
from organisations.models import CollaborationArea, Municipality
from programmes.models import Answer, Orientation, Programme
from programmes.operations import Cell, Count, Gap, MunicipalityOffer, Offer, offer_of

# Cover ends soon when it is gone in one of so many coming intakes; after notice, whenever it ends.
COMING_INTAKES = 2


class CoverState(models.TextChoices):
    OFFERED = "offered", gettext_lazy("offered at home")
    COVERED = "covered", gettext_lazy("covered by agreement")
    EXPIRING = "expiring", gettext_lazy("covered, but it ends")
    UNCOVERED = "uncovered", gettext_lazy("gap: a neighbour offers it")
    NOWHERE = "nowhere", gettext_lazy("nobody offers it")
    NOT_REPORTED = "not_reported", gettext_lazy("not reported")


@dataclass(frozen=True)
class Lead:
    """One of a party's two lead times before cover ends: the day, and whether it has come."""

    day: date
    is_reached: bool


@dataclass(frozen=True)
class Covering:
    """An agreement's cover of a leaf in an intake, and how much of it is used, as one reader may see it.

    The seats are agreed for all leaves of the term together if `is_shared`; then so is what is used of them. `ends_on`
    is the last day if the cover ends soon and no other follows, with the home municipality's two lead times.
    """

    cover: Cover
    used: Count
    is_shared: bool = False
    ends_on: date | None = None
    ended_by: str = ""
    leads: Sequence[Lead] = ()

    @property
    def provider(self) -> Municipality:
        return self.cover.provider

    @property
    def agreement(self) -> Agreement:
        return self.cover.agreement

    @property
    def free(self) -> int | None:
        """Seats that nobody has; below zero if more were admitted than agreed. None where that cannot be said."""
        if self.cover.seats is None or self.used.number is None:
            return None
        return self.cover.seats - self.used.number

    @property
    def over(self) -> int:
        """How many more were admitted than agreed."""
        return max(0, -(self.free or 0))


@dataclass(frozen=True)
class CoverCell:
    """What pupils of `home` have on a leaf in an intake. `offered_by`: where a public school in the area offers it."""

    home: Municipality
    programme: Programme
    orientation: Orientation | None
    state: CoverState
    own: Cell
    coverings: Sequence[Covering] = ()
    offered_by: Sequence[Municipality] = ()
    gap_key: str = ""  # the row of the gap page from which an agreement is begun

    @property
    def ending(self) -> list[Covering]:
        return [covering for covering in self.coverings if covering.ends_on]

    @property
    def neighbours(self) -> list[Municipality]:
        """Who else offers it."""
        return [one for one in self.offered_by if one.pk != self.home.pk]


@dataclass(frozen=True)
class Ending:
    """What of an agreement's cover ends on the same day for a home municipality: `covering` is one of them."""

    home: Municipality
    covering: Covering
    code: str  # of the programme
    leaves: list[Programme | Orientation]

    @property
    def key(self) -> str:
        return ending_key(self.home, self.covering)


def ending_key(home: Municipality, covering: Covering) -> str:
    """How the page names the row, so that a cell can lead to it."""
    cover = covering.cover
    return f"{cover.agreement_id}-{home.pk}-{cover.provider_id}-{cover.programme_id}-{covering.ends_on}"


@dataclass(frozen=True)
class CoverLine:
    """A leaf with its cells, in the order of the members."""

    programme: Programme
    orientation: Orientation | None
    cells: Sequence[CoverCell]

    @property
    def key(self) -> str:
        return f"{self.programme.pk}-{self.orientation.pk if self.orientation else 0}"

    def has(self, states: Collection[CoverState]) -> bool:
        return any(cell.state in states for cell in self.cells)


@dataclass(frozen=True)
class CoverMatrix:
    """An area's cover in an intake, as one reader may see it."""

    area: CollaborationArea
    year: SchoolYear
    offer: Offer
    lines: Sequence[CoverLine]

    @property
    def members(self) -> list[MunicipalityOffer]:
        return self.offer.members

    @property
    def cells(self) -> list[CoverCell]:
        return [cell for line in self.lines for cell in line.cells]

    @cached_property
    def counts(self) -> dict[CoverState, int]:
        found = dict.fromkeys(CoverState, 0)
        for cell in self.cells:
            found[cell.state] += 1
        return found

    @cached_property
    def ending(self) -> list[Ending]:
        """Cover that ends soon, the nearest day first."""
        found: dict[str, Ending] = {}
        for cell in self.cells:
            for covering in cell.ending:
                one = Ending(cell.home, covering, cell.programme.code, [])
                found.setdefault(one.key, one).leaves.append(cell.orientation or cell.programme)
        return sorted(found.values(), key=lambda one: one.covering.ends_on or date.max)

    def only(self, states: Collection[CoverState]) -> CoverMatrix:
        """The lines in which some municipality is in one of these states; all of them if none is named."""
        lines = [line for line in self.lines if line.has(states)] if states else self.lines
        return CoverMatrix(self.area, self.year, self.offer, lines)


def cover_of_area(area: CollaborationArea, year: SchoolYear, reader: Any, kinds: Iterable[str] = ()) -> list[CoverCell]:
    """A row for each leaf and municipality of the area, as the page has them."""
    return matrix_of_cover(area, year, reader, kinds).cells


def matrix_of_cover(area: CollaborationArea, year: SchoolYear, reader: Any, kinds: Iterable[str] = ()) -> CoverMatrix:
    """What each member's pupils may apply for in an intake. The same number of queries whatever there is."""
    offer = offer_of(area, year, kinds)
    homes = [member.municipality for member in offer.members]
    coverings = _coverings(homes, year, reader, [programme.pk for programme in offer.programmes])
    lines = []
    for programme in offer.programmes:
        whole = [offer.at_municipality(member, programme) for member in offer.members]
        leaves: Sequence[Orientation | None] = offer.orientations.get(programme.pk) or [None]
        for orientation in leaves:
            lines.append(_line(offer, programme, orientation, whole, coverings))
    return CoverMatrix(area, year, offer, lines)


LeafKey = tuple[int, int, int | None]  # home, programme, orientation


def _line(
    offer: Offer,
    programme: Programme,
    orientation: Orientation | None,
    whole: Sequence[Cell],
    coverings: dict[LeafKey, list[Covering]],
) -> CoverLine:
    own = (
        whole if orientation is None else [offer.at_municipality(one, programme, orientation) for one in offer.members]
    )
    silent = {place for place, cell in enumerate(own) if cell.answer == Answer.NOT_REPORTED}
    near = [member.municipality for member in offer.members if _is_offered(offer, member, programme, orientation)]
    cells = []
    for place, member in enumerate(offer.members):
        home = member.municipality
        covered = coverings.get((home.pk, programme.pk, orientation.pk if orientation else None), [])
        state = _state(own[place].answer, covered, bool(near), bool(silent))
        key = _gap_key(programme, orientation, whole[place].answer) if state == CoverState.UNCOVERED else ""
        cells.append(CoverCell(home, programme, orientation, state, own[place], covered, near, key))
    return CoverLine(programme, orientation, cells)


def _gap_key(programme: Programme, orientation: Orientation | None, whole: Answer) -> str:
    """The gap page's row: the programme's while that is missing, else the orientation's; none if it cannot be said."""
    if whole == Answer.NOT_REPORTED:
        return ""
    return f"{programme.code}:{orientation.pk}" if orientation and whole == Answer.OFFERED else programme.code


def _is_offered(offer: Offer, member: MunicipalityOffer, programme: Programme, orientation: Orientation | None) -> bool:
    return any(
        offer.at_school(one, programme, orientation).answer == Answer.OFFERED
        for one in member.schools
        if not one.is_independent
    )


def _state(own: Answer, coverings: Sequence[Covering], is_offered_near: bool, somebody_is_silent: bool) -> CoverState:
    """As the gap page has it, but what is signed is known whatever is not reported."""
    if own == Answer.OFFERED:
        return CoverState.OFFERED
    if coverings:
        ends = any(covering.ends_on for covering in coverings)  # of the one that lasts longest, see `_coverings`
        return CoverState.EXPIRING if ends else CoverState.COVERED
    if own == Answer.NOT_REPORTED:
        return CoverState.NOT_REPORTED
    if is_offered_near:
        return CoverState.UNCOVERED
    return CoverState.NOT_REPORTED if somebody_is_silent else CoverState.NOWHERE


# Cover


def _coverings(
    homes: Collection[Municipality], year: SchoolYear, reader: Any, programmes: Collection[int] = ()
) -> dict[LeafKey, list[Covering]]:
    """What covers each leaf for those municipalities in an intake, by what `reader` may see. Ten queries at most."""
    ids = [home.pk for home in homes]
    covers = Cover.objects.visible_to(reader).filter(home__in=ids, years__overlap=NumericRange(year.starts, None))
    if programmes:
        covers = covers.filter(programme__in=programmes)
    now_there: dict[LeafKey, list[Cover]] = defaultdict(list)
    later: dict[LeafKey, set[int]] = defaultdict(set)  # from which intakes on it is covered anew
    leaves_of_term: dict[int, list[Cover]] = defaultdict(list)
    rows_there = list(covers.order_by("standing", "pk"))
    agreements = Agreement.objects.in_bulk({cover.agreement_id for cover in rows_there})
    providers = {home.pk: home for home in homes}
    elsewhere = {cover.provider_id for cover in rows_there} - providers.keys()
    providers |= Municipality.objects.in_bulk(elsewhere)
    for cover in sorted(rows_there, key=lambda one: (one.standing, providers[one.provider_id].code, one.pk)):
        cover.agreement, cover.provider = agreements[cover.agreement_id], providers[cover.provider_id]
        key = (cover.home_id, cover.programme_id, cover.orientation_id)
        if cover.years.lower <= year.starts:
            now_there[key].append(cover)
            leaves_of_term[cover.term_id].append(cover)
        else:
            later[key].add(cover.years.lower)
    ending = [one.agreement for found in now_there.values() for one in found if one.years.upper is not None]
    validities = validities_of(ending)
    last_intakes = _last_intakes([one for found in now_there.values() for one in found if one.years.upper is not None])
    parties = Party.objects.filter(agreement__in={one.pk for one in ending}, municipality__in=ids)
    leads = {(party.agreement_id, party.municipality_id): party for party in parties}
    uses = {
        (use.home_id, use.provider_id, use.programme_id, use.orientation_id): use
        for use in SeatUse.objects.filter(home__in=ids, intake=year)
    }
    found: dict[LeafKey, list[Covering]] = {}
    for key, rows in now_there.items():
        uppers = {cover.years.upper for cover in rows}
        found[key] = []
        for cover in rows:
            same_term = leaves_of_term[cover.term_id] if cover.seats is not None else [cover]
            used = sum((_used(uses, one, reader) for one in same_term), Count())
            upper = cover.years.upper
            # It does not end for those who come after when nobody can begin on it any more.
            goes_on = upper is None or upper in later[key] or upper == last_intakes.get(key)
            goes_on = goes_on or any(end is None or end > upper for end in uppers)
            if goes_on:
                found[key].append(Covering(cover, used, len(same_term) > 1))
                continue
            validity = validities[cover.agreement_id]
            ends_on, ended_by = _end_of(cover, validity)
            if upper > year.starts + COMING_INTAKES and ended_by != "notice":
                found[key].append(Covering(cover, used, len(same_term) > 1))
                continue
            party = leads[cover.agreement_id, cover.home_id]
            found[key].append(Covering(cover, used, len(same_term) > 1, ends_on, ended_by, _leads(party, ends_on)))
    return found


def _last_intakes(covers: Iterable[Cover]) -> dict[LeafKey, int | None]:
    """From which intake on nobody begins on the leaf any more, by the catalogue. Two queries."""
    rows = list(covers)
    programmes = Programme.objects.in_bulk({cover.programme_id for cover in rows})
    orientations = Orientation.objects.in_bulk({cover.orientation_id for cover in rows if cover.orientation_id})
    found: dict[LeafKey, int | None] = {}
    for cover in rows:
        ends = [intakes_of(programmes[cover.programme_id])[1]]
        if cover.orientation_id:
            ends.append(intakes_of(orientations[cover.orientation_id])[1])
        key = (cover.home_id, cover.programme_id, cover.orientation_id)
        found[key] = min((end for end in ends if end is not None), default=None)
    return found


def _used(uses: dict[tuple[int, int, int, int | None], SeatUse], cover: Cover, reader: Any) -> Count:
    use = uses.get((cover.home_id, cover.provider_id, cover.programme_id, cover.orientation_id))
    if use is None:
        return Count()
    shown = use.shown_to(reader)
    return Count(0, False, 1) if shown is None else Count(shown, True, 1)


def _end_of(cover: Cover, validity: Validity) -> tuple[date, str]:
    """The last day of the cover, and why it ends: with the agreement, or earlier since its terms say so."""
    for day, why in (
        (validity.left.get(cover.home_id), "notice"),
        (validity.left.get(cover.provider_id), "notice"),
        (validity.last_day, validity.ended_by),
    ):
        if day is not None and first_intake(day + timedelta(days=1)) == cover.years.upper:
            return day, why
    return SchoolYear(cover.years.upper - 1).last_day, "terms"


def _leads(party: Party, ends_on: date) -> list[Lead]:
    days = [ends_on - timedelta(days=lead) for lead in (party.first_lead_days, party.second_lead_days)]
    return [Lead(day, day <= today()) for day in days]


# Reporting the use of seats


@dataclass(frozen=True)
class CoveredLeaf:
    """A leaf that an agreement covers between two municipalities in an intake, and what is reported of it."""

    home: Municipality
    programme: Programme
    orientation: Orientation | None
    covering: Covering
    admitted: int | None  # as far as the reader may see it

    @property
    def key(self) -> str:
        orientation = self.orientation.pk if self.orientation else 0
        return f"{self.home.pk}-{self.covering.provider.pk}-{self.programme.pk}-{orientation}"

    @property
    def seen(self) -> str:
        return "" if self.admitted is None else str(self.admitted)

    @property
    def what(self) -> str:
        return f"{self.programme.code} {self.orientation.name if self.orientation else self.programme.name}"


def covered_leaves(own: Collection[int], year: SchoolYear, reader: Any) -> list[CoveredLeaf]:
    """What is covered in an intake for pupils of those municipalities, or by them. The same number of queries always.

    A leaf that two agreements cover between the same municipalities is there once: its seats are used once.
    """
    here = Cover.objects.visible_to(reader).of_intake(year).filter(Q(home__in=own) | Q(provider__in=own))
    covers = list(here.select_related("agreement", "home", "provider", "programme", "orientation"))
    uses = {
        (use.home_id, use.provider_id, use.programme_id, use.orientation_id): use
        for use in SeatUse.objects.filter(Q(home__in=own) | Q(provider__in=own), intake=year)
    }
    by_term: dict[int, list[Cover]] = defaultdict(list)
    for cover in covers:
        by_term[cover.term_id].append(cover)
    found: dict[str, CoveredLeaf] = {}
    for cover in sorted(
        covers,
        key=lambda one: (
            swedish_key(one.home.name),
            swedish_key(one.provider.name),
            one.programme.code,
            one.orientation_id or 0,
            one.pk,
        ),
    ):
        same_term = by_term[cover.term_id] if cover.seats is not None else [cover]
        used = sum((_used(uses, one, reader) for one in same_term), Count())
        covering = Covering(cover, used, len(same_term) > 1)
        number = _used(uses, cover, reader).number
        leaf = CoveredLeaf(cover.home, cover.programme, cover.orientation, covering, number)
        found.setdefault(leaf.key, leaf)
    return list(found.values())


# The gap page


def cover_states(
    home: Municipality, year: SchoolYear, rows: Sequence[Gap], reader: Any
) -> dict[str, list[tuple[str, str, str]]]:
    """What agreements say of some gaps of a municipality, by the gap's key: words, address, and tone.

    The tone is "yes" for what is covered, "warning" for cover that ends, "neutral" for a draft. Drafts are those that
    `reader` may see. The same number of queries whatever there is.
    """
    by_programme: dict[int, dict[int | None, list[Covering]]] = defaultdict(dict)
    for (_home, programme, orientation), coverings in _coverings([home], year, reader).items():
        by_programme[programme][orientation] = coverings
    orientations: dict[int, set[int | None]] = defaultdict(set)
    valid = Orientation.objects.for_intake(year).filter(programme__in={row.programme.pk for row in rows})
    for pk, programme in valid.values_list("pk", "programme"):
        orientations[programme].add(pk)
    drafts = _drafted(home, year, reader)
    found: dict[str, list[tuple[str, str, str]]] = {}
    for row in rows:
        leaves, wanted = by_programme.get(row.programme.pk, {}), orientations[row.programme.pk] or {None}
        if row.orientation:
            wanted = {row.orientation.pk}
        covered = {key: coverings for key, coverings in leaves.items() if key in wanted}
        is_whole = covered.keys() == wanted
        said = [_state_in_words(covering, is_whole) for covering in _of_each_agreement(covered.values())]
        said += _drafts_in_words(row, drafts.get(row.programme.pk, ()))
        if said:
            found[row.key] = said
    return found


def _drafts_in_words(row: Gap, terms: Iterable[Term]) -> list[tuple[str, str, str]]:
    said: dict[tuple[str, str, str], None] = {}
    for term in terms:
        if row.orientation is None or term.orientation_id in (None, row.orientation.pk):
            agreement = term.revision.agreement
            words = {"provider": term.provider.name, "number": agreement.number}
            text = _("Being drafted with %(provider)s: agreement %(number)s") % words
            said[text, agreement.get_absolute_url(), "neutral"] = None
    return list(said)


def _of_each_agreement(leaves: Iterable[Sequence[Covering]]) -> list[Covering]:
    """One for each agreement and provider; the one that ends first stands for those of several orientations."""
    found: dict[tuple[int, int], Covering] = {}
    for coverings in leaves:
        for covering in coverings:
            key = (covering.cover.agreement_id, covering.cover.provider_id)
            known = found.get(key)
            if known is None or (covering.ends_on and (known.ends_on is None or covering.ends_on < known.ends_on)):
                found[key] = covering
    return list(found.values())


def _state_in_words(covering: Covering, is_whole: bool) -> tuple[str, str, str]:
    words = {"provider": covering.provider.name, "number": covering.agreement.number}
    text = (
        _("Covered by %(provider)s: agreement %(number)s")
        if is_whole
        else _("Partly covered by %(provider)s: agreement %(number)s")
    )
    said = text % words
    if covering.ends_on:
        first, second = covering.leads
        days = {"day": covering.ends_on, "first": first.day, "second": second.day}
        said += ". " + _("Its last day is %(day)s, reminders %(first)s and %(second)s") % days
    tone = "warning" if covering.ends_on or not is_whole else "yes"
    return said, covering.agreement.get_absolute_url(), tone


def _drafted(home: Municipality, year: SchoolYear, reader: Any) -> dict[int, list[Term]]:
    """Terms for the municipality's pupils in what is being drafted, decided or signed, by programme."""
    revisions = Revision.objects.visible_to(reader).under_way()
    terms = Term.objects.filter(revision__in=revisions, home=home).select_related("revision__agreement", "provider")
    found: dict[int, list[Term]] = defaultdict(list)
    for term in terms.order_by("revision__agreement__year", "revision__agreement__sequence", "pk"):
        begins = term.intake_from.starts if term.intake_from else 0
        ends = term.intake_to.starts if term.intake_to else 9999
        if begins <= year.starts <= ends:
            found[term.programme_id].append(term)
    return found
