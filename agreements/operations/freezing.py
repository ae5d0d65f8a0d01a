"""Making a revision's content final, and having the files of it made."""

from __future__ import annotations

from typing import Any

from agreements.models import Revision
from agreements.operations.content import content_of
from organisations.models import Body, User
from records.models import Job, Part, Version
from records.operations import freeze, next_version, order_job

FILES = "agreements.files"
SIGNED_FILES = "agreements.signed_files"


def freeze_content(revision: Revision, *, by: User, on_behalf_of: Body | None) -> Version:
    """The version that says what the revision now says: the latest one if that says the same, else a new one.

    Its texts are locked first, so that nobody's saving is left half in. In the caller's transaction.
    """
    Part.objects.about(revision).lock_in_order()
    content = content_of(revision)
    version = next_version(revision.agreement, content, by=by, on_behalf_of=on_behalf_of)
    latest = version.supersedes
    if latest is not None and latest.content_sha256 == version.content_sha256:
        # Two renewals may say the same: what is final of another revision was decided on for that one.
        others = Revision.objects.filter(agreement=revision.agreement_id, version=latest).exclude(pk=revision.pk)
        if not others.exists():
            return latest
    version = freeze(version)
    order_files(version, by=by, on_behalf_of=on_behalf_of)
    return version


def order_files(version: Version, *, by: User | None, on_behalf_of: Body | None, kind: str = FILES) -> Job:
    """Have the files of a version made by the worker."""
    args: dict[str, Any] = {"version": version.pk}
    return order_job(kind, str(version.pk), by=by, on_behalf_of=on_behalf_of, args=args)
