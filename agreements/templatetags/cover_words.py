"""The cells of the cover matrix, drawn here since a wide area has thousands of them, and cover in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agreements.cover_tables import seats_in_words, used_in_words
from agreements.operations import CoverCell, Covering, CoverLine, CoverMatrix, CoverState, ending_key
from collab4m.templatetags.shell import capital, icon
from organisations.models import Municipality

register = template.Library()

_ICONS = {
    CoverState.OFFERED: "yes",
    CoverState.COVERED: "doc",
    CoverState.EXPIRING: "warn",
    CoverState.UNCOVERED: "plus",
    CoverState.NOWHERE: "no",
    CoverState.NOT_REPORTED: "q",
}
_CLASSES = {
    CoverState.OFFERED: "is-yes",
    CoverState.COVERED: "is-yes",
    CoverState.EXPIRING: "is-ends",
    CoverState.UNCOVERED: "is-gap",
    CoverState.NOWHERE: "is-no",
    CoverState.NOT_REPORTED: "is-unknown",
}
# What a programme's own row shows of its orientations: the state that most needs somebody.
_WORST_FIRST = (
    CoverState.UNCOVERED,
    CoverState.EXPIRING,
    CoverState.NOT_REPORTED,
    CoverState.NOWHERE,
    CoverState.COVERED,
    CoverState.OFFERED,
)
_HAS = (CoverState.OFFERED, CoverState.COVERED, CoverState.EXPIRING)


@register.simple_tag
def cover_key(state: str) -> SafeString:
    """What a mark of the matrix means."""
    one = CoverState(state)
    return format_html("{}{}", icon(_ICONS[one]), capital(str(one.label)))


@register.simple_tag(takes_context=True)
def cover_cells(context: Any, line: CoverLine) -> SafeString:
    """The cells of a leaf, by home municipality."""
    drawer = context.render_context.get("cover_drawer")
    if drawer is None:  # the same for all rows
        drawer = context.render_context["cover_drawer"] = _Drawer(context)
    return format_html_join(
        "", '<td class="{} edge">{}</td>', ((_CLASSES[c.state], drawer.cell(c)) for c in line.cells)
    )


@register.simple_tag
def cover_sums(lines: Sequence[CoverLine]) -> SafeString:
    """The cells of a programme with orientations: how many of them each municipality's pupils have."""
    drawn = []
    for column in zip(*(line.cells for line in lines), strict=True):
        states = [cell.state for cell in column]
        worst = next(state for state in _WORST_FIRST if state in states)
        has = sum(state in _HAS for state in states)
        words = _("%(number)s of %(all)s") % {"number": has, "all": len(states)}
        drawn.append((_CLASSES[worst], icon(_ICONS[worst]), words, worst.label))
    return format_html_join(
        "", '<td class="{} edge"><span class="cell">{}{}<span class="visually-hidden">, {}</span></span></td>', drawn
    )


