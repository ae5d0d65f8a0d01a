from datetime import UTC, datetime

import pytest

from records.documents.frame import frame_for
from records.documents.reading import Reading

AT = datetime(2022, 9, 13, 10, 0, tzinfo=UTC)
SITE = "https://portal.example"


@pytest.fixture
def read():
    """A reading of content, as version 3 with or without a cover."""

    def read(content: dict, cover: dict | None = None) -> Reading:
        return Reading(content, frame_for(content, number=3, at=AT, site=SITE, cover=cover))

    return read
