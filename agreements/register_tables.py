"""The register in words, on the page and in CSV and XLSX: state, what is waited for, and from when to when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from agreements.models import RevisionKind
from agreements.operations import Entry, Phase

Row = list[Any]


def state_in_words(entry: Entry) -> str:
    """Where the agreement is in its time or, until it is signed, on its way."""
    if entry.phase != Phase.NOT_SIGNED:
        return str(entry.phase.label)
    return str(entry.revision.get_state_display()) if entry.revision else ""


def days_in_words(entry: Entry, day: date) -> str:
    """From when, until when, and how many days that is from `day`."""
    first, last = entry.validity.first_day, entry.validity.last_day
    if first is None:
        return ""
    if entry.phase == Phase.UPCOMING:
        return _("from %(day)s, %(far)s") % {"day": first.isoformat(), "far": _in_days(first, day)}
    if last is None:
        return _("from %(day)s, until further notice") % {"day": first.isoformat()}
    if entry.phase == Phase.IN_FORCE:
        return _("to %(day)s, %(left)s") % {"day": last.isoformat(), "left": _days_left(last, day)}
    return _("on %(day)s") % {"day": last.isoformat()}


def _in_days(coming: date, day: date) -> str:
    days = (coming - day).days
    return ngettext("in %(days)s day", "in %(days)s days", days) % {"days": days}


def _days_left(last: date, day: date) -> str:
    days = (last - day).days
    if not days:
        return _("today is the last day")
    return ngettext("%(days)s day left", "%(days)s days left", days) % {"days": days}


def why_in_words(entry: Entry) -> str:
    """What set the end, when that is not what was agreed."""
    if entry.validity.last_day is None or not entry.validity.ended_by:
        return ""
    return _("notice is given") if entry.validity.ended_by == "notice" else _("replaced by another agreement")


def change_in_words(entry: Entry) -> str:
    """What is under way of an agreement that is signed: an annex, an amendment or a renewal."""
    if entry.phase == Phase.NOT_SIGNED or not entry.is_under_way or entry.revision is None:
        return ""
    kind = RevisionKind(entry.revision.kind).label
    return f"{kind}: {entry.revision.get_state_display()}"


def wait_in_words(entry: Entry) -> str:
    """Who waits for whom, and since when or until when."""
    wait = entry.wait
    names = ", ".join(party.municipality.name for party in wait.parties)
    since = localtime(wait.since).date().isoformat() if wait.since else ""
    if wait.what == "draft":
        return _("the parties write it, since %(day)s") % {"day": since}
    if wait.what == "answer":
        last = wait.last_day.isoformat() if wait.last_day else ""
        return (
            _("an answer from %(names)s, by %(day)s") % {"names": names, "day": last}
            if names
            else _("all have answered")
        )
    if wait.what == "decision":
        return _("a decision in %(names)s, since %(day)s") % {"names": names, "day": since}
    if wait.what == "signature":
        return _("a signature from %(names)s, since %(day)s") % {"names": names, "day": since}
    return ""


def register_headings() -> list[str]:
    return [
        _("Number"), _("Title"), _("Area"), _("Kind"), _("Standing"), _("Parties"), _("State"),
        pgettext("agreement", "In force from"), pgettext("agreement", "In force to"), _("Why it ends"),
        _("Change under way"), _("Waits for"), _("Own case number"), _("Example"),
    ]  # fmt: skip


def register_rows(entries: Iterable[Entry]) -> Iterator[Row]:
    for entry in entries:
        agreement = entry.agreement
        yield [
            agreement.number, agreement.title, agreement.area.name, str(agreement.get_kind_display()),
            str(agreement.get_standing_display()), ", ".join(party.municipality.name for party in entry.parties),
            state_in_words(entry), entry.validity.first_day, entry.validity.last_day, why_in_words(entry),
            change_in_words(entry), wait_in_words(entry), ", ".join(entry.case_numbers), agreement.example,
        ]  # fmt: skip
