"""History: one row for everything that happened."""

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models

from records.models import Event
from records.people import Body, User
from records.values import as_text, identity

# The keys of an event's data that hold people's names, several with ", " between; replaced when a person is forgotten.
PERSON_KEYS = ("person", "left_by", "taken_by", "handed_to")


def record(
    name: str,
    subject: models.Model,
    *,
    by: User | None,
    on_behalf_of: Body | None = None,
    changes: dict[str, list[str]] | None = None,
    **data: Any,
) -> Event:
    """Write down that `name` happened to `subject`; `changes` as from `differences`, `data` what the sentence needs.

    The sentence is `templates/records/history/<name>.html`. `data` holds text and numbers: names as they are now,
    those of people under PERSON_KEYS.
    """
    return Event.objects.create(
        name=name,
        subject_type=ContentType.objects.get_for_model(subject),
        subject_id=subject.pk,
        by=by,
        on_behalf_of_id=on_behalf_of.pk if on_behalf_of else None,
        changes=changes or {},
        data=data,
    )


def differences(obj: models.Model, cleaned: dict[str, Any]) -> dict[str, list[str]]:
    """Which of the cleaned values differ from what `obj` holds: name -> [before, after], as history keeps them."""
    found = {}
    for name, value in cleaned.items():
        today = getattr(obj, name)
        if identity(today) != identity(value):
            found[name] = [as_text(today), as_text(value)]
    return found
