"""What municipalities owe each other for pupils: the price in force, statements by pair and semester, and their lock.

Prices of different kinds, with and without meals or VAT, make groups of their own, and groups are never added.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Any

from django.db import transaction
from django.db.models import F, Prefetch, Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agreements.models import (
    Dispute,
    LineBasis,
    PriceKind,
    Statement,
    StatementLine,
    StatementState,
)
from agreements.operations.pricing import (
    Candidate,
    PriceBook,
    Priced,
    PriceRule,
    half_of,
    meals_in_words,
    priced_on,
    vat_in_words,
)
from collab4m.clock import now
from collab4m.errors import RuleBroken, refused
from collab4m.school_year import SchoolYear
from organisations.models import Body, CollaborationArea, Membership, Municipality, RoleKind, User
from programmes.models import PupilFlow, year_in_address
from programmes.operations import members_of
from records.models import Job
from records.operations import order_job, record

STATEMENTS = "agreements.statements"


class NotYourStatement(RuleBroken):
    code = "not_your_statement"
    message = _("Only the two municipalities between which the pupils go work on what they owe each other.")


class NoPupils(RuleBroken):
    code = "no_pupils"
    message = _("Nobody has reported pupils between the two municipalities in that semester. Report the pupils first.")


class StatementLocked(RuleBroken):
    code = "statement_locked"
    message = _("The statement is locked, and nothing in it changes. Make a correction: a new edition.")


class StatementTaken(RuleBroken):
    code = "statement_taken"
    message = _("Somebody made the same statement at the same moment. Look at that one.")


class ChangedSinceShown(RuleBroken):
    code = "changed_since_shown"
    message = _("The statement has changed since it was shown. Nothing is locked. Look at what stands now.")


class NotAPriceToChoose(RuleBroken):
    code = "not_a_price_to_choose"
    message = _("That price cannot be chosen for the line. Choose one of the prices that are listed.")


class AlreadyDisputed(RuleBroken):
    code = "already_disputed"
    message = _("The line is disputed already. Settle that first.")


class AlreadySettled(RuleBroken):
    code = "already_settled"
    message = _("The dispute is settled already.")


class LinesLeft(RuleBroken):
    """Lines stand in the way of the lock; the text names them."""

    def __init__(self, lines: Sequence[StatementLine]) -> None:
        self.lines = lines
        named = "; ".join(gettext("%(home)s to %(provider)s, %(programme)s") % {
            "home": line.home, "provider": line.provider, "programme": line.programme.code
        } for line in lines[:5])  # fmt: skip
        more = gettext(" and %(more)s more") % {"more": len(lines) - 5} if len(lines) > 5 else ""
        super().__init__(str(self.message) % {"lines": named + more})


class LinesOpen(LinesLeft):
    code = "lines_open"
    message = _(
        "These lines have no price yet: %(lines)s. Choose a price, or publish a list and make the statement anew."
    )


class LinesDisputed(LinesLeft):
    code = "lines_disputed"
    message = _("These lines are disputed: %(lines)s. Write how each was settled before you lock.")


class StatementOutdated(RuleBroken):
    code = "statement_outdated"
    message = _("Pupils, agreements or prices have changed since the statement was made. Make it anew, and look again.")


# Sums


@dataclass(frozen=True)
class PriceGroup:
    """Prices that may be added: of one kind, with or without meals and VAT alike. None: the list does not say."""

    kind: str
    incl_meals: bool | None
    incl_vat: bool | None

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        return ", ".join(
            [str(PriceKind(self.kind).label), meals_in_words(self.incl_meals), vat_in_words(self.incl_vat)]
        )

    @property
    def rank(self) -> tuple[int, int, int]:
        return list(PriceKind).index(PriceKind(self.kind)), _third(self.incl_meals), _third(self.incl_vat)


def _third(answer: bool | None) -> int:
    return 2 if answer is None else int(not answer)


@dataclass(frozen=True)
class GroupSum:
    """What the two owe each other in prices of one group. `net_sek` above 0: the first owes the second."""

    group: PriceGroup
    first_owes_sek: Decimal
    second_owes_sek: Decimal

    @property
    def net_sek(self) -> Decimal:
        return self.first_owes_sek - self.second_owes_sek

    @property
    def size_sek(self) -> Decimal:
        return abs(self.net_sek)


def sums_of(statement: Statement, lines: Iterable[StatementLine]) -> list[GroupSum]:
    """The sums in each direction, by group of prices. A line without an amount is in none."""
    owed: dict[PriceGroup, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for line in lines:
        if line.amount_sek is not None:
            owed[group_of(line)][int(line.home_id != statement.first_id)] += line.amount_sek
    return [GroupSum(group, *owed[group]) for group in sorted(owed, key=lambda group: group.rank)]


# Making


def group_of(line: StatementLine) -> PriceGroup:
    return PriceGroup(line.price_kind, line.incl_meals, line.incl_vat)


def in_code_order(one: Municipality, other: Municipality) -> tuple[Municipality, Municipality]:
    return (one, other) if one.code <= other.code else (other, one)


def lines_of(statement: Statement) -> list[StatementLine]:
    """Its lines with all they name: first those of the first municipality's pupils, by programme."""
    lines = statement.lines.select_related(
        "home", "provider", "programme", "revision__agreement", "price_row__price_list", "price_row__orientation"
    ).prefetch_related(
        Prefetch("disputes", Dispute.objects.select_related("raised_by", "by", "settled_by").order_by("at", "pk"))
    )
    return sorted(lines, key=lambda line: (line.home_id != statement.first_id, line.programme.code, line.pk))


