"""The texts and fronts of a report, for tests."""

from records.models import Part
from reports.models import Cover, Report
from reports.operations import change_cover

EMPTY = {"case_number": "", "day": None, "official": "", "decision_points": "", "send_to": ""}


def part(report: Report, key: str) -> Part:
    return Part.objects.about(report).get(key=key)


def fill_in(report: Report, board, by, **facts) -> Cover:
    """Fill in a board's front on its municipality's behalf."""
    return change_cover(report, board, **{**EMPTY, **facts}, by=by, on_behalf_of=board.municipality.body)
