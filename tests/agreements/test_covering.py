"""Cover: derived from what is signed and from notice that stands, and never two of a standing for the same intake."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from agreements.models import Agreement, Cover, NoticeEffect, NoticeEnds, RevisionKind, Standing, Term
from agreements.operations import (
    CoverTaken,
    NewTerm,
    Phase,
    WrongState,
    agree_to_withdrawal,
    derive_cover,
    first_intake,
    give_notice,
    leaves_of,
    start_revision,
    validity_of,
)
from agreements.operations.covering import takes_pupils
from collab4m.clock import today
from collab4m.school_year import SchoolYear
from programmes.models import Programme
from records.models import Version, span
from tests.agreements.stories import (
    FACTS,
    administrator_of,
    approved,
    building,
    draft,
    fill_in,
    party_of,
    sign_all,
    sign_for,
    signed,
    to_decision,
    year,
)
from tests.factories import MembershipFactory, MunicipalityFactory, OrientationFactory, ProgrammeFactory

pytestmark = pytest.mark.usefixtures("owner", "asker")


def covers(agreement: Agreement | None = None) -> set[tuple[str, int, int | None]]:
    """What is covered: the leaf's code, the first intake, and the first that is not."""
    rows = Cover.objects.select_related("programme", "orientation")
    rows = rows.filter(agreement=agreement) if agreement else rows
    return {((one.orientation or one.programme).code, one.years.lower, one.years.upper) for one in rows}


@pytest.fixture
def programme(db) -> Programme:
    return building()


@pytest.fixture
def agreement(area, home, neighbour, owner, programme) -> Agreement:
    return signed(draft(area, [home, neighbour], owner, programme=programme))


def notice(agreement: Agreement, municipality: Any, received_on: date) -> Any:
    return give_notice(
        party_of(agreement, municipality),
        given_on=received_on,
        received_on=received_on,
        by=administrator_of(municipality),
        on_behalf_of=municipality.body,
    )


# Which leaves


def test_an_orientation_goes_before_its_programme(area, home, neighbour, owner, programme):
    orientation = programme.orientations.get(code="BAHUS")
    terms = [
        NewTerm(home, neighbour, programme, seats=10),
        NewTerm(
            home, neighbour, programme, orientation, seats=4, intake_from=year("2023/24"), intake_to=year("2024/25")
        ),
    ]

    made = signed(draft(area, [home, neighbour], owner, terms=terms))

    assert covers(made) == {("BAHUS", 2022, 2023), ("BAHUS", 2023, 2025), ("BAHUS", 2025, None), ("BAMAR", 2022, None)}
    assert Cover.objects.get(years__startswith=2023).seats == 4


def test_a_programme_is_a_leaf_in_intakes_in_which_it_has_no_orientation(area, home, neighbour, owner):
    programme = ProgrammeFactory(code="EK")
    OrientationFactory(programme=programme, code="EKJUR", valid=span(date(2024, 7, 1), date(2026, 6, 30)))

    made = signed(draft(area, [home, neighbour], owner, programme=programme))

    assert covers(made) == {("EK", 2022, 2024), ("EKJUR", 2024, 2026), ("EK", 2026, None)}


def test_a_programme_that_ends_is_covered_to_its_last_intake(area, home, neighbour, owner):
    programme = ProgrammeFactory(code="HP", valid=span(None, date(2025, 6, 30)))

    made = signed(draft(area, [home, neighbour], owner, programme=programme))

    assert covers(made) == {("HP", 2022, 2025)}


@pytest.mark.parametrize(
    ("day", "intake"),
    [(date(2022, 7, 1), 2022), (date(2022, 8, 15), 2022), (date(2022, 8, 16), 2023), (date(2023, 1, 1), 2023)],
)
def test_the_first_intake_is_the_one_that_begins_on_the_first_day_or_later(day, intake):
    assert first_intake(day) == intake


# Two agreements


def test_a_second_agreement_of_the_same_standing_is_refused_with_a_link(area, home, neighbour, owner, programme):
    first = signed(draft(area, [home, neighbour], owner, programme=programme, title="Bygg hos grannen"))
    other = draft(area, [home, neighbour], owner, programme=programme)
    fill_in(other)

    with pytest.raises(CoverTaken) as refused:
        to_decision(other)

    assert refused.value.other == first
    assert first.number in str(refused.value)
    assert "Bygg hos grannen" in str(refused.value)
    assert first.get_absolute_url() in str(refused.value)


