"""The files of a final document: every kind, every cover, and all of them in one zip with their hashes."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.utils.text import slugify

from records.documents import docx, page, pdf, sheets
from records.documents.archive import zipped
from records.documents.content import Content, canonical, section_hashes
from records.documents.frame import draft_frame, frame_for
from records.documents.reading import Reading

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "sealed": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}


@dataclass(frozen=True)
class MadeFile:
    """A file that has been made of a document, not yet kept. `variant` says for whom, or which table it holds."""

    kind: str
    variant: str
    name: str
    data: bytes
    cover: Content = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        return sha256(self.data).hexdigest()


def count_of_files(content: Content, covers: Mapping[str, Content]) -> int:
    """How many files `make_files` makes, without sealed ones."""
    return 2 + len(sheets.tables_of(content)) + 3 * (len(covers) or 1)


def make_files(
    content: Content,
    *,
    number: int,
    at: datetime,
    site: str,
    covers: Mapping[str, Content],
    attached: Sequence[tuple[str, bytes]] = (),
    seal: Callable[[MadeFile], MadeFile] | None = None,
) -> Iterator[MadeFile]:
    """Every file of the document, one after another: shared ones first, then for each cover, by its name.

    Without covers there is one PDF, one .docx and one zip, with the variant "". `site` is the portal's address.
    `attached` are files by name that lie in each zip besides, such as the scanned minutes of a decision. `seal` makes
    the sealed one of a PDF, which then lies in the zip with it.
    Raises ContentRefused if a cover does not fit the content.
    """
    frames = {
        variant: frame_for(content, number=number, at=at, site=site, cover=cover)
        for variant, cover in (covers or {"": {}}).items()
    }
    bare = frame_for(content, number=number, at=at, site=site)
    stem = f"{_stem(content)}-v{number}"
    shared = [MadeFile("html", "", f"{stem}.html", page.html(Reading(content, bare)))]
    yield shared[-1]
    for table in sheets.tables_of(content):
        name = f"{stem}-{slugify(table['id'])}.csv"
        shared.append(MadeFile("csv", table["id"], name, sheets.comma_separated(table, content)))
        yield shared[-1]
    shared.append(MadeFile("xlsx", "", f"{stem}.xlsx", sheets.workbook(content, bare)))
    yield shared[-1]
    for variant, frame in frames.items():
        reading = Reading(content, frame)
        name = f"{stem}-{slugify(variant)}" if variant else stem
        own = [MadeFile("pdf", variant, f"{name}.pdf", pdf.pdf(reading), frame.cover)]
        yield own[-1]
        if seal:
            own.append(seal(own[-1]))
            yield own[-1]
        own.append(MadeFile("docx", variant, f"{name}.docx", docx.word(reading), frame.cover))
        yield own[-1]
        files = [*own, *shared, *(MadeFile("attached", "", f"bilagor/{name}", data) for name, data in attached)]
        content_file = ("content.json", canonical(content))
        packed = [content_file, *((made.name, made.data) for made in files)]
        listed = json.dumps(manifest(content, files, number, at), ensure_ascii=False, indent=1, sort_keys=True).encode()
        yield MadeFile(
            "zip", variant, f"{name}.zip", zipped([("manifest.json", listed), *packed], frame.at), frame.cover
        )


def _stem(content: Content) -> str:
    return slugify(content["title"])[:60].strip("-") or "dokument"


def draft_file(content: Content, kind: str, *, at: datetime) -> MadeFile:
    """What is not final as a file to read and take along: "pdf" or "docx". It says that it is a draft."""
    reading = Reading(content, draft_frame(content, at))
    data = pdf.pdf(reading) if kind == "pdf" else docx.word(reading)
    return MadeFile(kind, "", f"{_stem(content)}-utkast.{kind}", data)


def manifest(content: Content, files: list[MadeFile], number: int, at: datetime) -> dict[str, Any]:
    """What lies in a zip: each file's hash and size, the content's hash and that of each of its sections."""
    data = canonical(content)
    return {
        "title": content["title"],
        "version": number,
        "final_at": at.replace(microsecond=0).isoformat(),
        "content_sha256": sha256(data).hexdigest(),
        "sections": section_hashes(content),
        "files": [
            {"name": "content.json", "sha256": sha256(data).hexdigest(), "size": len(data)},
            *({"name": made.name, "sha256": made.sha256, "size": len(made.data)} for made in files),
        ],
    }


def made_with() -> dict[str, str]:
    """The programs, fonts and templates that files are made with."""
    return pdf.made_with()
