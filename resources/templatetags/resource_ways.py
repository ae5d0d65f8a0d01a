"""The ways between the pages about resources, for `resources/_ways.html`."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _

from resources.models import Booking, deputising
from resources.rules import keeps_something

register = template.Library()


@register.simple_tag
def resource_ways(user: Any) -> list[tuple[str, str, str]]:
    """Address, words and name of each page the reader may go to. At most two queries."""
    words = {"resources": _("Search"), "timeline": _("Timeline"), "bookings": _("Bookings")}
    keeps = keeps_something(user)
    if keeps or deputising(user).exists():
        waiting = Booking.objects.to_decide(user).count()
        words["to_decide"] = _("To decide (%(number)s)") % {"number": waiting} if waiting else _("To decide")
    if keeps:
        words["waiting_list"] = _("Waiting list")
        words["resource_new"] = _("Share a resource")
    return [(reverse(name), label, name) for name, label in words.items()]
