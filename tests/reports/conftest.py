"""A report with boards of two municipalities."""

import pytest

from reports.models import Report
from reports.operations import open_parts
from tests.factories import BoardFactory, ReportFactory


@pytest.fixture
def board(home):
    """The board of `owner` and `committee`."""
    return BoardFactory(municipality=home, name="utbildningsnämnden", case_number_pattern="UAN{år}/{nr}")


@pytest.fixture
def neighbour_board(neighbour):
    return BoardFactory(municipality=neighbour, name="skolnämnden")


@pytest.fixture
def report(area, board, neighbour_board) -> Report:
    made = ReportFactory(area=area)
    open_parts(made)
    return made
