"""Places where a lower page shows what a higher app knows: a name, and the callables that fill it.

A slot gets all rows of the page at once, so that a page costs the same number of queries whatever it shows.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

_fillers: dict[str, list[Callable[..., Any]]] = defaultdict(list)


def fill(slot: str, filler: Callable[..., Any]) -> None:
    """Register `filler` for `slot`; called in `AppConfig.ready`."""
    if filler not in _fillers[slot]:
        _fillers[slot].append(filler)


def ask(slot: str, *args: Any, **kwargs: Any) -> list[Any]:
    """What every filler of `slot` answers, in the order they were registered."""
    return [filler(*args, **kwargs) for filler in _fillers[slot]]
