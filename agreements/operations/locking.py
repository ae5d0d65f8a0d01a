"""Making a statement final: its content as a document in Swedish, every figure with its source, and its files."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from agreements.models import LineBasis, RevisionKind, Statement, StatementLine, StatementState
from agreements.operations.compensation import (
    ChangedSinceShown,
    GroupSum,
    LinesDisputed,
    LinesOpen,
    PriceGroup,
    Review,
    StatementOutdated,
    group_of,
    hold_draft,
    is_disputed,
    review_of,
    seen_of_statement,
    sums_of,
)
from agreements.operations.drafting import LANGUAGE
from agreements.operations.pricing import edition_in_words, list_year, meals_in_words, priced_on, vat_in_words
from organisations.models import Body, Municipality, User
from programmes.models import PupilFlow
from records.documents.blocks import (
    Inline,
    column,
    document,
    figure,
    note,
    paragraph,
    said,
    section,
    source_of,
    table,
)
from records.documents.content import Content
from records.models import Job
from records.operations import freeze, next_version, order_job, record

STATEMENT_FILES = "agreements.statement_files"
PORTAL = "portalen"


@transaction.atomic
def lock_statement(statement: Statement, *, by: User, on_behalf_of: Body, seen: str = "") -> Statement:
    """Freeze what the statement says and order its files. After this nothing changes it: not a later list, nor a flow.

    `seen` is what was shown (`seen_of_statement`). Raises ChangedSinceShown, LinesOpen, LinesDisputed,
    StatementOutdated, StatementLocked or NotYourStatement.
    """
    statement = hold_draft(statement.pk, by, on_behalf_of)
    review = review_of(statement)
    if seen and seen != seen_of_statement(review.lines):
        raise ChangedSinceShown
    if left := [line for line in review.lines if line.is_open]:
        raise LinesOpen(left)
    if left := [line for line in review.lines if is_disputed(line)]:
        raise LinesDisputed(left)
    if review.is_outdated:
        raise StatementOutdated
    version = freeze(next_version(statement, statement_content(statement, review), by=by, on_behalf_of=on_behalf_of))
    statement.state, statement.locked_at, statement.version = StatementState.LOCKED, version.frozen_at, version
    statement.save(update_fields=["state", "locked_at", "version"])
    record(
        "statement.locked", statement, by=by, on_behalf_of=on_behalf_of,
        statement=str(statement), edition=statement.number, sha256=version.content_sha256,
    )  # fmt: skip
    order_files(statement, by=by, on_behalf_of=on_behalf_of)
    return statement


def order_files(statement: Statement, *, by: User | None, on_behalf_of: Body | None) -> Job:
    """Have the files of a locked statement made."""
    return order_job(
        STATEMENT_FILES, str(statement.pk), by=by, on_behalf_of=on_behalf_of,
        args={"statement": statement.pk, "page": statement.get_absolute_url()},
    )  # fmt: skip


def latest_files_job(statement: Statement) -> Job | None:
    """The last job that was to make its files, however it went."""
    return Job.objects.filter(kind=STATEMENT_FILES, key=str(statement.pk)).order_by("-pk").first()


def statement_content(statement: Statement, review: Review) -> Content:
    """What is made final: sums by group of prices, and every line with the sources of its pupils and its price."""
    with translation.override(LANGUAGE):
        sources = _Sources(statement, review.lines)
        sums = sums_of(statement, review.lines)
        pair = f"{statement.first.name}–{statement.second.name}"
        sections = [_summary(statement, review.lines, sums, sources)]
        for home, provider in ((statement.first, statement.second), (statement.second, statement.first)):
            lines = [line for line in review.lines if line.home_id == home.pk]
            if lines:
                sections.append(_direction(home, provider, lines, sources))
        sections += _settled(review.lines)
        return document(
            kind=_("Statement of compensation"),
            title=_("Compensation %(pair)s, %(semester)s %(year)s") % {
                "pair": pair, "semester": statement.semester, "year": statement.school_year
            },
            subtitle=_("Edition %(number)s") % {"number": statement.number},
            sections=sections,
            sources=sources.entries,
        )  # fmt: skip


class _Sources:
    """The sources of the statement's figures by their keys. Equal ones are told once."""

    def __init__(self, statement: Statement, lines: Sequence[StatementLine]) -> None:
        self.entries: dict[str, Content] = {}
        self._same: dict[tuple[Any, ...], str] = {}
        self._flows = PupilFlow.objects.select_related("source").in_bulk([line.flow_key for line in lines])
        self.example = any(line.example for line in lines)
        day = date_format(localtime(statement.made_at), "j F Y")
        told = _("Computed by the portal: pupils times half the yearly price, to the öre, as of %(day)s") % {"day": day}
        self.entries[PORTAL] = source_of(None, came_in="computed", verified=False, note=told)

    def computed(self, value: Decimal, example: bool) -> Content:
        return figure(value, source=PORTAL, example=example)

    def pupils(self, line: StatementLine) -> Content:
        flow = self._flows.get(line.flow_key)
        told = _("Pupils of %(home)s in %(provider)s") % {"home": line.home, "provider": line.provider}
        notes = [told, flow.source_note if flow else ""]
        entry = source_of(
            flow.source if flow else None,
            came_in=line.flow_source,
            verified=bool(flow and flow.verified),
            note=". ".join(one for one in notes if one),
        )
        return figure(line.pupils, source=self._key("elever", line.flow_key, entry), example=line.example)

    def price(self, line: StatementLine) -> Content:
        assert line.price_sek is not None
        if line.price_row is None:
            revision = line.revision
            told = _("Fixed price in agreement %(agreement)s, %(revision)s") % {
                "agreement": revision.agreement if revision else "", "revision": revision or ""
            }  # fmt: skip
            entry = source_of(None, came_in="form", verified=False, note=told)
            return figure(line.price_sek, source=self._key("avtal", line.revision_id, entry), example=line.example)
        price_list = line.price_row.price_list
        parts = [
            edition_in_words(price_list), str(price_list.get_kind_display()),
            str(price_list.municipality or price_list.area or ""), meals_in_words(price_list.incl_meals),
            vat_in_words(price_list.incl_vat),
        ]  # fmt: skip
        note = ", ".join(part for part in parts if part)
        if price_list.source_note:
            note = f"{note}. {price_list.source_note}"
        entry = source_of(price_list.source, came_in=price_list.came_in, verified=price_list.verified, note=note)
        return figure(line.price_sek, source=self._key("lista", price_list.pk, entry), example=line.example)

    def _key(self, kind: str, pk: Any, entry: Content) -> str:
        key = self._same.setdefault(tuple(entry.values()), f"{kind}:{pk}")
        self.entries[key] = entry
        return key


