"""What is still open in a revision: facts that nobody has filled in, and [words in brackets] left in its texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from agreements.models import PriceKind, Revision, RevisionKind, Term
from agreements.operations.covering import takes_pupils
from agreements.operations.drafting import parts_of_revision
from agreements.outline import ANNEX, BY_KEY, FOLLOW_UP, PARTIES, PRICE, SCOPE, VALIDITY, heading_of, is_own

PLACEHOLDER = re.compile(r"\[[^\[\]\n]{1,200}\]")


@dataclass(frozen=True)
class Placeholder:
    """Something open: in which section, what it is, and whether it stands in the section's text or among its facts.

    `is_when`: it is from when a later revision holds.
    """

    section: str
    heading: str
    what: str
    part: int | None = None
    term: int | None = None
    is_when: bool = False

    def __str__(self) -> str:
        return f"{self.heading}: {self.what}"


def placeholders_of(revision: Revision, terms: list[Term] | None = None) -> list[Placeholder]:
    """Everything that is open, in reading order. Empty: it may be decided on."""
    return list(_placeholders(revision, terms))


def _placeholders(revision: Revision, terms: list[Term] | None) -> Iterator[Placeholder]:
    parts = {part.key: part for part in parts_of_revision(revision)}
    for key in revision.sections:
        part = parts.get(key)
        heading = heading_of(key, part.heading if part else "")
        for what in _open_facts(key, revision):
            yield Placeholder(key, heading, what)
        if key == revision.sections[0] and revision.kind != RevisionKind.ORIGINAL and revision.first_day is None:
            yield Placeholder(key, heading, _("from when the change holds"), is_when=True)
        if key == SCOPE:
            yield from _open_terms(revision, heading, terms)
        if part is None:
            continue
        if not part.text.strip() and (is_own(key) or BY_KEY[key].needs_text):
            yield Placeholder(key, heading, _("the text is not written"), part=part.pk)
        for found in PLACEHOLDER.findall(part.text):
            yield Placeholder(key, heading, found, part=part.pk)


def _open_facts(key: str, revision: Revision) -> Iterator[str]:
    if key == VALIDITY:
        if revision.first_day is None and revision.kind == RevisionKind.ORIGINAL:
            yield _("the first day")
        if revision.is_open_ended is None or (not revision.is_open_ended and revision.last_day is None):
            yield _("the last day, or that it holds until further notice")
        if revision.notice_months is None:
            yield _("the period of notice")
        if not revision.notice_effect:
            yield _("when notice takes effect")
        if not revision.notice_ends:
            yield _("what happens after notice")
    elif key == PRICE:
        if not revision.price_kind:
            yield _("which price holds")
        if revision.incl_meals is None:
            yield _("whether meals are included")
        if revision.incl_vat is None:
            yield _("whether VAT is included")
    elif key == ANNEX and revision.annex_day is None:
        yield _("the day by which the annex is fixed each year")
    elif key == FOLLOW_UP and revision.follow_up_day is None:
        yield _("the day of follow-up each year")
    elif key == PARTIES and revision.agreement.parties.count() < 2:
        yield _("the parties")


def _open_terms(revision: Revision, heading: str, terms: list[Term] | None) -> Iterator[Placeholder]:
    if terms is None:
        terms = list(revision.terms.select_related("home", "provider", "programme", "orientation").order_by("pk"))
    if not terms:
        yield Placeholder(SCOPE, heading, _("no programme is named"))
    fixed = revision.price_kind == PriceKind.FIXED and PRICE in revision.sections
    for term in terms:
        if term.seats is None and not term.unlimited:
            yield Placeholder(SCOPE, heading, _("seats, or no limit: %(term)s") % {"term": term}, term=term.pk)
        if fixed and term.price_sek is None:
            yield Placeholder(SCOPE, heading, _("the fixed price: %(term)s") % {"term": term}, term=term.pk)
        if revision.first_day and not takes_pupils(term, revision.first_day, revision.ends):
            what = _("takes no new pupils in the intakes that it would cover: %(term)s") % {"term": term}
            yield Placeholder(SCOPE, heading, what, term=term.pk)
    for one, other in _overlapping(terms):
        yield Placeholder(SCOPE, heading, _("two terms for the same intakes: %(term)s") % {"term": one}, term=other.pk)


def _overlapping(terms: list[Term]) -> Iterator[tuple[Term, Term]]:
    """Terms about the same thing whose intakes overlap."""
    for place, one in enumerate(terms):
        for other in terms[place + 1 :]:
            same = (one.home_id, one.provider_id, one.programme_id, one.orientation_id) == (
                other.home_id, other.provider_id, other.programme_id, other.orientation_id,
            )  # fmt: skip
            begins = max(
                one.intake_from.starts if one.intake_from else 0, other.intake_from.starts if other.intake_from else 0
            )
            ends = min(
                one.intake_to.starts if one.intake_to else 9999, other.intake_to.starts if other.intake_to else 9999
            )
            if same and begins <= ends:
                yield one, other
