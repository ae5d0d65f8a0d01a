"""The mask of a board's case numbers: fixed signs, with {år} and {nr} for figures and {text} for letters."""

from __future__ import annotations

import re
from functools import cache

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

MOST_PLACEHOLDERS = 8

# Possessive and bounded: a case number is read once from left to right, whatever somebody types as mask or number.
_PLACEHOLDERS = {
    "år": r"(?:19|20)[0-9]{2}",
    "nr": r"[0-9]{1,8}+",
    "text": r"[A-Za-zÅÄÖåäö]{1,12}+",
}


@cache
def _compiled(mask: str) -> re.Pattern[str]:
    parts = re.split(r"\{([^{}]*)\}", mask)
    return re.compile(
        "".join(_PLACEHOLDERS[part] if place % 2 else re.escape(part) for place, part in enumerate(parts))
    )


def check_case_number_mask(mask: str) -> None:
    """Raises ValidationError, in words, for a mask that cannot be used."""
    parts = re.split(r"\{([^{}]*)\}", mask)
    literals, names = parts[::2], parts[1::2]
    unknown = [name for name in names if name not in _PLACEHOLDERS]
    if unknown:
        raise ValidationError(
            _("Use only {år}, {nr} and {text} within braces. “%(found)s” cannot be used."), params={"found": unknown[0]}
        )
    if any("{" in literal or "}" in literal for literal in literals):
        raise ValidationError(_("Close every brace: write {år}, {nr} or {text}."))
    if not names:
        raise ValidationError(_("Write {år}, {nr} or {text} where the case numbers differ."))
    if len(names) > MOST_PLACEHOLDERS:
        raise ValidationError(_("Use at most eight placeholders."))
    if "" in literals[1:-1]:
        raise ValidationError(_("Write a sign, such as / or -, between two placeholders."))


def matches_case_number_mask(mask: str, case_number: str) -> bool:
    """Whether `case_number` is written as `mask` says."""
    return _compiled(mask).fullmatch(case_number) is not None
