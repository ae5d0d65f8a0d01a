"""Where final files lie: under their hash, whole or not at all."""

import os
from hashlib import sha256
from tempfile import NamedTemporaryFile
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages
from django.utils.translation import gettext_lazy as _

from collab4m.errors import RuleBroken


class FileMissing(RuleBroken):
    code = "file_missing"
    message = _(
        "The file is not in the portal's store, or is damaged there. Tell the system administrator, who can bring it"
        " back from the backup. What it says is not lost: the content is kept in the database."
    )


class FinalFiles(FileSystemStorage):
    """Files that are written once. One that is half written when its writer dies is never seen under its name."""

    def __init__(self) -> None:
        super().__init__(location=settings.MEDIA_ROOT / "final", base_url=None)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name itself: it is the content's hash, and whoever writes it writes the same."""
        return name

    def _save(self, name: str, content: Any) -> str:
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with NamedTemporaryFile(dir=os.path.dirname(path), prefix=".writing-", delete=False) as file:
            try:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
                os.chmod(file.name, 0o644)
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
        _flush_folder(os.path.dirname(path))
        return name


def _flush_folder(path: str) -> None:
    """So that the file's name outlives a power cut, too."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _name(digest: str) -> str:
    return f"{digest[:2]}/{digest}"


def keep(data: bytes) -> str:
    """Keep these bytes; returns their hash. Keeping the same bytes again costs a look."""
    digest = sha256(data).hexdigest()
    if not is_kept(digest):
        storages["final"].save(_name(digest), ContentFile(data))
    return digest


def path_of(digest: str) -> str:
    """Where the file with this hash lies, for whoever runs the portal."""
    return storages["final"].path(_name(digest))


def is_kept(digest: str) -> bool:
    """Whether the file is there and is what it was."""
    try:
        read(digest)
    except FileMissing:
        return False
    return True


def read(digest: str) -> bytes:
    """The bytes with this hash. Raises FileMissing if they are not there or not the same any more."""
    try:
        with storages["final"].open(_name(digest)) as file:
            data: bytes = file.read()
    except OSError as error:
        raise FileMissing from error
    if sha256(data).hexdigest() != digest:
        raise FileMissing
    return data
