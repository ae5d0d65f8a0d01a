"""Texts written together on the page of what they belong to: `{% load records_parts %}{% parts object %}`."""

from typing import Any

from django import template

from records.models import Part
from records.texts import blocks_of

register = template.Library()


@register.inclusion_tag("records/parts.html", takes_context=True)
def parts(context: Any, subject: Any, level: int = 2) -> dict[str, Any]:
    """The parts of `subject`, which the reader sees, with headings of `level` and a way to write in each.

    One query, and what it costs to ask who may write.
    """
    user = getattr(context.get("request"), "user", None) or context.get("user")
    rows = Part.objects.about(subject).select_related("last_by", "last_on_behalf_of")
    return {
        "parts": list(rows),
        "level": level,
        "below": level + 1,
        "may_write": user is not None and user.has_perm(subject.write_permission, subject),
    }


@register.inclusion_tag("records/written.html")
def written(text: str, level: int = 2) -> dict[str, Any]:
    """A written text with its paragraphs, lists and headings of `level`."""
    return {"blocks": blocks_of(text), "level": level}
