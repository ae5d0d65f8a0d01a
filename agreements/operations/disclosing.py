"""Handing out an agreement's documents for public access: what goes, what stays and why, and a log of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agreements.models import Agreement, Disclosure, ReferralAnswer, Revision, RevisionState
from agreements.operations.drafting import LANGUAGE, locked, require_party
from agreements.outline import heading_of
from collab4m.clock import now
from collab4m.errors import RuleBroken
from collab4m.tables import as_csv
from organisations.models import Body, User
from records import storage
from records.documents.archive import zipped
from records.models import Rendition, RenditionKind, Version
from records.operations import record

REGISTER = "register.csv"
# A referral's texts and answers are handed out when the case is over: nobody is to answer or decide any more.
CLOSED = (RevisionState.SIGNING, RevisionState.SIGNED, RevisionState.REJECTED, RevisionState.WITHDRAWN)


class NothingToDisclose(RuleBroken):
    code = "nothing_to_disclose"
    message = gettext_lazy("There is nothing to hand out: nothing has been sent to decision or closed.")


class ChangedSinceShown(RuleBroken):
    code = "changed_since_shown"
    message = gettext_lazy("What goes out has changed since you looked. Go through the list again.")


@dataclass(frozen=True)
class Disclosed:
    """A document that goes out: its name in the package, what it is, and its bytes by their hash or as made now."""

    name: str
    what: str
    version: int | None
    day: str
    sha256: str
    size: int
    data: bytes = b""


@dataclass(frozen=True)
class LeftOut:
    """What stays, and why."""

    what: str
    why: str


def day_of(moment: datetime) -> str:
    """The day in Sweden."""
    return localtime(moment).date().isoformat()


def to_disclose(agreement: Agreement, body: Body) -> tuple[list[Disclosed], list[LeftOut]]:
    """What would go out if `body` handed out the agreement's documents now, and what would not."""
    with translation.override(LANGUAGE):
        going: list[Disclosed] = []
        staying: list[LeftOut] = []
        revisions = list(agreement.revisions.select_related("version").prefetch_related("referrals"))
        closed = _versions(revision for revision in revisions if revision.state in CLOSED)
        decided = {revision.version_id for revision in revisions if revision.version_id}
        versions = list(
            Version.objects.of(agreement).order_by("number").prefetch_related("attachments", "decisions", "sign_offs")
        )
        for version in versions:
            if version.pk not in closed | decided and not version.decisions.exists():
                staying.append(
                    LeftOut(
                        _("Version %(number)s, sent on referral") % {"number": version.number},
                        _("The case is not closed: what was sent on referral goes out when it is."),
                    )
                )
                continue
            _add_files(version, body, going, staying)
        going += _lists(agreement, versions, revisions)
        staying += _staying(agreement, revisions)
        return going, staying


def _versions(revisions: Iterable[Revision]) -> set[int]:
    """The versions that were sent on referral or to decision in these revisions."""
    found: set[int] = set()
    for revision in revisions:
        found |= {referral.version_id for referral in revision.referrals.all()}
        found |= {revision.version_id} if revision.version_id else set()
    return found


def _add_files(version: Version, body: Body, going: list[Disclosed], staying: list[LeftOut]) -> None:
    """The body's own sealed file, else the one without a cover; and what was handed in with the version."""
    stem = f"version-{version.number}"
    file = _own_file(version, body)
    if file is None:
        what = _("Version %(number)s as a file") % {"number": version.number}
        staying.append(LeftOut(what, _("The file is being made. Come back in a few minutes.")))
    else:
        what = _("The agreement, version %(number)s") % {"number": version.number}
        day = day_of(version.frozen_at)
        going.append(Disclosed(f"{stem}/{file.name}", what, version.number, day, file.sha256, file.size))
    known = set()
    for attachment in sorted(version.attachments.all(), key=lambda one: one.pk):
        if attachment.sha256 not in known:
            known.add(attachment.sha256)
            name = f"{stem}/bilagor/{attachment.pk}-{attachment.name}"
            day = day_of(attachment.at)
            what = _("Handed in with a decision or a signature")
            going.append(Disclosed(name, what, version.number, day, attachment.sha256, attachment.size))


def _own_file(version: Version, body: Body) -> Rendition | None:
    files = version.renditions.current().filter(kind=RenditionKind.SEALED)
    own = files.filter(variant=body.as_municipality.code).first()
    return own or files.filter(variant="").first()


