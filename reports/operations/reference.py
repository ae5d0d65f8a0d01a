"""The reports that are asked for, and how boards write their memos, from the files that come with the portal."""

from __future__ import annotations

from pathlib import Path

from organisations.operations import Loaded, Table
from organisations.operations import load_reference as load_tables
from records.models import Source
from reports.models import MemoSection, Report
from reports.operations.building import open_parts

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
TABLES = (
    Table("sources", Source, ("publisher", "title", "year", "address")),
    Table("reports", Report, ("area", "title", "school_year", "due"), same=("area_id", "title"), told=True),
    Table("memo_sections", MemoSection, ("board", "section", "heading", "position"), same=("board_id", "section")),
)


def load_reference(*, history: bool = True) -> list[Loaded]:
    """Make the reports and the boards' memo sections what the files say. Needs the boards of `organisations`.

    All or nothing: raises BadReference, with file, line and column.
    """
    loaded = load_tables(REFERENCE, TABLES, history=history)
    for report in Report.objects.exclude(reference_key=None):
        open_parts(report)
    return loaded
