"""No sequence of calls, by whomever and with whatever arguments, leaves an agreement in a state that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, ClassVar

import pytest
from django.apps import apps
from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sequences.models import Sequence

from agreements.models import Agreement, Cover, Notice, Party, Referral, ReferralAnswer, Revision, RevisionState, Term
from agreements.models.agreements import TRANSITIONS
from agreements.operations import (
    NewTerm,
    add_own_clause,
    agree_to_withdrawal,
    answer_referral,
    change_agreement,
    change_facts,
    change_parties,
    change_term,
    give_notice,
    leaves_of,
    parts_of_revision,
    placeholders_of,
    record_decision,
    remove_term,
    send_on_referral,
    send_to_decision,
    series_of,
    set_case_number,
    set_signing_order,
    settle_answer,
    sign,
    start_agreement,
    start_revision,
    take_back,
    withdraw_revision,
)
from collab4m.clock import now, today
from collab4m.errors import RuleBroken
from organisations.models import User
from records.documents.content import sha256_of
from records.models import Decision, DecisionResult, Part, SignOff, SignOffMethod, Version
from records.operations import document_file, save_part
from tests.agreements.stories import FACTS, building, year
from tests.factories import AreaFactory, MembershipFactory, MunicipalityFactory, RoleFactory
from tests.machines import run_until_reached

pytestmark = pytest.mark.django_db

NAMES = ["Enköping", "Västerås", "Eskilstuna"]
SCAN = document_file("avtal.pdf", b"%PDF-1.7 signed on paper")
ACTORS = ["first", "second", "third", "committee", "outsider", "system_administrator"]
# Most calls are made by those who may: the way to a signature is long.
actors = st.sampled_from([*ACTORS[:2] * 4, *ACTORS])
homes = st.sampled_from([0, 1, 0, 1, 2, 3])
seldom = st.integers(0, 9).map(lambda number: number == 0)


class Lives(RuleBasedStateMachine):
    """An area where several people begin agreements, and do what they like with them."""

    reached: ClassVar[set[str]] = set()

    @initialize()
    def world(self) -> None:
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        area = self.area = AreaFactory(slug="4m")
        self.places = [MunicipalityFactory(name=name) for name in NAMES]
        for place in self.places:
            MembershipFactory(area=area, municipality=place)
        self.places.append(MembershipFactory(municipality=MunicipalityFactory(name="Gävle")).municipality)
        people = [RoleFactory(kind="administrator", body=place.body).user for place in self.places]
        self.people: dict[str, User] = {
            "first": people[0], "second": people[1], "third": people[2], "outsider": people[3],
            "committee": RoleFactory(kind="committee", body=self.places[0].body).user,
            "system_administrator": RoleFactory(kind="system_administrator").user,
            "neighbour": RoleFactory(kind="principal", body=self.places[2].body).user,
        }  # fmt: skip
        self.programme = building()
        self.states: dict[int, str] = {}
        self.hashes: dict[int, str] = {}
        self.numbers: list[str] = []

    def teardown(self) -> None:
        if hasattr(self, "transaction"):
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    # Who, and about what

    def someone(self, who: str, home: int) -> dict[str, Any]:
        """A person, and for whom they say that they act: for their own municipality, if they do not lie."""
        own = {"first": 0, "committee": 0, "second": 1, "third": 2, "outsider": 3}
        place = self.places[own.get(who, home) if home < 3 else home]
        user: Any = User.objects.get(pk=self.people[who].pk)  # with today's roles read anew
        return {"by": user, "on_behalf_of": place.body}

    def agreement(self, which: int) -> Agreement:
        found = list(Agreement.objects.order_by("pk"))
        return found[which % len(found)]

    def revision(self, which: int) -> Revision:
        agreement = self.agreement(which)
        return agreement.revisions.under_way().first() or agreement.revisions.order_by("-ordinal")[0]

    def party(self, which: int, acting: dict[str, Any]) -> Any:
        """The party they say they act for, or another where there is none such."""
        parties = self.agreement(which).parties
        return parties.filter(municipality=acting["on_behalf_of"].pk).first() or parties.order_by("pk")[0]

    def do(self, operation: Callable[..., Any], *args: Any, **said: Any) -> None:
        """What is refused is refused in words, and has changed nothing."""
        before, refusal = counts(), None
        try:
            operation(*args, **said)
        except RuleBroken as broken:
            refusal = broken
        if refusal is None:
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        else:
            assert str(refusal), refusal.code
            assert counts() == before

    # What people do

    @rule(who=actors, home=homes, third=st.booleans(), alone=seldom)
    def begin(self, who: str, home: int, third: bool, alone: bool) -> None:
        if Agreement.objects.count() >= 2:
            return
        acting = self.someone(who, home)
        parties = [self.places[0], self.places[1], *([self.places[2]] if third else [])]
        terms = [NewTerm(parties[0], parties[1], self.programme), NewTerm(parties[1], parties[0], self.programme)]
        self.do(
            start_agreement, area=self.area, title="Bygg", municipalities=parties[:1] if alone else parties,
            terms=terms, **acting,
        )  # fmt: skip

    begun = precondition(lambda self: getattr(self, "numbers", None))

    @begun
    @rule(which=st.integers(0, 2), who=actors, home=homes, stale=seldom, months=st.sampled_from([3, 12, 24]))
    def fill_in(self, which: int, who: str, home: int, stale: bool, months: int) -> None:
        """Facts, seats and texts, each as somebody would who has just read them, or long ago."""
        acting, revision = self.someone(who, home), self.revision(which)
        self.do(change_facts, revision, values={**FACTS, "notice_months": months}, seen=revision.edit - stale, **acting)
        for term in revision.terms.all():
            seen = Revision.objects.get(pk=revision.pk).edit
            self.do(change_term, term, values={"seats": months, "unlimited": False}, seen=seen, **acting)
        for part in parts_of_revision(revision):
            text = "" if stale else f"Parterna är överens, {months}."
            self.do(save_part, part, text=text, base_version=part.version, **acting)

    @begun
    @rule(
        which=st.integers(0, 2), who=actors, home=homes, key=st.integers(0, 9), text=st.sampled_from(["", "[x]", "Ja"])
    )
    def write(self, which: int, who: str, home: int, key: int, text: str) -> None:
        revision = self.revision(which)
        parts = list(Part.objects.about(revision))
        if parts:
            part = parts[key % len(parts)]
            self.do(save_part, part, text=text, base_version=part.version, **self.someone(who, home))

    @begun
    @rule(which=st.integers(0, 2), who=actors, home=homes, what=st.integers(0, 4), to=st.integers(0, 3))
    def rearrange(self, which: int, who: str, home: int, what: int, to: int) -> None:
        acting, agreement, revision = self.someone(who, home), self.agreement(which), self.revision(which)
        term = Term.objects.filter(revision=revision).order_by("pk").first()
        verbs: list[Callable[[], None]] = [
            lambda: self.do(
                change_agreement, agreement, title=f"Bygg {to}", kind="education", standing="primary", replaces=None,
                secrecy_note="", **acting,
            ),
            lambda: self.do(change_parties, agreement, municipalities=[*self.places[: to + 1]], **acting),
            lambda: self.do(add_own_clause, revision, heading="Eget" if to else " ", **acting),
            lambda: self.do(remove_term, term, **acting) if term else None,
            lambda: self.do(
                set_signing_order, agreement, order={place.pk: (n * to) % 3 + 1 for n, place in enumerate(self.places)},
                **acting,
            ),
        ]  # fmt: skip
        verbs[what]()

    @begun
    @rule(which=st.integers(0, 2), who=actors, home=homes, days=st.sampled_from([-1, 0, 21, 500]))
    def refer(self, which: int, who: str, home: int, days: int) -> None:
        acting = self.someone(who, home)
        self.do(send_on_referral, self.agreement(which), last_day=today() + timedelta(days=days), **acting)

    @begun
    @rule(
        which=st.integers(0, 2), who=actors, home=homes, text=st.sampled_from(["", "Dyrt."]),
        kind=st.sampled_from(["no_objection", "no_objection", "change_wanted", "comment", "?"]),
        section=st.sampled_from(["", "resor", "parter", "?"]),
    )  # fmt: skip
    def answer(self, which: int, who: str, home: int, kind: str, text: str, section: str) -> None:
        acting = self.someone(who, home)
        self.do(answer_referral, self.party(which, acting), kind=kind, text=text, section=section, **acting)

    @begun
    @rule(
        who=actors,
        home=homes,
        outcome=st.sampled_from(["accepted", "declined", "?"]),
        reason=st.sampled_from(["", "Nej"]),
    )
    def settle(self, who: str, home: int, outcome: str, reason: str) -> None:
        answer = ReferralAnswer.objects.order_by("-pk").first()
        if answer:
            self.do(settle_answer, answer, outcome=outcome, reason=reason, **self.someone(who, home))

    @begun
    @rule(which=st.integers(0, 2), who=actors, home=homes)
    def to_decision(self, which: int, who: str, home: int) -> None:
        revision = self.revision(which)
        was_open = bool(placeholders_of(revision)) and revision.state in ("draft", "referral")
        before = revision.version_id
        self.do(send_to_decision, self.agreement(which), **self.someone(who, home))
        revision.refresh_from_db()
        assert not (was_open and revision.version_id != before), "decided on with something open"

    @begun
    @rule(
        which=st.integers(0, 2), who=actors, home=homes, old=seldom, ahead=seldom, corrects=st.booleans(),
        result=st.sampled_from([*["approved"] * 4, "remitted", "rejected", "?"]), final=st.booleans(),
        paragraph=st.sampled_from(["§ 84", "§ 84", ""]),
    )  # fmt: skip
    def decide(self, which: int, who: str, home: int, **said: Any) -> None:
        acting, day = self.someone(who, home), today() + timedelta(days=said["ahead"])
        standing = Decision.objects.standing().filter(body=acting["on_behalf_of"].pk).order_by("-pk").first()
        self.do(
            record_decision, self.party(which, acting), content_sha256=self.hash_of(which, said["old"]),
            result=said["result"], day=day, paragraph=said["paragraph"], case_number="2022/17",
            board_name="utbildningsnämnden", final_on=day if said["final"] else None,
            remark="" if said["result"] == DecisionResult.APPROVED else "Ändra.",
            corrects=standing.pk if standing and said["corrects"] else None, **acting,
        )  # fmt: skip

    @begun
    @rule(
        which=st.integers(0, 2), who=actors, home=homes, old=seldom, late=seldom, paper=st.booleans(),
        signed_as=st.sampled_from(["Ordföranden", "Ordföranden", " "]),
    )  # fmt: skip
    def sign_it(self, which: int, who: str, home: int, **said: Any) -> None:
        acting = self.someone(who, home)
        shown: dict[str, Any] = {"method": SignOffMethod.PAPER, "document": SCAN, "day": today()}
        if not said["paper"]:
            minutes = 16 if said["late"] else 1
            shown = {"method": SignOffMethod.SECOND_FACTOR, "second_factor_at": now() - timedelta(minutes=minutes)}
        elif said["late"]:
            shown["document"] = None
        self.do(
            sign, self.party(which, acting), content_sha256=self.hash_of(which, said["old"]),
            signed_as=said["signed_as"], **shown, **acting,
        )  # fmt: skip

    @begun
    @rule(which=st.integers(0, 1), turns=st.lists(st.sampled_from([0, 1, 2, 0, 1, 2, 3]), min_size=2, max_size=6))
    def go_on(self, which: int, turns: list[int]) -> None:
        """Some steps on the way, by those who may: so that many get there, and beyond."""
        for turn in turns:
            self.take_a_step(which, turn)
            self.one_revision_is_under_way_and_states_follow_the_path()

    def take_a_step(self, which: int, turn: int) -> None:
        agreement, revision = self.agreement(which), self.revision(which)
        parties = agreement.parties.order_by("signing_order", "position").values_list("municipality", flat=True)
        places = [next(n for n, one in enumerate(self.places) if one.pk == party) for party in parties]
        actors = [ACTORS[place] for place in places if place < 3]
        if turn == 3 and revision.state in (RevisionState.DRAFT, RevisionState.SIGNING):
            self.stop(which, actors[0], 0, False, "Nytt läge.")
        elif revision.state == RevisionState.DRAFT:
            self.fill_in(which, actors[0], 0, False, 12)
            self.to_decision(which, actors[0], 0)
        elif revision.state == RevisionState.DECIDING:
            said = {
                "old": False,
                "ahead": False,
                "result": "rejected" if turn == 3 else "approved",
                "final": True,
                "paragraph": "§ 84",
            }
            for who in actors[:turn] or actors:
                self.decide(which, who, 0, **said, corrects=False)
        elif revision.state == RevisionState.SIGNING:
            for who in actors[:turn] or actors:
                self.sign_it(which, who, 0, old=False, late=False, paper=True, signed_as="Ordföranden")
        elif revision.state == RevisionState.SIGNED and turn == 0:
            self.revise(which, actors[0], 0, kind="annex", sections=[], intake="2030/31")
        elif revision.state == RevisionState.SIGNED:
            self.notice(which, actors[turn % 2], 0, 0, 0)
            for who in actors[turn % 2 :]:
                self.agree(who, 0)

    @begun
    @rule(
        which=st.integers(0, 2), who=actors, home=homes, back=st.booleans(), reason=st.sampled_from(["", "Nytt läge."])
    )
    def stop(self, which: int, who: str, home: int, back: bool, reason: str) -> None:
        verb = take_back if back else withdraw_revision
        self.do(verb, self.agreement(which), reason=reason, **self.someone(who, home))

    @begun
    @rule(
        which=st.integers(0, 2), who=actors, home=homes,
        kind=st.sampled_from(["annex", "amendment", "renewal", "original"]),
        sections=st.sampled_from([[], ["omfattning"], ["giltighet"], ["parter"], ["?"]]),
        intake=st.sampled_from([None, "2023/24", "2030/31"]),
    )  # fmt: skip
    def revise(self, which: int, who: str, home: int, **said: Any) -> None:
        intake = year(said["intake"]) if said["intake"] else None
        self.do(
            start_revision, self.agreement(which), kind=said["kind"], sections=said["sections"], applies_from=intake,
            **self.someone(who, home),
        )  # fmt: skip

    @begun
    @rule(
        which=st.integers(0, 2),
        who=actors,
        home=homes,
        given=st.sampled_from([-400, -1, 0, 1]),
        took=st.sampled_from([-1, 0, 1]),
    )
    def notice(self, which: int, who: str, home: int, given: int, took: int) -> None:
        acting, day = self.someone(who, home), today() + timedelta(days=given)
        self.do(
            give_notice, self.party(which, acting), given_on=day, received_on=day + timedelta(days=took), **acting
        )  # fmt: skip

    @begun
    @rule(who=actors, home=homes)
    def agree(self, who: str, home: int) -> None:
        notice = Notice.objects.order_by("-pk").first()
        if notice:
            acting = self.someone(who, home)
            parties = notice.agreement.parties
            own = parties.filter(municipality=acting["on_behalf_of"].pk).first() or parties.order_by("pk")[0]
            self.do(agree_to_withdrawal, notice, own, **acting)

    @begun
    @rule(which=st.integers(0, 2), who=actors, home=homes, number=st.sampled_from(["", "2022/18"]))
    def case_number(self, which: int, who: str, home: int, number: str) -> None:
        acting = self.someone(who, home)
        self.do(
            set_case_number, self.party(which, acting), case_number=number, board=None, meets_on=date(2022, 10, 1),
            **acting,
        )  # fmt: skip

    def hash_of(self, which: int, old: bool) -> str:
        """The hash of what is decided on now, or an earlier one, or none that ever was."""
        versions = list(Version.objects.of(self.agreement(which)).values_list("content_sha256", flat=True))
        if old:
            return versions[-1] if len(versions) > 1 else "0" * 64
        return versions[0] if versions else "0" * 64

    # What holds after every step

    @invariant()
    def one_revision_is_under_way_and_states_follow_the_path(self) -> None:
        if not hasattr(self, "states"):
            return
        legal = {*TRANSITIONS, ("", "draft")}
        for agreement in Agreement.objects.all():
            assert agreement.revisions.under_way().count() <= 1
        for pk, state in Revision.objects.values_list("pk", "state"):
            earlier = self.states.get(pk, "")
            assert state == earlier or reachable(earlier, state, legal), f"{earlier} → {state}"
            self.states[pk] = state
        self.reached.update(self.states.values(), Revision.objects.values_list("kind", flat=True))
        self.reached.update(["notice"] * Notice.objects.exists(), ["cover"] * Cover.objects.exists())

    @invariant()
    def what_is_frozen_stays(self) -> None:
        if not hasattr(self, "hashes"):
            return
        for version in Version.objects.all():
            assert self.hashes.setdefault(version.pk, version.content_sha256) == version.content_sha256
            assert sha256_of(version.content) == version.content_sha256
        assert self.hashes.keys() == set(Version.objects.values_list("pk", flat=True))

    @invariant()
    def words_count_for_their_own_content_only(self) -> None:
        for row in [*Decision.objects.select_related("version"), *SignOff.objects.select_related("version")]:
            assert row.content_sha256 == row.version.content_sha256

    @invariant()
    def signing_waits_for_every_board_and_force_for_every_signature(self) -> None:
        late = (RevisionState.SIGNING, RevisionState.SIGNED)
        for revision in Revision.objects.filter(state__in=late).select_related("agreement", "version"):
            version, parties = revision.version, set(revision.agreement.parties.values_list("municipality", flat=True))
            assert version is not None
            approved = version.decisions.standing().filter(result=DecisionResult.APPROVED)
            assert set(approved.values_list("body", flat=True)) == parties
            assert not version.decisions.standing().exclude(result=DecisionResult.APPROVED).exists()
            signed = set(version.sign_offs.values_list("body", flat=True))
            assert signed <= parties
            assert (signed == parties) is (revision.state == RevisionState.SIGNED)
        decided = Revision.objects.filter(version__isnull=False).values("version")
        assert not SignOff.objects.exclude(version__in=decided).exists()

    @invariant()
    def an_open_referral_means_that_it_is_out(self) -> None:
        for revision in Revision.objects.all():
            assert revision.referrals.filter(closed_at=None).count() == (revision.state == RevisionState.REFERRAL)
        assert Referral.objects.count() == Referral.objects.values("version").distinct().count()

    @invariant()
    def cover_is_what_is_signed_and_nothing_else(self) -> None:
        for agreement in Agreement.objects.all():
            rows = Cover.objects.filter(agreement=agreement)
            found = {
                (c.revision_id, c.term_id, c.orientation_id, c.years.lower, c.years.upper, c.seats, c.unlimited)
                for c in rows
            }
            leaves = {
                (leaf.revision, leaf.term, leaf.orientation, *leaf.years, leaf.seats, leaf.unlimited)
                for leaf in leaves_of(agreement)
            }
            assert found == leaves
            assert not rows.exclude(revision__state=RevisionState.SIGNED).exists()

    @invariant()
    def numbers_have_no_gaps_and_are_never_used_twice(self) -> None:
        if not hasattr(self, "numbers"):
            return
        found = list(Agreement.objects.order_by("pk").values_list("sequence", flat=True))
        assert found == list(range(1, len(found) + 1))
        self.numbers = [agreement.number for agreement in Agreement.objects.order_by("pk")]
        last = Sequence.objects.filter(name=series_of(self.area, today().year)).values_list("last", flat=True).first()
        assert (last or 0) == len(found)

    @invariant()
    def a_draft_is_seen_by_its_parties_only(self) -> None:
        if not hasattr(self, "people"):
            return
        signed = set(Revision.objects.filter(state=RevisionState.SIGNED).values_list("agreement", flat=True))
        sent = set(Revision.objects.exclude(sent_at=None).values_list("agreement", flat=True))
        for who, seen in {"outsider": set(), "neighbour": signed, "system_administrator": set()}.items():
            user: Any = User.objects.get(pk=self.people[who].pk)
            own = set(Agreement.objects.of_party(user.bodies_where("administrator")).values_list("pk", flat=True))
            assert set(Agreement.objects.visible_to(user).values_list("pk", flat=True)) == seen | own
            drafts = Revision.objects.visible_to(user).exclude(state=RevisionState.SIGNED).exclude(agreement__in=own)
            assert not drafts.exists()
            texts = Part.objects.visible_to(user).filter(subject_type__model="revision")
            assert set(texts.values_list("subject_id", flat=True)) == set(
                Revision.objects.visible_to(user).values_list("pk", flat=True)
            )
        committee: Any = User.objects.get(pk=self.people["committee"].pk)
        of_own = set(Agreement.objects.of_party([self.places[0].pk]).values_list("pk", flat=True))
        visible = set(Agreement.objects.visible_to(committee).values_list("pk", flat=True))
        assert visible == (of_own & sent) | signed


def reachable(earlier: str, state: str, legal: set[tuple[str, str]]) -> bool:
    """Whether it is one step, or two: a revision may be begun and sent within one step of the machine."""
    return any(
        (earlier, middle) in legal and (middle == state or (middle, state) in legal) for middle in RevisionState.values
    )


TABLES = [
    model for app in ("agreements", "records") for model in apps.get_app_config(app).get_models() if model._meta.managed
]


COUNTED = " UNION ALL ".join(f"SELECT count(*) FROM {model._meta.db_table}" for model in TABLES)


def counts() -> list[Any]:
    """How much there is of everything, and where every agreement, party and revision stands."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTED)
        rows = list(cursor.fetchall())
    return [rows, *(list(model._default_manager.order_by("pk").values()) for model in (Agreement, Party, Revision))]


def test_no_sequence_of_calls_leaves_an_impossible_state():
    run_until_reached(Lives, {*RevisionState.values, "notice", "annex", "cover"})
