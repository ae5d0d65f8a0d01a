"""Files that somebody uploads to be verified: hashed as they come in, and kept nowhere."""

from hashlib import sha256
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopFutureHandlers

VERIFY_PATH = "/verifiera/"
LARGEST = 50 * 1024 * 1024


class HashedFile(UploadedFile):
    """What is left of an uploaded file: its name, its size and its hash. `is_too_large` when it was not read."""

    def __init__(self, name: str | None, size: int, sha256: str, is_too_large: bool) -> None:
        super().__init__(BytesIO(), name=name, size=size)
        self.sha256 = sha256
        self.is_too_large = is_too_large


class HashOnly(FileUploadHandler):
    """On the page that verifies: no byte of the file goes on to the handlers that keep it. Elsewhere: nothing."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.is_ours = self.request is not None and self.request.path_info == VERIFY_PATH
        if self.is_ours:
            self.digest, self.size = sha256(), 0
            raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if not self.is_ours:
            return raw_data
        self.size += len(raw_data)
        if self.size <= LARGEST:
            self.digest.update(raw_data)
        return None

    def file_complete(self, file_size: int) -> HashedFile | None:
        if not self.is_ours:
            return None
        return HashedFile(self.file_name, self.size, self.digest.hexdigest(), self.size > LARGEST)
