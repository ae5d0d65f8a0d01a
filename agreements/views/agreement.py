"""The page of an agreement: where it stands, who waits for whom, what is agreed and what has been decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_GET

from agreements.models import (
    Agreement,
    ArchiveCopy,
    Calculation,
    Party,
    PriceKind,
    Referral,
    Revision,
    RevisionState,
    Term,
)
from agreements.operations import (
    FACTS,
    PartyAnswer,
    Phase,
    Validity,
    answers_of,
    consolidated,
    decisions_of,
    intakes_in_words,
    notice_in_words,
    placeholders_of,
    validity_of,
    yearly_day,
)
from agreements.outline import SCOPE
from agreements.views.shared import Request, agreement_of
from collab4m.clock import today
from collab4m.templatetags.shell import capital, in_text, in_words
from organisations.models import RoleKind
from records.documents.words import grouped
from records.models import Decision, DecisionResult, Rendition, RenditionKind, SignOff, Version

SHOWN_FILES = (RenditionKind.PDF, RenditionKind.SEALED, RenditionKind.DOCX)
TAGS = {
    RevisionState.DRAFT: ("neutral", "pen"),
    RevisionState.REFERRAL: ("warning", "wait"),
    RevisionState.DECIDING: ("warning", "gavel"),
    RevisionState.SIGNING: ("warning", "pen"),
    RevisionState.REJECTED: ("danger", "no"),
    RevisionState.WITHDRAWN: ("neutral", "no"),
}
PHASE_TAGS = {Phase.UPCOMING: ("info", "calendar"), Phase.IN_FORCE: ("success", "yes"), Phase.ENDED: ("neutral", "no")}


@dataclass(frozen=True)
class Tag:
    """A state beside the name."""

    words: str
    colour: str
    icon: str


@dataclass(frozen=True)
class Step:
    """A state on the way, with its date or count. `state`: "done", "now" or ""."""

    name: str
    note: str
    state: str = ""


@dataclass
class Row:
    """A party, and how far it has come with what is shown."""

    party: Party
    part: str  # whether it provides, sends pupils, or both
    answer: PartyAnswer | None = None
    decision: Decision | None = None
    sign_off: SignOff | None = None
    leaves_on: date | None = None
    may_record: bool = False
    may_number: bool = False


@dataclass
class Waiting:
    """What is waited for: `what` is what the parties `by` have to do. `own`: the reader's among them."""

    what: str
    by: list[Party] = field(default_factory=list)
    since: datetime | None = None
    last_day: date | None = None
    own: list[Party] = field(default_factory=list)

    @property
    def names(self) -> str:
        return joined(party.municipality.name for party in self.by)

    @property
    def is_late(self) -> bool:
        return self.last_day is not None and self.last_day < today()


@dataclass(frozen=True)
class TermRow:
    """Terms that differ in nothing but whose pupils they are about."""

    term: Term
    homes: str
    intakes: str


@dataclass
class VersionRow:
    version: Version
    short_hash: str
    changed: list[str]
    is_first: bool
    files: list[tuple[str, Rendition]]
    state: str = ""


def joined(names: Iterable[str]) -> str:
    """ "A, B and C"."""
    found = list(dict.fromkeys(names))
    if len(found) < 2:
        return "".join(found)
    return _("%(others)s and %(last)s") % {"others": ", ".join(found[:-1]), "last": found[-1]}


