"""Tags of the programme pages: where one is, who reported what, the matrix's rows, and counts as a reader sees them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from collab4m.templatetags import shell
from collab4m.templatetags.shell import capital, example, in_text, source
from programmes.models import Answer, OfferingFact, OfferingReport
from programmes.operations import Cell, MunicipalityOffer
from programmes.tables import count_in_words
from records.models import Sourced

register = template.Library()

_ICONS = {Answer.OFFERED: "yes", Answer.NOT_OFFERED: "no", Answer.NOT_REPORTED: "q"}
_CLASSES = {Answer.OFFERED: "is-yes", Answer.NOT_OFFERED: "is-no", Answer.NOT_REPORTED: "is-unknown"}


@register.inclusion_tag("programmes/places.html", takes_context=True)
def places(context: Any, here: str) -> dict[str, Any]:
    """The ways between the pages about programmes, in the area that the reader has chosen."""
    slug = context["request"].GET.get("omrade", "")
    words = {
        "programmes": _("Catalogue"),
        "matrix": _("Offer"),
        "gaps": _("Missing"),
        "reporting": _("Reporting"),
        "flows": _("Pupil flows"),
    }
    asks_for_area = ("matrix", "reporting", "flows")
    return {
        "places": [
            (
                reverse(name) + (f"?omrade={slug}" if slug.isascii() and slug and name in asks_for_area else ""),
                label,
                name,
            )
            for name, label in words.items()
        ],
        "here": here,
    }


@dataclass(frozen=True)
class Told:
    """A school's report as a source: who reported and when, so that the list below the page tells them apart."""

    came_in: str
    verified: bool
    source_note: str
    example: bool
    door: str
    source: None = None

    def get_came_in_display(self) -> str:
        return self.door

    @classmethod
    def by(cls, report: OfferingReport) -> Told:
        said = _("%(who)s: reported %(day)s") % {
            "who": report.school or report.provider,
            "day": in_text(localtime(report.reported_at).date()),
        }
        note = f"{said}. {report.source_note}" if report.source_note else said
        return cls(report.came_in, report.verified, note, report.example, str(report.get_came_in_display()))


@register.simple_tag(takes_context=True)
def told_by(context: Any, fact: Sourced | None) -> SafeString:
    """The source mark of a report, or of a fact from an open source."""
    if fact is None:
        return SafeString("")
    if not isinstance(fact, OfferingReport):
        return source(context, fact)
    marks: dict[Any, SafeString] = context["shell"].marks_drawn if "shell" in context else {}
    if ("report", fact.pk) not in marks:
        marks["report", fact.pk] = source(context, Told.by(fact))
    return marks["report", fact.pk]


@register.simple_tag(takes_context=True)
def told_by_schools(context: Any, member: MunicipalityOffer) -> SafeString:
    """The source marks of all that a municipality's own schools have reported, with one example mark for them all."""
    reports = [Told.by(one.report) for one in member.own if one.report]
    marks = format_html_join("", "{}", ((source(context, replace(report, example=False)),) for report in reports))
    return format_html("{} {}", marks, example(any(report.example for report in reports)))


@register.simple_tag(takes_context=True)
def note_source(context: Any, fact: Sourced) -> str:
    """Name a fact's source below the page without a mark, where many facts stand together in one number."""
    shell.note_source(context, fact)
    return ""


@register.simple_tag(takes_context=True)
def grounds(context: Any, cell: Cell) -> SafeString:
    """The source marks of everything that an answer rests on."""
    facts: list[Any] = [*cell.reports] or ([cell.fact] if cell.fact else [])
    return format_html_join("", "{}", ((told_by(context, fact),) for fact in facts))


@register.filter
def answer_word(answer: str) -> str:
    return capital(str(Answer(answer).label))


@register.simple_tag
def answer_state(answer: str) -> SafeString:
    """An answer as a mark and a word."""
    return format_html(
        '<span class="c-state" data-state="{}">{}{}</span>',
        _ICONS[Answer(answer)],
        _icon(_ICONS[Answer(answer)]),
        answer_word(answer),
    )