def is_disputed(line: StatementLine) -> bool:
    return any(dispute.settled_at is None for dispute in line.disputes.all())


@transaction.atomic
def make_statement(
    first: Municipality, second: Municipality, year: SchoolYear, semester: str, *, by: User, on_behalf_of: Body
) -> Statement:
    """Make, or make anew, what the two owe each other for a semester. After a lock it is a correction: a new edition.

    What officials chose stays as long as that price is still there to choose, and disputes stay.
    Raises NotYourStatement or NoPupils.
    """
    if on_behalf_of.pk not in (first.pk, second.pk) or on_behalf_of.pk not in by.bodies_where(RoleKind.ADMINISTRATOR):
        raise NotYourStatement
    return _make(first, second, year, semester, by=by, on_behalf_of=on_behalf_of)


def _make(
    one: Municipality,
    other: Municipality,
    year: SchoolYear,
    semester: str,
    *,
    by: User | None,
    on_behalf_of: Body | None,
) -> Statement:
    first, second = in_code_order(one, other)
    Municipality.objects.select_for_update(no_key=True).get(pk=first.pk)  # one at a time: the second finds the first's
    key = {"first": first, "second": second, "school_year": year, "semester": semester}
    earlier = Statement.objects.select_for_update(no_key=True).filter(**key).order_by("-number")
    latest = earlier.first()
    statement = latest if latest and latest.state == StatementState.DRAFT else None
    drafts = _drafts(first, second, year, semester)
    if not drafts and statement is None:
        raise NoPupils
    is_new = statement is None
    if statement is None:
        with refused(statement_one_draft=StatementTaken, statement_edition_once=StatementTaken), transaction.atomic():
            statement = Statement.objects.create(**key, number=latest.number + 1 if latest else 1)
    changed, dropped = _write_lines(statement, drafts)
    if changed and not is_new:
        statement.made_at = now()
        statement.save(update_fields=["made_at"])
    if changed or is_new:
        record(
            "statement.made" if is_new else "statement.remade", statement, by=by, on_behalf_of=on_behalf_of,
            statement=str(statement), edition=statement.number, lines=len(drafts), changed=changed, dropped=dropped,
        )  # fmt: skip
    return statement


LINE_FACTS = (
    "pupils", "flow_key", "flow_source", "example", "basis", "revision_id", "price_row_id", "price_kind", "incl_meals",
    "incl_vat", "price_sek", "amount_sek", "chosen_why",
)  # fmt: skip