def _summary(
    statement: Statement, lines: Sequence[StatementLine], sums: Sequence[GroupSum], sources: _Sources
) -> Content:
    words = {
        "day": date_format(priced_on(statement.school_year, statement.semester), "j F Y"),
        "year": list_year(statement.school_year, statement.semester),
    }
    blocks = [paragraph(net_sentence(statement, one, sources)) for one in sums]
    if len(sums) > 1:
        blocks.append(note(_("The prices are of different kinds, which are shown apart and are not added together.")))
    blocks.append(
        paragraph(
            _("Agreements in force on %(day)s and price lists for %(year)s decide. A semester is half a year's price.")
            % words
        )
    )
    if any(line.revision and line.revision.independents_percent for line in lines):
        blocks.append(
            note(_("Supplements for independent schools are not part of what municipalities owe each other."))
        )
    blocks.append(
        table(
            "summor",
            _("What the municipalities owe each other, by kind of price"),
            [
                column(_("Kind of price"), "label"),
                column(_("%(municipality)s owes, SEK") % {"municipality": statement.first.name}, "number"),
                column(_("%(municipality)s owes, SEK") % {"municipality": statement.second.name}, "number"),
                column(_("Net, SEK"), "number"),
                column(_("Who pays net")),
            ],
            [_sum_row(statement, one, lines, sources) for one in sums],
        )
    )
    return section("sammanfattning", _("What is to be paid"), *blocks)