@register.filter
def year_of(fact: OfferingFact | None) -> str:
    """The year an open source speaks of."""
    return (fact.year or _("undated")) if fact else ""


@register.filter
def shown(count: Any) -> str:
    """A count of pupils as the reader may see it."""
    return count_in_words(count)


def _icon(name: str) -> SafeString:
    address = static("icons.svg")
    return format_html('<svg class="c-icon" aria-hidden="true"><use href="{}#{}"/></svg>', address, name)


@register.simple_tag(takes_context=True)
def matrix_cells(context: Any, line: Any) -> SafeString:
    """The cells of a row of the matrix. Drawn here since a wide area has thousands of them."""
    matrix, figure, rest = context["matrix"], context["figure"], context["rest"]
    icons = {answer: _icon(name) for answer, name in _ICONS.items()}
    words = {answer: answer_word(answer) for answer in Answer}
    drawn = []
    for column, cell in zip(matrix.columns, line.cells, strict=True):
        css = _CLASSES[cell.answer] + (" edge" if column.is_edge else "")
        icon, word = icons[cell.answer], words[cell.answer]
        number = getattr(cell.figures, figure)
        if cell.answer == Answer.NOT_REPORTED and cell.fact:
            drawn.append((css, _with_fact(context, icon, word, cell.fact)))
        elif number is not None:
            text = format_html("<span{}>{}</span>", _unchecked(cell), number)
            drawn.append((css, _linked(cell, line, rest, icon, text, word)))
        elif cell.answer == Answer.NOT_REPORTED:
            drawn.append(
                (css, format_html('<span class="cell">{}<span class="visually-hidden">{}</span></span>', icon, word))
            )
        else:
            drawn.append((css, _linked(cell, line, rest, icon, SafeString(""), word)))
    return format_html_join("", '<td class="{}">{}</td>', drawn)


def _unchecked(cell: Cell) -> SafeString:
    is_checked = all(report.verified for report in cell.reports)
    return SafeString("") if is_checked else SafeString(' class="unchecked"')


def _linked(cell: Cell, line: Any, rest: str, icon: SafeString, text: SafeString, word: str) -> SafeString:
    """Leads to the row of the one report that says so, or to the schools that say so together."""
    if len(cell.reports) == 1 and cell.reports[0].school_id:
        address = f"{cell.reports[0].get_absolute_url()}#rad-{line.key}"
    elif len(cell.reports) == 1:
        address = reverse("reporting")
    else:
        address = f"?{rest}{'&' if rest else ''}visning=skola#rad-{line.key}"
    return format_html(
        '<a class="cell" href="{}">{}{}<span class="visually-hidden"> {}, {}</span></a>',
        address,
        icon,
        text,
        word,
        line.name,
    )


def _with_fact(context: Any, icon: SafeString, word: str, fact: OfferingFact) -> SafeString:
    """Beside an answer that is missing: what an open source last said, and of which year."""
    number = shell.note_source(context, fact)
    said = _("last known: offered") if fact.offered else _("last known: not offered")
    return format_html(
        '<a class="cell" href="#kalla-{0}">{1}{2}<span{3}>{4}</span>'
        '<span class="visually-hidden"> {5}, {6}, {4}. {7} {0}</span></a>',
        number,
        icon,
        _icon("yes" if fact.offered else "no"),
        SafeString("") if fact.verified else SafeString(' class="unchecked"'),
        year_of(fact),
        word,
        said,
        capital(_("source")),
    )


@register.filter
def in_members(squares: Any, members: Any) -> str:
    """What the squares show, in words: "Västerås offered, Eskilstuna not reported"."""
    words = {"yes": Answer.OFFERED, "no": Answer.NOT_OFFERED, "unknown": Answer.NOT_REPORTED}
    return ", ".join(
        f"{member.municipality.name} {words[square].label}" for member, square in zip(members, squares, strict=True)
    )
