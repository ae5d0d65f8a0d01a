"""What an agreement can begin from: gaps with those who offer what is missing, and the prices that are known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from agreements.models import Agreement, Cover, PriceKind, PriceList, PriceRow, Revision, RevisionState
from agreements.operations.drafting import LANGUAGE, NewTerm
from organisations.models import CollaborationArea, Municipality
from programmes.operations import Gap, Gaps

LONGEST_TITLE = 150


def covered_keys(gaps: Gaps, rows: Iterable[Gap], reader: Any) -> set[str]:
    """The keys of gaps that signed agreements cover as a whole, as far as the reader may see. One query."""
    covers = Cover.objects.visible_to(reader).of_intake(gaps.year).filter(home=gaps.municipality)
    leaves: dict[int, set[int | None]] = defaultdict(set)
    for programme, orientation in covers.values_list("programme", "orientation"):
        leaves[programme].add(orientation)
    return {row.key for row in rows if _is_covered(row, leaves[row.programme.pk], gaps)}


def _is_covered(gap: Gap, covered: Collection[int | None], gaps: Gaps) -> bool:
    if gap.orientation is not None:
        return gap.orientation.pk in covered
    orientations = {one.pk for one in gaps.offer.orientations[gap.programme.pk]}
    return None in covered or bool(orientations) and orientations <= set(covered)


def providers_of(gap: Gap, home: Municipality) -> list[Municipality]:
    """The other municipalities in which a public school offers what is missing, in the order of the gap's offers."""
    return list(
        {offer.municipality.pk: offer.municipality for offer in gap.offers if offer.municipality != home}.values()
    )


def unambiguous(gaps: Iterable[Gap], home: Municipality) -> set[int]:
    """The neighbours that are alone in offering one of the gaps."""
    found = [providers_of(gap, home) for gap in gaps]
    return {providers[0].pk for providers in found if len(providers) == 1}


def terms_from(gaps: Iterable[Gap], home: Municipality, parties: Collection[Municipality]) -> list[NewTerm]:
    """A term for each gap and each party that offers it: the home's pupils there. How many seats stays open."""
    return [
        NewTerm(home=home, provider=provider, programme=gap.programme, orientation=gap.orientation)
        for gap in gaps
        for provider in providers_of(gap, home)
        if provider in parties
    ]


def suggested_title(gaps: Sequence[Gap]) -> str:
    """What the gaps are called, in Swedish as agreements are; their codes where that would be too long."""
    names = [gap.orientation.name_sv if gap.orientation else gap.programme.name_sv for gap in gaps]
    with translation.override(LANGUAGE):
        title = _listed(names)
        if len(title) > LONGEST_TITLE:
            title = _listed(list(dict.fromkeys(gap.programme.code for gap in gaps)))
    return title[:LONGEST_TITLE]


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return _("%(names)s and %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}


def replaceable(home: Municipality, reader: Any) -> list[Agreement]:
    """The signed agreements to which a municipality is a party, latest first."""
    signed = Revision.objects.filter(state=RevisionState.SIGNED).values("agreement")
    rows = Agreement.objects.visible_to(reader).filter(pk__in=signed, parties__municipality=home)
    return list(rows.order_by("-year", "-sequence", "pk"))


# Prices


@dataclass(frozen=True)
class KnownPrice:
    """What the nearest list says of something, SEK per pupil and year; a span where it tells orientations apart."""

    price_list: PriceList
    least_sek: Decimal
    most_sek: Decimal


# The provider's own lists come before the area's, and that before the national one.
NEAREST = {PriceKind.SELF_COST: 0, PriceKind.OWN_LIST: 1, PriceKind.COMMON_LIST: 2, PriceKind.NATIONAL_LIST: 3}


class KnownPrices:
    """The latest prices of some programmes with some providers, to inform whoever begins an agreement. One query."""

    def __init__(
        self, programmes: Iterable[int], providers: Iterable[Municipality], areas: Iterable[CollaborationArea]
    ) -> None:
        whose = Q(price_list__municipality__in=list(providers)) | Q(price_list__area__in=list(areas))
        rows = PriceRow.objects.filter(
            whose | Q(price_list__kind=PriceKind.NATIONAL_LIST), programme__in=set(programmes)
        ).select_related("price_list__source")
        self.rows: dict[int, list[PriceRow]] = defaultdict(list)
        for row in rows.order_by("-price_list__year", "-price_list__number", "price_list__incl_meals", "pk"):
            self.rows[row.programme_id].append(row)

    def of(self, gap: Gap, provider: Municipality) -> KnownPrice | None:
        near = [row for row in self.rows[gap.programme.pk] if row.price_list.municipality_id in (None, provider.pk)]
        near.sort(key=lambda row: NEAREST[PriceKind(row.price_list.kind)])
        if gap.orientation is not None:
            near = [row for row in near if row.orientation_id in (None, gap.orientation.pk)]
        if not near:
            return None
        same_list = [row for row in near if row.price_list_id == near[0].price_list_id]
        wanted = gap.orientation.pk if gap.orientation else None
        exact = [row for row in same_list if row.orientation_id == wanted] or same_list
        prices = [row.sek_per_pupil_year for row in exact]
        return KnownPrice(near[0].price_list, min(prices), max(prices))