@require_GET
def agreement(request: Request, pk: int) -> HttpResponse:
    found = agreement_of(request, pk)
    user = request.user
    revisions = _revisions(request, found)
    signed = sorted(
        (one for one in revisions if one.state == RevisionState.SIGNED), key=lambda one: (one.signed_at, one.pk)
    )
    under_way = next((one for one in revisions if one.state in RevisionState.under_way()), None)
    shown = under_way or (signed[-1] if signed else revisions[-1])
    parties = list(found.parties.select_related("municipality", "board").order_by("position", "pk"))
    for party in parties:
        party.agreement = found
    validity = validity_of(found)
    inside = any(
        party.municipality_id in user.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE) for party in parties
    )
    may_draft = user.has_perm("agreements.draft", found)
    referrals = _referrals(found) if inside else []
    latest = next((one for one in referrals if one.revision_id == shown.pk), None)
    answers = answers_of(latest) if latest else []
    decisions = [
        (version, rows)
        for version, rows in decisions_of(found)
        if inside or version.pk in {one.version_id for one in signed}
    ]
    sign_offs = list(SignOff.objects.filter(version__in=[one.version_id for one in revisions if one.version_id]))
    now_terms, facts, said_by = _holds(found, signed, shown)
    proposed = _terms_of(under_way) if under_way and under_way.changes_id and SCOPE in under_way.sections else []
    places = placeholders_of(shown, proposed or now_terms) if may_draft and shown.state in _OPEN else []
    rows = _rows(request, parties, now_terms + proposed, shown, answers, dict(_by_version(decisions)), sign_offs)
    for row in rows:
        row.leaves_on = validity.left.get(row.party.municipality_id)
    waiting = _waiting(request, shown, rows, latest, bool(places)) if inside else None
    versions = _versions(found, inside, parties, signed, shown, user)
    related = {
        one.pk: one
        for one in Agreement.objects.visible_to(user).filter(Q(pk=found.replaces_id) | Q(replaces=found)).distinct()
    }
    context = {
        "agreement": found,
        "revision": shown,
        "under_way": under_way,
        "signed": signed,
        "phase": validity.phase(today()),
        "validity": validity,
        "tags": _tags(found, validity, shown, bool(signed)),
        "lead": _lead(now_terms or proposed, parties),
        "steps": _steps(shown, rows, latest, validity, places, inside),
        "wait": waiting,
        "rows": rows,
        "columns": _columns(shown, inside, latest),
        "referral": latest,
        "has_answers": bool(referrals),
        "earlier": [
            (version, _with_names(of_version, parties))
            for version, of_version in decisions
            if version.pk not in {one.version_id for one in revisions if one.state in _DECIDED_STATES}
        ],
        "sent_back": _sent_back(shown, decisions, parties),
        "holds": _grouped(now_terms),
        "proposed": _grouped(proposed),
        "said_by": said_by.get(SCOPE),
        "facts": facts,
        "price_words": PriceKind(facts["price_kind"]).label if facts["price_kind"] else "",
        "is_fixed": facts["price_kind"] == PriceKind.FIXED,
        "gap_year": str(found.gap_year).replace("/", "-") if found.gap_year else "",
        "notice_rule": notice_in_words(facts["notice_months"], facts["notice_effect"]) if _has_notice(facts) else "",
        "annex_on": _yearly(facts, "annex"),
        "follow_up_on": _yearly(facts, "follow_up"),
        "versions": versions,
        "notices": list(found.notices.select_related("given_by").order_by("-at", "-pk")) if signed else [],
        "copies": list(_copies(found)) if inside else [],
        "own": set(user.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE)),
        "calculations": list(Calculation.objects.visible_to(user).filter(agreement=found).order_by("at", "pk")),
        "replaces": related.get(found.replaces_id or 0),
        "replaced_by": [one for pk, one in related.items() if pk != found.replaces_id],
        "inside": inside,
        "may_draft": may_draft,
        "places": places,
    }
    return render(request, "agreements/agreement.html", context)


_OPEN = (RevisionState.DRAFT, RevisionState.REFERRAL)
_DECIDED_STATES = (RevisionState.DECIDING, RevisionState.SIGNING, RevisionState.SIGNED)
_UNDECIDED: tuple[str, ...] = (RevisionState.DRAFT, RevisionState.REFERRAL)


