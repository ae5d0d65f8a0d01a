"""Input about what a school offers: a row for each programme and orientation, and what holds for the whole report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from collab4m.forms import ForBody
from collab4m.swedish import swedish_key
from collab4m.tables import whole_number
from collab4m.templatetags.shell import capital
from organisations.forms.facts import checked_field, text_field
from organisations.forms.people import DayField
from programmes.models import FIGURES, Answer, Offering, OfferingReport, Orientation, Programme, ProgrammeKind
from programmes.operations import Catalogue, Intake, IntakeRefused, ReportedMeanwhile
from programmes.operations.offer import KIND_ORDER

Key = tuple[int, int | None]


@dataclass
class RowInput:
    """A programme or an orientation in the form: what is typed, what is wrong, and what stood last year."""

    programme: Programme
    orientation: Orientation | None
    answer: str = ""
    typed: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    carried: bool = False  # carried forward from last year's report
    stands: str = ""  # what somebody else has saved meanwhile, where that differs

    @property
    def key(self) -> Key:
        return self.programme.pk, self.orientation.pk if self.orientation else None

    @property
    def name(self) -> str:
        return f"rad-{self.programme.pk}-{self.orientation.pk if self.orientation else 0}"

    @property
    def label(self) -> str:
        return f"{self.programme.code} {self.orientation.name}" if self.orientation else str(self.programme)

    @property
    def cells(self) -> list[tuple[str, str, str, str]]:
        """Field, its label, what is typed and what is wrong, for each figure."""
        return [
            (name, capital(label), self.typed.get(name, ""), self.wrong.get(name, ""))
            for name, label in zip(FIGURES, figure_labels(), strict=True)
        ]

    @property
    def is_touched(self) -> bool:
        return bool(self.answer or any(self.typed.values()))


@dataclass
class ProgrammeRows:
    """A programme's row and those of its orientations."""

    whole: RowInput
    parts: list[RowInput]

    @property
    def controls(self) -> str:
        """The ids of the rows that open and close."""
        return " ".join(row.name for row in self.parts)

    @property
    def is_open(self) -> bool:
        """Whether the orientations are to be seen from the start: somebody has said something of one, or must."""
        return any(row.is_touched or row.wrong or row.stands for row in self.parts)