@dataclass(frozen=True)
class LineDraft:
    """A line as it would be made now, before it is written."""

    flow: PupilFlow
    priced: Priced

    @property
    def key(self) -> tuple[int, int, int]:
        return self.flow.home_id, self.flow.provider_municipality_id, self.flow.programme_id

    def facts(self, before: StatementLine | None = None) -> dict[str, Any]:
        """What the line says. A price that an official chose stays while it is there to be chosen."""
        found, basis, why = self.priced.found, self.priced.basis, ""
        if before is not None and before.basis == LineBasis.CHOSEN:
            chosen = next((one for one in self.priced.candidates if _is_chosen(before, one)), None)
            if chosen:
                found, basis, why = chosen, LineBasis.CHOSEN, before.chosen_why
        return {
            "pupils": self.flow.pupils,
            "flow_key": self.flow.pk,
            "flow_source": self.flow.came_in,
            "example": self._example(found),
            "basis": basis,
            "revision_id": self.priced.rule.revision.pk if self.priced.rule.revision else None,
            "chosen_why": why,
            **_price_facts(found, self.flow.pupils),
        }

    def _example(self, found: Candidate | None) -> bool:
        revision = self.priced.rule.revision
        from_list = found.row.price_list.example if found and found.row else False
        return self.flow.example or from_list or bool(revision and revision.agreement.example)


def _is_chosen(line: StatementLine, candidate: Candidate) -> bool:
    if line.price_row_id:
        return candidate.row is not None and candidate.row.pk == line.price_row_id
    return candidate.term is not None and candidate.price_sek == line.price_sek


def _price_facts(found: Candidate | None, pupils: int) -> dict[str, Any]:
    return {
        "price_row_id": found.row.pk if found and found.row else None,
        "price_kind": found.kind if found else "",
        "incl_meals": found.incl_meals if found else None,
        "incl_vat": found.incl_vat if found else None,
        "price_sek": found.price_sek if found else None,
        "amount_sek": half_of(pupils, found.price_sek) if found else None,
    }


def _drafts(first: Municipality, second: Municipality, year: SchoolYear, semester: str) -> dict[Any, LineDraft]:
    """The lines as they would be made now, in both directions."""
    flows = PupilFlow.objects.filter(
        Q(home=first, provider_municipality=second) | Q(home=second, provider_municipality=first),
        school_year=year,
        semester=semester,
        pupils__gt=0,
    ).select_related("programme", "source")
    found = list(flows.order_by("programme__code", "pk"))
    if not found:
        return {}
    book = PriceBook([first.pk, second.pk], priced_on(year, semester))
    drafts = [
        LineDraft(flow, book.price(flow.home_id, flow.provider_municipality_id, flow.programme)) for flow in found
    ]
    return {draft.key: draft for draft in drafts}


def _write_lines(statement: Statement, drafts: Mapping[Any, LineDraft]) -> tuple[int, list[str]]:
    """Make the lines what they would be now; how many changed, and of which programmes the choice no longer fits."""
    lines = {
        (one.home_id, one.provider_id, one.programme_id): one for one in statement.lines.select_related("programme")
    }
    changed, dropped, new = 0, [], []
    for key, draft in drafts.items():
        line = lines.pop(key, None)
        facts = draft.facts(line)
        if line is None:
            home, provider, programme = key
            new.append(
                StatementLine(statement=statement, home_id=home, provider_id=provider, programme_id=programme, **facts)
            )
        elif any(getattr(line, name) != value for name, value in facts.items()):
            if line.basis == LineBasis.CHOSEN and facts["basis"] != LineBasis.CHOSEN:
                dropped.append(f"{line.programme.code}: {line.chosen_why}")
            for name, value in facts.items():
                setattr(line, name, value)
            line.save(update_fields=[name.removesuffix("_id") for name in facts])
            changed += 1
    StatementLine.objects.bulk_create(new)
    for line in lines.values():  # nobody says any more that there are such pupils
        line.delete()
    return changed + len(new) + len(lines), dropped