def _revisions(request: Request, found: Agreement) -> list[Revision]:
    rows = Revision.objects.visible_to(request.user).filter(agreement=found).order_by("ordinal")
    revisions = list(rows.select_related("version").defer("version__content"))
    for revision in revisions:
        revision.agreement = found
    return revisions


def _referrals(found: Agreement) -> list[Referral]:
    rows = Referral.objects.filter(revision__agreement=found).select_related("on_behalf_of", "revision", "version")
    referrals = list(rows.defer("version__content").order_by("-sent_at", "-pk"))
    for referral in referrals:
        referral.revision.agreement = found
    return referrals


def _holds(
    found: Agreement, signed: Sequence[Revision], shown: Revision
) -> tuple[list[Term], dict[str, Any], dict[str, Revision]]:
    """The terms and facts that hold, or are to hold when nothing is signed yet, and who said so."""
    if not signed:
        names = [name for of_section in FACTS.values() for name in of_section]
        return _terms_of(shown), {name: getattr(shown, name) for name in names}, {}
    together = consolidated(found, signed)
    return together.terms, {**together.facts, "first_day": signed[0].first_day}, together.said_by


def _terms_of(revision: Revision) -> list[Term]:
    terms = revision.terms.select_related("home", "provider", "programme", "orientation")
    return list(terms.order_by("programme__code", "orientation__name_sv", "provider__code", "home__code", "pk"))


def _grouped(terms: Sequence[Term]) -> list[TermRow]:
    """A row for terms that say the same of several home municipalities."""
    groups: dict[Any, list[Term]] = {}
    for term in terms:
        key = (
            term.programme_id, term.orientation_id, term.provider_id, term.intake_from, term.intake_to, term.seats,
            term.unlimited, term.price_sek,
        )  # fmt: skip
        groups.setdefault(key, []).append(term)
    return [TermRow(of[0], joined(one.home.name for one in of), intakes_in_words(of[0])) for of in groups.values()]


def _lead(terms: Sequence[Term], parties: Sequence[Party]) -> str:
    """Whose pupils go where; between whom, while no terms say so."""
    homes: dict[str, list[str]] = {}
    for term in terms:
        homes.setdefault(term.provider.name, []).append(term.home.name)
    if not homes:
        return _("Between %(names)s.") % {"names": joined(party.municipality.name for party in parties)}
    sentence = _("Pupils from %(homes)s may study in %(provider)s.")
    return " ".join(sentence % {"homes": joined(names), "provider": name} for name, names in homes.items())


def _tags(found: Agreement, validity: Validity, shown: Revision, is_signed: bool) -> list[Tag]:
    tags = []
    phase = validity.phase(today())
    if is_signed:
        tags.append(Tag(capital(str(phase.label)), *PHASE_TAGS[phase]))
        if phase == Phase.IN_FORCE and validity.last_day:
            tags.append(Tag(_("ends %(day)s") % {"day": in_text(validity.last_day)}, "warning", "calendar"))
    if shown.state != RevisionState.SIGNED:
        state = str(RevisionState(shown.state).label)
        words = f"{capital(str(shown.get_kind_display()))}: {state}" if shown.changes_id else capital(state)
        tags.append(Tag(words, *TAGS[RevisionState(shown.state)]))
    return tags


# The way


def _steps(
    shown: Revision,
    rows: Sequence[Row],
    referral: Referral | None,
    validity: Validity,
    places: Sequence[Any],
    inside: bool,
) -> list[Step]:
    """From draft to validity, each with its date or its count; none for what was rejected or withdrawn."""
    order = [RevisionState.DRAFT, RevisionState.REFERRAL, RevisionState.DECIDING, RevisionState.SIGNING]
    if shown.state in (RevisionState.REJECTED, RevisionState.WITHDRAWN):
        return []
    reached = order.index(RevisionState(shown.state)) if shown.state in order else len(order)
    names = [_("Draft"), _("Referral"), _("Decision"), _("Signature")]
    notes = [
        _draft_note(shown, referral, places),
        _referral_note(shown, rows, referral, inside),
        _decision_note(shown, rows),
        _signature_note(shown, rows),
    ]
    steps = [
        Step(name, note, "done" if place < reached else "now" if place == reached else "")
        for place, (name, note) in enumerate(zip(names, notes, strict=True))
    ]
    return [*steps, _last_step(shown, validity)]


