"""What an app's `portal.py` hands to the start page, the search page and the menu. Imports no app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

# As many as the search shows of each kind.
MOST_HITS = 50

Done = Literal["yes", "no", "unknown"]
_WORST_FIRST: tuple[Done, ...] = ("unknown", "no")


@dataclass(frozen=True, kw_only=True)
class Todo:
    """Something that waits for the reader: what, why, by when, and the one verb of its button."""

    title: str
    url: str
    why: str
    verb: str
    due: date | None = None
    for_body: str = ""  # named when the reader works for several


@dataclass(frozen=True, kw_only=True)
class Mandate:
    """How far one of the five mandates has come, and for which municipalities (by id) it is done."""

    number: int
    state: str
    next_step: str = ""
    url: str = ""
    done: Mapping[int, Done] = field(default_factory=dict)

    def followed_by(self, later: Mandate) -> Mandate:
        """One mandate of which two apps tell: the first lays the ground, `later` builds on it and is led to.

        A municipality has done its part when it has in both, and the next step is that of the first not done by all.
        """
        done: dict[int, Done] = {}
        for municipality in {**self.done, **later.done}:
            both = (self.done.get(municipality, "unknown"), later.done.get(municipality, "unknown"))
            done[municipality] = next((state for state in _WORST_FIRST if state in both), "yes")
        is_laid = all(state == "yes" for state in self.done.values())
        return Mandate(
            number=self.number,
            state=f"{self.state}. {later.state}",
            next_step=later.next_step if is_laid else self.next_step,
            url=later.url,
            done=done,
        )


@dataclass(frozen=True, kw_only=True)
class Date_:
    """A coming day that matters to the reader."""

    day: date
    title: str
    place: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class StartCards:
    todos: list[Todo] = field(default_factory=list)
    mandates: list[Mandate] = field(default_factory=list)
    dates: list[Date_] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Hit:
    """Something the search found. `kind` is the heading it stands under, such as "Schools"."""

    title: str
    url: str
    kind: str
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class NavItem:
    """A word in the main menu; current on every page whose address begins with `prefix`."""

    label: str
    url: str
    prefix: str
