"""What holds: the agreement as its revisions together say it, from when to when, and what it covers in each intake."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, cast

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Prefetch, prefetch_related_objects
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agreements.models import Agreement, Cover, Notice, NoticeEnds, Revision, RevisionKind, RevisionState, Term
from agreements.operations.drafting import ALL_FACTS, FACTS
from agreements.operations.errors import CoverTaken, WrongState
from agreements.outline import SCOPE, VALIDITY, is_own
from collab4m.errors import refused
from collab4m.school_year import SchoolYear
from organisations.models import Municipality
from programmes.models import Orientation, Programme
from records.models import Part

# An intake counts as begun on this day: an agreement that is in force on it covers the intake.
INTAKE_MONTH, INTAKE_DAY = 8, 15

Years = tuple[int, int | None]  # intakes by the year in which they start, half-open; None: no end


@dataclass
class Consolidated:
    """What an agreement says when all that is signed is read together."""

    facts: dict[str, Any]
    texts: dict[str, str]
    headings: dict[str, str]
    terms: list[Term]
    own_clauses: list[str]
    said_by: dict[str, Revision]  # section -> the revision that has the last word on it


def consolidated(agreement: Agreement, signed: Sequence[Revision]) -> Consolidated:
    """`signed` in the order of signing. Two queries."""
    parts: dict[int, dict[str, Part]] = defaultdict(dict)
    kind = ContentType.objects.get_for_model(Revision)
    for part in Part.objects.filter(subject_type=kind, subject_id__in=[revision.pk for revision in signed]):
        parts[part.subject_id][part.key] = part
    found = Consolidated(dict.fromkeys(ALL_FACTS), {}, {}, [], [], {})
    for revision in signed:
        for key in revision.sections:
            found.said_by[key] = revision
            for name in FACTS.get(key, ()):
                if name != "first_day" or revision.kind == RevisionKind.ORIGINAL:
                    found.facts[name] = getattr(revision, name)
            if key in parts[revision.pk]:
                written = parts[revision.pk][key]
                found.texts[key], found.headings[key] = written.text, written.heading
            if is_own(key) and key not in found.own_clauses:
                found.own_clauses.append(key)
    if SCOPE in found.said_by:
        terms = found.said_by[SCOPE].terms.select_related("home", "provider", "programme", "orientation")
        found.terms = list(terms.order_by("programme__code", "orientation", "provider", "home"))
    return found


class Phase(models.TextChoices):
    """Where an agreement is in its time: computed for a day, never stored."""

    NOT_SIGNED = "not_signed", _("not signed")
    UPCOMING = "upcoming", _("upcoming")
    IN_FORCE = "in_force", _("in force")
    ENDED = "ended", _("ended")


@dataclass(frozen=True)
class Validity:
    """From which day to which an agreement holds, both inclusive. `first_day` None: it is not signed.

    `agreed_last_day` is what the parties agreed; `last_day` is what came of notice and of agreements that replace it.
    `left` are parties that gave notice for themselves, with their last day.
    """

    first_day: date | None = None
    last_day: date | None = None
    agreed_last_day: date | None = None
    ended_by: str = ""  # "notice", "replaced" or "": the agreed end
    left: Mapping[int, date] = field(default_factory=dict)

    def phase(self, day: date) -> Phase:
        if self.first_day is None:
            return Phase.NOT_SIGNED
        if day < self.first_day:
            return Phase.UPCOMING if not self.has_ended(day) else Phase.ENDED
        return Phase.ENDED if self.has_ended(day) else Phase.IN_FORCE

    def has_ended(self, day: date) -> bool:
        return self.last_day is not None and self.last_day < day

    def is_in_force(self, day: date) -> bool:
        return self.phase(day) == Phase.IN_FORCE


def validity_of(agreement: Agreement) -> Validity:
    """As `validities_of`, for one agreement."""
    return validities_of([agreement])[agreement.pk]


def validities_of(agreements: Collection[Agreement]) -> dict[int, Validity]:
    """From when to when each of them holds. Three queries, however many they are."""
    ids = [agreement.pk for agreement in agreements]
    signed: dict[int, list[Revision]] = defaultdict(list)
    for revision in Revision.objects.filter(agreement__in=ids).signed():
        signed[revision.agreement_id].append(revision)
    notices: dict[int, list[Notice]] = defaultdict(list)
    for notice in Notice.objects.standing().filter(agreement__in=ids).order_by("effective_on", "pk"):
        notices[notice.agreement_id].append(notice)
    replaced: dict[int, date] = {}
    heirs = Revision.objects.filter(agreement__replaces__in=ids, kind=RevisionKind.ORIGINAL, state=RevisionState.SIGNED)
    for heir in heirs.select_related("agreement"):
        pk, begins = cast(int, heir.agreement.replaces_id), cast(date, heir.first_day)
        replaced[pk] = min(begins, replaced.get(pk, begins))
    return {pk: _validity(signed[pk], notices[pk], replaced.get(pk)) for pk in ids}


def _validity(signed: Sequence[Revision], notices: Sequence[Notice], replaced_on: date | None) -> Validity:
    if not signed:
        return Validity()
    agreed = next(revision for revision in reversed(signed) if VALIDITY in revision.sections).ends
    ends = [(agreed, "")] if agreed else []
    ends += [(notice.effective_on, "notice") for notice in notices if notice.ends == NoticeEnds.FOR_ALL]
    if replaced_on:
        ends.append((replaced_on - timedelta(days=1), "replaced"))
    last_day, ended_by = min(ends, key=lambda end: end[0]) if ends else (None, "")
    left = {notice.given_by_id: notice.effective_on for notice in notices if notice.ends == NoticeEnds.FOR_PARTY}
    return Validity(signed[0].first_day, last_day, agreed, ended_by, left)


@dataclass(frozen=True)
class Leaf:
    """A row of cover before it is written. Equal ones say the same."""

    revision: int
    term: int
    home: int
    provider: int
    programme: int
    orientation: int | None
    years: Years
    seats: int | None
    unlimited: bool


def leaves_of(agreement: Agreement, validity: Validity | None = None) -> list[Leaf]:
    """What the agreement covers, intake by intake, from all that is signed and all notice that stands.

    A revision with terms replaces those of earlier ones from its first intake on. A programme expands to the
    orientations that new pupils may begin on; a term about one of them goes before one about the whole programme.
    """
    validity = validity or validity_of(agreement)
    return leaves_said(list(agreement.revisions.signed()), validity)


def leaves_said(signed: list[Revision], validity: Validity) -> list[Leaf]:
    """What revisions cover together, in the order in which they were signed."""
    if validity.first_day is None:
        return []
    terms = Term.objects.select_related("programme").prefetch_related(
        Prefetch("programme__orientations", Orientation.objects.order_by("pk")), "orientation"
    )
    with_terms = [revision for revision in signed if SCOPE in revision.sections]
    prefetch_related_objects(with_terms, Prefetch("terms", terms.order_by("pk")))
    in_force = (first_intake(validity.first_day), _end_of_intakes(validity.last_day))
    found: list[Leaf] = []
    for place, revision in enumerate(with_terms):
        begins = _begins(revision, in_force[0])
        cuts = [_begins(later, in_force[0]) for later in with_terms[place + 1 :]]
        window = _meet(in_force, (begins, min(cuts, default=None)))
        if window:
            found += _expanded(revision, window, validity.left)
    return found


def _begins(revision: Revision, first: int) -> int:
    if revision.applies_from:
        return revision.applies_from.starts
    return first_intake(revision.first_day) if revision.first_day else first


def _expanded(revision: Revision, window: Years, left: Mapping[int, date]) -> list[Leaf]:
    """The revision's terms as leaves within a window of intakes."""
    special: dict[tuple[int, int, int], list[Years]] = defaultdict(list)
    rows: list[tuple[Term, Orientation | None, Years]] = []
    for term in sorted(revision.terms.all(), key=lambda term: term.orientation_id is None):
        years = _meet(window, _intakes(term))
        for party in (term.home_id, term.provider_id):
            if years and party in left:
                years = _meet(years, (years[0], _end_of_intakes(left[party])))
        if not years:
            continue
        for orientation, valid in _leaves(term, years):
            taken = special[term.home_id, term.provider_id, orientation.pk] if orientation else []
            if term.orientation_id:
                taken.append(valid)
                rows.append((term, orientation, valid))
            else:
                rows += [(term, orientation, piece) for piece in _without(valid, taken)]
    return [
        Leaf(
            revision.pk, term.pk, term.home_id, term.provider_id, term.programme_id,
            orientation.pk if orientation else None, years, term.seats, term.unlimited,
        )
        for term, orientation, years in rows
    ]  # fmt: skip


