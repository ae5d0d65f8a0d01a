"""No sequence of bookings, changes, answers, blockings and expiries, by whomever, gives one thing to two."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from collab4m.clock import now
from collab4m.errors import RuleBroken
from organisations.models import User
from resources.models import (
    Approval,
    Blocking,
    Booking,
    Claim,
    RequestState,
    Resource,
    Rivalry,
    Takes,
    Unit,
    Waiting,
    WaitingOffer,
    WaitState,
)
from resources.operations import (
    CannotBeHad,
    Pattern,
    SlotKind,
    accept_offer,
    answer_owner,
    approve_booking,
    ask_for_more,
    block_resource,
    cancel_booking,
    change_time,
    decline_booking,
    displaced_by,
    end_blocking,
    expire_offers,
    expire_requests,
    is_free,
    is_open,
    keep_time,
    leave_list,
    request_booking,
    request_series,
    span_of,
    timeline_of,
    wait_for,
)
from tests.factories import (
    AreaFactory,
    CategoryFactory,
    MembershipFactory,
    MunicipalityFactory,
    ResourceFactory,
    RoleFactory,
    SchoolFactory,
)
from tests.machines import run_until_reached

pytestmark = pytest.mark.django_db

SECRET = "Hemligt ärende"
# Mostly by those who may; the outsider tries too.
askers = st.sampled_from(["first", "principal", "keeper", "first", "principal", "outsider"])
deciders = st.sampled_from(["keeper", "keeper", "keeper", "first", "outsider"])
numbers = st.integers(0, 11)
hours = st.integers(0, 9)
lengths = st.integers(1, 4)
seldom = st.integers(0, 7).map(lambda number: number == 0)


class Shared(RuleBasedStateMachine):
    """A van, a hall with halves and three tablets, and several who want them in the same hours."""

    reached: ClassVar[set[str]] = set()

    @initialize()
    def world(self) -> None:
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        area = AreaFactory(slug="4m")
        home, lender = (MunicipalityFactory(name=name) for name in ("Enköping", "Västerås"))
        for place in (home, lender):
            MembershipFactory(area=area, municipality=place)
        gone = MembershipFactory(municipality=MunicipalityFactory(name="Gävle")).municipality
        school = SchoolFactory(name="Westerlundska gymnasiet", municipality=home)
        self.bodies = {"first": home.body, "keeper": lender.body, "principal": school.body, "outsider": gone.body}
        self.people = {
            who: RoleFactory(kind="principal" if who == "principal" else "administrator", body=body).user.pk
            for who, body in self.bodies.items()
        }
        units = [Unit.objects.create(owner=lender.body, name=f"Del {number}") for number in range(5)]
        shared: dict[str, Any] = {"municipality": lender, "category": CategoryFactory()}
        self.things = [
            ResourceFactory(name="Minibuss", approval="by_owner", rivalry="hold", turnaround_minutes=30, **shared),
            ResourceFactory(name="Hallen", approval="by_owner", rivalry="compete", units=units[:2], **shared),
            ResourceFactory(name="Vänster halva", units=units[:1], **shared),
            ResourceFactory(name="Höger halva", approval="by_owner", rivalry="hold", units=units[1:2], **shared),
            ResourceFactory(name="Läsplattor", takes=Takes.SOME, units=units[2:], turnaround_minutes=60, **shared),
        ]
        today = timezone.localtime(now()).replace(hour=8, minute=0, second=0, microsecond=0)
        self.morning = today + timedelta(days=3)
        self.units = {thing.pk: set(thing.units.values_list("pk", flat=True)) for thing in self.things}
        self.turn = 0
        for which, who in enumerate(["first", "principal", "first", "principal"]):
            self.ask(which, who, which, 2, 1)
        van: Booking = Booking.objects.select_related("resource", "booked_for").earliest("pk")
        self.do(approve_booking, van, **self.someone("keeper"))
        self.do(change_time, van, **self.time(5, 2), **self.someone("first"))

    def teardown(self) -> None:
        if hasattr(self, "transaction"):
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    # Who, what and when

    def someone(self, who: str) -> dict[str, Any]:
        return {"by": self.person(who), "on_behalf_of": self.bodies[who]}

    def person(self, who: str) -> User:
        found: User = User.objects.get(pk=self.people[who])  # with today's roles read anew
        return found

    def thing(self, which: int) -> Resource:
        rows = Resource.objects.select_related("owner", "municipality")
        return rows.get(pk=self.things[which % len(self.things)].pk)

    def time(self, hour: int, length: int, day: int = 0) -> dict[str, Any]:
        begins = self.morning + timedelta(days=day, hours=hour)
        return {"starts_at": begins, "ends_at": begins + timedelta(hours=length)}

    def one(self, rows: Any, which: int) -> Any:
        found = list(rows.order_by("pk"))
        return found[which % len(found)] if found else None

    def living(self, which: int) -> Any:
        """Mostly one that lives; every fourth time any."""
        rows = Booking.objects.select_related("resource", "booked_for")
        return self.one(rows if which % 4 == 3 else rows.filter(request_state__in=RequestState.alive()), which)

    def open(self, which: int) -> Any:
        """Mostly one that waits for the owner."""
        rows = Booking.objects.select_related("resource", "booked_for")
        return self.one(rows if which % 4 == 3 else rows.filter(request_state__in=RequestState.open()), which)

    def do(self, operation: Callable[..., Any], *args: Any, **said: Any) -> None:
        """What is refused is refused in words and has changed nothing; what could be had instead can be had."""
        before, late, refusal = everything(), overdue(), None
        try:
            operation(*args, **said)
        except RuleBroken as broken:
            refusal = broken
        self.reached.add(refusal.code if refusal else operation.__name__)
        if refusal is not None:
            assert str(refusal)
            assert late or everything() == before, refusal.code
        for other in refusal.alternatives if isinstance(refusal, CannotBeHad) else ():
            during = span_of(other.starts_at, other.ends_at)
            assert is_open(other.resource, during)
            assert is_free(other.resource, during, quantity=said.get("quantity", 1)), (refusal, other)

    # What people do

    @rule(which=numbers, who=askers, hour=hours, length=lengths, quantity=st.integers(1, 4))
    def ask(self, which: int, who: str, hour: int, length: int, quantity: int) -> None:
        thing = self.thing(which)
        many = {"quantity": quantity} if thing.takes == Takes.SOME else {}
        self.do(
            request_booking, thing, purpose=f"{SECRET} {who}", **self.time(hour, length), **many, **self.someone(who)
        )

    @rule(which=numbers, who=askers, hour=hours, length=lengths, days=st.integers(0, 2))
    def ask_for_days(self, which: int, who: str, hour: int, length: int, days: int) -> None:
        first = self.morning + timedelta(hours=hour)
        pattern = Pattern(
            first.date(), first.date() + timedelta(days=days), first.time(), length * 60, weekdays=range(1, 8)
        )  # fmt: skip
        self.do(request_series, self.thing(which), pattern, purpose=f"{SECRET} {who}", **self.someone(who))

    def asker(self, row: Any) -> str:
        return next(who for who, body in self.bodies.items() if body.pk == row.booked_for_id)

    @rule(
        which=numbers, hour=hours, length=lengths, stranger=seldom,
        what=st.sampled_from(["move", "move", "keep", "cancel", "owner cancels"]),
    )  # fmt: skip
    def change_mind(self, which: int, hour: int, length: int, stranger: bool, what: str) -> None:
        kept = self.one(Booking.objects.exclude(kept=None).select_related("resource", "booked_for"), which)
        booking = kept if kept and what == "keep" else self.living(which)
        if booking is None:
            return
        acting = self.someone("outsider" if stranger else self.asker(booking))
        match what:
            case "move":
                self.do(change_time, booking, **self.time(hour, length), **acting)
            case "keep":
                self.do(keep_time, booking, **acting)
            case "cancel":
                self.do(cancel_booking, booking, **acting)
            case _:
                self.do(cancel_booking, booking, reason="Verkstad" if length > 1 else "", **self.someone("keeper"))

    @rule(
        which=numbers, who=deciders,
        what=st.sampled_from(["yes", "yes", "no", "no", "no reason", "question", "answer"]),
    )  # fmt: skip
    def answer(self, which: int, who: str, what: str) -> None:
        booking = self.open(which)
        if booking is None:
            return
        match what:
            case "yes":
                self.do(approve_booking, booking, **self.someone(who))
            case "no" | "no reason":
                self.do(decline_booking, booking, reason="Nej" if what == "no" else "", **self.someone(who))
            case _:
                self.do(ask_for_more, booking, question="Vem kör?", **self.someone(who))
                if what == "answer":
                    self.do(answer_owner, booking, answer="Läraren", **self.someone(self.asker(booking)))

    @rule(
        which=numbers,
        who=deciders,
        hour=hours,
        length=lengths,
        what=st.sampled_from(["block", "block", "end", "end", "unseen"]),
    )
    def block(self, which: int, who: str, hour: int, length: int, what: str) -> None:
        thing, time = self.thing(which), self.time(hour, length)
        if what == "end":
            if blocking := self.one(Blocking.objects.select_related("resource"), which):
                self.do(end_blocking, blocking, **self.someone(who))
            return
        seen = {one.pk for one in displaced_by(thing, time["starts_at"], time["ends_at"])} if what == "block" else set()
        self.do(block_resource, thing, reason="Service", seen=seen, **time, **self.someone(who))

    @rule(
        which=numbers, who=askers, length=lengths, quantity=st.integers(1, 3), stranger=seldom,
        what=st.sampled_from(["wait", "freed", "freed", "accept", "accept", "leave"]),
    )  # fmt: skip
    def line(self, which: int, who: str, length: int, quantity: int, stranger: bool, what: str) -> None:
        """Stand in line for what somebody has, who perhaps lets go of it; take what is offered, or leave."""
        offers = WaitingOffer.objects.select_related("waiting__resource", "waiting__booked_for")
        if what == "leave":
            if waiting := self.one(Waiting.objects.select_related("resource", "booked_for"), which):
                self.do(leave_list, waiting, **self.someone("outsider" if stranger else self.asker(waiting)))
        elif what == "accept":
            if offer := self.one(offers.filter(ended_at=None) if which % 4 else offers, which):
                self.do(accept_offer, offer, **self.someone("outsider" if stranger else self.asker(offer.waiting)))
        elif booking := self.living(which):
            thing, begins = booking.resource, booking.starts_at
            many = {"quantity": quantity} if thing.takes == Takes.SOME else {}
            self.do(
                wait_for, thing, purpose=f"{SECRET} {who}", starts_at=begins, ends_at=begins + timedelta(hours=length),
                **many, **self.someone(who),
            )  # fmt: skip
            if what == "freed":
                self.do(cancel_booking, booking, reason="Sjukdom", **self.someone(self.asker(booking)))

    @rule(which=numbers, noticed=st.booleans(), offers=st.booleans())
    def run_out(self, which: int, noticed: bool, offers: bool) -> None:
        """Time passes for one request or offer; the clock's own task notices, or whoever next wants the time."""
        past = now() - timedelta(minutes=1)
        if offers:
            row = self.one(WaitingOffer.objects.filter(ended_at=None), which)
            WaitingOffer.objects.filter(pk=row.pk if row else None).update(until=past)
        else:
            row = self.one(Booking.objects.filter(request_state__in=RequestState.open()), which)
            Booking.objects.filter(pk=row.pk if row else None).update(decide_by=past)
        if noticed and row:
            self.do(expire_offers)
            self.do(expire_requests)
            assert not overdue()

    @rule(which=numbers, approval=st.sampled_from(Approval.values), rivalry=st.sampled_from(Rivalry.values))
    def change_rule(self, which: int, approval: str, rivalry: str) -> None:
        Resource.objects.filter(pk=self.thing(which).pk).update(approval=approval, rivalry=rivalry)

    # What always holds

    @invariant()
    def no_unit_is_held_twice(self) -> None:
        claims = list(Claim.objects.order_by("unit", "blocked").values_list("unit", "blocked"))
        for (unit, blocked), (other, following) in zip(claims, claims[1:], strict=False):
            assert unit != other or blocked.upper <= following.lower

    @invariant()
    def each_claim_has_what_it_is_held_for(self) -> None:
        for claim in Claim.objects.select_related("booking", "blocking", "offer__waiting"):
            if claim.booking is not None:
                assert claim.booking.request_state in RequestState.alive()
                kept = claim.booking.kept
                assert claim.during.lower in (claim.booking.during.lower, kept.lower if kept else None)
            elif claim.blocking is not None:
                assert claim.blocking.ended_at is None
            else:
                assert claim.offer.ended_at is None
                assert claim.offer.waiting.state == WaitState.OFFERED

    @invariant()
    def what_is_promised_is_held(self) -> None:
        held: dict[tuple[str, int], list[Any]] = {}
        for claim in Claim.objects.all():
            of = ("booking", claim.booking_id) if claim.booking_id else ("offer", claim.offer_id)
            if of[1]:
                held.setdefault(of, []).append(claim)
        for booking in Booking.objects.alive().select_related("resource"):
            self.reached.add(booking.request_state)
            promised = booking.kept if booking.kept is not None else booking.during
            if booking.kept is not None:
                self.reached.add("kept")
            elif booking.request_state != RequestState.APPROVED:
                continue
            self.assert_held(booking.resource, booking.quantity, promised, held.get(("booking", booking.pk), []))
        for offer in WaitingOffer.objects.filter(ended_at=None).select_related("waiting__resource"):
            waiting = offer.waiting
            self.assert_held(waiting.resource, waiting.quantity, waiting.during, held.get(("offer", offer.pk), []))
        offered = set(Waiting.objects.filter(state=WaitState.OFFERED).values_list("pk", flat=True))
        assert offered == set(WaitingOffer.objects.filter(ended_at=None).values_list("waiting", flat=True))

    def assert_held(self, resource: Resource, quantity: int, during: Any, claims: list[Any]) -> None:
        units = set(resource.units.values_list("pk", flat=True))
        holding = {
            one.unit_id for one in claims if one.during.lower <= during.lower and during.upper <= one.during.upper
        }
        assert holding <= units
        assert len(holding) == (len(units) if resource.takes == Takes.ALL else quantity)

    @invariant()
    def nobody_reads_what_others_want(self) -> None:
        if not hasattr(self, "people"):
            return
        begins, ends = self.morning - timedelta(days=1), self.morning + timedelta(days=5)
        own: dict[int, set[int]] = {body.pk: set() for body in self.bodies.values()}
        for pk, booked_for in Booking.objects.values_list("pk", "booked_for"):
            own[booked_for].add(pk)
        may_see = {who: own[body.pk] for who, body in self.bodies.items()}
        # The municipality looks on at what its school has; the keeper at all, since it is asked for what it owns.
        may_see["first"] |= may_see["principal"]
        may_see["keeper"] = set().union(*own.values())
        self.turn += 1  # one reader at each step
        who = list(self.bodies)[self.turn % len(self.bodies)]
        reader = self.person(who)
        assert set(Booking.objects.visible_to(reader).values_list("pk", flat=True)) <= may_see[who]
        rows = timeline_of(self.things, begins, ends, reader=reader)
        slots = [slot for row in rows for slot in row.slots if slot.kind != SlotKind.CLOSED]
        assert {slot.booking for slot in slots if slot.booking} <= may_see[who]
        for slot in slots:
            if not slot.booking:
                assert (SECRET in slot.words, slot.body) == (False, "")
        # Nobody is told that something is free which is not.
        for claim in Claim.objects.all():
            assert any(slot.starts_at <= claim.during.lower < slot.ends_at for slot in slots)


def overdue() -> bool:
    """Whether something has run out and nobody has noticed: whoever is refused ends that first."""
    requests = Booking.objects.filter(request_state__in=RequestState.open(), decide_by__lte=now())
    return requests.exists() or WaitingOffer.objects.filter(ended_at=None, until__lte=now()).exists()


def everything() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Booking, Claim, Blocking, Waiting, WaitingOffer)]


WANTED = {
    "accept_offer", "approve_booking", "block_resource", "cancel_booking", "change_time", "decline_booking",
    "end_blocking", "expire_requests", "expire_offers", "keep_time", "kept", "leave_list", "request_series",
    "slot_taken", "wait_for",
}  # fmt: skip


def test_no_sequence_of_calls_gives_one_thing_to_two():
    run_until_reached(Shared, WANTED)

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