def _done(day: datetime | None) -> str:
    return _("Done %(day)s") % {"day": in_text(day)} if day else _("Done")


def _draft_note(shown: Revision, referral: Referral | None, places: Sequence[Any]) -> str:
    if shown.state == RevisionState.DRAFT:
        if places:
            return ngettext("%(count)s thing is open", "%(count)s things are open", len(places)) % {
                "count": capital(in_words(len(places)))
            }
        return _("Begun %(day)s") % {"day": in_text(shown.created_at)}
    return _done(referral.sent_at if referral else shown.sent_at)


def _referral_note(shown: Revision, rows: Sequence[Row], referral: Referral | None, inside: bool) -> str:
    if shown.state == RevisionState.REFERRAL and referral:
        asked = [row for row in rows if row.party.municipality_id != referral.on_behalf_of_id]
        words = {
            "answered": sum(bool(row.answer and row.answer.answers) for row in asked),
            "all": len(asked),
            "day": in_text(referral.last_day),
        }
        return _("%(answered)s of %(all)s have answered, until %(day)s") % words
    if shown.state == RevisionState.DRAFT:
        return _("The parties answer")
    if referral:
        return _done(referral.closed_at)
    return _("Without referral") if inside else _done(shown.deciding_since)


def _boards(number: int) -> str:
    return ngettext("%(number)s board", "%(number)s boards", number) % {"number": capital(in_words(number))}


def _decision_note(shown: Revision, rows: Sequence[Row]) -> str:
    if shown.state in _UNDECIDED:
        return _boards(len(rows))
    if shown.state == RevisionState.DECIDING:
        approved = sum(bool(row.decision and row.decision.result == DecisionResult.APPROVED) for row in rows)
        return _("%(approved)s of %(all)s have approved") % {"approved": approved, "all": len(rows)}
    return _done(shown.signing_since)


def _signature_note(shown: Revision, rows: Sequence[Row]) -> str:
    if shown.state == RevisionState.SIGNING:
        signed = sum(bool(row.sign_off) for row in rows)
        return _("%(signed)s of %(all)s have signed") % {"signed": signed, "all": len(rows)}
    if shown.state == RevisionState.SIGNED:
        return _done(shown.signed_at)
    return _("After the last decision")


def _last_step(shown: Revision, validity: Validity) -> Step:
    name = _("In force")
    if shown.state != RevisionState.SIGNED:
        note = _("From %(day)s") % {"day": in_text(shown.first_day)} if shown.first_day else _("The day is open")
        return Step(name, note)
    phase = validity.phase(today())
    if phase == Phase.ENDED and validity.last_day:
        return Step(name, _("Ended %(day)s") % {"day": in_text(validity.last_day)}, "done")
    first = shown.first_day or validity.first_day
    begun = first is not None and first <= today()
    note = _("From %(day)s") % {"day": in_text(first)} if first else ""
    return Step(name, note, "now" if begun else "")


# Who waits for whom


