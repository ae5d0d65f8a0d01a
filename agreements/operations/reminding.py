"""What the clock tells the parties of: that agreements end, the last days for notice, and the days of the year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from agreements import mails
from agreements.models import Agreement, ClockDay, ClockEvent, NoticeEffect, Party, Reminder, Revision, RevisionState
from agreements.operations.clock import coming_among
from agreements.operations.covering import Phase, Validity, validities_of
from agreements.operations.notices import effective_day, last_day_for_notice
from agreements.outline import VALIDITY
from collab4m.clock import today
from collab4m.swedish import swedish_key
from collab4m.templatetags.shell import capital
from organisations.models import CollaborationArea, Membership, Municipality, RoleKind, User
from records.operations import send

END, NOTICE, CLOCK = "end", "notice", "clock"
# Which days of the year are about the agreements that are in force, and not about the admission.
ABOUT_AGREEMENTS = (ClockEvent.ANNEX, ClockEvent.FOLLOW_UP)


@dataclass(frozen=True)
class Coming:
    """A day that a municipality is told of: `what` is the end, the last day for notice, or an event of the clock.

    `lead_days` are how long before it that is, the longest first. `agreements`: which it is about.
    """

    day: date
    what: str
    municipality: Municipality
    lead_days: Sequence[int]
    agreements: Sequence[Agreement] = ()
    party: Party | None = None
    area: CollaborationArea | None = None
    event: ClockEvent | None = None

    def reached(self, on: date) -> list[int]:
        """The places, from 1, of the lead times that have come on a day; none once the day has passed."""
        if on > self.day:
            return []
        return [nth for nth, lead in enumerate(self.lead_days, 1) if self.day - timedelta(days=lead) <= on]

    def about(self, place: int) -> str:
        """How a reminder of it is known, so that it is sent once."""
        return f"{self.event or self.what}:{self.day.isoformat()}:{place}"

    @property
    def title(self) -> str:
        if self.event:
            return capital(str(self.event.label))
        title = self.agreements[0].title
        if self.what == END:
            return _("%(agreement)s ends") % {"agreement": title}
        return _("Last day for notice of %(agreement)s") % {"agreement": title}

    @property
    def address(self) -> str:
        if self.area:
            return f"{reverse('clock')}?omrade={self.area.slug}"
        return self.agreements[0].get_absolute_url()


def coming_of(user: User, on: date | None = None) -> list[Coming]:
    """The days that the user's municipalities have been told of by now, and that have not passed. Seven queries."""
    on = on or today()
    own = user.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE)
    if not own:
        return []
    return [coming for coming in _coming(on, own) if coming.reached(on)]


def remind_due(on: date | None = None) -> int:
    """Tell each municipality of what is due: once each, however often this runs and however long it did not.

    What has passed is not told any more. When both lead times have come at once, one mail is sent. Returns how many.
    """
    on = on or today()
    return sum(_remind(coming, places) for coming in _coming(on) if (places := coming.reached(on)))


@transaction.atomic
def _remind(coming: Coming, places: Sequence[int]) -> bool:
    agreement = coming.agreements[0] if coming.party else None
    new = [
        Reminder.objects.get_or_create(
            agreement=agreement,
            area=coming.area,
            municipality=coming.municipality,
            about=coming.about(place),
            defaults={"party": coming.party},
        )[1]
        for place in places
    ]
    if not new[-1]:
        return False
    if coming.party:
        lead_days = coming.lead_days[places[-1] - 1]
        messages = mails.coming_end(coming.party, what=coming.what, day=coming.day, lead_days=lead_days)
    else:
        assert coming.event is not None
        messages = mails.coming_day(
            coming.municipality, label=coming.event.label, day=coming.day, agreements=list(coming.agreements)
        )
    send(*messages)
    return True


def _coming(on: date, municipalities: Collection[int] | None = None) -> list[Coming]:
    """Every day from `on` that these municipalities, or all, are told of; the nearest first."""
    signed = Revision.objects.filter(state=RevisionState.SIGNED).values("agreement")
    parties = Party.objects.filter(agreement__in=signed)
    if municipalities is not None:
        parties = parties.filter(municipality__in=municipalities)
    rows = list(parties.select_related("agreement__area", "municipality").order_by("pk"))
    agreements = {party.agreement_id: party.agreement for party in rows}
    validities = validities_of(list(agreements.values()))
    rules = _rules_of(agreements)
    found: list[Coming] = []
    in_force: dict[tuple[int, int], list[Agreement]] = defaultdict(list)  # (area, municipality) -> agreements
    for party in rows:
        validity = validities[party.agreement_id]
        if validity.phase(on) not in (Phase.UPCOMING, Phase.IN_FORCE):
            continue
        found += _of_party(party, validity, rules.get(party.agreement_id), on)
        in_force[party.agreement.area_id, party.municipality_id].append(party.agreement)
    found += _of_the_year(on, municipalities, in_force)
    return sorted(found, key=lambda one: (one.day, one.what, swedish_key(one.title), one.municipality.pk))


def _rules_of(agreements: Collection[int]) -> dict[int, tuple[int, str]]:
    """Each agreement's rule of notice, as all that is signed says: months and effect."""
    said: dict[int, tuple[int, str]] = {}
    for revision in Revision.objects.filter(agreement__in=list(agreements)).signed():
        if VALIDITY in revision.sections and revision.notice_months is not None and revision.notice_effect:
            said[revision.agreement_id] = (revision.notice_months, revision.notice_effect)
    return said


def _of_party(party: Party, validity: Validity, rule: tuple[int, str] | None, on: date) -> Iterator[Coming]:
    """The end; or, while no end is set, the last day for notice that ends it as soon as notice still can."""
    leads = (party.first_lead_days, party.second_lead_days)
    ends = [day for day in (validity.last_day, validity.left.get(party.municipality_id)) if day is not None]
    if ends:
        if min(ends) >= on and not (validity.ended_by == "replaced" and min(ends) == validity.last_day):
            yield Coming(min(ends), END, party.municipality, leads, [party.agreement], party)
    elif rule is not None and rule[1] != NoticeEffect.DAY:  # of those, every day is as good as the next
        months, effect = rule
        last = last_day_for_notice(effective_day(on, months, effect), months, effect)
        yield Coming(last, NOTICE, party.municipality, leads, [party.agreement], party)


def _of_the_year(
    on: date, municipalities: Collection[int] | None, in_force: dict[tuple[int, int], list[Agreement]]
) -> Iterator[Coming]:
    """The days of each area's clock that have a lead time, for each of its members today."""
    members = Membership.objects.on(on).select_related("municipality", "area").in_agreed_order()
    if municipalities is not None:
        members = members.filter(municipality__in=municipalities)
    by_area: dict[int, list[Membership]] = defaultdict(list)
    for member in members:
        by_area[member.area_id].append(member)
    days: dict[int, list[ClockDay]] = defaultdict(list)
    for one in ClockDay.objects.filter(area__in=by_area).order_by("pk"):
        days[one.area_id].append(one)
    for area, there in by_area.items():
        for day, event, one in coming_among(days[area], on):
            if one.lead_days is None:
                continue
            for member in there:
                about = in_force[area, member.municipality_id] if event in ABOUT_AGREEMENTS else []
                yield Coming(day, CLOCK, member.municipality, [one.lead_days], about, area=member.area, event=event)
