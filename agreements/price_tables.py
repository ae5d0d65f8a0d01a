"""Price lists and statements as tables for CSV and XLSX, with the source of every figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from agreements.models import PriceList, StatementLine
from agreements.operations import PRICE_COLUMNS, edition_in_words, is_disputed, why_in_words
from programmes.models import PupilFlow

Row = list[Any]


def price_headings() -> list[str]:
    """Those that an import reads come first, so that a list may be taken out, changed and published anew."""
    return [
        *(str(column.label) for column in PRICE_COLUMNS), _("Price list"), _("Kind of price"), _("Whose"),
        _("Calendar year"), _("Edition"), _("Meals included"), pgettext("heading", "VAT included"), _("Source"),
        _("Checked"), _("Example"),
    ]  # fmt: skip


def price_rows(price_list: PriceList, rows: Iterable[Any]) -> Iterator[Row]:
    for row in rows:
        orientation = row.orientation
        yield [
            row.programme.code, (orientation.code or "") if orientation else "",
            orientation.name if orientation else "", row.label, row.sek_per_pupil_year, str(price_list),
            str(price_list.get_kind_display()), str(price_list.municipality or price_list.area or ""),
            price_list.year, price_list.number, price_list.incl_meals, price_list.incl_vat,
            source_in_words(price_list), price_list.verified, price_list.example,
        ]  # fmt: skip


def source_in_words(fact: Any) -> str:
    """Where a fact is from, in one line."""
    parts = [str(fact.source) if fact.source else "", str(fact.get_came_in_display()), fact.source_note]
    return ". ".join(part for part in parts if part)


def statement_headings() -> list[str]:
    return [
        _("Home municipality"), _("Municipality where they study"), _("Programme code"), _("Programme"), _("Pupils"),
        _("Source of the pupils"), _("Price per pupil and year, SEK"), _("Kind of price"), _("Meals included"),
        pgettext("heading", "VAT included"), _("Price list"), _("Why this price"), _("Amount for the semester, SEK"),
        _("Disputed"), _("Example"),
    ]  # fmt: skip


def statement_rows(lines: Iterable[StatementLine], flows: dict[int, PupilFlow]) -> Iterator[Row]:
    """A line that has no price yet has no amount, and is in no sum."""
    for line in lines:
        flow = flows.get(line.flow_key)
        yield [
            line.home.name, line.provider.name, line.programme.code, line.programme.name, line.pupils,
            source_in_words(flow) if flow else line.flow_source, line.price_sek,
            str(line.get_price_kind_display()) if line.price_kind else "", line.incl_meals, line.incl_vat,
            edition_in_words(line.price_row.price_list) if line.price_row else "", why_in_words(line), line.amount_sek,
            is_disputed(line), line.example,
        ]  # fmt: skip