def _leaves(term: Term, years: Years) -> list[tuple[Orientation | None, Years]]:
    """The term's leaves, each with the intakes of `years` in which new pupils may begin on it.

    The programme itself is one in the intakes in which it has no orientation.
    """
    valid = _meet(years, intakes_of(term.programme))
    if valid is None:
        return []
    orientations = [term.orientation] if term.orientation else term.programme.orientations.all()
    found = [(one, meet) for one in orientations if (meet := _meet(valid, intakes_of(one)))]
    if term.orientation:
        return [*found]
    return [*found, *((None, rest) for rest in _without(valid, [taken for _one, taken in found]))]


def takes_pupils(term: Term, first_day: date, last_day: date | None) -> bool:
    """Whether new pupils may begin on what a term is about in some intake that it would cover between two days."""
    years = _meet((first_intake(first_day), _end_of_intakes(last_day)), _intakes(term))
    for entry in (term.programme, term.orientation):
        if years and entry:
            years = _meet(years, intakes_of(entry))
    return years is not None


def _intakes(term: Term) -> Years:
    return (
        term.intake_from.starts if term.intake_from else 0,
        term.intake_to.starts + 1 if term.intake_to else None,
    )


def intakes_of(entry: Programme | Orientation) -> Years:
    """The intakes in which new pupils may begin on it: those whose school year begins while it holds."""
    first = SchoolYear.of(entry.first_day - timedelta(days=1)).starts + 1 if entry.first_day else 0
    return first, SchoolYear.of(entry.last_day).starts + 1 if entry.last_day else None


