"""Every address of the portal, and what each role meets there. Apps add theirs in `tests/<app>/pages.py` as `PAGES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

ROLES = [
    "anonymous",
    "owner",
    "asker",
    "outsider",
    "principal",
    "committee",
    "council_member",
    "roleless",
    "system_administrator",
]
APPS = ["collab4m", "organisations", "programmes", "agreements", "resources", "reports", "records", "api"]


@dataclass(frozen=True)
class Page:
    """An address by its name. `args` makes its arguments from the fixtures it names as parameters.

    `status` holds what a role meets; `everyone` what the others who are logged in meet; anonymous readers are sent to
    log in unless it says otherwise. A page that only takes POST is met with one: `method="post"`, `data` for its form.
    """

    name: str
    args: Callable[..., list[Any]] = lambda: []
    everyone: int = 200
    status: Mapping[str, int] = field(default_factory=dict)
    query: str = ""
    method: str = "get"
    data: Mapping[str, Any] = field(default_factory=dict)
    draws: bool = True  # whether it is a page to be looked at: axe and 320 px

    def expected(self, role: str) -> int:
        return self.status.get(role, 302 if role == "anonymous" else self.everyone)


def all_pages() -> list[Page]:
    """The apps' tables together."""
    pages: list[Page] = []
    for app in APPS:
        if find_spec(f"tests.{app}.pages"):
            pages += import_module(f"tests.{app}.pages").PAGES
    return pages


def names(patterns: list[Any] | None = None) -> Iterator[str]:
    """The names of all addresses but those of Django's admin, which follow from the models and are tested apart."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                yield from names(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            assert pattern.name, f"{pattern.pattern} has no name"
            yield pattern.name
