"""The register: all agreements that somebody may see, where each is in its time, and what each waits for.

What a list is chosen by is computed in the database, so that thousands of agreements cost no more than a page of them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import models
from django.db.models import Case, DateField, Exists, F, Min, OuterRef, Prefetch, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Least
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from agreements.models import (
    Agreement,
    Notice,
    NoticeEnds,
    Party,
    Referral,
    Revision,
    RevisionKind,
    RevisionState,
    Term,
)
from agreements.operations.covering import Phase, Validity, validities_of
from agreements.operations.deciding import Wait
from agreements.outline import VALIDITY
from collab4m.school_year import SchoolYear
from organisations.models import CollaborationArea, Municipality, RoleKind, User
from programmes.models import Programme
from records.models import Decision, DecisionResult, SignOff

ENDING_WITHIN = timedelta(days=365)
YEARS_BACK, YEARS_AHEAD = 2, 5  # of the timeline, counted from the school year under way
NUMBER = re.compile(r"([0-9]{4})-([0-9]{1,6})")
YEAR = re.compile(r"[0-9]{4}")


class Stage(models.TextChoices):
    """What a reader of the register asks for: how far it has come, or where it is in its time."""

    UNDER_WAY = "pagar", _("under way")
    IN_FORCE = "galler", pgettext_lazy("agreement", "in force")
    UPCOMING = "kommande", pgettext_lazy("agreement", "upcoming")
    ENDING = "upphor", _("ends within a year")
    ENDED = "upphort", _("has ended")
    STOPPED = "stannat", _("came to nothing")


# Where they are in their time


def with_validity(agreements: QuerySet[Agreement]) -> QuerySet[Any]:
    """With `begins_on` (None: not signed) and `ends_on` (None: no end is known), as `validities_of` computes them."""
    signed = Revision.objects.filter(agreement=OuterRef("pk"), state=RevisionState.SIGNED)
    agreed = signed.filter(sections__contains=[VALIDITY]).order_by("-signed_at", "-pk")
    notice = Notice.objects.standing().filter(agreement=OuterRef("pk"), ends=NoticeEnds.FOR_ALL)
    heirs = Revision.objects.filter(
        agreement__replaces=OuterRef("pk"), kind=RevisionKind.ORIGINAL, state=RevisionState.SIGNED
    )
    day_before = Cast(F("first") - Value(timedelta(days=1)), DateField())
    return agreements.annotate(
        begins_on=Subquery(signed.order_by("signed_at", "pk").values("first_day")[:1]),
        ends_on=Case(
            When(
                Exists(signed),
                then=Least(
                    Subquery(
                        agreed.annotate(
                            end=Case(
                                When(is_open_ended=True, then=None), default=F("last_day"), output_field=DateField()
                            )
                        ).values("end")[:1]
                    ),
                    Subquery(_least(notice, "effective_on").values("first")),
                    Subquery(_least(heirs, "first_day").values(before=day_before)),
                ),
            ),
            output_field=DateField(),
        ),
    )


def _least(rows: QuerySet[Any], name: str) -> QuerySet[Any]:
    """One row with the earliest day among them, as `first`."""
    return rows.order_by().values(one=Value(1)).annotate(first=Min(name))


def in_phase(agreements: QuerySet[Any], phase: Phase, day: date) -> QuerySet[Any]:
    """Those of `with_validity` that are in the phase on a day."""
    going_on = Q(begins_on__isnull=False) & (Q(ends_on__isnull=True) | Q(ends_on__gte=day))
    return agreements.filter(
        {
            Phase.NOT_SIGNED: Q(begins_on__isnull=True),
            Phase.UPCOMING: going_on & Q(begins_on__gt=day),
            Phase.IN_FORCE: going_on & Q(begins_on__lte=day),
            Phase.ENDED: Q(begins_on__isnull=False, ends_on__lt=day),
        }[phase]
    )


# Choosing


@dataclass(frozen=True)
class Choice:
    """What the reader of the register looks for. Empty: whatever there is."""

    words: str = ""
    area: CollaborationArea | None = None
    stage: str = ""
    party: Municipality | None = None
    programme: Programme | None = None
    standing: str = ""
    kind: str = ""

    @property
    def is_empty(self) -> bool:
        return self == Choice()


def register_of(user: User, choice: Choice, day: date) -> QuerySet[Agreement]:
    """The agreements that the user may see and has chosen, latest number first."""
    found: QuerySet[Any] = Agreement.objects.visible_to(user)
    if choice.area:
        found = found.filter(area=choice.area)
    if choice.party:
        found = found.filter(pk__in=Party.objects.filter(municipality=choice.party).values("agreement"))
    if choice.programme:
        found = found.filter(pk__in=_named_in(user, Q(programme=choice.programme)))
    if choice.standing:
        found = found.filter(standing=choice.standing)
    if choice.kind:
        found = found.filter(kind=choice.kind)
    for word in choice.words.split():
        found = found.filter(_about(user, word))
    if choice.stage:
        found = _in_stage(user, found, Stage(choice.stage), day)
    return found.order_by("-year", "-sequence", "pk")


def _named_in(user: User, about: Q) -> QuerySet[Any]:
    """The agreements with terms of that sort in a revision that the user may see."""
    terms = Term.objects.filter(about, revision__in=Revision.objects.visible_to(user).values("pk"))
    return terms.values("revision__agreement")


def _about(user: User, word: str) -> Q:
    """What a word of the search may stand in: title, number, case number, party, programme or orientation."""
    parties = Party.objects.filter(Q(case_number__icontains=word) | Q(municipality__name__unaccent__icontains=word))
    of_terms = Q(programme__code__iexact=word) | Q(orientation__code__iexact=word)
    for name in ("name_sv", "name_en"):
        of_terms |= Q(**{f"programme__{name}__unaccent__icontains": word})
        of_terms |= Q(**{f"orientation__{name}__unaccent__icontains": word})
        of_terms |= Q(orientation=None, **{f"programme__orientations__{name}__unaccent__icontains": word})
    found = Q(title__unaccent__icontains=word) | Q(pk__in=parties.values("agreement"))
    found |= Q(pk__in=_named_in(user, of_terms))
    if number := NUMBER.fullmatch(word):
        found |= Q(year=int(number[1]), sequence=int(number[2]))
    elif YEAR.fullmatch(word):
        found |= Q(year=int(word))
    return found


def _in_stage(user: User, found: QuerySet[Any], stage: Stage, day: date) -> QuerySet[Any]:
    under_way = Revision.objects.visible_to(user).under_way().values("agreement")
    if stage == Stage.UNDER_WAY:
        return found.filter(pk__in=under_way)
    found = with_validity(found)
    match stage:
        case Stage.STOPPED:
            going_on = Revision.objects.under_way().values("agreement")
            return in_phase(found, Phase.NOT_SIGNED, day).exclude(pk__in=going_on)
        case Stage.UPCOMING:
            return in_phase(found, Phase.UPCOMING, day)
        case Stage.ENDED:
            return in_phase(found, Phase.ENDED, day)
        case Stage.ENDING:
            return in_phase(found, Phase.IN_FORCE, day).filter(ends_on__lte=day + ENDING_WITHIN)
    return in_phase(found, Phase.IN_FORCE, day)


def choices_of(user: User) -> tuple[list[CollaborationArea], list[Municipality], list[Programme]]:
    """The areas, parties and programmes that occur in what the user may see. Three queries."""
    seen = Agreement.objects.visible_to(user)
    areas = CollaborationArea.objects.filter(pk__in=seen.values("area"))
    parties = Municipality.objects.filter(pk__in=Party.objects.filter(agreement__in=seen).values("municipality"))
    terms = Term.objects.filter(revision__in=Revision.objects.visible_to(user).values("pk"))
    programmes = Programme.objects.filter(pk__in=terms.values("programme"))
    return (
        sorted(areas, key=lambda area: area.name),
        list(parties.in_swedish_order()),
        list(programmes.in_swedish_order()),
    )


# A row of the register


@dataclass(frozen=True)
class Entry:
    """An agreement as the register shows it to somebody. `own` are the parties that they work for."""

    agreement: Agreement
    parties: list[Party]
    validity: Validity
    phase: Phase
    revision: Revision | None  # what is under way, or what came to nothing
    wait: Wait
    own: list[Party] = field(default_factory=list)

    @property
    def is_under_way(self) -> bool:
        return self.revision is not None and self.revision.state in RevisionState.under_way()

    @property
    def case_numbers(self) -> list[str]:
        return [party.case_number for party in self.own if party.case_number]


PARTIES = Prefetch("parties", Party.objects.select_related("municipality").order_by("position", "pk"))


def entries_of(user: User, agreements: Iterable[Agreement], day: date) -> list[Entry]:
    """The agreements as rows of the register, in their order. Nine queries, however many they are."""
    rows = list(agreements)
    models.prefetch_related_objects(rows, PARTIES)
    validities = validities_of(rows)
    latest: dict[int, Revision] = {}
    revisions = Revision.objects.visible_to(user).filter(agreement__in=[row.pk for row in rows])
    for revision in revisions.exclude(state=RevisionState.SIGNED).order_by("ordinal"):
        latest[revision.agreement_id] = revision
    for row in rows:
        if row.pk in latest:
            latest[row.pk].agreement = row
    waits = waits_of(latest.values())
    own = set(user.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE))
    return [
        Entry(
            agreement=row,
            parties=list(row.parties.all()),
            validity=validities[row.pk],
            phase=validities[row.pk].phase(day),
            revision=_shown(latest.get(row.pk), validities[row.pk]),
            wait=waits[latest[row.pk].pk] if row.pk in latest else Wait([], ""),
            own=[party for party in row.parties.all() if party.municipality_id in own],
        )
        for row in rows
    ]


def _shown(revision: Revision | None, validity: Validity) -> Revision | None:
    """A change of what is signed that came to nothing says nothing of the agreement."""
    if revision and validity.first_day is not None and revision.state not in RevisionState.under_way():
        return None
    return revision


def waits_of(revisions: Iterable[Revision]) -> Mapping[int, Wait]:
    """What each of the revisions waits for, as `wait_of` says of one. Four queries.

    The agreements' parties should be prefetched with their municipalities.
    """
    rows = list(revisions)
    referrals: dict[int, Referral] = {}
    sent = Referral.objects.filter(revision__in=[row.pk for row in rows], closed_at=None)
    for referral in sent.prefetch_related("answers"):
        referrals[referral.revision_id] = referral
    versions = [row.version_id for row in rows if row.version_id]
    approved: dict[int, set[int]] = defaultdict(set)
    decided = Decision.objects.standing().filter(version__in=versions, result=DecisionResult.APPROVED)
    for version, body in decided.values_list("version", "body"):
        approved[version].add(body)
    signed: dict[int, dict[str, Any]] = defaultdict(dict)
    for sign_off in SignOff.objects.filter(version__in=versions).order_by("at"):
        signed[sign_off.version_id][sign_off.place] = sign_off.at
    found = {}
    for row in rows:
        parties = list(row.agreement.parties.all())
        if row.state == RevisionState.DRAFT:
            found[row.pk] = Wait(parties, "draft", row.created_at)
        elif row.state == RevisionState.REFERRAL and row.pk in referrals:
            referral = referrals[row.pk]
            told = {answer.municipality_id for answer in referral.answers.all()} | {referral.on_behalf_of_id}
            silent = [party for party in parties if party.municipality_id not in told]
            found[row.pk] = Wait(silent, "answer", referral.sent_at, referral.last_day)
        elif row.state == RevisionState.DECIDING and row.version_id:
            left = [party for party in parties if party.municipality_id not in approved[row.version_id]]
            found[row.pk] = Wait(left, "decision", row.deciding_since)
        elif row.state == RevisionState.SIGNING and row.version_id:
            since = max(signed[row.version_id].values(), default=row.signing_since)
            found[row.pk] = Wait(_next_to_sign(parties, signed[row.version_id]), "signature", since)
        else:
            found[row.pk] = Wait([], "")
    return found


def _next_to_sign(parties: Sequence[Party], signed: Collection[str]) -> list[Party]:
    left = sorted(
        (party for party in parties if party.place not in signed),
        key=lambda party: (party.signing_order, party.position, party.pk),
    )
    return [party for party in left if party.signing_order == left[0].signing_order]


@dataclass(frozen=True)
class Asked:
    """Something that a party is asked for: `what` is "answer", "decision" or "signature", as of a `Wait`."""

    agreement: Agreement
    revision: Revision
    party: Party
    what: str
    due: date | None = None


def asked_of(user: User) -> list[Asked]:
    """What the user's municipalities are asked for, by agreement and in the parties' order. Six queries at most.

    Answers and signatures are asked of administrators; what a board decided is put on record by its committee as well.
    """
    administered = set(user.bodies_where(RoleKind.ADMINISTRATOR))
    either = administered | set(user.bodies_where(RoleKind.COMMITTEE))
    if not either:
        return []
    states = [RevisionState.REFERRAL, RevisionState.DECIDING, RevisionState.SIGNING]
    own = Party.objects.filter(municipality__in=either).values("agreement")
    rows = list(
        Revision.objects.visible_to(user)
        .filter(state__in=states, agreement__in=own)
        .select_related("agreement")
        .order_by("agreement", "pk")
    )
    agreements = [row.agreement for row in rows]
    if agreements:
        models.prefetch_related_objects(agreements, PARTIES)
    waits = waits_of(rows)
    found = []
    for row in rows:
        wait = waits[row.pk]
        may = either if wait.what == "decision" else administered
        for party in wait.parties:
            if party.municipality_id in may:
                due = party.meets_on if wait.what == "decision" else wait.last_day
                found.append(Asked(row.agreement, row, party, wait.what, due))
    return found


# The timeline


class Span(models.TextChoices):
    """How an agreement stands in a school year, seen from a day."""

    NONE = "", _("not in force")
    IN_FORCE = "in_force", pgettext_lazy("agreement", "in force")
    UPCOMING = "upcoming", pgettext_lazy("agreement", "upcoming")
    ENDING = "ending", _("ends")
    ENDED = "ended", _("ended")


def years_of_timeline(day: date) -> list[SchoolYear]:
    this_year = SchoolYear.of(day)
    return [this_year + step for step in range(-YEARS_BACK, YEARS_AHEAD + 1)]


def span_in(validity: Validity, year: SchoolYear, day: date) -> Span:
    """How an agreement stands in the school year: in force for some of it, or not at all."""
    first, last = validity.first_day, validity.last_day
    if first is None or first > year.last_day or (last is not None and (last < year.first_day or last < first)):
        return Span.NONE
    if validity.has_ended(day):
        return Span.ENDED
    if last is not None and last <= year.last_day:
        return Span.ENDING
    return Span.UPCOMING if day < first else Span.IN_FORCE


# How far they have come, in numbers


@dataclass(frozen=True)
class Progress:
    """How far the agreements of some areas have come, and which municipalities are party to one that holds."""

    holding: int  # in force or upcoming
    under_way: int
    parties: frozenset[int]


def progress_of(user: User, areas: Collection[int], day: date) -> Progress:
    """Of the agreements that the user may see. Three queries."""
    seen = Agreement.objects.visible_to(user).filter(area__in=areas)
    holding = holding_on(seen, day)
    under_way = Revision.objects.visible_to(user).under_way().filter(agreement__area__in=areas)
    parties = Party.objects.filter(agreement__in=holding.values("pk")).order_by()
    return Progress(
        holding.count(), under_way.count(), frozenset(parties.values_list("municipality", flat=True).distinct())
    )


def holding_on(agreements: QuerySet[Agreement], day: date) -> QuerySet[Any]:
    """Those that are signed and have not ended by a day: in force, or still to be."""
    return with_validity(agreements).filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day), begins_on__isnull=False)
