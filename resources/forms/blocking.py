"""Input about blockings: when and why, and that what stands in the way has been seen."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from organisations.forms.facts import text_field
from resources.forms.deciding import IdsField
from resources.forms.spans import SpanForm
from resources.models import Blocking


class BlockForm(SpanForm):
    """When nobody may have the resource, and why. `seen`: the bookings that the owner was shown."""

    reason = text_field(
        _("Why"),
        _("Write why, such as service. Everyone reads it."),
        max_length=Blocking._meta.get_field("reason").max_length,
        help_text=_("For example service. Everyone who looks at the resource reads it."),
    )
    seen = IdsField(required=False)
    field_order = ("first_day", "begins", "last_day", "ends", "reason")
