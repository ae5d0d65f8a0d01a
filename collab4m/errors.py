"""What an operation may answer instead of doing its work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _


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
