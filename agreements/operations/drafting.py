"""Beginning an agreement, and filling in what is to be agreed: parties, facts, terms and clauses."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from sequences import get_next_value

from agreements.models import (
    Agreement,
    AgreementKind,
    ClauseUse,
    ClauseVersion,
    Party,
    Revision,
    RevisionKind,
    RevisionState,
    Standing,
    Term,
)
from agreements.operations.errors import ChangedMeanwhile, NotYourParty, WrongState
from agreements.outline import (
    KEYS,
    OWN,
    PARTIES,
    SCOPE,
    SECTIONS,
    VALIDITY,
    is_own,
)
from collab4m.clock import now, today
from collab4m.errors import RuleBroken, refused
from collab4m.school_year import SchoolYear
from organisations.models import Board, Body, CollaborationArea, Membership, Municipality, RoleKind, User
from programmes.models import Orientation, Programme
from records.models import Part
from records.operations import differences, record, save_part

LANGUAGE = "sv"  # of official documents, whoever writes them

# The facts of a revision that people fill in, by the section where they stand.
FACTS = {
    VALIDITY: ("first_day", "last_day", "is_open_ended", "notice_months", "notice_effect", "notice_ends"),
    "ersattning": ("price_kind", "incl_meals", "incl_vat", "independents_percent"),
    "bilaga": ("annex_month", "annex_day"),
    "uppfoljning": ("follow_up_month", "follow_up_day"),
}
ALL_FACTS = tuple(name for names in FACTS.values() for name in names)


class AgreementRefused(RuleBroken):
    code = "agreement_refused"


class TermTwice(RuleBroken):
    code = "term_twice"
    message = gettext_lazy("That term is there already. Change its seats or its intakes instead.")


@dataclass(frozen=True)
class NewTerm:
    """A term as it is to begin. `orientation` None: the whole programme. `price_sek` per pupil and school year."""

    home: Municipality
    provider: Municipality
    programme: Programme
    orientation: Orientation | None = None
    seats: int | None = None
    unlimited: bool = False
    intake_from: SchoolYear | None = None
    intake_to: SchoolYear | None = None
    price_sek: Decimal | None = None


@transaction.atomic
def start_agreement(
    *,
    area: CollaborationArea,
    title: str,
    municipalities: Iterable[Municipality],
    by: User,
    on_behalf_of: Body,
    kind: str = AgreementKind.EDUCATION,
    standing: str = Standing.BILATERAL,
    terms: Iterable[NewTerm] = (),
    gap_year: SchoolYear | None = None,
    replaces: Agreement | None = None,
    example: bool = False,
) -> Agreement:
    """Begin a draft between two or more municipalities, with its number. What is not known stays open.

    `gap_year`: it began from what was missing in the municipality of `on_behalf_of` in that school year.
    Raises NotYourParty, AgreementRefused.
    """
    parties = _in_agreed_order(area, municipalities)
    if len(parties) < 2:
        raise AgreementRefused(_("An agreement has two parties or more. Choose one more municipality."), "parties")
    _require_own(by, on_behalf_of, {party.pk for party in parties})
    if not Membership.objects.on().filter(area=area, municipality=on_behalf_of.pk).exists():
        raise AgreementRefused(_("Your municipality is not a member of that area. Choose another area."), "area")
    year = today().year
    agreement = Agreement.objects.create(
        area=area,
        year=year,
        sequence=get_next_value(series_of(area, year)),
        title=title.strip(),
        kind=kind,
        standing=standing,
        gap_home_id=on_behalf_of.pk if gap_year else None,
        gap_year=gap_year,
        replaces=replaces,
        started_by_id=on_behalf_of.pk,
        example=example or by.example,
    )
    for place, party in enumerate(parties):
        boards = list(Board.objects.on().filter(municipality=party)[:2])
        Party.objects.create(
            agreement=agreement,
            municipality=party,
            position=place,
            signing_order=place + 1,
            board=boards[0] if len(boards) == 1 else None,
        )
    revision = Revision.objects.create(agreement=agreement, ordinal=1, sections=list(KEYS))
    open_parts(revision)
    for term in terms:
        _add(revision, term, parties)
    record("agreement.started", agreement, by=by, on_behalf_of=on_behalf_of, number=agreement.number)
    return agreement


def _in_agreed_order(area: CollaborationArea, municipalities: Iterable[Municipality]) -> list[Municipality]:
    """Each once, as the area's members have agreed; those who are no members come last."""
    members = Membership.objects.on().filter(area=area).in_agreed_order().values_list("municipality", flat=True)
    places = {pk: place for place, pk in enumerate(members)}
    return sorted(dict.fromkeys(municipalities), key=lambda one: places.get(one.pk, len(places)))