def test_the_last_signature_is_refused_when_another_was_signed_meanwhile(area, home, neighbour, owner, programme):
    one, other = (draft(area, [home, neighbour], owner, programme=programme) for _nth in range(2))
    fill_in(one)
    fill_in(other)
    one_hash, other_hash = approved(one), approved(other)
    for municipality in (home, neighbour):
        sign_for(one, municipality, one_hash)
    sign_for(other, home, other_hash)
    before = covers()

    with pytest.raises(CoverTaken) as refused:
        sign_for(other, neighbour, other_hash)

    assert refused.value.other == one
    assert covers() == before
    assert validity_of(other).phase(today()) == Phase.NOT_SIGNED
    assert Version.objects.of(other).get().sign_offs.count() == 1


def test_drafts_may_overlap(agreement, area, home, neighbour, owner, programme):
    other = draft(area, [home, neighbour], owner, programme=programme)

    assert Term.objects.filter(revision__agreement=other).count() == 1


def test_a_secondary_agreement_beside_a_primary_passes(area, home, neighbour, owner, programme):
    signed(draft(area, [home, neighbour], owner, programme=programme, standing=Standing.PRIMARY))

    beside = signed(draft(area, [home, neighbour], owner, programme=programme, standing=Standing.SECONDARY))

    assert covers(beside) == {("BAHUS", 2022, None), ("BAMAR", 2022, None)}


def test_adjacent_years_pass(area, home, neighbour, owner, programme):
    first = signed(
        draft(area, [home, neighbour], owner, programme=programme), is_open_ended=False, last_day=date(2024, 6, 30)
    )

    second = signed(draft(area, [home, neighbour], owner, programme=programme), first_day=date(2024, 7, 1))

    assert covers(first) == {("BAHUS", 2022, 2024), ("BAMAR", 2022, 2024)}
    assert covers(second) == {("BAHUS", 2024, None), ("BAMAR", 2024, None)}


def test_a_replaced_agreement_covers_until_the_new_one_begins(agreement, area, home, neighbour, owner, programme):
    heir = draft(area, [home, neighbour], owner, programme=programme, replaces=agreement)
    signed(heir, first_day=date(2025, 7, 1))

    assert covers(agreement) == {("BAHUS", 2022, 2025), ("BAMAR", 2022, 2025)}
    assert covers(heir) == {("BAHUS", 2025, None), ("BAMAR", 2025, None)}
    assert validity_of(agreement).last_day == date(2025, 6, 30)


# Changing


def test_a_renewal_takes_back_notice_given_before_it(agreement, home, neighbour, owner):
    notice(agreement, home, date(2025, 1, 10))
    assert covers(agreement) == {("BAHUS", 2022, 2026), ("BAMAR", 2022, 2026)}

    start_revision(agreement, kind=RevisionKind.RENEWAL, by=owner, on_behalf_of=home.body, applies_from=year("2026/27"))
    fill_in(agreement, first_day=date(2026, 7, 1))
    sign_all(agreement)

    assert covers(agreement) == {("BAHUS", 2022, None), ("BAMAR", 2022, None)}
    assert not agreement.notices.standing().exists()
    assert notice(agreement, home, date(2025, 2, 1)).effective_on == date(2026, 6, 30)


def test_a_renewal_leaves_no_break(area, home, neighbour, owner, programme):
    made = signed(
        draft(area, [home, neighbour], owner, programme=programme), is_open_ended=False, last_day=date(2024, 6, 30)
    )
    start_revision(made, kind=RevisionKind.RENEWAL, by=owner, on_behalf_of=home.body)
    fill_in(made, first_day=date(2025, 7, 1))

    with pytest.raises(WrongState, match="2024-06-30"):
        to_decision(made)


def test_a_renewal_that_runs_into_another_agreement_is_refused(area, home, neighbour, owner, programme):
    made = signed(
        draft(area, [home, neighbour], owner, programme=programme), is_open_ended=False, last_day=date(2024, 6, 30)
    )
    later = signed(draft(area, [home, neighbour], owner, programme=programme), first_day=date(2024, 7, 1))
    start_revision(made, kind=RevisionKind.RENEWAL, by=owner, on_behalf_of=home.body)
    fill_in(made, first_day=date(2024, 7, 1))

    with pytest.raises(CoverTaken) as refused:
        to_decision(made)

    assert refused.value.other == later


# Midnight


