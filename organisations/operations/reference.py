"""The reference facts shipped with the portal: read from CSV files, loaded as often as one likes."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext_lazy as _

from collab4m.clock import today
from collab4m.errors import RuleBroken
from organisations.models import (
    Board,
    Body,
    BodyKind,
    CollaborationArea,
    GlossaryEntry,
    Membership,
    Municipality,
    Provider,
    School,
    Site,
    TravelTime,
)
from records.models import CameIn, Event, Source, Sourced, span
from records.operations import differences

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
_LOADING = 4_041_201  # names the lock under which one loader at a time works


class BadReference(RuleBroken):
    """A reference file cannot be used; says which file, line and column."""

    code = "bad_reference"

    def __init__(self, file: str, line: int | None = None, column: str = "", why: Any = "") -> None:
        place = ", ".join(
            str(part)
            for part in (
                file,
                line and _("line %(line)s") % {"line": line},
                column and _("column %(column)s") % {"column": column},
            )
            if part
        )
        super().__init__(f"{place}: {why}")


@dataclass
class Loaded:
    """What one file led to. `left`: rows that people have taken over, which the loader leaves alone."""

    file: str
    created: int = 0
    changed: int = 0
    ended: int = 0
    left: int = 0
    rows: int = 0


@dataclass(frozen=True)
class Table:
    """A file, the model it fills, and what tells a row that is there already, made by someone else."""

    file: str
    model: type[models.Model]
    columns: tuple[str, ...]
    key: str = "key"
    same: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()  # the same, whichever way round they stand
    many: Mapping[str, str] = field(default_factory=dict)  # column of keys -> many-to-many field
    bare: bool = False  # the portal's own words: no source, no days
    told: bool = False  # what happens to its rows is told in their history
    drops: bool = False  # a row without days that is no longer in the file is deleted; nothing refers to it

    def file_columns(self) -> list[str]:
        key = [] if self.key in self.columns else [self.key]
        valid = ["first_day", "last_day"] if _has(self.model, "valid") and not self.bare else []
        return [*key, *self.columns, *self.many, *valid, *self.source_columns()]

    def source_columns(self) -> list[str]:
        return ["source", "source_note", "verified"] if issubclass(self.model, Sourced) and not self.bare else []


TABLES = (
    Table("sources", Source, ("publisher", "title", "year", "address")),
    Table("areas", CollaborationArea, ("slug", "name", "short_name"), same=("slug",), told=True),
    Table(
        "municipalities", Municipality, ("code", "name", "full_name", "county"), key="code", same=("code",), told=True
    ),
    Table("providers", Provider, ("name", "kind", "municipality"), same=("name",), told=True),
    Table(
        "sites",
        Site,
        ("municipality", "name", "address", "latitude", "longitude"),
        same=("municipality_id", "name"),
        told=True,
    ),
    Table(
        "schools",
        School,
        ("municipality", "name", "provider", "school_unit_code", "status"),
        same=("municipality_id", "name"),
        many={"sites": "sites"},
        told=True,
    ),
    Table(
        "boards",
        Board,
        (
            "municipality",
            "name",
            "administration",
            "memo_head",
            "case_number_pattern",
            "case_number_example",
        ),
        same=("municipality_id", "name"),
        told=True,
    ),
    Table(
        "memberships",
        Membership,
        ("area", "municipality", "position", "mark", "colour"),
        same=("area_id", "municipality_id"),
    ),
    Table(
        "travel_times",
        TravelTime,
        ("origin", "destination", "mode", "minutes"),
        same=("mode",),
        ends=("origin_id", "destination_id"),
    ),
    Table("glossary", GlossaryEntry, ("name", "name_en", "code_name", "meaning"), same=("name",), bare=True),
)


@transaction.atomic
def load_reference(folder: Path = REFERENCE, tables: Iterable[Table] = TABLES, *, history: bool = True) -> list[Loaded]:
    """Make the reference facts in the database what the files say; a second time changes nothing.

    Another app hands in its own folder and tables; their rows may refer to what is loaded already.

    Touches only rows that nobody has taken over (`came_in=reference`). A row no longer in its file ends today, and
    comes back with it; nothing is deleted. `history` is False when rows only become again what history says they are.
    All or nothing: raises BadReference, with file, line and column.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOADING])
    loader = _Loader(folder, history)
    return [loader.load(table) for table in tables]