@dataclass(frozen=True)
class Review:
    """A draft beside what would be made now: its lines, the prices that may be chosen, and whether it still holds."""

    lines: list[StatementLine]
    drafts: Mapping[Any, LineDraft]

    @property
    def is_outdated(self) -> bool:
        """Whether making it anew would change something."""
        if len(self.lines) != len(self.drafts):
            return True
        for line in self.lines:
            draft = self.drafts.get((line.home_id, line.provider_id, line.programme_id))
            if draft is None:
                return True
            if any(getattr(line, name) != value for name, value in draft.facts(line).items()):
                return True
        return False

    def candidates(self, line: StatementLine) -> tuple[Candidate, ...]:
        """The prices that may be chosen for a line, each once."""
        draft = self.drafts.get((line.home_id, line.provider_id, line.programme_id))
        return draft.priced.candidates if draft else ()

    def rule(self, line: StatementLine) -> PriceRule | None:
        draft = self.drafts.get((line.home_id, line.provider_id, line.programme_id))
        return draft.priced.rule if draft else None


def review_of(statement: Statement) -> Review:
    """The lines of a draft and what they would be now."""
    drafts = _drafts(statement.first, statement.second, statement.school_year, statement.semester)
    return Review(lines_of(statement), drafts)


def seen_of_statement(lines: Iterable[StatementLine]) -> str:
    """What somebody saw, so that they lock that and nothing else."""
    said = "\n".join(
        "|".join(str(getattr(line, name)) for name in ("pk", *LINE_FACTS))
        for line in sorted(lines, key=lambda one: one.pk)
    )
    return hashlib.sha256(said.encode()).hexdigest()[:16]


# Working on it


def hold_draft(statement_id: int, by: User, on_behalf_of: Body) -> Statement:
    """The statement's row, held until the end. Raises NotYourStatement or StatementLocked."""
    statement = (
        Statement.objects.select_for_update(no_key=True, of=("self",))
        .select_related("first", "second")
        .get(pk=statement_id)
    )
    ours = (statement.first_id, statement.second_id)
    if on_behalf_of.pk not in ours or on_behalf_of.pk not in by.bodies_where(RoleKind.ADMINISTRATOR):
        raise NotYourStatement
    if statement.state == StatementState.LOCKED:
        raise StatementLocked
    return statement


def _line_in_words(line: StatementLine) -> str:
    return f"{line.home}–{line.provider}, {line.programme.code}"


@transaction.atomic
def choose_price(line: StatementLine, choice: str, *, why: str, by: User, on_behalf_of: Body) -> StatementLine:
    """Give a line one of the prices that may be chosen for it, by its key, and say why.

    Raises NotAPriceToChoose, StatementLocked or NotYourStatement.
    """
    statement = hold_draft(line.statement_id, by, on_behalf_of)
    review = review_of(statement)
    found = next((one for one in review.lines if one.pk == line.pk), None)
    chosen = next((one for one in review.candidates(found) if one.key == choice), None) if found else None
    if found is None or chosen is None:
        raise NotAPriceToChoose(field="choice")
    facts = {"basis": LineBasis.CHOSEN, "chosen_why": why, **_price_facts(chosen, found.pupils)}
    example = chosen.row.price_list.example if chosen.row else False
    for name, value in facts.items():
        setattr(found, name, value)
    found.example = found.example or example
    found.save()
    record(
        "statement.price_chosen", statement, by=by, on_behalf_of=on_behalf_of,
        line=_line_in_words(found), price=str(chosen.price_sek), choice=str(chosen), why=why,
    )  # fmt: skip
    return found


@transaction.atomic
def raise_dispute(line: StatementLine, *, text: str, by: User, on_behalf_of: Body) -> Dispute:
    """Say that one of the two does not accept a line, and why.

    Raises AlreadyDisputed, StatementLocked or NotYourStatement.
    """
    statement = hold_draft(line.statement_id, by, on_behalf_of)
    with refused(dispute_one_open=AlreadyDisputed), transaction.atomic():
        dispute = Dispute.objects.create(line=line, raised_by_id=on_behalf_of.pk, text=text, by=by)
    record(
        "statement.disputed", statement, by=by, on_behalf_of=on_behalf_of, line=_line_in_words(line), text=text
    )  # fmt: skip
    return dispute


