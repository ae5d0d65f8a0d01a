"""Documents that people hand in: what they may be, and keeping them with the version they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from collab4m.errors import RuleBroken
from records import storage
from records.models import Attachment, Version
from records.people import Body, User

# What a document may be, by the bytes it begins with: files that every archive and every browser can open.
KINDS = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
ENDINGS = {"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg"}
LONGEST_NAME = 200


class DocumentRefused(RuleBroken):
    code = "document_refused"


@dataclass(frozen=True)
class DocumentFile:
    """A document as it came in: its name, what it is, and its bytes."""

    name: str
    media_type: str
    data: bytes


def document_file(name: str, data: bytes) -> DocumentFile:
    """What somebody handed in, as a document. Raises DocumentRefused unless it is a PDF, PNG or JPEG file."""
    if len(data) > settings.UPLOAD_BYTES:
        most = settings.UPLOAD_BYTES // 1_000_000
        raise DocumentRefused(
            _("The file is larger than %(most)s MB. Scan it again, smaller.") % {"most": most}, "document"
        )
    media_type = next((kind for start, kind in KINDS.items() if data.startswith(start)), "")
    if not media_type:
        raise DocumentRefused(_("Hand in the document as a PDF, PNG or JPEG file."), "document")
    plain = PurePath(name.replace("\\", "/"))
    stem = "".join(sign for sign in plain.stem if sign.isprintable()).strip() or "dokument"
    ending = ENDINGS[media_type]
    return DocumentFile(stem[: LONGEST_NAME - len(ending)] + ending, media_type, data)


@transaction.atomic
def keep_document(version: Version, document: DocumentFile, *, by: User, on_behalf_of: Body | None) -> Attachment:
    """Keep the document with a version, for good."""
    return Attachment.objects.create(
        version=version,
        name=document.name,
        media_type=document.media_type,
        size=len(document.data),
        sha256=storage.keep(document.data),
        by=by,
        on_behalf_of_id=on_behalf_of.pk if on_behalf_of else None,
    )
