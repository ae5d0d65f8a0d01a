"""What the words of a cell mean. ValueError with what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import translation
from django.utils.translation import gettext

from collab4m.tables import sek
from resources.operations.importing.columns import LONGEST_SHOWN, MOST_MINUTES, MOST_SEK, SYNONYMS
from resources.operations.sharing import MOST_UNITS, names_of_run

_SIZES = {"min": 1, "minut": 1, "minuter": 1, "minutes": 1, "h": 60, "tim": 60, "timme": 60, "timmar": 60, "hour": 60}
_SIZES |= {"hours": 60, "dygn": 1440, "dag": 1440, "dagar": 1440, "day": 1440, "days": 1440}


def span_of_words(said: str) -> int | None:
    """Minutes. Raises ValueError with what to write instead."""
    if not said:
        return None
    found = re.fullmatch(r"([0-9]{1,6})\s*([^\W\d_]*)\.?", said.casefold())
    size = _SIZES.get(found[2] or "min") if found else None
    if found is None or size is None:
        raise ValueError(gettext("Write how long as 30 min, 2 h or 3 days."))
    minutes = int(found[1]) * size
    if minutes > MOST_MINUTES:
        raise ValueError(gettext("That is too long. Write at most 400 days."))
    return minutes


def hours_of_words(said: str) -> int | None:
    minutes = span_of_words(said if not said.isdecimal() else f"{said} h")
    if minutes is not None and minutes % 60:
        raise ValueError(gettext("Write whole hours or days, as 24 h or 2 days."))
    return None if minutes is None else minutes // 60


def units_of_words(said: str) -> list[str]:
    """Names of pieces: with semicolons between, or else commas; iPad 1–30 is thirty."""
    names: list[str] = []
    for one in filter(None, (part.strip() for part in said.split(";" if ";" in said else ","))):
        names += names_of_run(one)
        if len(names) > MOST_UNITS:
            raise ValueError(gettext("A resource has %(most)s pieces at most.") % {"most": MOST_UNITS})
    if any(len(name) > 100 for name in names):
        raise ValueError(gettext("Shorten the names of the pieces to 100 characters each."))
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise ValueError(
                gettext("“%(name)s” stands there twice. Give each piece its own name.") % {"name": name[:LONGEST_SHOWN]}
            )
        seen.add(name.casefold())
    return names


def choice_words(choices: type[models.TextChoices]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in choices:
        for code, _name in settings.LANGUAGES:
            with translation.override(code):
                found[str(one.label).casefold()] = one.value
        found |= dict.fromkeys([one.value, *SYNONYMS.get(one, ())], one.value)
    return found


def by_words(rows: Iterable[Any]) -> dict[str, Any]:
    """Categories or features by every name they have; what was there first keeps a name that two have."""
    return {word.casefold(): row for row in rows for word in (row.slug, row.name_en, row.name_sv) if word}


def sek_of_words(said: str) -> Decimal:
    try:
        price = sek(said)
    except ValueError:
        raise ValueError(gettext("Write the price in figures, for example 400 or 137,50.")) from None
    if price > MOST_SEK:
        raise ValueError(gettext("Write kronor and at most two decimals, less than ten million."))
    return price
