"""Input about files: which one, for which school year, and which column holds what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from collab4m.forms import ForBody
from collab4m.school_year import SchoolYear
from collab4m.uploads import TableFileField
from programmes.models import FileImport, FileKind
from programmes.operations import Column


class FileForm(ForBody):
    """A file with offers or pupil flows."""

    school_year = forms.ChoiceField(label=_("School year"))
    file = TableFileField(label=_("File"))

    def __init__(self, *args: Any, years: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["school_year"].choices = years  # type: ignore[attr-defined]

    @property
    def year(self) -> SchoolYear:
        return SchoolYear.parse(self.cleaned_data["school_year"])


class ColumnsForm(forms.Form):
    """Which column of a file holds what."""

    all_optional = True  # said above the form: which must be chosen, and that the others may be left

    def __init__(
        self, data: Any = None, *, columns: Sequence[Column], headings: Sequence[str], known: Mapping[str, int]
    ) -> None:
        super().__init__(data)
        numbered = [(str(place), heading or gettext("column %(number)s") % {"number": place + 1})
                    for place, heading in enumerate(headings)]  # fmt: skip
        for column in columns:
            label = gettext("%(label)s (must be chosen)") % {"label": column.label} if column.required else column.label
            self.fields[column.name] = forms.ChoiceField(
                label=label,
                required=column.required,
                choices=[("", gettext("not in the file")), *numbered],
                initial=str(known[column.name]) if column.name in known else "",
                error_messages={
                    "required": gettext("Choose the column that holds “%(label)s”.") % {"label": column.label}
                },
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        taken: dict[str, str] = {}
        for name, place in list(cleaned.items()):
            if place and place in taken:
                self.add_error(name, gettext("The column is already chosen above. Choose another one."))
            taken.setdefault(place, name)
        return cleaned

    def places(self) -> dict[str, int]:
        return {name: int(place) for name, place in self.cleaned_data.items() if place}


class ConfirmForm(forms.Form):
    """The last word before a file's rows are written."""

    complete = forms.BooleanField(
        label=_("This is the whole offer of the schools in the file"),
        required=False,
        help_text=_("What the file does not name is then shown as not offered, and rows that it leaves out go."),
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, file: FileImport, seen: str = "") -> None:
        super().__init__(data, initial={"seen": seen})
        if file.kind != FileKind.OFFERINGS:
            del self.fields["complete"]
