"""Input about pictures."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from organisations.forms.facts import text_field
from resources.operations.pictures import LONGEST_ALT


class PictureFileField(forms.FileField):
    """A picture of at most UPLOAD_BYTES. What its bytes are is judged by whoever keeps it."""

    widget = forms.FileInput(attrs={"accept": ".jpg,.jpeg,.png,.webp"})
    default_error_messages = dict.fromkeys(
        ("required", "missing", "invalid"), _("Choose a picture in the format JPEG, PNG or WebP.")
    )

    def to_python(self, data: Any) -> Any:
        if data in self.empty_values:
            return None
        if not data.size:
            raise forms.ValidationError(gettext("The file is empty. Choose another one."), code="refused")
        if data.size > settings.UPLOAD_BYTES:
            most = settings.UPLOAD_BYTES // 1_000_000
            message = gettext("The picture is larger than %(most)s MB. Save it smaller.") % {"most": most}
            raise forms.ValidationError(message, code="refused")
        return super().to_python(data)


def _alt() -> forms.CharField:
    return text_field(
        _("What does the picture show?"),
        _("Write what the picture shows, for those who do not see it."),
        max_length=LONGEST_ALT,
        help_text=_("For those who do not see it. For example: White minibus from the side, with a tow bar."),
    )


class PictureForm(forms.Form):
    """A new picture."""

    picture = PictureFileField(
        label=_("Picture"),
        help_text=_("JPEG, PNG or WebP, at most 20 MB. No person may be recognised in it."),
    )
    alt = _alt()


class AltForm(forms.Form):
    """Other words for a picture."""

    alt = _alt()
