"""Zip files whose bytes depend on their content alone."""

from collections.abc import Iterable
from datetime import UTC, datetime
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo


def zipped(files: Iterable[tuple[str, bytes]], at: datetime) -> bytes:
    """The files in the order given, all dated `at`, in UTC."""
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        for name, data in files:
            info = ZipInfo(name, at.astimezone(UTC).timetuple()[:6])
            info.compress_type = ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return out.getvalue()


def zipped_again(data: bytes, at: datetime) -> bytes:
    """The same archive without the moment at which it was packed."""
    with ZipFile(BytesIO(data)) as archive:
        return zipped([(info.filename, archive.read(info)) for info in archive.infolist()], at)