def _lists(agreement: Agreement, versions: list[Version], revisions: list[Revision]) -> Iterator[Disclosed]:
    """Decisions, signatures and answers as tables, without the names of the officials who registered them."""
    parties = agreement.parties.select_related("municipality")
    names = {party.municipality_id: party.municipality.name for party in parties}
    decisions = [
        [names.get(one.body_id, ""), version.number, one.board_name, one.get_result_display(), one.day, one.paragraph,
         one.case_number, one.final_on, one.remark, one.content_sha256]
        for version in versions for one in version.decisions.standing().order_by("day", "pk")
    ]  # fmt: skip
    if decisions:
        headings = [
            _("Municipality"), _("Version"), _("Decided by"), _("Result"), _("Meeting"), _("Paragraph"),
            _("Case number"), _("Final on"), _("Remark"), _("Checksum"),
        ]  # fmt: skip
        yield _table("beslut.csv", _("The boards' decisions"), headings, decisions)
    signed = [
        [names.get(one.body_id, ""), version.number, one.signed_as, one.day, one.get_method_display(),
         one.content_sha256]
        for version in versions for one in sorted(version.sign_offs.all(), key=lambda one: one.pk)
    ]  # fmt: skip
    if signed:
        headings = [
            _("Municipality"), _("Version"), _("Signed by"), _("Day"), _("Method"), _("Checksum"),
        ]  # fmt: skip
        yield _table("underskrifter.csv", _("Signatures"), headings, signed)
    closed = [revision.pk for revision in revisions if revision.state in CLOSED]
    answers = ReferralAnswer.objects.filter(referral__revision__in=closed).select_related("referral__version")
    said = [
        [names.get(one.municipality_id, ""), one.referral.version.number,
         heading_of(one.section, one.section) if one.section else "", one.get_kind_display(), one.text,
         day_of(one.at), one.get_outcome_display(), one.outcome_reason]
        for one in answers.order_by("at", "pk")
    ]  # fmt: skip
    if said:
        headings = [
            _("Municipality"), _("Version"), _("Section"), _("Answer"), _("Text"), _("Day"), _("Outcome"), _("Reason"),
        ]  # fmt: skip
        yield _table("remissvar.csv", _("Answers on referral"), headings, said)
    notices = [
        [one.given_by.name, one.given_on, one.received_on, one.effective_on, one.reason,
         day_of(one.withdrawn_at) if one.withdrawn_at else None]
        for one in agreement.notices.select_related("given_by").order_by("given_on", "pk")
    ]  # fmt: skip
    if notices:
        headings = [
            _("Given by"), _("Given on"), _("Received on"), _("Last day"), _("Reason"), _("Withdrawn"),
        ]  # fmt: skip
        yield _table("uppsagningar.csv", _("Notices"), headings, notices)


def _table(name: str, what: str, headings: list[str], rows: list[list[Any]]) -> Disclosed:
    data = as_csv(headings, rows)
    return Disclosed(name, what, None, "", sha256(data).hexdigest(), len(data), data)


def _staying(agreement: Agreement, revisions: list[Revision]) -> Iterator[LeftOut]:
    for revision in revisions:
        if revision.state == RevisionState.DRAFT:
            yield LeftOut(
                _("Draft: %(title)s") % {"title": revision},
                _("It is being written and has been sent to nobody to decide on."),
            )
        if revision.state not in CLOSED and revision.referrals.filter(answers__isnull=False).exists():
            yield LeftOut(_("Answers on referral: %(title)s") % {"title": revision}, _("The case is not closed."))
    if count := agreement.calculations.count():
        what = ngettext("%(count)s calculation", "%(count)s calculations", count) % {"count": count}
        yield LeftOut(what, _("A working paper of the municipality that made it. Ask that municipality."))


def seen_of_disclosure(going: Iterable[Disclosed]) -> str:
    """A sum of what goes out, by which a change since it was shown is noticed."""
    return sha256("\n".join(f"{one.name} {one.sha256}" for one in going).encode()).hexdigest()


@transaction.atomic
def disclose(agreement: Agreement, *, seen: str, note: str, by: User, on_behalf_of: Body) -> Disclosure:
    """Take the documents out to hand them out. `seen` is `seen_of_disclosure` of what was shown.

    Raises NotYourParty, NothingToDisclose, ChangedSinceShown.
    """
    agreement = locked(agreement)
    require_party(agreement, by, on_behalf_of)
    going, staying = to_disclose(agreement, on_behalf_of)
    if not going:
        raise NothingToDisclose
    if seen != seen_of_disclosure(going):
        raise ChangedSinceShown
    with translation.override(LANGUAGE):
        going.append(_register(going, staying))
    for one in going:
        if one.data:
            storage.keep(one.data)
    found = Disclosure.objects.create(
        agreement=agreement,
        note=note.strip(),
        files=[{"name": one.name, "what": one.what, "sha256": one.sha256, "size": one.size} for one in going],
        left_out=[{"what": one.what, "why": one.why} for one in staying],
        by=by,
        on_behalf_of=on_behalf_of,
        at=now().replace(microsecond=0),
    )
    record("agreement.disclosed", agreement, by=by, on_behalf_of=on_behalf_of, count=len(going), note=found.note)
    return found


def _register(going: list[Disclosed], staying: list[LeftOut]) -> Disclosed:
    """A list of every document: what goes out with its hash, then what stays with the reason."""
    headings = [
        _("File"), _("Document"), _("Version"), _("Day"), _("Checksum (SHA-256)"), _("Size in bytes"),
        _("Not handed out because"),
    ]  # fmt: skip
    rows: list[list[Any]] = [[one.name, one.what, one.version, one.day, one.sha256, one.size, ""] for one in going]
    rows += [["", one.what, None, "", "", None, one.why] for one in staying]
    return _table(REGISTER, _("List of the documents"), headings, rows)


def disclosed_zip(disclosure: Disclosure) -> bytes:
    """The package as it was handed out, from the store: the same bytes each time. Raises FileMissing."""
    return zipped([(one["name"], storage.read(one["sha256"])) for one in disclosure.files], disclosure.at)
