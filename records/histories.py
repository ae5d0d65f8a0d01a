"""History as people read it: sentences in the reader's language, and what changed in each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import QuerySet, prefetch_related_objects
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from records.models import Event, Part
from records.operations.parts import SITTING
from records.subjects import field_label, field_owner, rows_told_of
from records.values import readable


@dataclass(frozen=True)
class Change:
    label: str
    before: str
    after: str
    is_first: bool  # the value was given when the row was made: there was none before


@dataclass(frozen=True)
class Line:
    """One event: the sentence, and the fields it changed."""

    event: Event
    sentence: SafeString
    changes: list[Change]

    @property
    def day(self) -> date:
        return timezone.localtime(self.event.at).date()


def lines_of(events: QuerySet[Event] | Iterable[Event]) -> list[Line]:
    """The events as lines; two queries whatever they tell of, and one more for the corrections among them."""
    if isinstance(events, QuerySet):
        events = events.select_related("by", "on_behalf_of")
    events = list(events)
    prefetch_related_objects([event for event in events if event.name.startswith("correction.")], "subject")
    return [Line(event, sentence(event), changes_of(event)) for event in events]


def sentence(event: Event) -> SafeString:
    """What happened, in words. A correction's events are shown only to those who may see what it proposes."""
    fields = ", ".join(change.label for change in changes_of(event))
    context = {**event.sentence_context(), "fields": fields}
    return SafeString(render_to_string(f"records/history/{event.name}.html", context).strip())


def changes_of(event: Event) -> list[Change]:
    model = ContentType.objects.get_for_id(event.subject_type_id).model_class()
    if model is None:
        return []
    return [
        Change(
            label=field_label(model, name),
            before=_readable(model, name, before),
            after=_readable(model, name, after),
            is_first=event.name.endswith(".created"),
        )
        for name, (before, after) in event.changes.items()
    ]


def _readable(model: type[models.Model], name: str, text: str) -> str:
    _row, colon, of_row = name.rpartition(":")
    told = rows_told_of(model) if colon else None
    return readable(told, of_row, text) if told else readable(field_owner(model, name), name, text)


@dataclass
class Stretch:
    """Savings of a part that one person made in a row, told of as one: the last of them is the wording `pk`."""

    pk: int
    version: int | None  # None: the text did not come to stand
    by: int
    on_behalf_of: int | None
    at: datetime
    before: int  # the version from which it was written
    savings: int = 1
    goes_on: bool = True  # whether a saving shortly after belongs to it


def stretches_of(part: Part) -> list[Stretch]:
    """Everything that was written in `part`, the latest first; one query, which leaves the texts where they are."""
    found: list[Stretch] = []
    rows = part.wordings.order_by("pk")
    for pk, version, base, by, body, at, choice in rows.values_list(
        "pk", "version", "base_version", "by", "on_behalf_of", "at", "choice"
    ):
        last = found[-1] if found else None
        alone = version is None or bool(choice)
        if (
            last
            and last.goes_on
            and not alone
            and (last.by, last.on_behalf_of) == (by, body)
            and at - last.at < SITTING
        ):
            last.pk, last.version, last.at, last.savings = pk, version, at, last.savings + 1
        else:
            before = base if version is None else version - 1
            found.append(Stretch(pk, version, by, body, at, before, goes_on=not alone))
    return found[::-1]
