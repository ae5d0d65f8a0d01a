"""What stands round a document's content in a file: which version it is, and whose cover it has."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from records.documents import words
from records.documents.content import Content, check_cover, sha256_of


@dataclass(frozen=True)
class Frame:
    """Version, moment and address of a document, and the cover for whoever is to decide about it.

    `at` is the moment at which the content was made final, `address` where it is verified. Number 0 is a draft: what it
    said at that moment, which nobody can verify.
    """

    number: int
    at: datetime
    sha256: str
    address: str
    cover: Content = field(default_factory=dict)

    @property
    def is_draft(self) -> bool:
        return self.number == 0

    @property
    def stamp(self) -> str:
        """Which version it is and from when, in words."""
        day = words.day(timezone.localtime(self.at).date())
        if self.is_draft:
            return f"{words.FRAME['draft']}, {day}"
        return f"{words.FRAME['version']} {self.number}, {day}"

    def facts(self) -> list[tuple[str, str]]:
        """What a cover tells besides who sends it, in words."""
        cover = self.cover
        told = [
            ("recipient", cover.get("recipient", "")),
            ("date", words.day(date.fromisoformat(cover["date"])) if cover.get("date") else ""),
            ("case_number", cover.get("case_number", "")),
            ("official", cover.get("official", "")),
        ]
        return [(words.FRAME[name], text) for name, text in told if text]

    def sections(self, content: Content) -> Iterator[Content]:
        """The sections in the cover's order and under its headings, its proposal for a decision first.

        Last comes what is said of the content after it was final, such as who has signed it.
        """
        if decision := self.cover.get("decision"):
            heading = words.FRAME["proposal"]
            yield {"id": "proposal", "heading": heading, "example": False, "blocks": [decision], "sections": []}
        by_id = {section["id"]: section for section in content["sections"]}
        for name in self.cover.get("order", by_id):
            yield self._headed(by_id[name])
        if closing := self.cover.get("closing"):
            yield closing

    def _headed(self, section: Content) -> Content:
        headings: dict[str, Any] = self.cover.get("headings", {})
        return {
            **section,
            "heading": headings.get(section["id"], section["heading"]),
            "sections": [self._headed(inner) for inner in section["sections"]],
        }


def frame_for(content: Content, *, number: int, at: datetime, site: str, cover: Content | None = None) -> Frame:
    """The frame of this content. Raises ContentRefused if the cover does not fit it."""
    if cover:
        check_cover(cover, content)
    content_sha256 = sha256_of(content)
    address = f"{site}/verifiera/{content_sha256}/"
    return Frame(number, at.replace(microsecond=0), content_sha256, address, cover or {})


def draft_frame(content: Content, at: datetime) -> Frame:
    """The frame of content that is not final."""
    return Frame(0, at.replace(microsecond=0), sha256_of(content), "")