def series_of(area: CollaborationArea, year: int) -> str:
    """The series that numbers the agreements an area begins in a calendar year, without gaps."""
    return f"agreements/{area.pk}/{year}"


def open_parts(revision: Revision) -> None:
    """Make the texts of the revision's sections that are not there yet."""
    with translation.override(LANGUAGE):
        there = set(Part.objects.about(revision).values_list("key", flat=True))
        Part.objects.bulk_create(
            Part(subject=revision, key=section.key, heading=str(section.heading), order=place * 10)
            for place, section in enumerate(SECTIONS)
            if section.key in revision.sections and section.key not in there and section.key != PARTIES
        )


def locked(agreement: Agreement) -> Agreement:
    """The agreement, with its row locked: everything that moves it begins here, so nothing runs in between."""
    return Agreement.objects.select_for_update(no_key=True, of=("self",)).select_related("area").get(pk=agreement.pk)


def revision_under_way(agreement: Agreement, *states: str) -> Revision:
    """The revision that is being worked on, if it is in one of `states`. Raises WrongState."""
    found = agreement.revisions.under_way().select_related("agreement", "version").first()
    if found is None or (states and found.state not in states):
        raise WrongState
    return found


def _require_own(by: User, on_behalf_of: Body, parties: Collection[int]) -> None:
    if on_behalf_of.pk not in parties or on_behalf_of.pk not in by.bodies_where(RoleKind.ADMINISTRATOR):
        raise NotYourParty(field="on_behalf_of")


def require_party(agreement: Agreement, by: User, on_behalf_of: Body) -> Party:
    party = agreement.parties.filter(municipality=on_behalf_of.pk).first()
    if party is None:
        raise NotYourParty(field="on_behalf_of")
    _require_own(by, on_behalf_of, {party.municipality_id})
    return party


@transaction.atomic
def change_agreement(
    agreement: Agreement,
    *,
    title: str,
    kind: str,
    standing: str,
    replaces: Agreement | None,
    secrecy_note: str,
    by: User,
    on_behalf_of: Body,
) -> Agreement:
    """Change what the agreement is called and is: in the draft only, but the note on secrecy at any time.

    Raises NotYourParty, WrongState.
    """
    agreement = locked(agreement)
    require_party(agreement, by, on_behalf_of)
    values = {"title": title.strip(), "kind": kind, "standing": standing, "replaces": replaces}
    changes = differences(agreement, {**values, "secrecy_note": secrecy_note.strip()})
    if set(changes) - {"secrecy_note"} and _is_locked(agreement):
        raise WrongState(_("The agreement is decided on, so its title, kind and standing cannot be changed any more."))
    if replaces is not None and replaces.pk == agreement.pk:
        raise AgreementRefused(_("An agreement does not replace itself. Choose another."), "replaces")
    for name, value in {**values, "secrecy_note": secrecy_note.strip()}.items():
        setattr(agreement, name, value)
    if changes:
        agreement.save(update_fields=["title", "kind", "standing", "replaces", "secrecy_note"])
        record("agreement.changed", agreement, by=by, on_behalf_of=on_behalf_of, changes=changes)
    return agreement


def _is_locked(agreement: Agreement) -> bool:
    return agreement.revisions.filter(
        state__in=[RevisionState.DECIDING, RevisionState.SIGNING, RevisionState.SIGNED, RevisionState.REJECTED]
    ).exists()