def test_the_last_day_is_in_force_and_the_next_is_not(area, home, neighbour, owner, programme):
    made = signed(
        draft(area, [home, neighbour], owner, programme=programme), is_open_ended=False, last_day=date(2024, 2, 29)
    )
    validity = validity_of(made)

    assert validity.phase(date(2022, 6, 30)) == Phase.UPCOMING
    assert validity.phase(date(2022, 7, 1)) == Phase.IN_FORCE
    assert validity.phase(date(2024, 2, 29)) == Phase.IN_FORCE
    assert validity.phase(date(2024, 3, 1)) == Phase.ENDED


# Any sequence equals a recomputation


@dataclass
class Said:
    """What one revision says, as the plain recomputation reads it."""

    begins: int | None
    terms: list[tuple[Any, Any, Any, Any, int | None, int | None, int]] | None
    last_day: date | None = None
    says_end: bool = False


@dataclass
class World:
    """The plain memory of a small world: what was signed in which order, and which notices stand."""

    said: list[Said] = field(default_factory=list)
    ended: dict[int, tuple[date, str, int]] = field(default_factory=dict)  # notice -> last day, ends, who

    def covered(self, intake: int, programmes: list[Any]) -> set[tuple[int, int, int, int | None, int]]:
        """What pupils who begin in August of a year are covered for, and with how many seats."""
        day = date(intake, 8, 15)
        end = [one for one in self.said if one.says_end][-1].last_day
        if day < date(2022, 7, 1) or (end and day > end):
            return set()
        if any(ends == NoticeEnds.FOR_ALL and day > last for last, ends, _who in self.ended.values()):
            return set()
        gone = {who for last, ends, who in self.ended.values() if ends == NoticeEnds.FOR_PARTY and day > last}
        holding = [one for one in self.said if one.terms is not None and (one.begins is None or one.begins <= intake)]
        found: dict[tuple[int, int, int, int | None], int] = {}
        for specific in (False, True):  # what is said of an orientation goes before what is said of its programme
            for home, provider, programme, orientation, first, last, seats in holding[-1].terms or []:
                if (orientation is not None) is not specific or {home.pk, provider.pk} & gone:
                    continue
                if (first and intake < first) or (last and intake > last):
                    continue
                leaves = [orientation] if orientation else list(programme.orientations.all()) or [None]
                for leaf in leaves:
                    found[home.pk, provider.pk, programme.pk, leaf.pk if leaf else None] = seats
        return {(*leaf, seats) for leaf, seats in found.items()}


@pytest.fixture
def small_world(area, home, neighbour):
    third = MembershipFactory(area=area, municipality=MunicipalityFactory(name="Strängnäs", code="0486")).municipality
    programme, other = building(), ProgrammeFactory(code="EK", name_sv="Ekonomiprogrammet")
    OrientationFactory(programme=other, code="EKJUR", name_sv="Juridik")
    for one in (home, neighbour, third):
        administrator_of(one)
    return [home, neighbour, third], [programme, other]


@st.composite
def term_rows(draw, municipalities: list[Any], programmes: list[Any]):
    rows: dict[tuple[int, int, int, int | None], tuple[Any, ...]] = {}
    for _nth in range(draw(st.integers(1, 4))):
        home, provider = draw(st.permutations(municipalities))[:2]
        programme = draw(st.sampled_from(programmes))
        orientation = draw(st.sampled_from([None, *programme.orientations.all()]))
        first = draw(st.sampled_from([None, 2022, 2023, 2024, 2025]))
        last = draw(st.sampled_from([None, 2025, 2026, 2028]))
        seats = draw(st.integers(1, 30))
        rows[home.pk, provider.pk, programme.pk, orientation.pk if orientation else None] = (
            home, provider, programme, orientation, first, last, seats,
        )  # fmt: skip
    return list(rows.values())


def new_terms(rows: list[Any]) -> list[NewTerm]:
    return [
        NewTerm(
            home, provider, programme, orientation, seats=seats,
            intake_from=SchoolYear(first) if first else None, intake_to=SchoolYear(last) if last else None,
        )
        for home, provider, programme, orientation, first, last, seats in rows
    ]  # fmt: skip


def taking_pupils(rows: list[Any], first_day: date, last_day: date | None) -> list[Any]:
    """Those of the rows that may be decided on: about what takes new pupils in some intake that they cover."""
    terms = [Term(**vars(term)) for term in new_terms(rows)]
    kept = [row for row, term in zip(rows, terms, strict=True) if takes_pupils(term, first_day, last_day)]
    assume(kept)
    return kept


def end_of_period(received_on: date, months: int) -> date:
    """The end of the school year that is under way so many months later, counted month by month."""
    month, year_ = received_on.month + months, received_on.year
    while month > 12:
        month, year_ = month - 12, year_ + 1
    return date(year_ + 1 if month >= 7 else year_, 6, 30)


