"""The one module that knows what time it is, in Europe/Stockholm."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

STOCKHOLM = ZoneInfo("Europe/Stockholm")


def now() -> datetime:
    """This moment, aware."""
    return timezone.now()


def today() -> date:
    """Today's date in Sweden."""
    return timezone.localdate()
