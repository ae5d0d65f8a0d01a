"""The school year: "2022/23", 1 July 2022 to 30 June 2023."""

import re
from datetime import date
from functools import total_ordering
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.http import Http404
from django.utils.translation import gettext_lazy as _


@total_ordering
class SchoolYear:
    """A school year, known by the calendar year in which it starts."""

    def __init__(self, starts: int) -> None:
        self.starts = starts

    @classmethod
    def of(cls, day: date) -> "SchoolYear":
        """The school year in which `day` lies."""
        return cls(day.year if day.month >= 7 else day.year - 1)

    @classmethod
    def parse(cls, text: str) -> "SchoolYear":
        """Read "2022/23" (also "2022/2023" and "2022-23"); raises ValueError for anything else."""
        match = re.fullmatch(r"\s*(\d{4})\s*[/–-]\s*(\d{2}|\d{4})\s*", text)
        if match and int(match[2]) % 100 == (int(match[1]) + 1) % 100 and len(match[2]) in (2, 4):
            return cls(int(match[1]))
        raise ValueError(f"not a school year: {text!r}")

    @property
    def first_day(self) -> date:
        return date(self.starts, 7, 1)

    @property
    def last_day(self) -> date:
        return date(self.starts + 1, 6, 30)

    def __add__(self, years: int) -> "SchoolYear":
        return SchoolYear(self.starts + years)

    def __str__(self) -> str:
        return f"{self.starts}/{(self.starts + 1) % 100:02}"

    def __repr__(self) -> str:
        return f"SchoolYear({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SchoolYear) and self.starts == other.starts

    def __lt__(self, other: "SchoolYear") -> bool:
        return self.starts < other.starts

    def __hash__(self) -> int:
        return hash(self.starts)


FIRST_NAMED, LAST_NAMED = 2000, 2100  # the years that an address may speak of


def year_named(text: str) -> SchoolYear:
    """A school year from an address, 2022-23 or 2022/23. 404 for anything else."""
    try:
        year = SchoolYear.parse(text)
    except ValueError:
        raise Http404 from None
    if not FIRST_NAMED <= year.starts <= LAST_NAMED:
        raise Http404
    return year


class SchoolYearField(models.PositiveSmallIntegerField):
    """Kept as the calendar year in which the school year starts."""

    # What the type checker's plugin takes and gives for the field.
    _pyi_private_set_type: Any
    _pyi_private_get_type: SchoolYear  # type: ignore[assignment]
    _pyi_lookup_exact_type: Any

    def from_db_value(self, value: int | None, expression: Any, connection: Any) -> SchoolYear | None:
        return None if value is None else SchoolYear(value)

    def to_python(self, value: Any) -> SchoolYear | None:
        if value is None or value == "":
            return None
        if isinstance(value, SchoolYear):
            return value
        if isinstance(value, int):
            return SchoolYear(value)
        try:
            return SchoolYear.parse(str(value))
        except ValueError as error:
            raise ValidationError(_("Write the school year as 2022/23."), code="invalid") from error

    def get_prep_value(self, value: Any) -> int | None:
        year = self.to_python(value)
        return None if year is None else year.starts

    @property
    def validators(self) -> list[Any]:
        return []  # the number's own bounds say nothing about a school year

    def value_to_string(self, obj: Any) -> str:
        return str(self.value_from_object(obj))

    def formfield(self, **kwargs: Any) -> Any:
        from django import forms

        return models.Field.formfield(self, **{"form_class": forms.CharField, **kwargs})
