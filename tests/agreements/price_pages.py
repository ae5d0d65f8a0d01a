"""The addresses of price lists and compensation, and what each role meets there."""

from __future__ import annotations

from typing import Any

from agreements.operations import lines_of
from tests.agreements.price_stories import a_locked_statement, a_ready_statement, a_statement, own_cost, programme_of
from tests.pages import Page


def of_list(home: Any, neighbour: Any) -> list[Any]:
    return [own_cost(home, (programme_of("BA", "Bygg- och anläggningsprogrammet"), "137000")).pk]


def with_list(home: Any, neighbour: Any) -> list[Any]:
    of_list(home, neighbour)
    return []


def of_list_as_csv(home: Any, neighbour: Any) -> list[Any]:
    return [*of_list(home, neighbour), "csv"]


def with_statement(home: Any, neighbour: Any) -> list[Any]:
    a_statement(home, neighbour)
    return []


def of_statement(home: Any, neighbour: Any) -> list[Any]:
    return [a_statement(home, neighbour).pk]


def of_ready_statement(home: Any, neighbour: Any) -> list[Any]:
    return [a_ready_statement(home, neighbour).pk]


def of_locked_statement(home: Any, neighbour: Any) -> list[Any]:
    return [a_locked_statement(home, neighbour).pk]


def of_statement_as_csv(home: Any, neighbour: Any) -> list[Any]:
    return [a_statement(home, neighbour).pk, "csv"]


def of_line(home: Any, neighbour: Any) -> list[Any]:
    """The line with several prices to choose from."""
    statement = a_statement(home, neighbour)
    return [statement.pk, next(line.pk for line in lines_of(statement) if line.is_open)]


def of_disputed_line(home: Any, neighbour: Any) -> list[Any]:
    statement = a_statement(home, neighbour)
    return [statement.pk, next(line.pk for line in lines_of(statement) if line.home_id == neighbour.pk)]


ADMINISTRATORS = {"owner": 200, "asker": 200, "outsider": 200}
THE_TWO = {"owner": 200, "asker": 200, "committee": 200}
WORK = {"owner": 200, "asker": 200, "committee": 403}
SEMESTER = {"lasar": "2022-23", "termin": "HT"}

PRICE_PAGES = [
    Page("price_lists", args=with_list),
    Page("price_lists", args=with_list, query="?slag=own_list&ar=2022&vem=x"),
    Page("price_list", args=of_list),
    Page("price_list_file", args=of_list_as_csv, draws=False),
    Page("price_list_new", everyone=403, status=ADMINISTRATORS),
    Page("price_list_write", everyone=403, status=ADMINISTRATORS),
    Page("statements", args=with_statement, everyone=404, status={**THE_TWO, "outsider": 200}),
    Page(
        "statements_make_all", method="post", data={"omrade": "4m", **SEMESTER}, draws=False, everyone=403,
        args=with_statement, status={"owner": 302, "asker": 302},
    ),
    Page(
        "statement_make", method="post", data={"ena": "0381", "andra": "1980", **SEMESTER}, draws=False, everyone=403,
        args=with_statement, status={"owner": 302, "asker": 302, "outsider": 404},
    ),
    Page("statement", args=of_statement, everyone=404, status=THE_TWO),
    Page("statement", args=of_locked_statement, query="?last", everyone=404, status=THE_TWO),
    Page("statement_file", args=of_statement_as_csv, draws=False, everyone=404, status=THE_TWO),
    Page("statement_line", args=of_line, everyone=404, status=WORK),
    Page("statement_line", args=of_disputed_line, query="?invand", everyone=404, status=WORK),
    Page("statement_lock", args=of_ready_statement, everyone=404, status=WORK),
]  # fmt: skip

CLOSED = {"anonymous": 401}
API_WORK = {**CLOSED, "owner": 400, "asker": 400, "committee": 403}

PRICE_API_PAGES = [
    Page("api-price-list-list", args=with_list, status=CLOSED, draws=False),
    Page("api-price-list-detail", args=of_list, status=CLOSED, draws=False),
    Page("api-statement-list", args=with_statement, status=CLOSED, draws=False),
    Page("api-statement-detail", args=of_statement, everyone=404, status={**CLOSED, **THE_TWO}, draws=False),
    Page("api-statement-candidates", args=of_line, everyone=404, status={**CLOSED, **WORK}, draws=False),
    Page("api-statement-choose-price", args=of_statement, method="post", everyone=404, status=API_WORK, draws=False),
    Page("api-statement-dispute", args=of_statement, method="post", everyone=404, status=API_WORK, draws=False),
    Page("api-statement-settle", args=of_statement, method="post", everyone=404, status=API_WORK, draws=False),
    Page(
        "api-statement-lock", args=of_ready_statement, method="post", everyone=404, draws=False,
        status={**CLOSED, "owner": 200, "asker": 409, "committee": 403},
    ),
]  # fmt: skip