class _Loader:
    def __init__(self, folder: Path, history: bool) -> None:
        self.folder = folder
        self.history = history
        self.ids: dict[type[models.Model], dict[str, int]] = {}  # model -> reference key -> id
        self.looked_up: set[type[models.Model]] = set()  # models whose earlier rows are among the ids

    def load(self, table: Table) -> Loaded:
        loaded = Loaded(table.file)
        wanted = dict(self.read(table))
        loaded.rows = len(wanted)
        try:
            with transaction.atomic():
                there = self._there(table, wanted)
                happened = _Happened(table)
                rows = self._write(table, wanted, there, loaded, happened)
                self._write_many(table, wanted, rows, happened)
                if self.history:
                    happened.write()
        except IntegrityError as error:
            diag = getattr(error.__cause__, "diag", None)
            why = _("the database refuses a row (%(constraint)s): %(detail)s") % {
                "constraint": getattr(diag, "constraint_name", ""),
                "detail": getattr(diag, "message_detail", "") or error,
            }
            raise BadReference(f"{table.file}.csv", why=why) from error
        self.ids.setdefault(table.model, {}).update({key: row.pk for key, row in rows.items()})
        if table.model is not Source:  # of which every app has a file of its own
            self.looked_up.add(table.model)
        return loaded

    # Reading

    def read(self, table: Table) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each row's key and what its columns say, as the model's attributes."""
        name = f"{table.file}.csv"
        try:
            text = (self.folder / name).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise BadReference(name, why=error) from error
        lines = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        expected = table.file_columns()
        if sorted(lines.fieldnames or []) != sorted(expected):
            raise BadReference(name, 1, why=_("the columns must be %(columns)s") % {"columns": ", ".join(expected)})
        seen: dict[str, int] = {}
        while True:
            try:
                cells = next(lines, None)
            except csv.Error as error:
                raise BadReference(name, lines.line_num, why=error) from error
            if cells is None:
                return
            line = lines.line_num
            if None in cells or None in cells.values():
                raise BadReference(name, line, why=_("the row has too many or too few columns"))
            key = cells[table.key]
            if not key:
                raise BadReference(name, line, table.key, _("the key is missing"))
            if key in seen:
                raise BadReference(
                    name, line, table.key, _("“%(key)s” is also in line %(line)s") % {"key": key, "line": seen[key]}
                )
            seen[key] = line
            yield key, self._values(table, cells, name, line)

    def _values(self, table: Table, cells: dict[str, str], name: str, line: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for column in [*table.columns, *table.source_columns()]:
            model_field: Any = table.model._meta.get_field(column)
            with _blaming(name, line, column):
                values[model_field.attname] = self._value(model_field, cells[column].strip())
        for column, many in table.many.items():
            related = _related(table, many)
            with _blaming(name, line, column):
                values[many] = {self._id(related, key) for key in cells[column].split()}
        if "first_day" in cells:
            days = {}
            for column in ("first_day", "last_day"):
                with _blaming(name, line, column):
                    days[column] = _day(cells[column].strip())
            with _blaming(name, line, "last_day"):
                if days["first_day"] and days["last_day"] and days["last_day"] < days["first_day"]:
                    raise ValueError(_("the last day comes before the first day"))
                if days["last_day"] == date.max:
                    raise ValueError(_("leave the last day empty when no end is set"))
            values["valid"] = span(**days)
        elif _has(table.model, "valid"):
            values["valid"] = span(None, None)
        return values

    def _value(self, model_field: Any, text: str) -> Any:
        if isinstance(model_field, models.ForeignKey):
            if not text and model_field.null:
                return None
            return self._id(model_field.related_model, text)
        if not text and not (model_field.null or model_field.blank or isinstance(model_field, models.BooleanField)):
            raise ValueError(_("this must be filled in"))
        value = _READERS.get(type(model_field), str)(text) if text or not model_field.null else None
        if isinstance(value, str) and model_field.max_length and len(value) > model_field.max_length:
            raise ValueError(_("at most %(most)s signs fit") % {"most": model_field.max_length})
        if text and model_field.choices and value not in dict(model_field.choices):
            known = ", ".join(dict(model_field.choices))
            raise ValueError(_("“%(found)s” is not one of %(known)s") % {"found": text, "known": known})
        for check in model_field.validators if value not in (None, "") else ():
            check(value)
        return value

    def _id(self, model: type[models.Model], key: str) -> int:
        ids = self.ids.setdefault(model, {})
        if key not in ids and model not in self.looked_up:
            self.looked_up.add(model)
            name = "key" if model is Source else "reference_key"
            earlier = model._default_manager.exclude(**{name: None}).values_list(name, "pk")
            ids |= {earlier_key: pk for earlier_key, pk in earlier if earlier_key not in ids}
        try:
            return ids[key]
        except KeyError:
            raise ValueError(_("“%(key)s” is not a key in the file it refers to") % {"key": key}) from None

    # Writing

    def _there(self, table: Table, wanted: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """Rows already there, by key. One of the same name that somebody made by hand gets the key and stays theirs."""
        if table.model is Source:
            return {row.key: row for row in Source.objects.all()}
        manager: Any = table.model._default_manager
        there = {row.reference_key: row for row in manager.filter(reference_key__isnull=False)}
        if not wanted.keys() <= there.keys():
            by_hand = {
                _identity(table, row.__dict__): row for row in manager.filter(reference_key=None).order_by("-pk")
            }
            for key, values in wanted.items() if by_hand else ():
                row = by_hand.pop(_identity(table, values), None) if key not in there else None
                if row:
                    row.reference_key = key
                    row.save(update_fields=["reference_key"])
                    there[key] = row
        return there

    def _write(
        self,
        table: Table,
        wanted: dict[str, dict[str, Any]],
        there: dict[str, Any],
        loaded: Loaded,
        happened: _Happened,
    ) -> dict[str, Any]:
        """Create, change and end rows; returns those that the file names, by key."""
        new, changed, fields = {}, [], set()
        for key, values in wanted.items():
            values = {name: value for name, value in values.items() if name not in table.many.values()}
            row = there.get(key)
            if row is None:
                new[key] = _new_row(table, key, values)
            elif _taken_over(row):
                loaded.left += 1
            elif differing := [name for name, value in values.items() if not _same(getattr(row, name), value)]:
                before = copy(row)
                for name in differing:
                    setattr(row, name, values[name])
                came_back = "valid" in differing and not _goes_on(before) and _goes_on(row)
                changes = _differences(before, row, differing)
                happened.record("reference.returned" if came_back else "reference.changed", row, changes)
                fields.update(differing)
                changed.append(row)
        _insert(table.model, list(new.values()))
        for row in new.values():
            happened.record("reference.created", row)
        if _has(table.model, "valid"):
            gone = [row for key, row in there.items() if key not in wanted and not _taken_over(row) and _goes_on(row)]
            for row in gone:
                before = copy(row)
                begins_later = row.valid.lower and row.valid.lower >= today()
                row.valid = DateRange(empty=True) if begins_later else DateRange(row.valid.lower, today(), "[)")
                happened.record("reference.ended", row, _differences(before, row, ["valid"]))
            loaded.ended = len(gone)
            changed += gone
            fields |= {"valid"} if gone else set()
        if table.drops:
            dropped = [row.pk for key, row in there.items() if key not in wanted and not _taken_over(row)]
            table.model._default_manager.filter(pk__in=dropped).delete()
            loaded.ended = len(dropped)
        if changed:
            names = sorted(table.model._meta.get_field(name).name for name in fields)
            table.model._default_manager.bulk_update(changed, names, batch_size=500)
        loaded.created = len(new)
        loaded.changed = len(changed) - (0 if table.drops else loaded.ended)
        return {key: new.get(key) or there[key] for key in wanted}

    def _write_many(
        self, table: Table, wanted: dict[str, dict[str, Any]], rows: dict[str, Any], happened: _Happened
    ) -> None:
        for name in table.many.values():
            through = getattr(table.model, name).through
            mine, theirs = (f"{relation.name}_id" for relation in through._meta.fields if relation.is_relation)
            keep = {row.pk: key for key, row in rows.items() if not _taken_over(row)}
            right = {(pk, other) for pk, key in keep.items() for other in wanted[key][name]}
            rows_there = through.objects.filter(**{f"{mine}__in": keep}).values_list("pk", mine, theirs)
            found = {(one, other): pk for pk, one, other in rows_there}
            altered = {pk for pk, _other in right ^ found.keys()} - happened.new()
            for key, row in rows.items():
                if row.pk in altered:
                    others = _related(table, name)._default_manager
                    changes = differences(row, {name: others.filter(pk__in=wanted[key][name])})
                    happened.record("reference.changed", row, changes)
            through.objects.bulk_create([through(**{mine: a, theirs: b}) for a, b in sorted(right - found.keys())])
            if wrong := [pk for pair, pk in found.items() if pair not in right]:
                through.objects.filter(pk__in=wrong).delete()


class _Happened:
    """What happened to the rows of a model, for the history of those that have a page; written all at once."""

    def __init__(self, table: Table) -> None:
        self.model = table.model
        self.is_told = table.told
        self.told: list[tuple[str, Any, dict[str, list[str]]]] = []

    def record(self, name: str, row: Any, changes: dict[str, list[str]] | None = None) -> None:
        if self.is_told:
            self.told.append((name, row, changes or {}))

    def new(self) -> set[int]:
        return {row.pk for name, row, _changes in self.told if name == "reference.created"}

    def write(self) -> None:
        if not self.told:
            return
        if self.model is Board:  # which is named with its municipality
            models.prefetch_related_objects([row for _name, row, _changes in self.told], "municipality")
        subject_type = ContentType.objects.get_for_model(self.model)
        Event.objects.bulk_create(
            Event(name=name, subject_type=subject_type, subject_id=row.pk, changes=changes, data={"name": str(row)})
            for name, row, changes in self.told
        )


class _blaming:
    """Turn a value that cannot be read into BadReference for its place."""

    def __init__(self, file: str, line: int, column: str) -> None:
        self.place = (file, line, column)

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, ValidationError):
            raise BadReference(*self.place, why=error.messages[0]) from error
        if isinstance(error, ValueError):
            raise BadReference(*self.place, why=error) from error


def _new_row(table: Table, key: str, values: dict[str, Any]) -> Any:
    if table.model is Source:
        return Source(key=key, **values)
    return table.model(reference_key=key, came_in=CameIn.REFERENCE, **values)


def _insert(model: type[Any], rows: list[Any]) -> None:
    """All rows at once. Django does not do that for a model with a parent table, so bodies come in two steps."""
    if not issubclass(model, Body):
        model._default_manager.bulk_create(rows)
        return
    shared = [parent.attname for parent in Body._meta.concrete_fields if not parent.primary_key]
    for row in rows:
        row.kind = BodyKind.MUNICIPALITY if model is Municipality else BodyKind.SCHOOL
    bodies = Body.objects.bulk_create([Body(**{name: getattr(row, name) for name in shared}) for row in rows])
    for row, body in zip(rows, bodies, strict=True):
        row.pk = row.id = body.pk
        row.save_base(raw=True, force_insert=True)


def _differences(before: Any, after: Any, names: list[str]) -> dict[str, list[str]]:
    fields = [after._meta.get_field(name).name for name in names]
    return differences(before, {name: getattr(after, name) for name in fields})


def _related(table: Table, name: str) -> Any:
    return table.model._meta.get_field(name).related_model


def _has(model: type[models.Model], name: str) -> bool:
    return any(model_field.name == name for model_field in model._meta.fields)


def _identity(table: Table, values: Mapping[str, Any]) -> tuple[Any, ...]:
    found = (values[name] for name in table.same)
    ends = sorted(values[name] for name in table.ends)
    return (*ends, *(value.casefold() if isinstance(value, str) else value for value in found))


def _taken_over(row: Any) -> bool:
    return isinstance(row, Sourced) and row.came_in != CameIn.REFERENCE


def _goes_on(row: Any) -> bool:
    return not row.valid.isempty and (row.valid.upper is None or row.valid.upper > today())


def _same(before: Any, after: Any) -> bool:
    if isinstance(after, DateRange):
        return (before.lower, before.upper, before.isempty) == (after.lower, after.upper, after.isempty)
    return bool(before == after)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(_("write the day as 2022-07-01")) from None


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(_("write yes or no"))
    return text == "yes"


def _whole_number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 4):
        raise ValueError(_("write a whole number"))
    return int(text)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(_("write a number with a point, such as 59.638")) from None


_READERS: dict[type[models.Field[Any, Any]], Callable[[str], Any]] = {
    models.BooleanField: _yes_or_no,
    models.DateField: _day,
    models.PositiveSmallIntegerField: _whole_number,
    models.DecimalField: _decimal,
}
