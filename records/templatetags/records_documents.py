"""Tags for the frozen content of documents."""

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from records.documents import words
from records.documents.content import Content

register = template.Library()


@register.simple_tag
def runs(pieces: list[dict[str, Any]]) -> SafeString:
    """Running text, with its links, marks of sources and marks of examples."""
    return format_html_join("", "{}", ((_run(piece),) for piece in pieces))


def _run(piece: dict[str, Any]) -> SafeString:
    if "s" in piece:
        number = piece["s"]
        return format_html(
            '<a class="c-src" href="#dokumentkalla-{}"><span class="visually-hidden">källa </span>{}</a>',
            number,
            number,
        )
    if piece.get("e"):
        return format_html(' <span class="c-example">{}</span>', words.EXAMPLE)
    if piece.get("a"):
        return format_html('<a href="{}">{}</a>', piece["a"], piece["t"])
    if piece.get("b"):
        return format_html("<strong>{}</strong>", piece["t"])
    return format_html('<span class="c-soft">{}</span>' if piece.get("soft") else "{}", piece["t"])


@register.simple_tag
def drawing(chart: Content) -> SafeString:
    """A chart's drawing. It is made by us from checked content; the words in it are escaped where it is drawn."""
    return mark_safe(chart["drawing"])


@register.simple_tag
def document_heading(part: Content) -> SafeString:
    """A section's heading at its level, which is one lower on a page than in the document."""
    level = part["level"]
    example = format_html(' <span class="c-example">{}</span>', words.EXAMPLE) if part["example"] else ""
    return format_html('<h{} id="{}">{}{}</h{}>', level, f"del-{part['id']}", part["heading"], example, level)
