"""Settings from the environment, read by helpers that fail loudly."""

import os

from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def text(name: str, default: str | None = None) -> str:
    """The variable's text, or the content of the file that `<name>_FILE` points to.

    Raises ImproperlyConfigured if neither is set and there is no default.
    """
    if file := os.environ.get(f"{name}_FILE"):
        try:
            with open(file, encoding="utf-8") as handle:
                return handle.read().strip()
        except OSError as error:
            reason = f"{name}_FILE points to {file!r}, which cannot be read: {error.strerror}."
            raise ImproperlyConfigured(reason) from error
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"Set the environment variable {name} or {name}_FILE; see docs/operations.md.")
    return value


def flag(name: str, default: bool) -> bool:
    """True or False; raises ImproperlyConfigured for anything that is neither."""
    value = text(name, str(int(default))).strip().lower()
    if value in TRUE | FALSE:
        return value in TRUE
    raise ImproperlyConfigured(f"{name} is {value!r}: write 1 or 0.")


def number(name: str, default: int, least: int = 0) -> int:
    """A whole number of at least `least`; raises ImproperlyConfigured for anything else."""
    value = text(name, str(default))
    if value.strip().isdecimal() and int(value) >= least:
        return int(value)
    raise ImproperlyConfigured(f"{name} is {value!r}: write a whole number of at least {least}.")


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list, without empty parts."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]
