"""Conditions for triggers that guard rows."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

import pgtrigger


def changed(*fields: str) -> Any:
    """Whether an update changes any of the columns. `pgtrigger.AnyChange` cannot be joined with other conditions."""
    return reduce(or_, (pgtrigger.Q(**{f"old__{name}__df": pgtrigger.F(f"new__{name}")}) for name in fields))
