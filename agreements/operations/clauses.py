"""The library of clauses, from which agreements begin. A wording is never changed; a new one gets the next number."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import NoReturn

from django.db import transaction
from django.db.models import F, Max, OuterRef, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agreements.models import Clause, ClauseVersion
from agreements.operations.errors import ChangedMeanwhile
from agreements.outline import BY_KEY, KEYS, PARTIES, SECTIONS
from collab4m.errors import RuleBroken, refused
from collab4m.swedish import swedish_order
from organisations.models import Body, CollaborationArea, Membership, User
from organisations.operations import BadReference, Loaded
from records.operations import record

SECTIONS_WITH_CLAUSES = tuple(section for section in SECTIONS if section.key != PARTIES)
FILE = "clauses.csv"
COLUMNS = ("key", "section", "name", "text")


class ClauseShipped(RuleBroken):
    code = "clause_shipped"
    message = gettext_lazy("The clause comes with the portal. Add one of the area's own with your wording instead.")


class ClauseNotYours(RuleBroken):
    code = "clause_not_yours"
    message = gettext_lazy("The area's clauses are changed by administrators of its members.")


class ClauseExists(RuleBroken):
    code = "clause_exists"
    message = gettext_lazy("The section has a clause of that name already. Write another name, or a new version of it.")

    def __init__(self, message: str | None = None, field: str | None = "name") -> None:
        super().__init__(message, field)


class ClauseRefused(RuleBroken):
    code = "clause_refused"


class ClauseChanged(ChangedMeanwhile):
    """Somebody has written a later version. `latest` is that one."""

    def __init__(self, latest: ClauseVersion) -> None:
        super().__init__(
            _("Version %(number)s was written meanwhile. Yours is kept in the form: compare them, and save once more.")
            % {"number": latest.number},
            "text",
        )
        self.latest = latest


def clauses_for(area: CollaborationArea, section: str) -> list[ClauseVersion]:
    """The latest wording of each clause of a section that the area may choose, its own first."""
    latest = ClauseVersion.objects.filter(clause=OuterRef("pk")).order_by("-number").values("pk")[:1]
    clauses = Clause.objects.of_area(area).filter(section=section, is_retired=False)
    versions = ClauseVersion.objects.filter(pk__in=clauses.annotate(latest=Subquery(latest)).values("latest"))
    own_first = F("clause__area").asc(nulls_last=True)
    return list(versions.select_related("clause").order_by(own_first, swedish_order("clause__name"), "pk"))


@transaction.atomic
def add_clause(
    area: CollaborationArea, *, section: str, name: str, text: str, by: User, on_behalf_of: Body
) -> ClauseVersion:
    """A clause of the area's own, with its first wording. Raises ClauseNotYours, ClauseRefused or ClauseExists."""
    _require_member(area, by, on_behalf_of)
    if section not in KEYS or section == PARTIES:
        raise ClauseRefused(_("Choose a section of the agreement."), field="section")
    name, text = _within(" ".join(name.split()), "name"), _within(text.strip(), "text")
    with refused(clause_once=ClauseExists):
        clause = Clause.objects.create(area=area, section=section, name=name)
    version = ClauseVersion.objects.create(clause=clause, number=1, text=text, by=by, on_behalf_of=on_behalf_of)
    record("clause.added", clause, by=by, on_behalf_of=on_behalf_of)
    return version


@transaction.atomic
def write_clause(clause: Clause, *, text: str, base: int | None = None, by: User, on_behalf_of: Body) -> ClauseVersion:
    """The next wording of a clause. `base` is the number of the one it was written from; None: whichever is latest.

    Raises ClauseShipped, ClauseNotYours, ClauseRefused if it says the same as the latest, or ClauseChanged.
    """
    clause = _locked(clause, by, on_behalf_of)
    text = _within(text.strip(), "text")
    latest = clause.versions.order_by("-number")[0]
    if text == latest.text:
        raise ClauseRefused(_("The text is the same as in version %(number)s.") % {"number": latest.number}, "text")
    if base is not None and base != latest.number:
        raise ClauseChanged(latest)
    version = ClauseVersion.objects.create(
        clause=clause, number=latest.number + 1, text=text, by=by, on_behalf_of=on_behalf_of
    )
    record("clause.written", clause, by=by, on_behalf_of=on_behalf_of, number=version.number)
    return version


@transaction.atomic
def retire_clause(clause: Clause, *, by: User, on_behalf_of: Body) -> Clause:
    """Leave it out of what new drafts choose from. Raises ClauseShipped or ClauseNotYours."""
    return _retired(clause, True, "clause.retired", by, on_behalf_of)


@transaction.atomic
def bring_back_clause(clause: Clause, *, by: User, on_behalf_of: Body) -> Clause:
    """Let new drafts choose it again. Raises ClauseShipped or ClauseNotYours."""
    return _retired(clause, False, "clause.brought_back", by, on_behalf_of)


