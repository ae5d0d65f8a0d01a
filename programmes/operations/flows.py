"""Pupil flows: reported by the municipalities between which pupils go, and shown without giving anybody away.

Whoever may not see small numbers sees no sum that one of them is part of: a sum with a hidden part is shown as "at
least" the sum of the parts that are shown. Nothing shown depends on what is hidden, so nothing hidden can be computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from collab4m.errors import RuleBroken
from collab4m.school_year import SchoolYear
from organisations.models import Body, Municipality, RoleKind, User
from programmes.models import Programme, PupilFlow
from records.models import CameIn
from records.operations import differences, record


class NotYourFlow(RuleBroken):
    code = "not_your_flow"
    message = _("Only the home municipality or the one where the pupils study reports how many they are.")


@dataclass(frozen=True)
class Count:
    """A number of pupils as one reader may see it. `least` is what is shown; `is_whole` unless a part is hidden."""

    least: int = 0
    is_whole: bool = True
    parts: int = 0  # how many figures it is made of; 0: nobody has said

    def __add__(self, other: Count) -> Count:
        return Count(self.least + other.least, self.is_whole and other.is_whole, self.parts + other.parts)

    @property
    def is_hidden(self) -> bool:
        """A single figure that may not be shown, and so is under five. A sum of several hidden ones may be more."""
        return not self.is_whole and self.parts == 1

    @property
    def number(self) -> int | None:
        """The exact number, or None where it is hidden in whole or in part, or nobody has said."""
        return self.least if self.is_whole and self.parts else None


def count_of(flow: PupilFlow, reader: Any) -> Count:
    shown = flow.shown_to(reader)
    return Count(0, False, 1) if shown is None else Count(shown, True, 1)


@dataclass(frozen=True)
class Balance:
    """A municipality's pupils out to others and in from others, and the difference where both are known."""

    municipality: Municipality
    out: Count
    into: Count

    @property
    def net(self) -> int | None:
        """In minus out; None where a part is hidden or nobody has said."""
        if self.out.number is None or self.into.number is None:
            return None
        return self.into.number - self.out.number

    @property
    def size(self) -> int | None:
        """The net without its sign."""
        return None if self.net is None else abs(self.net)


@dataclass
class Flows:
    """The flows between some municipalities in a semester, as one reader may see them."""

    municipalities: Sequence[Municipality]
    rows: list[PupilFlow]
    counts: dict[int, Count] = field(default_factory=dict)  # flow -> count

    def between(self, home: Municipality, other: Municipality) -> Count:
        return self._sum(row for row in self.rows if (row.home_id, row.provider_municipality_id) == (home.pk, other.pk))

    def of_programme(self, programme: Programme) -> Count:
        """Those who study it away from home."""
        return self._sum(
            row for row in self.rows if row.programme_id == programme.pk and row.home_id != row.provider_municipality_id
        )

    def table(self) -> list[tuple[Municipality, list[Count], Count]]:
        """A row for each home municipality: the counts by where they study, and their sum."""
        sums = {(home.pk, other.pk): Count() for home in self.municipalities for other in self.municipalities}
        for row in self.rows:
            sums[row.home_id, row.provider_municipality_id] += self.counts[row.pk]
        found = []
        for home in self.municipalities:
            counts = [sums[home.pk, other.pk] for other in self.municipalities]
            found.append((home, counts, sum(counts, Count())))
        return found

    def totals(self) -> list[Count]:
        """By where the pupils study."""
        table = self.table()
        return [sum((counts[place] for _home, counts, _sum in table), Count()) for place in range(len(table))]

    def balances(self) -> list[Balance]:
        out = {one.pk: Count() for one in self.municipalities}
        into = dict(out)
        for row in self.rows:
            if row.home_id != row.provider_municipality_id:
                out[row.home_id] += self.counts[row.pk]
                into[row.provider_municipality_id] += self.counts[row.pk]
        return [Balance(one, out=out[one.pk], into=into[one.pk]) for one in self.municipalities]

    def by_programme(self) -> list[tuple[Programme, Count]]:
        """Programmes studied away from home. The order follows the catalogue, never the hidden numbers."""
        found: dict[int, tuple[Programme, Count]] = {}
        for row in self.rows:
            if row.home_id != row.provider_municipality_id:
                programme, count = found.get(row.programme_id, (row.programme, Count()))
                found[row.programme_id] = (programme, count + self.counts[row.pk])
        return list(found.values())

    def _sum(self, rows: Iterable[PupilFlow]) -> Count:
        return sum((self.counts[row.pk] for row in rows), Count())


