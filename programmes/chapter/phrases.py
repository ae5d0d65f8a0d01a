"""Names and answers as the chapter's texts have them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from programmes.models import OfferingFact
from programmes.operations import SchoolOffer
from programmes.tables import fact_in_words
from records.documents.blocks import Inline, figure, not_reported
from records.documents.content import Content


def listed(items: Sequence[Inline]) -> list[Inline]:
    """a, b and c."""
    inline: list[Inline] = []
    for place, item in enumerate(items):
        if place:
            inline.append(pgettext("in a list", " and ") if place == len(items) - 1 else ", ")
        inline += item if isinstance(item, list) else [item]
    return inline


def names_of(items: Iterable[str]) -> str:
    return "".join(listed(list(items)))


def school_name(one: SchoolOffer) -> str:
    """A school's name, marked where it is independent."""
    return _("%(school)s (independent)") % {"school": one.school.name} if one.is_independent else one.school.name


def placed_school_name(one: SchoolOffer) -> str:
    """The same with where it lies."""
    if one.is_independent:
        said = {"school": one.school.name, "municipality": one.school.municipality.name}
        return _("%(school)s (%(municipality)s, independent)") % said
    return placed(one)


def placed(one: SchoolOffer) -> str:
    return f"{one.school.name} ({one.school.municipality.name})"


def last_known(fact: OfferingFact | None) -> str:
    """What was last known, to stand after "not reported"."""
    return _(" (last known: %(fact)s)") % {"fact": fact_in_words(fact)} if fact else ""


def reported(value: int | None, key: str, example: bool) -> Content:
    return not_reported() if value is None else figure(value, source=key, example=example)
