"""Words of their own for questions and corrections: `{% load records_words %}`."""

from typing import Any

from django import template

register = template.Library()


@register.filter
def of_body(person: Any, body: Any) -> str:
    """A person with the body they write for: "Anna Berg (Enköping)"; the body once when the name ends with it."""
    return str(person) if str(person).endswith(str(body)) else f"{person} ({body})"
