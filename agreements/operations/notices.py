"""Notice: given by one party, counted by the agreement's own rule, withdrawn by all together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, cast

from dateutil.relativedelta import relativedelta
from django.db import transaction
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agreements import mails
from agreements.models import Agreement, Cover, Notice, NoticeConsent, NoticeEffect, NoticeEnds, Party
from agreements.operations.covering import (
    Leaf,
    Phase,
    Validity,
    consolidated,
    derive_cover,
    leaves_of,
    validity_of,
)
from agreements.operations.drafting import AgreementRefused, locked
from agreements.operations.errors import NotYourParty, WrongState
from collab4m.clock import now, today
from collab4m.errors import RuleBroken, refused
from collab4m.school_year import SchoolYear
from organisations.models import Body, Municipality, RoleKind, User
from records.operations import record, send

SEMESTER_ENDS = ((6, 30), (12, 31))  # the last days of spring and autumn semester, as school years are counted here


class NoticeGiven(RuleBroken):
    code = "notice_given"
    message = gettext_lazy("Your municipality has given notice already.")


def effective_day(received_on: date, months: int, effect: str) -> date:
    """The last day of an agreement whose notice the last of the others received on `received_on`.

    The period ends on the day of the same number so many months later, or on that month's last day where there is no
    such day; the effect rule then names the end of what is under way on that day.
    """
    passed = received_on + relativedelta(months=months)
    match effect:
        case NoticeEffect.SCHOOL_YEAR:
            return SchoolYear.of(passed).last_day
        case NoticeEffect.SEMESTER:
            month, day = next(end for end in SEMESTER_ENDS if (passed.month, passed.day) <= end)
            return date(passed.year, month, day)
        case NoticeEffect.CALENDAR_YEAR:
            return date(passed.year, 12, 31)
        case NoticeEffect.DAY:
            return passed
    raise ValueError(f"no such effect: {effect!r}")


def last_day_for_notice(end: date, months: int, effect: str) -> date:
    """The last day on which notice, received then, still makes the agreement end by `end`."""
    day = end - relativedelta(months=months) + timedelta(days=3)  # past the end of a month that is shorter
    while effective_day(day, months, effect) > end:
        day -= timedelta(days=1)
    return day


@dataclass(frozen=True)
class Consequence:
    """What a notice would do: the last day, and the cover that is lost from then on."""

    effective_on: date
    ends: str
    shortened: list[tuple[Cover, int | None]]  # what is covered now, and the first intake that no longer is


def consequences_of_notice(agreement: Agreement, given_by: Municipality, received_on: date) -> Consequence:
    """What would come of notice received on a day, before anybody gives it.

    Raises WrongState if the agreement has no rule of notice, or is not in force or upcoming.
    """
    months, effect, ends = rule_of_notice(agreement)
    effective_on = effective_day(received_on, months, effect)
    validity = validity_of(agreement)
    _require_in_force(validity)
    if agreement.parties.count() == 2:
        ends = NoticeEnds.FOR_ALL
    if ends == NoticeEnds.FOR_ALL:
        ended = _ending(validity, effective_on)
    else:
        ended = replace(validity, left={**validity.left, given_by.pk: effective_on})
    return Consequence(effective_on, ends, _shortened(agreement, ended))


def consequences_of_end(agreement: Agreement, last_day: date) -> Consequence:
    """What would come of the agreement's end on a day, however it came about. Raises WrongState."""
    validity = validity_of(agreement)
    _require_in_force(validity)
    return Consequence(last_day, NoticeEnds.FOR_ALL, _shortened(agreement, _ending(validity, last_day)))


def _require_in_force(validity: Validity) -> None:
    phase = validity.phase(today())
    if phase == Phase.NOT_SIGNED:
        raise WrongState(_("The agreement is not signed, so there is nothing to give notice of. Withdraw the draft."))
    if phase == Phase.ENDED:
        raise WrongState(_("The agreement has ended already."))


