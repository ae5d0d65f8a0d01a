"""Changing what is signed: an annex, an amendment or a renewal begins with what now holds."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from agreements.models import Agreement, Revision, RevisionKind
from agreements.operations.covering import consolidated, validity_of
from agreements.operations.drafting import FACTS, AgreementRefused, locked, open_parts, require_party
from agreements.operations.errors import WrongState
from agreements.outline import ANNEX_CHANGES, CHANGEABLE, KEYS, RENEWAL_CHANGES, SCOPE, is_own
from collab4m.clock import today
from collab4m.school_year import SchoolYear
from organisations.models import Body, User
from records.models import Part
from records.operations import record, save_part


@transaction.atomic
def start_revision(
    agreement: Agreement,
    *,
    kind: str,
    by: User,
    on_behalf_of: Body,
    title: str = "",
    sections: Collection[str] = (),
    applies_from: SchoolYear | None = None,
) -> Revision:
    """Begin an annex, an amendment or a renewal of what is signed, with what now holds in the sections it changes.

    Raises NotYourParty, WrongState while nothing is signed or another revision is under way, AgreementRefused.
    """
    agreement = locked(agreement)
    require_party(agreement, by, on_behalf_of)
    signed = list(agreement.revisions.signed())
    if kind not in RevisionKind.values or kind == RevisionKind.ORIGINAL:
        raise AgreementRefused(_("Choose an annex, an amendment or a renewal."), "kind")
    if not signed:
        raise WrongState(_("The agreement must be signed before it can be changed. Change the draft instead."))
    if agreement.revisions.under_way().exists():
        raise WrongState(_("A change of the agreement is already under way. Finish or withdraw that first."))
    if validity_of(agreement).has_ended(today()) and kind != RevisionKind.RENEWAL:
        raise WrongState(_("The agreement has ended. Renew it, or begin a new one."))
    wanted = list(sections)
    if not wanted and kind == RevisionKind.ANNEX:
        wanted = list(ANNEX_CHANGES)
    if kind == RevisionKind.RENEWAL:
        wanted += RENEWAL_CHANGES
    if not wanted or any(key not in CHANGEABLE and not is_own(key) for key in wanted):
        raise AgreementRefused(_("Choose which sections are changed."), "sections")
    base = consolidated(agreement, signed)
    revision = Revision(
        agreement=agreement,
        ordinal=agreement.revisions.aggregate(last=Max("ordinal"))["last"] + 1,
        kind=kind,
        title=title.strip(),
        changes=signed[-1],
        applies_from=applies_from,
        sections=[key for key in (*KEYS, *base.own_clauses) if key in wanted],
    )
    for key in revision.sections:
        for name in FACTS.get(key, ()):
            setattr(revision, name, base.facts[name])
    revision.first_day = applies_from.first_day if applies_from else None
    if kind == RevisionKind.RENEWAL:
        revision.last_day = None
    revision.save()
    open_parts(revision)
    for part in Part.objects.about(revision):
        if text := base.texts.get(part.key):
            save_part(part, text=text, base_version=0, by=by, on_behalf_of=on_behalf_of)
    if SCOPE in revision.sections:
        for term in base.terms:
            term.pk, term.revision = None, revision
            term.intake_from = term.intake_to = None
            term.save(force_insert=True)
    record("agreement.revision_started", agreement, by=by, on_behalf_of=on_behalf_of, kind=kind, title=str(revision))
    return revision
