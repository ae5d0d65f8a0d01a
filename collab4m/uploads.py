"""Files that people send: how much is taken in while they arrive, and the field for tables."""

from __future__ import annotations

import io
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from collab4m.tables import refused_kind

MEGABYTE = 1_000_000


class LimitedUpload(FileUploadHandler):
    """Keeps the files of a request in memory as long as they are within UPLOAD_BYTES together.

    What comes beyond that is counted but not kept, neither in memory nor on disk: the file then has its true size but
    no content, and `TableFileField` says so.
    """

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.kept = 0  # bytes in memory, of all files in the request

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.file, self.arrived = io.BytesIO(), 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.arrived += len(raw_data)
        if self.kept + len(raw_data) <= settings.UPLOAD_BYTES and self.arrived == self.file.tell() + len(raw_data):
            self.file.write(raw_data)
            self.kept += len(raw_data)
        elif self.file.tell():
            self.kept -= self.file.tell()
            self.file = io.BytesIO()

    def file_complete(self, file_size: int) -> UploadedFile:
        self.file.seek(0)
        return InMemoryUploadedFile(
            self.file,
            self.field_name,
            self.file_name,
            self.content_type or "",
            self.arrived,
            self.charset,
            self.content_type_extra,
        )


class TableFileField(forms.FileField):
    """A CSV file or an Excel workbook of at most UPLOAD_BYTES. What is in it is judged by whoever opens it."""

    widget = forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"})
    default_error_messages = {
        "required": _("Choose a file: CSV (.csv) or an Excel workbook (.xlsx)."),
        "missing": _("Choose a file: CSV (.csv) or an Excel workbook (.xlsx)."),
        "invalid": _("Choose a file: CSV (.csv) or an Excel workbook (.xlsx)."),
    }

    def to_python(self, data: Any) -> Any:
        if data in self.empty_values:
            return None
        if message := self._refusal(data):
            name = gettext("“%(text)s”") % {"text": data.name}
            raise forms.ValidationError(f"{name}: {message}", code="refused")
        return super().to_python(data)

    def _refusal(self, file: UploadedFile) -> str:
        if not file.size:
            return gettext("The file is empty. Save it with headings and rows, and send it again.")
        if file.size > settings.UPLOAD_BYTES:
            message = gettext(
                "The file is %(size)s MB, but may be at most %(most)s MB. Divide it, or take away what is not needed."
            )
            words = {"size": -(-file.size // MEGABYTE), "most": settings.UPLOAD_BYTES // MEGABYTE}
            return message % words
        return refused_kind(file.name or "")


class DocumentFileField(forms.FileField):
    """A document as PDF, PNG or JPEG of at most UPLOAD_BYTES. What its bytes are is judged by whoever keeps it."""

    widget = forms.FileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg"})
    default_error_messages = dict.fromkeys(
        ("required", "missing", "invalid"), _("Hand in the document as a PDF, PNG or JPEG file.")
    )

    def to_python(self, data: Any) -> Any:
        if data in self.empty_values:
            return None
        if not data.size:
            raise forms.ValidationError(gettext("The file is empty. Scan it again, or save it anew."), code="refused")
        if data.size > settings.UPLOAD_BYTES:
            most = settings.UPLOAD_BYTES // MEGABYTE
            message = gettext("The file is larger than %(most)s MB. Scan it again, smaller.") % {"most": most}
            raise forms.ValidationError(message, code="refused")
        return super().to_python(data)
