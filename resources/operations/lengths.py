"""How long something is, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def minutes_in_words(minutes: int) -> str:
    """So long: minutes, hours with minutes, or whole days."""
    if minutes % 1440 == 0 and minutes:
        days = minutes // 1440
        return ngettext("%(number)s day", "%(number)s days", days) % {"number": days}
    hours, rest = divmod(minutes, 60)
    long = ngettext("%(number)s hour", "%(number)s hours", hours) % {"number": hours}
    short = ngettext("%(number)s minute", "%(number)s minutes", rest) % {"number": rest}
    if hours and rest:
        return _("%(hours)s and %(minutes)s") % {"hours": long, "minutes": short}
    return long if hours else short


def hours_in_words(hours: int) -> str:
    """So long; in days when it is some whole ones."""
    if hours >= 72 and hours % 24 == 0:
        return ngettext("%(number)s day", "%(number)s days", hours // 24) % {"number": hours // 24}
    return ngettext("%(number)s hour", "%(number)s hours", hours) % {"number": hours}