def flows_of(
    municipalities: Sequence[Municipality],
    year: SchoolYear,
    semester: str,
    *,
    reader: Any,
    programme: Programme | None = None,
) -> Flows:
    """The flows between the municipalities in a semester as `reader` may see them. Two queries."""
    ids = [municipality.pk for municipality in municipalities]
    rows = PupilFlow.objects.filter(
        school_year=year, semester=semester, home__in=ids, provider_municipality__in=ids
    ).select_related("source")
    if programme:
        rows = rows.filter(programme__family=programme.family)
    by_id = {municipality.pk: municipality for municipality in municipalities}
    found = list(rows.order_by("programme__code", "pk"))
    programmes = Programme.objects.in_bulk({row.programme_id for row in found})
    for row in found:
        row.programme = programmes[row.programme_id]
        row.home, row.provider_municipality = by_id[row.home_id], by_id[row.provider_municipality_id]
    return Flows(municipalities, found, {row.pk: count_of(row, reader) for row in found})


def flow_semesters(municipalities: Iterable[int]) -> list[tuple[SchoolYear, str]]:
    """The semesters of which anything is reported between those municipalities, latest first."""
    ids = list(municipalities)
    rows = PupilFlow.objects.filter(home__in=ids, provider_municipality__in=ids)
    return list(rows.order_by("-school_year", "-semester").values_list("school_year", "semester").distinct())


@transaction.atomic
def report_flow(
    *,
    home: Municipality,
    provider_municipality: Municipality,
    programme: Programme,
    school_year: SchoolYear,
    semester: str,
    pupils: int,
    by: User,
    on_behalf_of: Body,
    source_note: str = "",
    came_in: str = CameIn.FORM,
) -> PupilFlow:
    """How many pupils of `home` study `programme` in `provider_municipality`; a second report of the same replaces it.

    Raises NotYourFlow unless `by` is an administrator of one of the two, acting for it.
    """
    ours = {home.pk, provider_municipality.pk}
    if on_behalf_of.pk not in ours or on_behalf_of.pk not in by.bodies_where(RoleKind.ADMINISTRATOR):
        raise NotYourFlow
    key = {
        "home": home,
        "provider_municipality": provider_municipality,
        "programme": programme,
        "school_year": school_year,
        "semester": semester,
    }
    facts = {"pupils": pupils, "source_note": source_note}
    flow = PupilFlow.objects.select_for_update(no_key=True).filter(**key).first()
    if flow is None:
        flow, is_new = PupilFlow.objects.get_or_create(
            **key, defaults={**facts, "came_in": came_in, "example": by.example}
        )
        if is_new:
            words = {name: ["", str(value)] for name, value in facts.items() if value != ""}
            record("pupil_flow.reported", flow, by=by, on_behalf_of=on_behalf_of, changes=words, flow=str(flow))
            return flow
        flow = PupilFlow.objects.select_for_update(no_key=True).get(pk=flow.pk)
    changes = differences(flow, facts)
    if not changes:
        return flow
    for name, value in facts.items():
        setattr(flow, name, value)
    flow.came_in, flow.source, flow.verified = came_in, None, False
    flow.save()
    record("pupil_flow.changed", flow, by=by, on_behalf_of=on_behalf_of, changes=changes, flow=str(flow))
    return flow
