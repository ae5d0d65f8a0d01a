"""Input about an inventory in a file."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from collab4m.forms import ForBody
from collab4m.uploads import TableFileField


class InventoryForm(ForBody):
    """A file with what a body shares. The body is the owner of the rows that name none."""

    file = TableFileField(label=_("File"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if owner := self.fields.get("on_behalf_of"):
            owner.label = _("Whose are the resources?")
            owner.initial = next(iter(self.bodies))
            owner.help_text = _("Of rows that name no owner.")
            owner.error_messages["required"] = _("Choose whose the resources are.")
            self.order_fields(["on_behalf_of"])
