"""What the operations on the directory share: how a fact is locked, made and changed, and who speaks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from collab4m.errors import RuleBroken
from organisations.models import Body, User
from records.models import CameIn
from records.operations import differences, record

Row = TypeVar("Row", bound=models.Model)


class BlamesField(RuleBroken):
    """A broken rule that always concerns the same field."""

    blames = ""

    def __init__(self, message: str | None = None, field: str | None = None) -> None:
        super().__init__(message, field or self.blames)


class LastDayTooEarly(BlamesField):
    code = "last_day_too_early"
    message = _("The last day cannot come before the first day.")
    blames = "last_day"


def locked(row: Row) -> Row:
    return type(row)._default_manager.select_for_update().get(pk=row.pk)


def speaks_for(fact: Any, on_behalf_of: Body | None) -> bool:
    """Whether the acting body is one that answers for `fact`."""
    return on_behalf_of is not None and on_behalf_of.pk in {body.pk for body in fact.owners()}


def create_fact(model: type[Any], by: User, on_behalf_of: Body | None, **facts: Any) -> Any:
    row = model(came_in=CameIn.FORM, example=by.example, **facts)
    row.verified = speaks_for(row, on_behalf_of)
    row.save()
    return row


def change_fact(
    name: str,
    row: Any,
    facts: Mapping[str, Any],
    *,
    by: User,
    on_behalf_of: Body | None,
    changed_already: Mapping[str, list[str]] | None = None,
    **words: Any,
) -> None:
    """Write the facts that differ, and that they came in by form. A sourced fact that changes leaves its old source.

    Nothing is written or recorded when nothing differs.
    """
    changes = differences(row, dict(facts)) | dict(changed_already or {})
    if not changes:
        return
    for field in changes.keys() & facts.keys():
        setattr(row, field, facts[field])
    if changes.keys() & {*row.sourced_fields}:
        row.source = None
        row.verified = speaks_for(row, on_behalf_of)
    row.came_in = CameIn.FORM
    row.save()
    record(name, row, by=by, on_behalf_of=on_behalf_of, changes=changes, **words)
