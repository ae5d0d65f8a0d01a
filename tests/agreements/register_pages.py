"""The register of agreements: open to all who are logged in, with what each of them may see."""

from typing import Any

from tests.agreements.stories import building, draft, on_referral, signed
from tests.pages import Page


def registered(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    """One that is signed, one on referral and a draft."""
    programme = building()
    signed(draft(area, [home, neighbour], owner, programme=programme))
    on_referral(draft(area, [home, neighbour], owner, programme=programme, title="El och energi"))
    draft(area, [neighbour, home], asker, programme=programme, title="Naturbruk")
    return []


def as_file(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [*registered(area, home, neighbour, owner, asker), "csv"]


REGISTER_PAGES = [
    Page("agreements", query="?tom"),
    Page("agreements", args=registered),
    Page("agreements", args=registered, query="?vy=tidslinje"),
    Page("agreements", args=registered, query="?q=finns+inte"),
    Page("agreements_file", args=as_file, draws=False),
]
