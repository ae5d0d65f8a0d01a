"""What an operation may answer instead of doing its work, and what is done when one of many fails."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import IntegrityError, InterfaceError, OperationalError, connection
from django.utils.translation import gettext_lazy as _

log = logging.getLogger(__name__)
Row = TypeVar("Row")


class RuleBroken(Exception):
    """A rule of the domain says no. `code` is for machines, the text for people; `field` names the input to blame."""

    code = "rule_broken"
    message = _("This cannot be done now.")

    def __init__(self, message: str | None = None, field: str | None = None) -> None:
        super().__init__(message or self.message)
        self.field = field

    def __str__(self) -> str:
        return str(self.args[0])

    @property
    def more(self) -> dict[str, Any]:
        """What programs are told besides, such as what could be had instead."""
        return {}


@contextmanager
def refused(**errors: Callable[[], RuleBroken]) -> Iterator[None]:
    """Turn what the database refuses into the error named for that constraint: `refused(claim_taken=SlotTaken)`."""
    try:
        yield
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if name in errors:
            raise errors[name]() from error
        raise


def each_by_itself(do: Callable[[Row], int], rows: Iterable[Row], *, named: Callable[[Row], str]) -> int:
    """What `do` answers for each row, summed. One that fails is logged, as `named`, and must not keep the others.

    Not in a transaction: `do` has its own. Raises only when the database no longer answers.
    """
    done = 0
    for row in rows:
        try:
            done += do(row)
        except Exception as error:
            if isinstance(error, (OperationalError, InterfaceError)) and not connection.is_usable():
                raise
            log.error("%s failed: %s", named(row), type(error).__name__)  # the text may name people
    return done
