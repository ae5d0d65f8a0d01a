"""Input about signing: by whom and how, in which order, and what is handed out of a case."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agreements.models import Disclosure, Party, SignatureRequest
from collab4m.forms import ForBody
from collab4m.uploads import DocumentFileField
from organisations.forms.facts import number_field, text_field
from organisations.forms.people import DayField
from organisations.models import Body
from records.models import SignOff


class SignForm(ForBody):
    """Who signs for which party. `content_sha256` is what the page showed."""

    content_sha256 = forms.CharField(max_length=64, widget=forms.HiddenInput)
    signed_as = text_field(
        _("Who signs, by office"),
        _("Write who signs, by office, such as the chair of the board."),
        max_length=SignOff._meta.get_field("signed_as").max_length,
        help_text=_("Such as: chair of the education board. It stands in the signed document."),
    )
    sure = forms.BooleanField(error_messages={"required": _("Tick that you know what the signature means.")})

    sure_label = _("I sign for my municipality, with the right to do so. I know that it cannot be undone.")

    def __init__(self, *args: Any, bodies: Iterable[Body], **kwargs: Any) -> None:
        super().__init__(*args, bodies=bodies, **kwargs)
        self.fields["sure"].label = self.sure_label
        self.order_fields(["content_sha256", "on_behalf_of", "signed_as", "email", "day", "document", "sure"])


class PaperForm(SignForm):
    """What was signed on paper, with the scan that shows it."""

    day = DayField(label=_("Day on the paper"), error_messages={"required": _("Write the day on the paper.")})
    document = DocumentFileField(
        label=_("The signed page, scanned"),
        help_text=_("PDF, PNG or JPEG, at most 20 MB. The checksum above must be readable on it."),
    )

    sure_label = _("The paper is signed for my municipality, and the scan shows it. I know that it cannot be undone.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("document") and self.errors:
            self.add_error("document", gettext("Choose the file again: browsers do not keep it."))
        return cleaned


class ServiceForm(SignForm):
    """Whom the signing service is to ask."""

    email = forms.EmailField(
        label=_("The signatory's e-mail address"),
        max_length=SignatureRequest._meta.get_field("email").max_length,
        help_text=_("The signing service sends its request there."),
    )

    sure_label = _("The one I name may sign for my municipality. A signature in the service cannot be undone.")


class OrderForm(forms.Form):
    """The parties' places in the order of signing."""

    def __init__(self, *args: Any, parties: Iterable[Party], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = list(parties)
        for party in rows:
            what_to_do = _("Write a place from 1 to %(most)s for each party.") % {"most": len(rows)}
            self.fields[f"plats-{party.municipality_id}"] = number_field(
                party.municipality.name, what_to_do, len(rows), initial=party.signing_order
            )

    def order(self) -> dict[int, int]:
        return {int(name.removeprefix("plats-")): place for name, place in self.cleaned_data.items()}


class DisclosureForm(ForBody):
    """`seen` is a sum of what the page showed."""

    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)
    note = text_field(
        _("Note for the log"),
        max_length=Disclosure._meta.get_field("note").max_length,
        help_text=_("Such as how it is handed out. Never write who asks, or why: that may not be asked."),
    )
    sure = forms.BooleanField(
        label=_("I have assessed secrecy in every document on the list, and they may be handed out."),
        error_messages={"required": _("Assess secrecy first, and tick that you have.")},
    )

    def __init__(self, *args: Any, bodies: Iterable[Body], **kwargs: Any) -> None:
        super().__init__(*args, bodies=bodies, **kwargs)
        self.order_fields(["seen", "on_behalf_of", "note", "sure"])

    def show(self, seen: str) -> None:
        """The page now shows what has this sum, whatever was sent."""
        self.initial["seen"] = seen
        if self.is_bound:
            data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict, which cannot be changed
            data["seen"] = seen
            self.data = data