def _waiting(
    request: Request, shown: Revision, rows: Sequence[Row], referral: Referral | None, something_open: bool
) -> Waiting | None:
    """Who is waited for, as `wait_of` says, and what comes when nobody is silent any more."""
    user, parties = request.user, [row.party for row in rows]
    found: Waiting | None = None
    if shown.state == RevisionState.DRAFT:
        found = Waiting("fill_in" if something_open else "send", parties, shown.created_at)
    elif shown.state == RevisionState.REFERRAL and referral:
        silent = [
            row.party
            for row in rows
            if not (row.answer and row.answer.answers) and row.party.municipality_id != referral.on_behalf_of_id
        ]
        unsettled = any(one.is_open for row in rows if row.answer for one in row.answer.answers)
        sender = [party for party in parties if party.municipality_id == referral.on_behalf_of_id]
        said = [one.at for row in rows if row.answer for one in row.answer.answers]
        if silent:
            found = Waiting("answer", silent, referral.sent_at, referral.last_day)
        elif unsettled:
            found = Waiting("settle", sender, max(said, default=referral.sent_at))
        else:
            found = Waiting("to_decision", parties, max(said, default=referral.sent_at))
    elif shown.state == RevisionState.DECIDING:
        undecided = [row.party for row in rows if not (row.decision and row.decision.result == DecisionResult.APPROVED)]
        found = Waiting("decision", undecided, shown.deciding_since)
    elif shown.state == RevisionState.SIGNING:
        unsigned = sorted(
            (row.party for row in rows if not row.sign_off), key=lambda party: (party.signing_order, party.position)
        )
        turn = [party for party in unsigned if party.signing_order == unsigned[0].signing_order]
        since = max((row.sign_off.at for row in rows if row.sign_off), default=shown.signing_since)
        found = Waiting("signature", turn, since)
    if found is not None:
        works = "agreements.record_decision" if found.what == "decision" else "agreements.answer_referral"
        found.own = [party for party in found.by if user.has_perm(works, party)]
    return found


# The parties


def _rows(
    request: Request,
    parties: Sequence[Party],
    terms: Sequence[Term],
    shown: Revision,
    answers: Sequence[PartyAnswer],
    decisions: dict[int, list[Decision]],
    sign_offs: Sequence[SignOff],
) -> list[Row]:
    providers, homes = {term.provider_id for term in terms}, {term.home_id for term in terms}
    answered = {one.party.pk: one for one in answers}
    decided = {one.body_id: one for one in decisions.get(shown.version_id or 0, [])}
    signed = {one.place: one for one in sign_offs if one.version_id == shown.version_id}
    rows = []
    for party in parties:
        provides, sends = party.municipality_id in providers, party.municipality_id in homes
        part = _("takes in pupils and sends pupils") if provides and sends else ""
        part = part or (pgettext("agreement", "provider") if provides else _("home municipality") if sends else "")
        works = request.user.has_perm("agreements.record_decision", party)
        decision = decided.get(party.municipality_id)
        rows.append(
            Row(
                party=party,
                part=part,
                answer=answered.get(party.pk),
                decision=decision,
                sign_off=signed.get(party.place),
                may_record=works and _is_recordable(shown, decision),
                may_number=works and shown.state in RevisionState.under_way(),
            )
        )
    return rows


def _is_recordable(shown: Revision, decision: Decision | None) -> bool:
    """Whether there is a decision to record or correct, or something left to fill in."""
    if shown.state == RevisionState.DECIDING:
        return True
    if shown.state not in (RevisionState.SIGNING, RevisionState.SIGNED) or decision is None:
        return False
    return decision.final_on is None or decision.document_id is None


def _columns(shown: Revision, inside: bool, referral: Referral | None) -> list[str]:
    """What is told of each party, as far as it has come."""
    if shown.state == RevisionState.REFERRAL or (shown.state == RevisionState.DRAFT and referral):
        first = ["answer"] if inside else []
    elif shown.state in (RevisionState.DECIDING, RevisionState.REJECTED):
        first = ["decision"]
    elif shown.state in (RevisionState.SIGNING, RevisionState.SIGNED):
        first = ["signature", "decision"]
    else:
        first = []
    return first


def _by_version(decisions: Iterable[tuple[Version, list[Decision]]]) -> Iterable[tuple[int, list[Decision]]]:
    return ((version.pk, rows) for version, rows in decisions)