def _shortened(agreement: Agreement, ended: Validity) -> list[tuple[Cover, int | None]]:
    """The agreement's cover that would be shorter, in the page's order, and the first intake that is lost."""
    left = {_key(leaf) + (leaf.years[0],): leaf for leaf in leaves_of(agreement, ended)}
    shortened: list[tuple[Cover, int | None]] = []
    covers = agreement.covers.select_related("home", "provider", "programme", "orientation", "term")
    for cover in covers.order_by("programme__code", "orientation", "provider", "home", "years"):
        key = (cover.home_id, cover.provider_id, cover.programme_id, cover.orientation_id, cover.years.lower)
        remains = left.get(key)
        if remains is None:
            shortened.append((cover, cover.years.lower))
        elif remains.years[1] != cover.years.upper:
            shortened.append((cover, remains.years[1]))
    return shortened


@dataclass(frozen=True)
class Loss:
    """Cover that would be shorter: the first intake that is lost, and by what signed agreement it is covered still."""

    cover: Cover
    first_lost: SchoolYear
    still: Agreement | None


def losses_of(consequence: Consequence, reader: Any) -> list[Loss]:
    """What a consequence means for each leaf, in the page's order. One query."""
    covers = [cover for cover, _first in consequence.shortened]
    others = Cover.objects.visible_to(reader).filter(home__in={cover.home_id for cover in covers})
    found = []
    rows = list(
        others.exclude(agreement__in={cover.agreement_id for cover in covers}).select_related("agreement")
        if covers
        else []
    )
    for cover, first in consequence.shortened:
        lost = first if first is not None else cover.years.lower
        still = next((other.agreement for other in rows if _covers_too(other, cover, lost)), None)
        found.append(Loss(cover, SchoolYear(lost), still))
    return found


def _covers_too(other: Cover, cover: Cover, intake: int) -> bool:
    """Whether the other covers the same pupils' leaf in an intake, wherever."""
    same = (other.home_id, other.programme_id, other.orientation_id) == (
        cover.home_id, cover.programme_id, cover.orientation_id,
    )  # fmt: skip
    return same and other.years.lower <= intake and (other.years.upper is None or intake < other.years.upper)


def _key(leaf: Leaf) -> tuple[int, int, int, int | None]:
    return (leaf.home, leaf.provider, leaf.programme, leaf.orientation)


def _ending(validity: Validity, day: date) -> Validity:
    return replace(validity, last_day=min(day, validity.last_day) if validity.last_day else day, ended_by="notice")


def rule_of_notice(agreement: Agreement) -> tuple[int, str, str]:
    """Months, effect and what ends, as all that is signed says. Raises WrongState."""
    signed = list(agreement.revisions.signed())
    if not signed:
        raise WrongState(_("The agreement is not signed, so there is nothing to give notice of. Withdraw the draft."))
    facts = consolidated(agreement, signed).facts
    if facts["notice_months"] is None or not facts["notice_effect"]:
        raise WrongState(_("The agreement has no rule of notice. Agree on one in an amendment first."))
    return facts["notice_months"], facts["notice_effect"], facts["notice_ends"] or NoticeEnds.FOR_ALL


@transaction.atomic
def give_notice(
    party: Party, *, given_on: date, received_on: date, reason: str = "", by: User, on_behalf_of: Body
) -> Notice:
    """Give notice for a party. The last day follows from the agreement's rule, and cover is shortened to it at once.

    Raises NotYourParty, WrongState, NoticeGiven, AgreementRefused.
    """
    agreement = locked(party.agreement)
    party = agreement.parties.select_related("municipality").get(pk=party.pk)
    _require(party, by, on_behalf_of)
    months, effect, ends = rule_of_notice(agreement)
    check_notice(party, given_on=given_on, received_on=received_on)
    if agreement.parties.count() == 2:
        ends = NoticeEnds.FOR_ALL
    with refused(notice_one_per_party=NoticeGiven), transaction.atomic():
        notice = Notice.objects.create(
            agreement=agreement,
            given_by=party.municipality,
            given_on=given_on,
            received_on=received_on,
            reason=reason.strip(),
            months=months,
            effect=effect,
            ends=ends,
            effective_on=effective_day(received_on, months, effect),
            by=by,
            on_behalf_of_id=on_behalf_of.pk,
        )
    derive_cover(agreement)
    record(
        "agreement.notice_given", agreement, by=by, on_behalf_of=on_behalf_of,
        party=party.municipality.name, effective_on=notice.effective_on.isoformat(),
    )  # fmt: skip
    for other in agreement.parties.select_related("municipality", "agreement"):
        send(*mails.notice_given(notice, other))
    return notice