def net_sentence(statement: Statement, one: GroupSum, sources: _Sources) -> Inline:
    payer, receiver = payer_of(statement, one)
    if payer is None:
        return _("Nothing is to be paid net in prices of this kind: %(group)s.") % {"group": one.group}
    sentence = _("%(payer)s pays %(receiver)s %(amount)s SEK net. Kind of price: %(group)s.")
    return said(
        sentence,
        payer=payer.name,
        receiver=receiver.name if receiver else "",
        amount=sources.computed(one.size_sek, sources.example),
        group=str(one.group),
    )


def payer_of(statement: Statement, one: GroupSum) -> tuple[Municipality | None, Municipality | None]:
    """Who pays whom net in a group; nobody when they are even."""
    if one.net_sek == 0:
        return None, None
    pair = statement.first, statement.second
    return pair if one.net_sek > 0 else (pair[1], pair[0])


def _sum_row(statement: Statement, one: GroupSum, lines: Sequence[StatementLine], sources: _Sources) -> list[Inline]:
    example = _has_example(one.group, lines)
    payer, _receiver = payer_of(statement, one)
    return [
        str(one.group),
        sources.computed(one.first_owes_sek, example),
        sources.computed(one.second_owes_sek, example),
        sources.computed(one.size_sek, example),
        payer.name if payer else _("nobody"),
    ]


def _has_example(group: PriceGroup, lines: Sequence[StatementLine]) -> bool:
    return any(line.example for line in lines if group_of(line) == group)


def _direction(
    home: Municipality, provider: Municipality, lines: Sequence[StatementLine], sources: _Sources
) -> Content:
    words = {"home": home.name, "provider": provider.name}
    rows = [
        [
            f"{line.programme.code} {line.programme.name_sv}",
            sources.pupils(line),
            sources.price(line),
            sources.computed(line.amount_sek or Decimal(0), line.example),
            str(group_of(line)),
            why_in_words(line),
        ]
        for line in lines
    ]
    columns = [
        column(_("Programme"), "label"),
        column(_("Pupils"), "number"),
        column(_("Price per pupil and year, SEK"), "number"),
        column(_("Amount for the semester, SEK"), "number"),
        column(_("Kind of price")),
        column(_("Why this price")),
    ]
    return section(
        f"fran-{home.code}",
        _("Pupils of %(home)s in %(provider)s") % words,
        table(f"rader-{home.code}", _("Pupils of %(home)s who study in %(provider)s") % words, columns, rows),
    )


def why_in_words(line: StatementLine) -> str:
    """Why a line has its price: the agreement with its number and revision, the law, or an official's choice."""
    told = []
    if line.basis == LineBasis.CHOSEN:
        told.append(_("Chosen by an official: %(why)s") % {"why": line.chosen_why})
    if line.revision:
        words = {"number": line.revision.agreement.number, "revision": str(line.revision.get_kind_display())}
        if line.revision.kind == RevisionKind.ORIGINAL:
            told.append(_("Agreement %(number)s") % words)
        else:
            words["ordinal"] = str(line.revision.ordinal)
            told.append(_("Agreement %(number)s, %(revision)s %(ordinal)s") % words)
    elif line.basis != LineBasis.CHOSEN:
        told.append(str(line.get_basis_display()).capitalize())
    return ". ".join(told)


def _settled(lines: Sequence[StatementLine]) -> list[Content]:
    """What was disputed, and how it was settled."""
    rows = [
        [
            _("%(home)s to %(provider)s, %(programme)s")
            % {"home": line.home.name, "provider": line.provider.name, "programme": line.programme.code},
            dispute.raised_by.name,
            " ".join(dispute.text.split()),
            " ".join(dispute.settlement.split()),
        ]
        for line in lines
        for dispute in line.disputes.all()
    ]
    if not rows:
        return []
    columns = [
        column(_("Line"), "label"),
        column(_("Disputed by")),
        column(_("What was wrong")),
        column(_("How it was settled")),
    ]
    return [section("invandningar", _("Disputes"), table("losta", _("Disputes, all settled"), columns, rows))]
