"""Words about the directory for history sentences, and the ways that other apps open from its pages."""

from typing import Any

from django import template

from collab4m import slots
from organisations.models import ContactPurpose, TravelMode

register = template.Library()


@register.filter
def purpose_in_words(purpose: str) -> str:
    return str(ContactPurpose(purpose).label if purpose in ContactPurpose.values else purpose)


@register.filter
def mode_in_words(mode: str) -> str:
    return str(TravelMode(mode).label if mode in TravelMode.values else mode)


@register.inclusion_tag("organisations/beyond.html")
def beyond(fact: Any) -> dict[str, Any]:
    """Ways from a school, a municipality or an area to what other apps know of it.

    Apps fill the slot `organisations.links` with functions from the fact to pairs of words and address.
    """
    return {"links": [link for links in slots.ask("organisations.links", fact) for link in links]}
