"""Words about the directory, for history sentences."""

from django import template

from organisations.models import ContactPurpose, TravelMode

register = template.Library()


@register.filter
def purpose_in_words(purpose: str) -> str:
    return str(ContactPurpose(purpose).label if purpose in ContactPurpose.values else purpose)


@register.filter
def mode_in_words(mode: str) -> str:
    return str(TravelMode(mode).label if mode in TravelMode.values else mode)
