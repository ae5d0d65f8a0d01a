"""The price in force for a pupil: what an agreement says on a day, else the law, and what the list then says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Prefetch, Q
from django.utils.translation import gettext

from agreements.models import (
    Agreement,
    LineBasis,
    PriceKind,
    PriceList,
    PriceRow,
    Revision,
    RevisionState,
    Term,
)
from agreements.operations.covering import Validity, validities_of
from agreements.outline import PRICE, SCOPE
from collab4m.clock import now
from collab4m.school_year import SchoolYear
from organisations.models import Municipality, SemesterKind
from programmes.models import Orientation, Programme

ORE = Decimal("0.01")
# The day whose agreements a semester is paid by. It lies in every municipality's semester, after those that begin late.
PRICED_ON = {SemesterKind.AUTUMN: (10, 15), SemesterKind.SPRING: (3, 15)}


def priced_on(year: SchoolYear, semester: str) -> date:
    """The day whose agreements the semester is paid by."""
    month, day = PRICED_ON[SemesterKind(semester)]
    return date(list_year(year, semester), month, day)


def list_year(year: SchoolYear, semester: str) -> int:
    """The calendar year whose price lists the semester is paid by."""
    return year.starts if semester == SemesterKind.AUTUMN else year.starts + 1


@dataclass(frozen=True)
class PriceRule:
    """How pupils of a pair on a programme are paid for. Without `revision` it is what the law says: self-cost.

    `orientations` are those that the agreement names, when it names no whole programme; `fixed` its own prices.
    """

    kind: str
    incl_meals: bool | None = None
    incl_vat: bool | None = None
    revision: Revision | None = None
    orientations: frozenset[int] = frozenset()
    fixed: tuple[Term, ...] = ()

    @property
    def basis(self) -> LineBasis:
        return LineBasis.AGREEMENT if self.revision else LineBasis.SELF_COST


@dataclass(frozen=True)
class Candidate:
    """A price that a line may have: from a row of a list, or from a term of the agreement."""

    key: str  # row:7 or term:7
    price_sek: Decimal
    kind: str
    incl_meals: bool | None
    incl_vat: bool | None
    row: PriceRow | None = None
    term: Term | None = None

    def __str__(self) -> str:
        told = self.row or self.term
        name = (self.row.label if self.row else "") or str(told.orientation or told.programme) if told else ""
        where = edition_in_words(self.row.price_list) if self.row else gettext("the agreement")
        return f"{name}, {where}"


def edition_in_words(price_list: PriceList) -> str:
    if price_list.number == 1:
        return str(price_list)
    return gettext("%(list)s, edition %(number)s") % {"list": price_list, "number": price_list.number}


@dataclass(frozen=True)
class Priced:
    """What the rule gives for a line: one price, or none, and those that may be chosen instead."""

    basis: LineBasis
    rule: PriceRule
    found: Candidate | None
    candidates: tuple[Candidate, ...]


class PriceBook:
    """Agreements in force on a day between some municipalities, and the lists of a year. Eight queries in all."""

    def __init__(self, municipalities: Iterable[int], day: date, *, at: datetime | None = None) -> None:
        self.day, self.year = day, SchoolYear.of(day)
        ids = set(municipalities)
        self._agreements(ids)
        lists = PriceList.objects.filter(
            Q(municipality__in=ids)
            | Q(area__in={one.area_id for one in self.agreements.values()})
            | Q(kind="national_list"),
            year=day.year,
            made_at__lte=at or now(),
        )
        rows = PriceRow.objects.select_related("orientation", "programme").order_by(
            "programme__code", "orientation__code", "pk"
        )
        self.lists: dict[tuple[str, int | None, int | None], list[PriceList]] = defaultdict(list)
        for price_list in lists.order_by("number", "made_at", "pk").prefetch_related(Prefetch("rows", rows)):
            self.lists[price_list.kind, price_list.municipality_id, price_list.area_id].append(price_list)

    def _agreements(self, ids: Collection[int]) -> None:
        between = Term.objects.filter(home__in=ids, provider__in=ids, revision__state=RevisionState.SIGNED)
        found = Agreement.objects.filter(pk__in=between.values("revision__agreement"))
        self.agreements: dict[int, Agreement] = {agreement.pk: agreement for agreement in found}
        self.validities: Mapping[int, Validity] = validities_of(self.agreements.values())
        in_force = [pk for pk, validity in self.validities.items() if validity.is_in_force(self.day)]
        signed = Revision.objects.filter(agreement__in=in_force, first_day__lte=self.day).signed()
        terms = Term.objects.filter(home__in=ids, provider__in=ids).select_related("programme", "orientation")
        self.revisions: dict[int, list[Revision]] = defaultdict(list)
        for revision in signed.prefetch_related(Prefetch("terms", terms.order_by("pk"))):
            revision.agreement = self.agreements[revision.agreement_id]
            if revision.applies_from is None or revision.applies_from <= self.year:
                self.revisions[revision.agreement_id].append(revision)

    def rule(self, home: int, provider: int, programme: int, orientation: int | None = None) -> PriceRule:
        """What the latest signed revision about compensation says, of an agreement in force whose terms name them.

        Terms of earlier revisions still hold for the pupils who began under them.
        """
        best: tuple[Any, PriceRule] | None = None
        for pk, revisions in self.revisions.items():
            left = self.validities[pk].left
            if any(party in left and left[party] < self.day for party in (home, provider)):
                continue
            about = [revision for revision in revisions if PRICE in revision.sections and revision.price_kind]
            terms = self._terms(revisions, home, provider, programme, orientation)
            if about and terms and (best is None or (about[-1].signed_at, about[-1].pk) > best[0]):
                best = (about[-1].signed_at, about[-1].pk), _rule_of(about[-1], terms)
        return best[1] if best else PriceRule(PriceKind.SELF_COST)

    def _terms(
        self, revisions: Sequence[Revision], home: int, provider: int, programme: int, orientation: int | None
    ) -> list[Term]:
        """The terms of the latest revision that names the pair and the programme."""
        for revision in reversed(revisions):
            if SCOPE not in revision.sections:
                continue
            found = [
                term
                for term in revision.terms.all()
                if (term.home_id, term.provider_id, term.programme_id) == (home, provider, programme)
                and (term.intake_from is None or term.intake_from <= self.year)
                and (orientation is None or term.orientation_id in (None, orientation))
            ]
            if found:
                return found
        return []

    def price(self, home: int, provider: int, programme: Programme) -> Priced:
        """The price of a pupil of `home` on the programme with `provider`, as the rule in force gives it."""
        rule = self.rule(home, provider, programme.pk)
        fitting = self._fitting(rule, provider, programme)
        prices = {(one.price_sek, one.kind, one.incl_meals, one.incl_vat) for one in fitting}
        others = self._same_lists(rule, provider, programme)
        if len(prices) == 1:
            return Priced(rule.basis, rule, fitting[0], tuple(others or fitting))
        if prices:
            return Priced(LineBasis.SEVERAL_PRICES, rule, None, tuple(others or fitting))
        return Priced(LineBasis.NO_PRICE, rule, None, tuple(self._anything(provider, programme)))

    def _fitting(self, rule: PriceRule, provider: int, programme: Programme) -> list[Candidate]:
        """The prices that the rule leads to: one row, or several where the list tells orientations apart."""
        if rule.kind == PriceKind.FIXED:
            return [
                Candidate(f"term:{term.pk}", term.price_sek, rule.kind, rule.incl_meals, rule.incl_vat, term=term)
                for term in rule.fixed
                if term.price_sek is not None
            ]
        found = []
        for price_list in self._editions(rule, provider):
            rows = {row.orientation_id: row for row in price_list.rows.all() if row.programme_id == programme.pk}
            if rule.orientations:
                wanted = [rows.get(pk, rows.get(None)) for pk in sorted(rule.orientations)]
                found += [_candidate(price_list, row) for row in wanted if row]
            elif None in rows:
                found.append(_candidate(price_list, rows[None]))
            else:
                found += [_candidate(price_list, row) for row in rows.values()]
        return found

    def _same_lists(self, rule: PriceRule, provider: int, programme: Programme) -> list[Candidate]:
        """Every row about the programme in the lists of the rule."""
        return [
            _candidate(price_list, row)
            for price_list in self._editions(rule, provider)
            for row in price_list.rows.all()
            if row.programme_id == programme.pk
        ]

    def _anything(self, provider: int, programme: Programme) -> list[Candidate]:
        """Where the rule leads to no price: those of any list of the year for it, or for the same in another reform."""
        found = []
        for (_kind, municipality, _area), lists in self.lists.items():
            if municipality in (None, provider):
                for price_list in _latest(lists):
                    rows = [row for row in price_list.rows.all() if row.programme.family == programme.family]
                    found += [_candidate(price_list, row) for row in rows]
        return found

    def _editions(self, rule: PriceRule, provider: int) -> list[PriceList]:
        """The latest edition that the rule points to; one with and one without meals where it does not say."""
        if rule.kind in (PriceKind.SELF_COST, PriceKind.OWN_LIST):
            lists = self.lists.get((rule.kind, provider, None), [])
        elif rule.kind == PriceKind.COMMON_LIST and rule.revision:
            lists = self.lists.get((rule.kind, None, rule.revision.agreement.area_id), [])
        else:
            lists = self.lists.get((rule.kind, None, None), [])
        if rule.incl_meals is not None:
            lists = [one for one in lists if one.incl_meals is rule.incl_meals]
        if rule.incl_vat is not None:
            lists = [one for one in lists if one.incl_vat is rule.incl_vat]
        return _latest(lists)


def _latest(lists: Iterable[PriceList]) -> list[PriceList]:
    """Of lists in the order of their numbers, the last with, without and not saying about meals."""
    return list({one.incl_meals: one for one in lists}.values())


def _rule_of(revision: Revision, terms: Sequence[Term]) -> PriceRule:
    orientations = {term.orientation_id for term in terms}
    return PriceRule(
        revision.price_kind,
        revision.incl_meals,
        revision.incl_vat,
        revision,
        frozenset() if None in orientations else frozenset(pk for pk in orientations if pk),
        tuple(terms),
    )


def _candidate(price_list: PriceList, row: PriceRow) -> Candidate:
    row.price_list = price_list
    return Candidate(
        f"row:{row.pk}", row.sek_per_pupil_year, price_list.kind, price_list.incl_meals, price_list.incl_vat, row=row
    )


def price_rule_on(
    home: Municipality, provider: Municipality, programme: Programme, orientation: Orientation | None, day: date
) -> PriceRule:
    """What is agreed on `day` about the price of pupils of `home` with `provider`; self-cost where nothing is."""
    book = PriceBook([home.pk, provider.pk], day)
    return book.rule(home.pk, provider.pk, programme.pk, orientation.pk if orientation else None)


def half_of(pupils: int, price_sek: Decimal) -> Decimal:
    """Half the yearly price for each pupil, to the öre."""
    return (pupils * price_sek / 2).quantize(ORE, ROUND_HALF_UP)


def meals_in_words(incl_meals: bool | None) -> str:
    if incl_meals is None:
        return gettext("not said whether with meals")
    return gettext("with meals") if incl_meals else gettext("without meals")


def vat_in_words(incl_vat: bool | None) -> str:
    if incl_vat is None:
        return gettext("not said whether with VAT")
    return gettext("with VAT") if incl_vat else gettext("without VAT")
