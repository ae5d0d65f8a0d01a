"""Field values as text: kept in history as they were, and read back in the reader's language."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.fields import DateRangeField
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

NEVER = "empty"  # an empty range, in PostgreSQL's own word


def as_text(value: Any) -> str:
    """A value as history keeps it: a choice's code, the name a row has now, days in ISO form; "" for none."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H.%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, DateRange):
        if value.isempty:
            return NEVER
        last_day = value.upper - timedelta(days=1) if value.upper else None
        return f"{as_text(value.lower)}–{as_text(last_day)}"
    if isinstance(value, models.Manager):
        value = value.all()
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(as_text(item) for item in value)
    return one_newline(str(value))


def one_newline(text: str) -> str:
    """Lines that end with LF, as we keep them; a browser posts CRLF."""
    return text.replace("\r\n", "\n")


def identity(value: Any) -> Any:
    """What two values are compared by: rows by their ids, whatever they are called; all else as history keeps it."""
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, models.Manager):
        value = value.all()
    if isinstance(value, Iterable) and not isinstance(value, str):
        items = list(value)
        if items and all(isinstance(item, models.Model) for item in items):
            return sorted(item.pk for item in items)
    return as_text(value)


def readable(model: type[models.Model], name: str, text: str) -> str:
    """What `as_text` kept, in words and in the reader's language."""
    if text == "":
        return _("not stated")
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return text
    if isinstance(field, DateRangeField) and text == NEVER:
        return _("at no time")
    if isinstance(field, models.BooleanField):
        return _("yes") if text == "true" else _("no")
    for value, label in getattr(field, "flatchoices", ()):
        if str(value) == text:
            return str(label)
    return text
