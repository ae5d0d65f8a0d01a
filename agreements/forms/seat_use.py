"""Input about the use of seats: how many were admitted to each covered leaf of an intake."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django import forms
from django.db import transaction
from django.forms import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agreements.operations import CoveredLeaf, SeatUseChanged, report_seat_use
from collab4m.errors import RuleBroken
from collab4m.forms import refuse
from collab4m.school_year import SchoolYear
from collab4m.tables import MOST_NUMBER
from organisations.forms.facts import text_field
from organisations.models import User


class SeatUseForm(forms.Form):
    """A number for each leaf, and one line on where the numbers are from. What is left as it was is not reported."""

    all_optional = True

    source_note = text_field(_("How do you know?"), max_length=500)

    def __init__(
        self, data: Any = None, *, leaves: Sequence[CoveredLeaf], own: Collection[int], intake: SchoolYear
    ) -> None:
        super().__init__(data)
        self.leaves, self.own, self.intake = leaves, own, intake
        self.saved, self.changed = 0, set[str]()
        for leaf in leaves:
            label = gettext("Admitted: %(what)s, from %(home)s to %(provider)s") % {
                "what": leaf.what, "home": leaf.home.name, "provider": leaf.covering.provider.name,
            }  # fmt: skip
            self.fields[leaf.key] = forms.IntegerField(
                label=label, min_value=0, max_value=MOST_NUMBER, required=False, initial=leaf.admitted,
                widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
            )  # fmt: skip
            self.fields[f"{leaf.key}-sedd"] = forms.CharField(
                required=False, widget=forms.HiddenInput, initial=leaf.seen
            )

    def rows(self) -> list[tuple[CoveredLeaf, BoundField, BoundField]]:
        return [(leaf, self[leaf.key], self[f"{leaf.key}-sedd"]) for leaf in self.leaves]

    def save(self, *, by: User) -> bool:
        """Report the numbers that were changed, all or none of them; what was refused stands at its field."""
        with transaction.atomic():
            for leaf in self.leaves:
                number, seen = self.cleaned_data[leaf.key], self.cleaned_data[f"{leaf.key}-sedd"]
                if number is None or str(number) == seen:
                    if number is None and seen:
                        self.add_error(leaf.key, gettext("Write how many were admitted. If nobody was, write 0."))
                    continue
                self._report(leaf, number, seen, by)
            if self.errors:
                transaction.set_rollback(True)
        return not self.errors

    def _report(self, leaf: CoveredLeaf, number: int, seen: str, by: User) -> None:
        body = leaf.home if leaf.home.pk in self.own else leaf.covering.provider
        try:
            report_seat_use(
                home=leaf.home, provider=leaf.covering.provider, programme=leaf.programme,
                orientation=leaf.orientation, intake=self.intake, admitted=number, seen=seen,
                source_note=self.cleaned_data["source_note"], by=by, on_behalf_of=body.body,
            )  # fmt: skip
        except SeatUseChanged as changed:
            self.add_error(leaf.key, str(changed))
            data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict, which cannot be changed
            data[f"{leaf.key}-sedd"] = str(changed.stands)
            self.data = data
        except RuleBroken as broken:
            refuse(self, broken)
        else:
            self.saved += 1
            self.changed.add(leaf.key)
