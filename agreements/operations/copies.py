"""What is made of a signed version: the sealed document with decisions and signatures, and each party's own copy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agreements import mails
from agreements.models import Agreement, ArchiveCopy, Party
from agreements.operations.drafting import LANGUAGE, locked
from agreements.operations.errors import NotYourParty
from collab4m.clock import now
from collab4m.errors import RuleBroken
from organisations.models import Body, RoleKind, User
from records import storage
from records.documents import blocks
from records.documents.content import Content
from records.models import Decision, Rendition, RenditionKind, SignOff, Version
from records.operations import record, send


class ReceivedAlready(RuleBroken):
    code = "received_already"
    message = gettext_lazy("The receipt of this copy is on record already.")


def covers_of(agreement: Agreement, version: Version) -> dict[str, Content]:
    """For each party, by its code: its own front, and what was decided and signed about the content.

    Once files have been made with them they stay, whatever a municipality or a board is called later.
    """
    with translation.override(LANGUAGE):
        parties = _parties(agreement)
        made = version.renditions.current().filter(kind=RenditionKind.ZIP).values_list("variant", "cover")
        if kept := {code: cover for code, cover in made if "closing" in cover}:
            return kept
        closing = _closing(parties, version)
        last = version.sign_offs.order_by("-day", "-pk").first()
        return {
            party.municipality.code: {
                "organisation": party.municipality.official_name,
                **({"unit": party.board.administration or party.board.name} if party.board else {}),
                "kind": _("Cooperation agreement"),
                "recipient": _("Archive"),
                **({"case_number": party.case_number} if party.case_number else {}),
                **({"date": last.day.isoformat()} if last else {}),
                "closing": closing,
            }
            for party in parties
        }


def _parties(agreement: Agreement) -> list[Party]:
    return list(agreement.parties.select_related("municipality", "board").order_by("position", "pk"))


def _closing(parties: Iterable[Party], version: Version) -> Content:
    """Who decided and who signed, in the parties' order."""
    decisions = {decision.body_id: decision for decision in version.decisions.standing()}
    sign_offs = {sign_off.place: sign_off for sign_off in version.sign_offs.all()}
    decided = [
        _decision(party, decisions[party.municipality_id]) for party in parties if party.municipality_id in decisions
    ]
    signed = [_sign_off(party, sign_offs[party.place]) for party in parties if party.place in sign_offs]
    said = _("Each party has decided for itself about the content with the checksum %(sha256)s.")
    return blocks.section(
        "beslut-och-underskrifter",
        _("Decisions and signatures"),
        blocks.paragraph(said % {"sha256": version.content_sha256}),
        blocks.table(
            "beslut", _("Decisions"),
            [blocks.column(label, "label") for label in (
                _("Municipality"), _("Decided by"), _("Meeting"), _("Paragraph"), _("Case number"), _("Final on"),
            )],
            decided,
        ),
        blocks.table(
            "underskrifter", _("Signatures"),
            [blocks.column(label, "label") for label in (_("Municipality"), _("Signed by"), _("Day"), _("Method"))],
            signed,
        ),
    )  # fmt: skip


def _decision(party: Party, decision: Decision) -> list[Any]:
    return [
        party.municipality.name,
        decision.board_name,
        decision.day.isoformat(),
        decision.paragraph,
        decision.case_number,
        decision.final_on.isoformat() if decision.final_on else _("not given"),
    ]


def _sign_off(party: Party, sign_off: SignOff) -> list[Any]:
    return [party.municipality.name, sign_off.signed_as, sign_off.day.isoformat(), str(sign_off.get_method_display())]


def attached_files(version: Version) -> list[tuple[str, bytes]]:
    """The documents that show the decisions and the signatures, by names that are told apart.

    Those that were there when the last one signed: what is handed in later is kept with the version, not in the copies.
    """
    last = version.sign_offs.order_by("at", "pk").last()
    rows = version.attachments.order_by("pk")
    return [
        (f"{attachment.pk}-{attachment.name}", storage.read(attachment.sha256))
        for attachment in (rows.filter(at__lte=last.at) if last else rows)
    ]


def send_copies(agreement: Agreement, version: Version, rows: Iterable[Rendition]) -> list[ArchiveCopy]:
    """Hand each party its package, once, with a mail that asks for a receipt; in the caller's transaction."""
    packages = {row.variant: row for row in rows if row.kind == RenditionKind.ZIP}
    made = []
    for party in _parties(agreement):
        package = packages.get(party.municipality.code)
        if package is None or ArchiveCopy.objects.filter(version=version, party=party).exists():
            continue
        copy = ArchiveCopy.objects.create(agreement=agreement, version=version, party=party, rendition=package)
        send(*mails.archive_copy(copy))
        made.append(copy)
    return made


@transaction.atomic
def receive_copy(copy: ArchiveCopy, *, by: User, on_behalf_of: Body) -> ArchiveCopy:
    """Put on record that a party has taken its copy into its archive. Raises NotYourParty, ReceivedAlready."""
    agreement = locked(copy.agreement)
    copy = (
        ArchiveCopy.objects.select_for_update(of=("self",))
        .select_related("party__municipality", "rendition")
        .get(pk=copy.pk)
    )
    own = by.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE)
    if copy.party.municipality_id != on_behalf_of.pk or copy.party.municipality_id not in own:
        raise NotYourParty(field="on_behalf_of")
    if copy.received_at is not None:
        raise ReceivedAlready
    copy.received_at, copy.received_by = now(), by
    copy.save(update_fields=["received_at", "received_by"])
    record(
        "agreement.copy_received", agreement, by=by, on_behalf_of=on_behalf_of,
        party=copy.party.municipality.name, sha256=copy.rendition.sha256,
    )  # fmt: skip
    return copy
