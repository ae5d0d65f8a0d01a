"""Taking away what was made final for the demonstration: the only time that what is final is ever deleted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pgtrigger
from django.db import transaction

from records.models import Attachment, Decision, Event, Rendition, SignOff, Version
from records.storage import path_of

GUARDS = (
    "records.Version:frozen",
    "records.Rendition:frozen",
    "records.Attachment:frozen",
    "records.Decision:append_only",
    "records.SignOff:append_only",
    "records.Event:append_only",
)


@transaction.atomic
def forget_versions(versions: Iterable[Version]) -> None:
    """Delete versions with what was decided and signed, their documents, files and history: examples never happened.

    A later version that is left then follows what was before. Files that nothing else needs go when this is committed.
    """
    with pgtrigger.ignore(*GUARDS):
        for version in versions:
            _forget(version)


def _forget(version: Version) -> None:
    files, documents = version.renditions.all(), version.attachments.all()
    hashes = {*files.values_list("sha256", flat=True), *documents.values_list("sha256", flat=True)}
    Version.objects.filter(pk=version.pk).update(supersedes=None)
    Version.objects.filter(supersedes=version.pk).update(supersedes=version.supersedes_id)
    Event.objects.filter(
        subject_type=version.subject_type_id,
        subject_id=version.subject_id,
        name="version.frozen",
        data__number=version.number,
    ).delete()
    for decision in Decision.objects.filter(version=version).order_by("-pk"):  # a later one may replace an earlier one
        decision.delete()
    SignOff.objects.filter(version=version).delete()
    documents.delete()
    files.delete()
    Version.objects.filter(pk=version.pk).delete()
    left = {
        *Rendition.objects.filter(sha256__in=hashes).values_list("sha256", flat=True),
        *Attachment.objects.filter(sha256__in=hashes).values_list("sha256", flat=True),
    }
    transaction.on_commit(lambda: _unlink(hashes - left))


def _unlink(hashes: set[str]) -> None:
    for digest in hashes:
        Path(path_of(digest)).unlink(missing_ok=True)
