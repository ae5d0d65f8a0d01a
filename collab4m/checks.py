"""System checks: what would make the portal ugly, unsafe or dead, each with what to do about it."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError

LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
DEMO_PASSWORD = "fyra-malarstader"  # what the README tells everyone


@register
def built_files(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The theme, the fonts and the design system are made by the set-up, not kept in the repository."""
    needed = {
        "the theme": settings.BUILD_DIR / "theme/collab4m.css",
        "the fonts": settings.BUILD_DIR / "font/400.css",
        "the design system": settings.NODE_MODULES / "@digdir/designsystemet-css/dist/src/index.css",
    }
    return [
        Warning(
            f"{what[0].upper()}{what[1:]} is missing: {path}",
            hint="Run `make setup`, which builds it.",
            id="collab4m.W001",
        )
        for what, path in needed.items()
        if not path.is_file()
    ]


@register
def site_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Mail holds links made from SITE_URL, so it must be a whole address."""
    url = urlsplit(settings.SITE_URL)
    if url.scheme not in {"http", "https"} or not url.hostname or url.path:
        hint = "Write the whole address without a path, such as https://portal.example.se."
        return [Error(f"SITE_URL is {settings.SITE_URL!r}.", hint=hint, id="collab4m.E001")]
    return []


@register(Tags.security, deploy=True)
def https(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.SECURE or urlsplit(settings.SITE_URL).hostname in LOCAL_HOSTS:
        return []
    hint = "Set SITE_URL to an https:// address; cookies, redirects and HSTS follow from it."
    return [Error("People would log in over an open connection.", hint=hint, id="collab4m.E002")]


@register(Tags.database, deploy=True)
def demo_people(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """The demonstration's people, with the password that everyone knows, must not be open to the world."""
    if not databases or urlsplit(settings.SITE_URL).hostname in LOCAL_HOSTS or settings.DEMO_PASSWORD != DEMO_PASSWORD:
        return []
    from organisations.models import User

    try:
        known = User.objects.filter(example=True, is_active=True).exists()
    except DatabaseError:
        return []
    hint = "Run `manage.py remove_demo`, or set DEMO_PASSWORD and load the demonstration again."
    return (
        [Warning("The demonstration's people have the known password.", hint=hint, id="collab4m.W002")] if known else []
    )