class _Drawer:
    """Draws cells with what the page knows: marks of municipalities, addresses, and whom the reader works for."""

    def __init__(self, context: Any) -> None:
        matrix: CoverMatrix = context["matrix"]
        self.own: set[int] = context["own"]
        self.year: str = context["year_address"]
        self.area = matrix.area.slug
        self.marks: Mapping[int, str] = {
            one.municipality.pk: one.membership.mark for one in matrix.members if one.membership
        }
        self.icons = {state: icon(name) for state, name in _ICONS.items()}
        self.words = {state: capital(str(state.label)) for state in CoverState}
        self.plain = {
            state: format_html(
                '<span class="cell">{}<span class="visually-hidden">{}</span></span>', self.icons[state], word
            )
            for state, word in self.words.items()
        }
        self.begin, self.gaps = reverse("agreement_new"), reverse("gaps")
        self.shown = {one.key for one in context["ending_shown"]}
        self.addresses: dict[int, str] = {}
        self.offer = f"{reverse('matrix')}?omrade={self.area}&lasar={self.year}&visning=kommun#rad-"

    def cell(self, cell: CoverCell) -> SafeString:
        mark, word = self.icons[cell.state], self.words[cell.state]
        match cell.state:
            case CoverState.OFFERED:
                orientation = cell.orientation.pk if cell.orientation else 0
                own = format_html(
                    '<a class="cell" href="{}{}-{}">{}<span class="visually-hidden">{}</span></a>',
                    self.offer, cell.programme.pk, orientation, mark, word,
                )  # fmt: skip
                return format_html("{} {}", own, self.coverings(cell)) if cell.coverings else own
            case CoverState.COVERED | CoverState.EXPIRING:
                return self.coverings(cell)
            case CoverState.UNCOVERED:
                return self.gap(cell)
        return self.plain[cell.state]

    def coverings(self, cell: CoverCell) -> SafeString:
        return format_html_join(" ", "{}", ((self.covering(cell.home, one),) for one in cell.coverings))

    def covering(self, home: Municipality, covering: Covering) -> SafeString:
        state = CoverState.EXPIRING if covering.ends_on else CoverState.COVERED
        key = ending_key(home, covering) if covering.ends_on else ""
        return format_html(
            '<a class="cell" href="{}">{}<b aria-hidden="true">{}</b><span aria-hidden="true">{}</span>'
            '<span class="visually-hidden">{}</span></a>',
            f"#slutar-{key}" if key in self.shown else self.address(covering),
            self.icons[state],
            self.mark(covering.provider),
            _short(covering),
            f"{self.words[state]}: {in_full(covering)}",
        )

    def gap(self, cell: CoverCell) -> SafeString:
        names = ", ".join(one.name for one in cell.neighbours) or cell.home.name
        marks = " ".join(self.mark(one) for one in cell.neighbours)
        if cell.home.pk in self.own:
            row = {"rad": cell.gap_key} if cell.gap_key else {}
            query = urlencode({"kommun": cell.home.code, "lasar": self.year, **row})
            address, verb = f"{self.begin}?{query}", _("Start an agreement")
        else:
            query = urlencode({"kommun": cell.home.code, "lasar": self.year})
            orientation = cell.orientation.pk if cell.orientation and ":" in cell.gap_key else 0
            address = f"{self.gaps}?{query}#rad-{cell.programme.pk}-{orientation}"
            verb = _("See what is missing")
        return format_html(
            '<a class="cell" href="{}">{}<b aria-hidden="true">{}</b><span class="visually-hidden">{}</span></a>',
            address, self.icons[cell.state], marks, f"{self.words[cell.state]}: {names}. {verb}",
        )  # fmt: skip

    def address(self, covering: Covering) -> str:
        pk = covering.cover.agreement_id
        if pk not in self.addresses:
            self.addresses[pk] = covering.agreement.get_absolute_url()
        return self.addresses[pk]

    def mark(self, one: Municipality) -> str:
        return self.marks.get(one.pk) or one.name


def _short(covering: Covering) -> str:
    """Seats as the cell has them: 12, or 4/12 when it is known how many are used."""
    if covering.cover.unlimited or covering.cover.seats is None:
        return ""
    used = covering.used.number
    return f"{used}/{covering.cover.seats}" if used is not None else str(covering.cover.seats)


@register.filter
def in_full(covering: Covering) -> str:
    """An agreement's cover in one line."""
    parts = [
        _("%(provider)s, agreement %(number)s")
        % {"provider": covering.provider.name, "number": covering.agreement.number},
        seats_said(covering),
    ]
    if covering.ends_on:
        parts.append(_("last day %(day)s") % {"day": covering.ends_on.isoformat()})
    return ", ".join(part for part in parts if part)


@register.filter
def seats_said(covering: Covering) -> str:
    """Seats agreed, used and free, in words."""
    cover = covering.cover
    if cover.unlimited:
        words = _("no limit")
    elif cover.seats is None:
        words = _("seats not stated")
    else:
        words = ngettext("%(seats)s seat", "%(seats)s seats", cover.seats) % {"seats": cover.seats}
        if covering.is_shared:
            words = _("%(seats)s for all orientations together") % {"seats": words}
    if covering.used.parts:
        words += ", " + _("%(number)s admitted") % {"number": used_in_words(covering)}
    if covering.over:
        words += ", " + _("%(number)s more than agreed") % {"number": covering.over}
    elif covering.free is not None:
        words += ", " + _("%(number)s free") % {"number": covering.free}
    return words


@register.filter
def seats_agreed(covering: Covering) -> str:
    return str(seats_in_words(covering))


@register.filter
def why_cover_ends(covering: Covering) -> str:
    return {
        "notice": _("notice has been given"),
        "replaced": _("another agreement takes its place"),
        "terms": _("its terms name no later intake"),
    }.get(covering.ended_by, _("the agreement's last day"))


@register.filter
def loses_from(loss: Any) -> str:
    """Which intakes are lost, of those that the cover has now."""
    last = loss.cover.last_intake
    if last is None:
        return _("from intake %(year)s on") % {"year": loss.first_lost}
    if last == loss.first_lost:
        return _("intake %(year)s") % {"year": last}
    return _("intakes %(first)s to %(last)s") % {"first": loss.first_lost, "last": last}


@register.filter
def iso(day: date) -> str:
    return day.isoformat()
