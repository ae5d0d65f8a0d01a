"""The colours of the pages, read from the theme that the set-up builds, so that paper and page are the same thing."""

import re
from functools import cache
from pathlib import Path

from django.conf import settings

ROLES = {
    "ink": "neutral-text-default",
    "soft": "neutral-text-subtle",
    "line": "neutral-border-subtle",
    "accent": "accent-text-subtle",
    "series": "accent-base-default",
    "other": "neutral-border-default",
}


@cache
def colours() -> dict[str, str]:
    """The light scheme's colours by role, as #rrggbb."""
    sheet = (Path(settings.BUILD_DIR) / "theme" / "collab4m.css").read_text()
    found: dict[str, str] = {}
    for name, value in re.findall(r"--ds-color-([\w-]+):\s*(#[0-9a-fA-F]{6})", sheet):
        found.setdefault(name, value.lower())  # the light scheme comes first
    return {role: found[token] for role, token in ROLES.items()}