def _with_names(decisions: Iterable[Decision], parties: Sequence[Party]) -> list[tuple[str, Decision]]:
    names = {party.municipality_id: party.municipality.name for party in parties}
    return [(names.get(one.body_id, ""), one) for one in decisions]


def _sent_back(
    shown: Revision, decisions: Sequence[tuple[Version, list[Decision]]], parties: Sequence[Party]
) -> tuple[Version, list[tuple[str, Decision]]] | None:
    """The latest version that was decided on, while what it was sent back for is being written."""
    if shown.state not in _UNDECIDED or not decisions or shown.sent_at is None:
        return None
    version, rows = decisions[0]
    remitted = [one for one in rows if one.result == DecisionResult.REMITTED]
    return (version, _with_names(remitted, parties)) if remitted else None


# What is final


def _versions(
    found: Agreement,
    inside: bool,
    parties: Sequence[Party],
    signed: Sequence[Revision],
    shown: Revision,
    user: Any,
) -> list[VersionRow]:
    """The versions that the reader may see, the latest first, with what changed in each and its files."""
    rows = list(Version.objects.of(found))
    of_signed = {one.version_id: one for one in signed}
    own = {party.municipality.code for party in parties if party.municipality_id in user.bodies_where("administrator")}
    by_version: dict[int, list[Rendition]] = {}
    files = Rendition.objects.current().filter(version__in=rows, kind__in=SHOWN_FILES).order_by("kind", "variant")
    for file in files:
        by_version.setdefault(file.version_id, []).append(file)
    made = []
    for place, version in enumerate(rows):
        if not inside and version.pk not in of_signed:
            continue
        before = rows[place + 1] if place + 1 < len(rows) else None
        same = before is not None and (before.content["kind"], before.title) == (
            version.content["kind"], version.title,
        )  # fmt: skip
        made.append(
            VersionRow(
                version=version,
                short_hash=" ".join(grouped(version.content_sha256).split()[:2]),
                changed=_changed(before, version) if before and same and inside else [],
                is_first=not same,
                files=_files(by_version.get(version.pk, []), own),
                state=_version_state(version, of_signed, shown),
            )
        )
    return made


def _version_state(version: Version, signed: dict[int | None, Revision], shown: Revision) -> str:
    if version.pk in signed:
        return _("signed")
    if version.pk != shown.version_id:
        return ""
    return {RevisionState.DECIDING: _("being decided"), RevisionState.SIGNING: _("being signed")}.get(
        RevisionState(shown.state), ""
    )


def _changed(before: Version, after: Version) -> list[str]:
    """The headings of the sections that say something else than in the version before."""
    was = {section["id"]: section for section in before.content["sections"]}
    return [section["heading"] for section in after.content["sections"] if was.get(section["id"]) != section]


def _files(files: Iterable[Rendition], own: set[str]) -> list[tuple[str, Rendition]]:
    """Those that are the same for all, and those with the reader's own front."""
    names = {RenditionKind.PDF: _("PDF"), RenditionKind.SEALED: _("PDF, sealed"), RenditionKind.DOCX: _("Word")}
    by_kind: dict[str, Rendition] = {}
    for file in files:
        if file.variant == "" or file.variant in own:
            by_kind[file.kind] = file  # one's own front comes after the common one and takes its place
    return [(str(names[RenditionKind(kind)]), by_kind[kind]) for kind in SHOWN_FILES if kind in by_kind]


def _copies(found: Agreement) -> Any:
    rows = ArchiveCopy.objects.filter(agreement=found).select_related("party__municipality", "version", "rendition")
    return rows.defer("version__content").order_by("-version__number", "party__position", "pk")


def _has_notice(facts: dict[str, Any]) -> bool:
    return facts["notice_months"] is not None and bool(facts["notice_effect"])


def _yearly(facts: dict[str, Any], name: str) -> str:
    month, day = facts[f"{name}_month"], facts[f"{name}_day"]
    return yearly_day(month, day) if month and day else ""
