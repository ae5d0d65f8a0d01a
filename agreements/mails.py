"""Mail about agreements: what a party is asked for, what came of it, and what the clock tells of."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from agreements.models import Agreement, ArchiveCopy, Notice, Party, Referral, ReferralAnswer, SignatureRequest
from organisations.models import Municipality, Role, RoleKind, User
from records.messages import Message, mail_kind, render_message
from records.models import Version

REFERRAL = mail_kind("agreements.referral", _("Agreements sent to us on referral, and answers to ours"))
DECISION = mail_kind("agreements.decision", _("Agreements for our board to decide on"))
SIGNATURE = mail_kind("agreements.signature", _("Agreements for us to sign"))
COPY = mail_kind("agreements.copy", _("Copies of signed agreements for our archive"))
NOTICE = mail_kind("agreements.notice", _("Notice given or withdrawn"))
CLOCK = mail_kind("agreements.clock", _("Reminders of agreements that end and of the days of the year"))


def people_of(municipality: Municipality, *kinds: str) -> list[User]:
    """Those who hold one of these roles for a municipality today."""
    roles = Role.objects.on().filter(body=municipality.pk, kind__in=kinds or [RoleKind.ADMINISTRATOR])
    return list(User.objects.filter(is_active=True, pk__in=roles.values("user")).order_by("pk"))


def _to(party: Party, kind: str, template: str, roles: tuple[str, ...], **context: Any) -> list[Message]:
    """One message to each who holds one of the roles for the party; of an example only to people who are examples."""
    context |= {"party": party, "agreement": party.agreement, "address": _address(party.agreement)}
    return [
        render_message(kind, person, f"agreements/mails/{template}.txt", context)
        for person in people_of(party.municipality, *roles)
        if person.example or not party.agreement.example
    ]


def _address(agreement: Agreement) -> str:
    return f"{settings.SITE_URL}{agreement.get_absolute_url()}"


ADMINISTRATORS = (RoleKind.ADMINISTRATOR,)
BOARD_TOO = (RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE)


def to_answer(referral: Referral, party: Party, *, is_reminder: bool = False) -> list[Message]:
    """To a party that is to answer a referral."""
    context = {"referral": referral, "is_reminder": is_reminder}
    return _to(party, REFERRAL, "to_answer", ADMINISTRATORS, **context)


def answered(referral: Referral, answers: list[ReferralAnswer]) -> list[Message]:
    """To whoever sent the referral: what a party has answered."""
    sender = Party(agreement=referral.revision.agreement, municipality=referral.on_behalf_of.as_municipality)
    return _to(sender, REFERRAL, "answered", ADMINISTRATORS, answers=_with_headings(referral, answers))


def _with_headings(referral: Referral, answers: list[ReferralAnswer]) -> list[tuple[str, ReferralAnswer]]:
    """Each answer with the heading of its section, as the version has it; "" for the whole."""
    headings = {section["id"]: section["heading"] for section in referral.version.content["sections"]}
    return [(headings.get(answer.section, ""), answer) for answer in answers]


def settled(answer: ReferralAnswer) -> list[Message]:
    """To the party that wanted a change."""
    party = Party(agreement=answer.referral.revision.agreement, municipality=answer.municipality)
    return _to(party, REFERRAL, "settled", ADMINISTRATORS, answer=answer)


def to_decide(agreement: Agreement, version: Version, party: Party) -> list[Message]:
    """To a party whose board is to decide."""
    return _to(party, DECISION, "to_decide", BOARD_TOO, version=version)


def to_sign(agreement: Agreement, version: Version, party: Party) -> list[Message]:
    """To a party whose turn it is to sign."""
    return _to(party, SIGNATURE, "to_sign", ADMINISTRATORS, version=version)


def signed(agreement: Agreement, version: Version, party: Party) -> list[Message]:
    """To each party, when the last one has signed."""
    return _to(party, SIGNATURE, "signed", BOARD_TOO, version=version)


def signature_ended(asked: SignatureRequest) -> list[Message]:
    """To the party for which somebody was asked to sign in the service, when that came to nothing."""
    return _to(asked.party, SIGNATURE, "signature_ended", ADMINISTRATORS, asked=asked)


def archive_copy(copy: ArchiveCopy) -> list[Message]:
    """To a party's registrar: its own copy is there, with the hash, and the portal asks for a receipt."""
    address = f"{settings.SITE_URL}{reverse('archive_copy', args=[copy.pk])}"
    return _to(copy.party, COPY, "archive_copy", BOARD_TOO, copy=copy, copy_address=address)


def notice_given(notice: Notice, party: Party) -> list[Message]:
    return _to(party, NOTICE, "notice_given", BOARD_TOO, notice=notice)


def notice_withdrawn(notice: Notice, party: Party) -> list[Message]:
    return _to(party, NOTICE, "notice_withdrawn", BOARD_TOO, notice=notice)


def coming_end(party: Party, *, what: str, day: date, lead_days: int) -> list[Message]:
    """`what` is "end" or "notice": the last day, or the last day on which notice ends it then."""
    return _to(party, CLOCK, "coming_end", ADMINISTRATORS, what=what, day=day, lead_days=lead_days)


def coming_day(municipality: Municipality, *, label: Any, day: date, agreements: list[Agreement]) -> list[Message]:
    """To a municipality's administrators: a day of the year is near, and which agreements it is about."""
    context = {
        "label": label,
        "day": day,
        "rows": [(agreement, _address(agreement)) for agreement in agreements],
        "address": f"{settings.SITE_URL}{reverse('clock')}",
    }
    return [
        render_message(CLOCK, person, "agreements/mails/coming_day.txt", context)
        for person in people_of(municipality, RoleKind.ADMINISTRATOR)
    ]
