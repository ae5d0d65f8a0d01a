"""What a municipality does not offer itself, in three lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from collab4m import slots
from collab4m.tables import download
from programmes import tables
from programmes.models import year_in_address
from programmes.operations import Gap, Gaps, GapState, gaps_of
from programmes.views.shared import (
    KINDS,
    Request,
    kind_chosen,
    kinds_to_choose,
    municipality_chosen,
    neighbours_to_choose,
    year_chosen,
    years_to_choose,
)

# What other apps add, by callables from (gaps, rows, reader).
# What one can do with a gap: {row's key: [(verb, address)]}.
ACTIONS_SLOT = "programmes.gap_actions"
# What is being done about it: {row's key: [(words, address, tone)]}, yes, warning or neutral.
STATES_SLOT = "programmes.gap_states"
# What one can do with several at once: a GapChoice, or None.
CHOICE_SLOT = "programmes.gap_choice"

DEMANDS = ("", "elever", "tryck")


def _chosen(request: Request) -> tuple[Gaps, list[Gap], str, str, bool]:
    municipality = municipality_chosen(request)
    year = year_chosen(request, [municipality.pk])
    kind = kind_chosen(request)
    gaps = gaps_of(municipality, year, reader=request.user, kinds=KINDS[kind][1])
    demand = request.GET.get("efterfragan", "")
    demand = demand if demand in DEMANDS else ""
    whole = request.GET.get("niva") == "program"
    return gaps, filtered(gaps.rows, demand, whole), kind, demand, whole


def filtered(rows: Sequence[Gap], demand: str, whole: bool) -> list[Gap]:
    """Those for which there is demand: own pupils go elsewhere for it, or more apply to a neighbour than fit.

    A hidden number never decides: what is shown of the count does.
    """
    return [
        row for row in rows
        if not (whole and row.orientation)
        and (demand != "elever" or row.demand.least > 0)
        and (demand != "tryck" or row.more_apply_than_fit)
    ]  # fmt: skip


@require_GET
def gaps(request: Request) -> HttpResponse:
    found, rows, kind, demand, whole = _chosen(request)
    members = [member.municipality.pk for member in found.offer.members]
    actions = _by_row(slots.ask(ACTIONS_SLOT, found, rows, request.user))
    states = _by_row(slots.ask(STATES_SLOT, found, rows, request.user))
    choices = slots.ask(CHOICE_SLOT, found, rows, request.user) if actions else []
    near = _with_more(rows, GapState.NEIGHBOUR_OFFERS, states, actions)
    nowhere = _with_more(rows, GapState.NOBODY_OFFERS, states, actions)
    context = {
        "gaps": found,
        "municipality": found.municipality,
        "neighbours": neighbours_to_choose(found.municipality),
        "year": found.year,
        "year_address": year_in_address(found.year),
        "years": years_to_choose(members, found.year),
        "kind": kind,
        "kinds": kinds_to_choose(),
        "demand": demand,
        "whole": whole,
        "near": near,
        "near_has_more": _has_more(near),
        "nowhere": nowhere,
        "nowhere_has_more": _has_more(nowhere),
        "unknown": [row for row in rows if row.state == GapState.NOT_REPORTED],
        "choice": next(filter(None, choices), None),
        "has_examples": any(row.example for row in rows),
        "lead": lead(found, rows),
        "query": request.GET.urlencode(),
        "is_filtered": bool(demand or whole or kind != "nationella"),
        "may_report": request.user.has_perm("programmes.report_no_school", found.municipality),
        "may_remind": request.user.has_perm("programmes.remind", found.municipality),
    }
    return render(request, "programmes/gaps.html", context)


def _by_row(answers: Iterable[Mapping[str, Sequence[Any]]]) -> dict[str, list[Any]]:
    """What several apps say of the same rows, together."""
    found: dict[str, list[Any]] = {}
    for answer in answers:
        for key, said in answer.items():
            found.setdefault(key, []).extend(said)
    return found


def _with_more(
    rows: Sequence[Gap], state: GapState, states: Mapping[str, list[Any]], actions: Mapping[str, list[Any]]
) -> list[tuple[Gap, list[Any], list[Any]]]:
    return [(row, states.get(row.key, []), actions.get(row.key, [])) for row in rows if row.state == state]


def _has_more(rows: Sequence[tuple[Gap, list[Any], list[Any]]]) -> bool:
    return any(states or actions for _gap, states, actions in rows)


def lead(gaps: Gaps, rows: Sequence[Gap]) -> list[tuple[GapState, int]]:
    """How many programmes are in each state; orientations are not counted among them."""
    whole = [row for row in rows if row.orientation is None]
    return [(state, sum(row.state == state for row in whole)) for state in GapState]


@require_GET
def gaps_file(request: Request, kind: str) -> HttpResponse:
    """The same rows as the page."""
    found, rows, *_choices = _chosen(request)
    name = f"saknas-{found.municipality.code}-{year_in_address(found.year)}"
    return download(kind, name, tables.gap_headings(), tables.gap_rows(rows))