@transaction.atomic
def change_parties(
    agreement: Agreement, *, municipalities: Iterable[Municipality], by: User, on_behalf_of: Body
) -> None:
    """Say who the parties are. Terms with one that is no longer there go with it.

    Raises NotYourParty, WrongState, AgreementRefused.
    """
    agreement = locked(agreement)
    require_party(agreement, by, on_behalf_of)
    revision = revision_under_way(agreement, RevisionState.DRAFT)
    if _is_locked(agreement) or revision.kind != RevisionKind.ORIGINAL:
        raise WrongState(_("The parties of a signed agreement stay the same. Begin a new agreement instead."))
    wanted = _in_agreed_order(agreement.area, municipalities)
    if len(wanted) < 2:
        raise AgreementRefused(_("An agreement has two parties or more. Choose one more municipality."), "parties")
    if on_behalf_of.pk not in {one.pk for one in wanted}:
        raise AgreementRefused(_("Your own municipality stays a party. Another party may take it out."), "parties")
    known = {party.municipality_id: party for party in agreement.parties.select_related("municipality")}
    gone = [party for pk, party in known.items() if pk not in {one.pk for one in wanted}]
    names = [str(one) for one in wanted]
    if [party.municipality_id for party in known.values()] == [one.pk for one in wanted]:
        return
    for party in gone:
        revision.terms.filter(home=party.municipality_id).delete()
        revision.terms.filter(provider=party.municipality_id).delete()
        party.delete()
    for place, one in enumerate(wanted):
        Party.objects.update_or_create(
            agreement=agreement,
            municipality=one,
            defaults={"position": place},
            create_defaults={"position": place, "signing_order": place + 1},
        )
    _touch(revision)
    record("agreement.parties_changed", agreement, by=by, on_behalf_of=on_behalf_of, parties=", ".join(names))


@transaction.atomic
def change_facts(revision: Revision, *, values: dict[str, Any], seen: int, by: User, on_behalf_of: Body) -> Revision:
    """Fill in facts of a draft: any of ALL_FACTS, `title`, `applies_from`. None is what nobody knows yet.

    `seen` is the revision's `edit` when the form was opened.
    Raises NotYourParty, WrongState, ChangedMeanwhile, AgreementRefused.
    """
    agreement = locked(revision.agreement)
    require_party(agreement, by, on_behalf_of)
    revision = agreement.revisions.select_for_update().get(pk=revision.pk)
    _require_draft(revision)
    if seen != revision.edit:
        raise ChangedMeanwhile
    changes = differences(revision, values)
    for name, value in values.items():
        if name not in (*ALL_FACTS, "title", "applies_from"):
            raise AgreementRefused(_("“%(name)s” is not a fact of an agreement.") % {"name": name})
        setattr(revision, name, value)
    _check_facts(revision)
    if changes:
        revision.edit = F("edit") + 1
        revision.save()
        revision.refresh_from_db()
        record("agreement.facts_changed", agreement, by=by, on_behalf_of=on_behalf_of, changes=changes)
    return revision


def _require_draft(revision: Revision) -> None:
    if revision.state != RevisionState.DRAFT:
        raise WrongState(_("Only a draft can be changed. Take it back to draft first, or begin an amendment."))


def _check_facts(revision: Revision) -> None:
    if revision.first_day and revision.last_day and revision.last_day < revision.first_day:
        raise AgreementRefused(_("The last day comes before the first. Change one of them."), "last_day")
    if revision.is_open_ended and revision.last_day:
        raise AgreementRefused(
            _("Either it holds until further notice or it has a last day. Take one away."), "last_day"
        )
    for month, day in (("annex_month", "annex_day"), ("follow_up_month", "follow_up_day")):
        found = getattr(revision, month), getattr(revision, day)
        if found == (None, None):
            continue
        try:
            date(2001, *found)  # no leap year: the day must come every year
        except (TypeError, ValueError):
            raise AgreementRefused(_("Write a day that comes every year, such as 15 December."), day) from None
    try:
        revision.clean_fields(exclude=["agreement", "changes", "version"])
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise AgreementRefused(messages[0], field) from error