def check_notice(party: Party, *, given_on: date, received_on: date) -> None:
    """Whether the party may give notice with these days. Raises WrongState, AgreementRefused, NoticeGiven."""
    agreement = party.agreement
    _require_in_force(validity_of(agreement))
    for day, field in ((given_on, "given_on"), (received_on, "received_on")):
        if day > today():
            raise AgreementRefused(
                _("Notice is put on record when it has been received. Choose today or earlier."), field
            )
    if received_on < given_on:
        raise AgreementRefused(_("Notice is received on the day it is given or later."), "received_on")
    original = agreement.revisions.signed()[0]
    there_from = min(cast(date, original.first_day), localtime(original.signed_at).date())
    if given_on < there_from:
        raise AgreementRefused(
            _("The agreement was not there before %(day)s. Choose that day or a later one.")
            % {"day": there_from.isoformat()},
            "given_on",
        )
    if agreement.notices.standing().filter(given_by=party.municipality_id).exists():
        raise NoticeGiven


def lapse_notices(agreement: Agreement, *, by: User, on_behalf_of: Body) -> None:
    """A renewal that all parties have signed takes back the notices given before it."""
    for notice in agreement.notices.standing().select_related("given_by").order_by("pk"):
        notice.withdrawn_at = now()
        notice.save(update_fields=["withdrawn_at"])
        record("agreement.notice_withdrawn", agreement, by=by, on_behalf_of=on_behalf_of, given_by=notice.given_by.name)


@transaction.atomic
def agree_to_withdrawal(notice: Notice, party: Party, *, by: User, on_behalf_of: Body) -> Notice:
    """A party agrees that a notice is withdrawn. When all have, it is, and cover is what it would have been.

    Raises NotYourParty, WrongState once it is withdrawn or has taken effect, CoverTaken if another agreement has come
    in its place.
    """
    agreement = locked(notice.agreement)
    party = agreement.parties.select_related("municipality").get(pk=party.pk)
    _require(party, by, on_behalf_of)
    notice = Notice.objects.select_for_update(of=("self",)).select_related("given_by").get(pk=notice.pk)
    if notice.withdrawn_at is not None:
        raise WrongState(_("The notice is withdrawn already."))
    if notice.effective_on < today():
        raise WrongState(_("The notice has taken effect. Renew the agreement instead."))
    _consent, is_new = NoticeConsent.objects.get_or_create(
        notice=notice, municipality=party.municipality, defaults={"by": by}
    )
    if not is_new:
        raise WrongState(_("Your municipality has agreed to it already. It waits for the others."))
    record(
        "agreement.notice_withdrawal_agreed", agreement, by=by, on_behalf_of=on_behalf_of,
        party=party.municipality.name, given_by=notice.given_by.name,
    )  # fmt: skip
    if not waits_for_consent(notice):
        notice.withdrawn_at = now()
        notice.save(update_fields=["withdrawn_at"])
        derive_cover(agreement)
        record("agreement.notice_withdrawn", agreement, by=by, on_behalf_of=on_behalf_of, given_by=notice.given_by.name)
        for other in agreement.parties.select_related("municipality", "agreement"):
            send(*mails.notice_withdrawn(notice, other))
    return notice


def waits_for_consent(notice: Notice) -> list[Party]:
    """The parties that have not agreed to the withdrawal."""
    agreed = set(notice.consents.values_list("municipality", flat=True))
    parties = notice.agreement.parties.select_related("municipality")
    return [party for party in parties if party.municipality_id not in agreed]


def _require(party: Party, by: User, on_behalf_of: Body) -> None:
    if party.municipality_id != on_behalf_of.pk or party.municipality_id not in by.bodies_where(RoleKind.ADMINISTRATOR):
        raise NotYourParty(field="on_behalf_of")