@settings(
    max_examples=12, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(data=st.data())
def test_cover_after_any_sequence_equals_a_plain_recomputation(data, area, small_world):
    municipalities, programmes = small_world
    owner = administrator_of(municipalities[0])
    Cover.objects.all().delete()  # of the example before
    world = World()
    ends = data.draw(st.sampled_from([NoticeEnds.FOR_ALL, NoticeEnds.FOR_PARTY]))
    fixed = data.draw(st.sampled_from([None, date(2030, 6, 30), date(2031, 8, 20)]))
    rows = taking_pupils(data.draw(term_rows(municipalities, programmes)), FACTS["first_day"], fixed)
    made = draft(area, municipalities, owner, terms=new_terms(rows))
    signed(made, notice_ends=ends, is_open_ended=fixed is None, last_day=fixed)
    world.said.append(Said(None, rows, fixed, says_end=True))
    for _step in range(data.draw(st.integers(0, 4))):
        act = data.draw(st.sampled_from(["annex", "amendment", "renewal", "notice", "withdrawal"]))
        if act in ("annex", "amendment"):
            starts = data.draw(st.sampled_from([2022, 2023, 2024, 2026]))
            revision = start_revision(
                made, kind=RevisionKind(act), by=owner, on_behalf_of=municipalities[0].body,
                sections=["omfattning"], applies_from=SchoolYear(starts),
            )  # fmt: skip
            drawn = data.draw(term_rows(municipalities, programmes))
            rows = taking_pupils(drawn, SchoolYear(starts).first_day, None)
            revision.terms.all().delete()
            Term.objects.bulk_create(Term(revision=revision, **vars(term)) for term in new_terms(rows))
            sign_all(made)
            world.said.append(Said(starts, rows))
        elif act == "renewal":
            last_day = data.draw(st.sampled_from([None, date(2032, 6, 30)]))
            start_revision(made, kind=RevisionKind.RENEWAL, by=owner, on_behalf_of=municipalities[0].body)
            fill_in(
                made, first_day=date(2023, 7, 1), is_open_ended=last_day is None, last_day=last_day, notice_ends=ends
            )
            sign_all(made)
            world.said.append(Said(None, None, last_day, says_end=True))
            world.ended.clear()
        elif act == "notice":
            giver = data.draw(st.sampled_from(municipalities))
            received = data.draw(st.dates(today() - timedelta(days=330), today()))
            if giver.pk in {who for _last, _ends, who in world.ended.values()}:
                continue
            given_notice = notice(made, giver, received)
            world.ended[given_notice.pk] = (end_of_period(received, 12), ends, giver.pk)
        elif world.ended:
            pk = data.draw(st.sampled_from(sorted(world.ended)))
            withdrawn = made.notices.get(pk=pk)
            if withdrawn.effective_on < today():
                continue
            for one in municipalities:
                agree_to_withdrawal(withdrawn, party_of(made, one), by=administrator_of(one), on_behalf_of=one.body)
            del world.ended[pk]

    for intake in range(2021, 2036):
        there = Cover.objects.of_intake(SchoolYear(intake)).filter(agreement=made)
        found = {(one.home_id, one.provider_id, one.programme_id, one.orientation_id, one.seats) for one in there}
        assert found == world.covered(intake, programmes), intake
    assert len(leaves_of(made)) == Cover.objects.filter(agreement=made).count()
    derive_cover(made)
    assert len(leaves_of(made)) == Cover.objects.filter(agreement=made).count()


# Dates of notice


def test_notice_one_day_late_moves_the_end_one_period(agreement, home, neighbour):
    this_year = SchoolYear.of(today())

    in_time = notice(agreement, home, this_year.first_day - timedelta(days=1))
    late = notice(agreement, neighbour, this_year.first_day)

    assert in_time.effective_on == this_year.last_day
    assert late.effective_on == (this_year + 1).last_day
    assert validity_of(agreement).last_day == this_year.last_day


def test_an_end_that_lies_ahead_is_in_force_until_then(agreement, home):
    given_notice = notice(agreement, home, today())
    validity = validity_of(agreement)

    assert validity.phase(today()) == Phase.IN_FORCE
    assert validity.phase(given_notice.effective_on) == Phase.IN_FORCE
    assert validity.phase(given_notice.effective_on + timedelta(days=1)) == Phase.ENDED
    assert given_notice.effect == NoticeEffect.SCHOOL_YEAR