def _touch(revision: Revision) -> None:
    Revision.objects.filter(pk=revision.pk).update(edit=F("edit") + 1)


@transaction.atomic
def add_terms(revision: Revision, *, terms: Iterable[NewTerm], by: User, on_behalf_of: Body) -> list[Term]:
    """Raises NotYourParty, WrongState, TermTwice, AgreementRefused."""
    agreement = locked(revision.agreement)
    require_party(agreement, by, on_behalf_of)
    revision = agreement.revisions.get(pk=revision.pk)
    _require_draft(revision)
    parties = [party.municipality for party in agreement.parties.select_related("municipality")]
    made = [_add(revision, term, parties) for term in terms]
    _touch(revision)
    for term in made:
        record("agreement.term_added", agreement, by=by, on_behalf_of=on_behalf_of, term=str(term))
    return made


def _add(revision: Revision, new: NewTerm, parties: Collection[Municipality]) -> Term:
    term = Term(revision=revision, **vars(new))
    _check_term(term, {party.pk for party in parties})
    with refused(term_once=TermTwice), transaction.atomic():
        term.save()
    return term


def _check_term(term: Term, parties: Collection[int]) -> None:
    if SCOPE not in term.revision.sections:
        raise AgreementRefused(_("This change does not touch programmes and seats."))
    if term.home_id == term.provider_id:
        raise AgreementRefused(_("The home municipality and the provider are two different ones."), "provider")
    if not {term.home_id, term.provider_id} <= set(parties):
        raise AgreementRefused(_("Both municipalities of a term are parties to the agreement."), "provider")
    if term.orientation and term.orientation.programme_id != term.programme_id:
        raise AgreementRefused(_("The orientation belongs to another programme."), "orientation")
    if term.seats is not None and term.unlimited:
        raise AgreementRefused(_("Either a number of seats or no limit. Take one away."), "seats")
    if term.intake_from and term.intake_to and term.intake_to < term.intake_from:
        raise AgreementRefused(_("The last intake comes before the first. Change one of them."), "intake_to")


@transaction.atomic
def change_term(term: Term, *, values: dict[str, Any], seen: int, by: User, on_behalf_of: Body) -> Term:
    """Change seats, limit, intakes or price of a term in a draft; `seen` is the revision's `edit`.

    Raises NotYourParty, WrongState, ChangedMeanwhile, TermTwice, AgreementRefused.
    """
    agreement = locked(term.revision.agreement)
    require_party(agreement, by, on_behalf_of)
    term = Term.objects.select_related("revision", "programme", "orientation", "home", "provider").get(pk=term.pk)
    _require_draft(term.revision)
    if seen != term.revision.edit:
        raise ChangedMeanwhile
    changes = differences(term, values)
    for name in ("seats", "unlimited", "intake_from", "intake_to", "price_sek"):
        if name in values:
            setattr(term, name, values[name])
    _check_term(term, {term.home_id, term.provider_id})
    if changes:
        with refused(term_once=TermTwice), transaction.atomic():
            term.save()
        _touch(term.revision)
        told = {f"{term}: {name}": pair for name, pair in changes.items()}
        record("agreement.term_changed", agreement, by=by, on_behalf_of=on_behalf_of, term=str(term), told=told)
    return term


@transaction.atomic
def remove_term(term: Term, *, by: User, on_behalf_of: Body) -> None:
    """Raises NotYourParty, WrongState."""
    agreement = locked(term.revision.agreement)
    require_party(agreement, by, on_behalf_of)
    revision = agreement.revisions.get(pk=term.revision_id)
    _require_draft(revision)
    record("agreement.term_removed", agreement, by=by, on_behalf_of=on_behalf_of, term=str(term))
    term.delete()
    _touch(revision)


