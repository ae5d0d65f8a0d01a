"""What the pages about agreements share: the ways between them, and the register's words."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from agreements import register_tables
from agreements.models import RevisionState
from agreements.operations import Entry, Phase, Span
from collab4m.templatetags.shell import capital, icon

register = template.Library()

_ICONS = {Span.IN_FORCE: "yes", Span.UPCOMING: "right", Span.ENDING: "warn", Span.ENDED: "no"}
_CLASSES = {Span.IN_FORCE: "is-yes", Span.ENDING: "is-yes", Span.UPCOMING: "", Span.ENDED: "is-no", Span.NONE: "is-no"}


@register.inclusion_tag("agreements/register_places.html", takes_context=True)
def agreement_places(context: Any, here: str) -> dict[str, Any]:
    """The ways between the pages about agreements, in the area that the reader has chosen."""
    slug = context["request"].GET.get("omrade", "")
    words = {
        "agreements": _("Agreements"),
        "cover": _("Cover"),
        "statements": _("Compensation"),
        "price_lists": _("Price lists"),
        "calculations": _("Calculations"),
        "clock": _("Yearly clock"),
        "clauses": _("Clauses"),
    }
    asks_for_area = ("agreements", "cover", "clock", "clauses")
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


@register.simple_tag
def agreement_state(entry: Entry) -> SafeString:
    """Where the agreement is, as a mark and a word."""
    words = capital(register_tables.state_in_words(entry))
    if entry.phase == Phase.IN_FORCE:
        return format_html('<span class="c-state" data-state="yes">{}{}</span>', icon("yes"), words)
    if entry.is_under_way and entry.phase == Phase.NOT_SIGNED and entry.revision:
        drawn = icon("pen" if entry.revision.state == RevisionState.DRAFT else "wait")
        return format_html('<span class="c-tag" data-color="warning">{}{}</span>', drawn, words)
    if entry.phase == Phase.UPCOMING:
        return format_html('<span class="c-state" data-state="unknown">{}{}</span>', icon("right"), words)
    return format_html('<span class="c-state" data-state="no">{}{}</span>', icon("no"), words)


@register.simple_tag
def agreement_days(entry: Entry, day: date) -> str:
    return register_tables.days_in_words(entry, day)


@register.filter
def why_it_ends(entry: Entry) -> str:
    return register_tables.why_in_words(entry)


@register.filter
def change_under_way(entry: Entry) -> str:
    return capital(register_tables.change_in_words(entry))


@register.filter
def waits_for(entry: Entry) -> str:
    return capital(register_tables.wait_in_words(entry))


@register.simple_tag
def span_cell(span: Span, entry: Entry) -> SafeString:
    """A cell of the timeline: how the agreement stands in a school year, with the day where it ends."""
    if span == Span.NONE:
        return format_html('<td class="is-no"><span class="visually-hidden">{}</span></td>', span.label)
    last = entry.validity.last_day
    day = f" {last:%m-%d}" if span == Span.ENDING and last else ""
    return format_html(
        '<td class="{}"><span class="cell">{}{}{}</span></td>', _CLASSES[span], icon(_ICONS[span]), span.label, day
    )


@register.simple_tag
def span_key(span: Span) -> SafeString:
    """What a mark of the timeline means."""
    return format_html("{}{}", icon(_ICONS[span]), capital(str(span.label)))
