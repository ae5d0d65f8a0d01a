"""What can be done with reports: collecting their content, filling in covers, and making them final."""

from reports.operations.building import (
    build_is_running,
    current_content,
    latest_build,
    open_parts,
    order_build,
    order_due_reports,
)
from reports.operations.content import content_of
from reports.operations.covers import NotYourBoard, boards_of, change_cover, cover_of, covers_of, variants_of
from reports.operations.reference import load_reference

__all__ = [
    "NotYourBoard",
    "boards_of",
    "build_is_running",
    "change_cover",
    "content_of",
    "cover_of",
    "covers_of",
    "current_content",
    "latest_build",
    "load_reference",
    "open_parts",
    "order_build",
    "order_due_reports",
    "variants_of",
]