def first_intake(day: date) -> int:
    """The first intake that begins on `day` or later."""
    return day.year if (day.month, day.day) <= (INTAKE_MONTH, INTAKE_DAY) else day.year + 1


def _end_of_intakes(last_day: date | None) -> int | None:
    """The first intake that begins after `last_day`."""
    return None if last_day is None else first_intake(last_day + timedelta(days=1))


def _meet(one: Years, other: Years) -> Years | None:
    """The intakes in both; None when there are none."""
    lower = max(one[0], other[0])
    ends = [end for end in (one[1], other[1]) if end is not None]
    upper = min(ends, default=None)
    return None if upper is not None and upper <= lower else (lower, upper)


def _without(years: Years, taken: Iterable[Years]) -> list[Years]:
    """The intakes of `years` that are in none of `taken`."""
    left: list[Years] = [years]
    for lower, upper in taken:
        pieces: list[Years] = []
        for piece in left:
            before = _meet(piece, (0, lower)) if lower > 0 else None
            after = _meet(piece, (upper, None)) if upper is not None else None
            pieces += [part for part in (before, after) if part]
        left = pieces
    return left


@transaction.atomic
def derive_cover(*agreements: Agreement) -> None:
    """Write the cover of these agreements anew; those whose cover shrinks first come first.

    Raises CoverTaken, and writes nothing, if another signed agreement of the same standing covers some of it.
    """
    derived = [(agreement, leaves_of(agreement)) for agreement in agreements]
    _lock_homes(leaf.home for _agreement, leaves in derived for leaf in leaves)
    Cover.objects.filter(agreement__in=agreements).delete()
    for agreement, leaves in derived:
        versions = dict(agreement.revisions.signed().values_list("pk", "version"))
        rows = [
            Cover(
                agreement=agreement,
                revision_id=leaf.revision,
                version_id=versions[leaf.revision],
                term_id=leaf.term,
                home_id=leaf.home,
                provider_id=leaf.provider,
                programme_id=leaf.programme,
                orientation_id=leaf.orientation,
                years=leaf.years,
                standing=agreement.standing,
                seats=leaf.seats,
                unlimited=leaf.unlimited,
            )
            for leaf in leaves
        ]
        try:
            with refused(cover_one_of_a_standing=CoverTaken), transaction.atomic():
                Cover.objects.bulk_create(rows)
        except CoverTaken as taken:
            found = cover_in_the_way(agreement, leaves)
            if found is not None:
                raise CoverTaken(found.agreement, str(found.orientation or found.programme)) from taken
            raise


def _lock_homes(homes: Iterable[int]) -> None:
    """Rivals over the same cover wait for one another here: at the constraint they would wait for each other."""
    rows = Municipality.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=set(homes))
    list(rows.order_by("pk").values_list("pk", flat=True))


def cover_in_the_way(agreement: Agreement, leaves: Iterable[Leaf]) -> Cover | None:
    """Somebody else's cover of the same standing that some of `leaves` would overlap."""
    by_pair: dict[tuple[int, int], list[Leaf]] = defaultdict(list)
    for leaf in leaves:
        by_pair[leaf.home, leaf.provider].append(leaf)
    others = Cover.objects.exclude(agreement=agreement).filter(
        standing=agreement.standing,
        home__in={home for home, _provider in by_pair},
        provider__in={provider for _home, provider in by_pair},
    )
    if agreement.replaces_id:
        others = others.exclude(agreement=agreement.replaces_id)
    for cover in others.select_related("agreement", "programme", "orientation").order_by("pk"):
        for leaf in by_pair.get((cover.home_id, cover.provider_id), ()):
            same = (leaf.programme, leaf.orientation) == (cover.programme_id, cover.orientation_id)
            if same and _meet(leaf.years, (cover.years.lower, cover.years.upper)):
                return cover
    return None


def would_cover(agreement: Agreement, revision: Revision) -> list[Leaf]:
    """What the agreement would cover if `revision`, not signed yet, were signed now."""
    signed = [*agreement.revisions.signed(), revision]
    notices = [] if revision.kind == RevisionKind.RENEWAL else list(agreement.notices.standing())
    return leaves_said(signed, _validity(signed, notices, None))


def refuse_taken(agreement: Agreement, revision: Revision) -> None:
    """Whether it could be signed as it is.

    Raises CoverTaken, with the other agreement, if that covers some of it; WrongState for a renewal that begins later
    than on the day after the agreement ends: an agreement holds without a break.
    """
    ends = validity_of(agreement).last_day if revision.kind == RevisionKind.RENEWAL else None
    if ends and revision.first_day and revision.first_day > ends + timedelta(days=1):
        raise WrongState(
            gettext("The agreement ends on %(day)s. Let the renewal hold from the day after, or begin a new agreement.")
            % {"day": ends.isoformat()}
        )
    taken = cover_in_the_way(agreement, would_cover(agreement, revision))
    if taken is not None:
        raise CoverTaken(taken.agreement, str(taken.orientation or taken.programme))