@transaction.atomic
def settle_dispute(dispute: Dispute, *, text: str, by: User, on_behalf_of: Body) -> Dispute:
    """Write how a dispute was settled. Raises AlreadySettled, StatementLocked or NotYourStatement."""
    statement = hold_draft(dispute.line.statement_id, by, on_behalf_of)
    dispute = Dispute.objects.select_for_update(no_key=True).get(pk=dispute.pk)
    if dispute.settled_at is not None:
        raise AlreadySettled
    dispute.settlement, dispute.settled_by, dispute.settled_at = text, by, now()
    dispute.save(update_fields=["settlement", "settled_by", "settled_at"])
    record(
        "statement.dispute_settled", statement, by=by, on_behalf_of=on_behalf_of,
        line=_line_in_words(dispute.line), text=text,
    )  # fmt: skip
    return dispute


# The whole area


def order_statements(area: CollaborationArea, year: SchoolYear, semester: str, *, by: User, on_behalf_of: Body) -> Job:
    """Have the statements of all pairs of an area's members made, by a job. Raises NotYourStatement.

    Those of one's own municipality that are not locked are made anew; for other pairs only what is missing is made.
    """
    is_member = Membership.objects.on().filter(area=area, municipality=on_behalf_of.pk).exists()
    if not is_member or on_behalf_of.pk not in by.bodies_where(RoleKind.ADMINISTRATOR):
        raise NotYourStatement
    page = f"{reverse('statements')}?omrade={area.slug}&lasar={year_in_address(year)}&termin={semester}"
    return order_job(
        STATEMENTS,
        f"{area.pk}:{year.starts}:{semester}:{on_behalf_of.pk}",
        by=by,
        on_behalf_of=on_behalf_of,
        args={"area": area.pk, "year": year.starts, "semester": semester, "page": page},
    )


def statements_under_way(area: CollaborationArea, year: SchoolYear, semester: str) -> Job | None:
    """The unfinished job that makes them, if there is one."""
    return (
        Job.objects.unfinished().filter(kind=STATEMENTS, key__startswith=f"{area.pk}:{year.starts}:{semester}:").first()
    )


def pairs_with_pupils(
    area: CollaborationArea, year: SchoolYear, semester: str
) -> list[tuple[Municipality, Municipality]]:
    """Pairs of the area's members between which anybody has said that pupils go. In the agreed order."""
    members = [member for member, _membership in members_of(area, year)]
    ids = [member.pk for member in members]
    flows = PupilFlow.objects.filter(
        home__in=ids, provider_municipality__in=ids, school_year=year, semester=semester, pupils__gt=0
    ).exclude(home=F("provider_municipality"))
    between = {frozenset(ends) for ends in flows.values_list("home", "provider_municipality").distinct()}
    return [(one, other) for one, other in combinations(members, 2) if frozenset((one.pk, other.pk)) in between]


def make_statements(
    area: CollaborationArea, year: SchoolYear, semester: str, *, by: User | None, on_behalf_of: Body | None
) -> Iterator[tuple[int, int]]:
    """Make them pair by pair, each whole before the next; yields how many pairs are done, and of how many."""
    pairs = pairs_with_pupils(area, year, semester)
    yield 0, len(pairs)
    for done, (one, other) in enumerate(pairs, start=1):
        first, second = in_code_order(one, other)
        there = Statement.objects.filter(first=first, second=second, school_year=year, semester=semester)
        latest = there.order_by("-number").first()
        is_own = on_behalf_of is not None and on_behalf_of.pk in (one.pk, other.pk)
        if latest is None or (is_own and latest.state == StatementState.DRAFT):
            with transaction.atomic():
                _make(one, other, year, semester, by=by, on_behalf_of=on_behalf_of)
        yield done, len(pairs)