@transaction.atomic
def add_own_clause(revision: Revision, *, heading: str, by: User, on_behalf_of: Body) -> Part:
    """Add a section of the parties' own, to be written. Raises NotYourParty, WrongState, AgreementRefused."""
    agreement = locked(revision.agreement)
    require_party(agreement, by, on_behalf_of)
    revision = agreement.revisions.select_for_update().get(pk=revision.pk)
    _require_draft(revision)
    heading = " ".join(heading.split())
    if not heading:
        raise AgreementRefused(_("Give the section a heading."), "heading")
    taken = [int(key.removeprefix(OWN)) for key in _own_keys(agreement)]
    number = max(taken, default=0) + 1
    key = f"{OWN}{number}"
    part = Part.objects.create(subject=revision, key=key, heading=heading[:200], order=200 + number)
    revision.sections = [*revision.sections, key]
    revision.edit = F("edit") + 1
    revision.save(update_fields=["sections", "edit"])
    record("agreement.clause_added", agreement, by=by, on_behalf_of=on_behalf_of, heading=part.heading)
    return part


def _own_keys(agreement: Agreement) -> set[str]:
    """The keys of own clauses of the agreement, also of those taken out: they are never used twice."""
    texts = Part.objects.filter(
        subject_type=ContentType.objects.get_for_model(Revision),
        subject_id__in=agreement.revisions.values("pk"),
        key__startswith=OWN,
    )
    return set(texts.values_list("key", flat=True))


@transaction.atomic
def remove_own_clause(revision: Revision, *, key: str, by: User, on_behalf_of: Body) -> None:
    """Take an own section out of a draft; its text stays in the history. Raises NotYourParty, WrongState."""
    agreement = locked(revision.agreement)
    require_party(agreement, by, on_behalf_of)
    revision = agreement.revisions.select_for_update().get(pk=revision.pk)
    _require_draft(revision)
    if not is_own(key) or key not in revision.sections:
        raise AgreementRefused(_("Only sections that you have added yourselves can be taken out."))
    heading = Part.objects.about(revision).get(key=key).heading
    revision.sections = [one for one in revision.sections if one != key]
    revision.edit = F("edit") + 1
    revision.save(update_fields=["sections", "edit"])
    record("agreement.clause_removed", agreement, by=by, on_behalf_of=on_behalf_of, heading=heading)


def parts_of_revision(revision: Revision) -> list[Part]:
    """The texts of the sections that the revision has, in reading order."""
    parts = Part.objects.about(revision).select_related("last_by", "last_on_behalf_of")
    return [part for part in parts if part.key in revision.sections]


@transaction.atomic
def use_clause(part: Part, clause_version: ClauseVersion, *, base_version: int, by: User, on_behalf_of: Body) -> Part:
    """Let a clause of the library stand in a section, and remember which version of it.

    Raises NotYourParty, WrongState, and PartChanged if somebody has written there since `base_version`.
    """
    revision = Revision.objects.select_related("agreement").get(pk=part.subject_id)
    agreement = locked(revision.agreement)
    require_party(agreement, by, on_behalf_of)
    _require_draft(agreement.revisions.get(pk=revision.pk))
    if clause_version.clause.section != part.key:
        raise AgreementRefused(_("The clause belongs to another section."))
    part = save_part(part, text=clause_version.text, base_version=base_version, by=by, on_behalf_of=on_behalf_of)
    ClauseUse.objects.update_or_create(revision=revision, section=part.key, defaults={"clause_version": clause_version})
    return part


@transaction.atomic
def withdraw_revision(agreement: Agreement, *, reason: str, by: User, on_behalf_of: Body) -> Revision:
    """Stop what is under way, for good. Raises NotYourParty, WrongState, AgreementRefused."""
    agreement = locked(agreement)
    require_party(agreement, by, on_behalf_of)
    revision = revision_under_way(agreement)
    if not reason.strip():
        raise AgreementRefused(_("Say why it is withdrawn. The other parties read it."), "reason")
    revision.referrals.filter(closed_at=None).update(closed_at=now())
    revision.state, revision.ended_reason = RevisionState.WITHDRAWN, reason.strip()
    revision.save(update_fields=["state", "ended_reason"])
    record(
        "agreement.withdrawn", agreement, by=by, on_behalf_of=on_behalf_of, title=str(revision), reason=reason.strip()
    )
    return revision