def _retired(clause: Clause, is_retired: bool, event: str, by: User, on_behalf_of: Body) -> Clause:
    clause = _locked(clause, by, on_behalf_of)
    if clause.is_retired != is_retired:
        clause.is_retired = is_retired
        clause.save(update_fields=["is_retired"])
        record(event, clause, by=by, on_behalf_of=on_behalf_of)
    return clause


def _locked(clause: Clause, by: User, on_behalf_of: Body) -> Clause:
    """The clause as it is now; whoever writes at the same time waits here for their number."""
    found = Clause.objects.select_for_update(no_key=True).get(pk=clause.pk)
    if found.area is None:
        raise ClauseShipped
    _require_member(found.area, by, on_behalf_of)
    return found


def _require_member(area: CollaborationArea, by: User, on_behalf_of: Body) -> None:
    is_member = Membership.objects.on().filter(area=area, municipality=on_behalf_of.pk).exists()
    if not is_member or on_behalf_of.pk not in by.bodies_today() or not by.has_perm("agreements.change_clauses", area):
        raise ClauseNotYours


def _within(text: str, field: str) -> str:
    model_field = (Clause if field == "name" else ClauseVersion)._meta.get_field(field)
    if not text:
        raise ClauseRefused(_("Fill in “%(field)s”.") % {"field": model_field.verbose_name}, field)  # type: ignore[union-attr]
    most = model_field.max_length or 0  # type: ignore[union-attr]
    if len(text) > most:
        said = {"field": model_field.verbose_name, "most": most, "length": len(text)}  # type: ignore[union-attr]
        raise ClauseRefused(_("Shorten “%(field)s” to %(most)s characters. It has %(length)s now.") % said, field)
    return text


# Those that come with the portal


@transaction.atomic
def load_clauses(folder: Path) -> Loaded:
    """Make the portal's own clauses what the file says: a text that differs is a new version, one not there is retired.

    Raises BadReference, with file, line and column.
    """
    loaded = Loaded("clauses")
    there = {
        clause.reference_key: clause
        for clause in Clause.objects.filter(area=None).select_for_update(no_key=True).order_by("pk")
    }
    latest = dict(Clause.objects.filter(area=None).annotate(number=Max("versions__number")).values_list("pk", "number"))
    texts = {
        (version.clause_id, version.number): version.text
        for version in ClauseVersion.objects.filter(clause__in=latest.keys())
    }
    wanted = _read(folder)
    loaded.rows = len(wanted)
    for key, (section, name, text) in wanted.items():
        clause = there.get(key)
        if clause is None:
            clause = Clause.objects.create(section=section, name=name, reference_key=key)
            loaded.created += 1
        elif (clause.section, clause.name, clause.is_retired) != (section, name, False):
            clause.section, clause.name, clause.is_retired = section, name, False
            clause.save()
            loaded.changed += 1
        number = latest.get(clause.pk, 0)
        if texts.get((clause.pk, number)) != text:
            ClauseVersion.objects.create(clause=clause, number=number + 1, text=text)
            loaded.changed += bool(number)
    gone = [clause.pk for key, clause in there.items() if key not in wanted and not clause.is_retired]
    loaded.ended = Clause.objects.filter(pk__in=gone).update(is_retired=True)
    return loaded


def _read(folder: Path) -> dict[str, tuple[str, str, str]]:
    """Section, name and text of each clause in the file, by its key."""
    try:
        content = (folder / FILE).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadReference(FILE, why=error) from error
    lines = csv.DictReader(io.StringIO(content, newline=""), strict=True)
    if tuple(lines.fieldnames or ()) != COLUMNS:
        raise BadReference(FILE, 1, why=_("the columns must be %(columns)s") % {"columns": ", ".join(COLUMNS)})
    found: dict[str, tuple[str, str, str]] = {}
    names: set[tuple[str, str]] = set()

    def wrong(column: str, why: str) -> NoReturn:
        raise BadReference(FILE, lines.line_num, column, why)

    try:
        for cells in lines:
            if None in cells or None in cells.values():
                wrong("", _("the row has too many or too few columns"))
            key, section, name, text = (cells[column].strip() for column in COLUMNS)
            if not key:
                wrong("key", _("the key is missing"))
            if key in found:
                wrong("key", _("“%(key)s” is there twice.") % {"key": key})
            if section not in BY_KEY:
                known = ", ".join(KEYS)
                wrong("section", _("“%(found)s” is not one of %(known)s") % {"found": section, "known": known})
            if not name or not text:
                wrong("text" if name else "name", _("this must be filled in"))
            if (section, name) in names:
                wrong("name", _("“%(key)s” is there twice.") % {"key": name})
            names.add((section, name))
            found[key] = (section, name, text)
    except csv.Error as error:
        raise BadReference(FILE, lines.line_num, why=error) from error
    return found
