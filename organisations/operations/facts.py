"""What the operations on the directory share: how a fact is locked, made and changed, and who speaks for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from collab4m.errors import RuleBroken
from organisations.models import Body, RoleKind, User
from records.models import CameIn, Event
from records.operations import differences, record
from records.values import as_text, identity

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
    """The row as it is now, for this transaction to change. Others may still write history that refers to it."""
    return type(row)._default_manager.select_for_update(no_key=True).get(pk=row.pk)


class ChangedMeanwhile(RuleBroken):
    """Others have saved since the form was shown. `now` is what stands, `differs` where that is not what was wanted."""

    code = "changed_meanwhile"

    def __init__(self, now: Mapping[str, Any], differs: Mapping[str, Any], last: Event | None) -> None:
        said = {"person": last.by if last and last.by else gettext("Somebody"), "at": as_text(last.at) if last else ""}
        who = (
            gettext("%(person)s saved here %(at)s, while you were writing.") if last else gettext("Changed meanwhile.")
        )
        rest = gettext(
            "What you wrote is still in the form but is not saved. Look at what stands now in each field that differs, "
            "and save once more."
        )
        super().__init__(f"{who % said} {rest}")
        self.now, self.differs = now, differs


def seen_of(values: Mapping[str, Any]) -> str:
    """A short sum of what a form showed, by which a later save tells whether others have saved in between."""
    held = {field: identity(value) for field, value in values.items()}
    text = json.dumps({field: value for field, value in held.items() if value not in ("", None)}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def require_seen(seen: str, now: Mapping[str, Any], wanted: Mapping[str, Any], events: Any) -> None:
    """Raises ChangedMeanwhile if `seen` is said and no longer the sum of `now`, unless that is what is wanted anyway.

    `events` are those that may tell who saved, latest first. Call it with the lock that guards `now` held.
    """
    differs = {field: now[field] for field in wanted if identity(now[field]) != identity(wanted[field])}
    if seen and differs and seen != seen_of(now):
        raise ChangedMeanwhile(now, differs, events.select_related("by").first())


def locked_as_seen(row: Row, seen: str, facts: Mapping[str, Any]) -> Row:
    """`locked`, for a form that shows `facts`. Raises ChangedMeanwhile if others have changed them since `seen`."""
    row = locked(row)
    events = Event.objects.about(row).filter(changes__has_any_keys=list(facts))
    require_seen(seen, held_by(row, facts), facts, events)
    return row


def held_by(row: models.Model, fields: Iterable[str]) -> dict[str, Any]:
    """What the row holds in those fields now, also after others change it."""
    held = {field: getattr(row, field) for field in fields}
    return {field: list(value.all()) if isinstance(value, models.Manager) else value for field, value in held.items()}


def acting_body(user: User, fact: Any) -> Body | None:
    """The body for which `user` changes `fact`: one that answers for it and that they administer, if there is one."""
    mine = user.bodies_where(RoleKind.ADMINISTRATOR)
    return next((body for body in fact.owners() if body.pk in mine), None)


def create_fact(model: type[Any], by: User, *, checked: bool = False, **facts: Any) -> Any:
    """A row that came in by form. It is verified only if whoever enters it says that it is checked."""
    row = model(came_in=CameIn.FORM, example=by.example, verified=checked, **facts)
    row.save()
    return row


def first_values(row: Any, facts: Mapping[str, Any]) -> dict[str, list[str]]:
    """The facts a new row was given, as its history keeps them: name -> ["", value]. Those left empty are not told."""
    values = {name: value for name, value in facts.items() if name != "checked"}
    if values.pop("valid", None) is not None:
        values |= {"first_day": row.first_day, "last_day": row.last_day}
    return {name: ["", text] for name, value in values.items() if (text := as_text(value))}


def change_fact(
    name: str,
    row: Any,
    facts: Mapping[str, Any],
    *,
    by: User,
    on_behalf_of: Body | None,
    changed_already: Mapping[str, list[str]] | None = None,
    checked: bool = False,
    **words: Any,
) -> None:
    """Write the facts that differ, and that they came in by form: they leave their old source, and are verified only if
    whoever changes them says that they are `checked`.

    Nothing is written or recorded when nothing differs, unless what stands is now checked.
    """
    changes = differences(row, dict(facts)) | dict(changed_already or {})
    if changes:
        row.came_in, row.verified = CameIn.FORM, checked
        if changes.keys() - {"source_note"}:
            row.source = None
    elif checked and not row.verified:
        row.verified = True
        changes = {"verified": ["false", "true"]}
    else:
        return
    for field in changes.keys() & facts.keys():
        setattr(row, field, facts[field])
    row.save()
    record(name, row, by=by, on_behalf_of=on_behalf_of, changes=changes, **words)