class ReportForm(forms.Form):
    """What holds for the whole report. The rows are read and drawn by hand: there are hundreds of fields."""

    as_of = DayField(label=_("The figures are as of"), required=False)
    source_note = text_field(
        _("How do you know?"), max_length=500, help_text=_("For example the admission system or the principal.")
    )
    complete = forms.BooleanField(
        label=_("This is our whole offer"),
        required=False,
        help_text=_("What you have not answered is then shown as not offered. Without the tick it stays open."),
    )
    checked = checked_field()
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any = None,
        *,
        catalogue: Catalogue,
        rows: Mapping[Key, Intake],
        report: OfferingReport | None,
        seen: str,
        carried: Iterable[Intake] = (),
    ) -> None:
        days = [row.as_of for row in rows.values() if row.as_of]
        initial = {
            "as_of": max(days) if days else None,
            "source_note": report.source_note if report else "",
            "complete": report.complete if report else False,
            "checked": report.verified if report else False,
            "seen": seen,
        }
        super().__init__(data, initial=initial)
        self.catalogue = catalogue
        known = dict(rows) or {row.key: row for row in carried}
        self.groups = self._rows(known, is_carried=not rows)
        if data is not None:
            for row in self.all_rows():
                row.answer = data.get(f"{row.name}-svar", "") if data.get(f"{row.name}-svar") in ("ja", "nej") else ""
                row.typed = {name: data.get(f"{row.name}-{name}", "").strip()[:20] for name in FIGURES}
                row.carried = False

    def _rows(self, known: Mapping[Key, Intake], is_carried: bool) -> list[tuple[str, list[ProgrammeRows]]]:
        groups: dict[str, list[ProgrammeRows]] = {}
        order = sorted(
            self.catalogue.programmes.values(), key=lambda one: (KIND_ORDER[one.kind], swedish_key(one.name_sv))
        )
        for programme in order:
            orientations = [self.catalogue.orientations[pk] for pk in self.catalogue.of_programme[programme.pk]]
            parts = [
                _filled(RowInput(programme, orientation), known, is_carried)
                for orientation in sorted(orientations, key=lambda one: swedish_key(one.name_sv))
            ]
            whole = _filled(RowInput(programme, None), known, is_carried)
            groups.setdefault(ProgrammeKind(programme.kind).plural, []).append(ProgrammeRows(whole, parts))
        return list(groups.items())

    def all_rows(self) -> list[RowInput]:
        return [row for _kind, rows in self.groups for one in rows for row in (one.whole, *one.parts)]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.intakes: list[Intake] = []
        for row in self.all_rows():
            figures: dict[str, Any] = {name: self._figure(row, name) for name in FIGURES}
            says_something = any(value is not None for value in figures.values())
            if says_something and not row.answer:
                row.answer = "ja"  # whoever writes figures says that it is there
            if row.answer:
                as_of = cleaned.get("as_of") if says_something else None
                self.intakes.append(Intake(*row.key, offered=row.answer == "ja", as_of=as_of, **figures))
        try:
            if not any(row.wrong for row in self.all_rows()):
                self.catalogue.check(self.intakes)
        except IntakeRefused as refused:
            self.blame(refused)
        if any(row.wrong for row in self.all_rows()):
            raise forms.ValidationError("", code="rows")  # the rows say themselves what is wrong
        return cleaned

    def _figure(self, row: RowInput, name: str) -> int | None:
        try:
            return whole_number(row.typed[name])
        except ValueError as error:
            row.wrong[name] = str(error)
            return None

    def blame(self, refused: IntakeRefused) -> None:
        """Put what an operation answered at the row that is to blame."""
        row = next((row for row in self.all_rows() if row.key == refused.key), None)
        if row is None:
            self.add_error(None, str(refused))
        else:
            row.wrong["svar"] = str(refused)

    def show_what_stands(self, meanwhile: ReportedMeanwhile) -> None:
        """Tell what stands now in each row that differs, and let the next save go through."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict, which cannot be changed
        data["seen"] = meanwhile.seen
        self.data = data
        wanted = {intake.key: intake for intake in self.intakes}
        for row in self.all_rows():
            now = meanwhile.now.get(row.key)
            if now != wanted.get(row.key):
                row.stands = in_words(now)
        self.add_error(None, str(meanwhile))

    def non_field_errors(self) -> Any:
        """Without the empty one that only says that a row is wrong."""
        errors = [str(text) for text in super().non_field_errors() if text]
        return self.error_class(errors, renderer=self.renderer)

    @property
    def row_errors(self) -> list[dict[str, str]]:
        """What is wrong in the rows, for the summary above the form, with the field each leads to."""
        found = []
        for row in self.all_rows():
            for name, text in row.wrong.items():
                target = f"{row.name}-ja" if name == "svar" else f"{row.name}-{name}"
                found.append({"text": text if name == "svar" else f"{row.label}: {text}", "target": target})
        return found


def _filled(row: RowInput, known: Mapping[Key, Intake], is_carried: bool) -> RowInput:
    intake = known.get(row.key)
    if intake:
        row.answer = "ja" if intake.offered else "nej"
        row.typed = {name: str(value) for name in FIGURES if (value := getattr(intake, name)) is not None}
        row.carried = is_carried
    return row


def figure_labels() -> list[str]:
    return [str(Offering._meta.get_field(name).verbose_name) for name in FIGURES]  # type: ignore[union-attr]


def in_words(intake: Intake | None) -> str:
    """What a row says: "offered, 24 seats"."""
    if intake is None:
        return gettext("not answered")
    words = [str((Answer.OFFERED if intake.offered else Answer.NOT_OFFERED).label)]
    for name, label in zip(FIGURES, figure_labels(), strict=True):
        if (value := getattr(intake, name)) is not None:
            words.append(f"{value} {label}")
    return ", ".join(words)


class DeadlineForm(ForBody):
    """The day by which an area's members are to have reported."""

    last_day = DayField(label=_("Last day to report"))


class RemindForm(ForBody):
    """For whom one reminds, when one works for several."""
