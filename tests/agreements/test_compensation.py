"""What municipalities owe each other: the price in force, sums to the öre, disputes, and what a lock holds."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agreements.models import (
    Dispute,
    LineBasis,
    NoticeEnds,
    PriceKind,
    PriceRow,
    RevisionKind,
    Statement,
    StatementLine,
    StatementState,
)
from agreements.operations import (
    AlreadyDisputed,
    AlreadySettled,
    ChangedSinceShown,
    LinesDisputed,
    LinesOpen,
    NewTerm,
    NoPupils,
    NotAPriceToChoose,
    NotYourStatement,
    PriceGroup,
    StatementLocked,
    StatementOutdated,
    choose_price,
    give_notice,
    half_of,
    lines_of,
    lock_statement,
    make_statement,
    order_statements,
    price_rule_on,
    raise_dispute,
    review_of,
    seen_of_statement,
    settle_dispute,
    start_revision,
    sums_of,
)
from organisations.models import Municipality
from programmes.models import PupilFlow
from records.models import Event, Job, JobState, Version
from records.operations import work_off_jobs
from tests.agreements.price_stories import flow, made, own_cost
from tests.agreements.stories import draft, fill_in, sign_all, signed, year
from tests.factories import (
    MembershipFactory,
    OrientationFactory,
    PriceListFactory,
    PriceRowFactory,
    ProgrammeFactory,
)

pytestmark = pytest.mark.django_db

YEAR = year("2022/23")
AUTUMN = date(2022, 10, 15)


@pytest.fixture
def programme():
    return ProgrammeFactory(code="BA", name_sv="Bygg- och anläggningsprogrammet")


@pytest.fixture
def ek():
    return ProgrammeFactory(code="EK", name_sv="Ekonomiprogrammet")


def said(statement: Statement) -> list[tuple[Any, ...]]:
    return [
        (line.home.name, line.programme.code, line.pupils, line.basis, line.price_sek, line.amount_sek)
        for line in lines_of(statement)
    ]


# The price in force


def test_without_an_agreement_the_providers_self_cost_is_paid(owner, home, neighbour, programme):
    own_cost(neighbour, (programme, "137000"))
    flow(home, neighbour, programme, 12)

    statement = made(home, neighbour)

    assert said(statement) == [
        ("Enköping", "BA", 12, LineBasis.SELF_COST, Decimal("137000.00"), Decimal("822000.00"))
    ]  # fmt: skip


def test_a_line_without_a_known_price_is_open_and_in_no_sum(owner, home, neighbour, programme, ek):
    own_cost(neighbour, (programme, "137000"))
    flow(home, neighbour, programme, 12)
    flow(home, neighbour, ek, 3)

    statement = made(home, neighbour)

    assert said(statement)[1] == ("Enköping", "EK", 3, LineBasis.NO_PRICE, None, None)
    sums = sums_of(statement, lines_of(statement))
    assert [(one.first_owes_sek, one.second_owes_sek) for one in sums] == [(Decimal("822000.00"), Decimal(0))]


def test_the_agreement_in_force_decides_the_kind_of_price(area, owner, home, neighbour, programme):
    own_cost(neighbour, (programme, "137000"))
    national = PriceListFactory(incl_meals=True, incl_vat=True)
    PriceRowFactory(price_list=national, programme=programme, sek_per_pupil_year=120_001)
    flow(home, neighbour, programme, 1)
    signed(
        draft(area, [home, neighbour], owner, programme=programme),
        price_kind=PriceKind.NATIONAL_LIST, incl_meals=True, incl_vat=True,
    )  # fmt: skip

    line = lines_of(made(home, neighbour))[0]

    assert (line.basis, line.price_kind, line.amount_sek) == (
        LineBasis.AGREEMENT, PriceKind.NATIONAL_LIST, Decimal("60000.50"),
    )  # fmt: skip
    assert line.revision is not None
    assert line.revision.agreement.number == "2026-01"


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2022, 6, 30), PriceKind.SELF_COST),
        (date(2022, 7, 1), PriceKind.OWN_LIST),
        (date(2024, 6, 30), PriceKind.OWN_LIST),
        (date(2024, 7, 1), PriceKind.SELF_COST),
    ],
)
def test_an_agreement_decides_from_its_first_day_to_its_last(area, owner, home, neighbour, programme, day, kind):
    signed(
        draft(area, [home, neighbour], owner, programme=programme),
        price_kind=PriceKind.OWN_LIST, is_open_ended=False, last_day=date(2024, 6, 30),
    )  # fmt: skip

    assert price_rule_on(home, neighbour, programme, None, day).kind == kind


def test_an_agreement_says_nothing_of_the_other_direction_or_another_programme(
    area, owner, home, neighbour, programme, ek
):
    signed(draft(area, [home, neighbour], owner, programme=programme), price_kind=PriceKind.OWN_LIST)

    assert price_rule_on(home, neighbour, programme, None, AUTUMN).kind == PriceKind.OWN_LIST
    assert price_rule_on(neighbour, home, programme, None, AUTUMN).kind == PriceKind.SELF_COST
    assert price_rule_on(home, neighbour, ek, None, AUTUMN).kind == PriceKind.SELF_COST


def test_a_later_annex_about_compensation_decides_from_its_first_day(area, owner, home, neighbour, programme):
    agreement = signed(draft(area, [home, neighbour], owner, programme=programme), price_kind=PriceKind.OWN_LIST)
    start_revision(
        agreement, kind=RevisionKind.ANNEX, sections=["ersattning"], applies_from=year("2023/24"),
        by=owner, on_behalf_of=home.body,
    )  # fmt: skip
    fill_in(agreement, price_kind=PriceKind.COMMON_LIST, first_day=date(2023, 7, 1))
    sign_all(agreement)

    kinds = [price_rule_on(home, neighbour, programme, None, day).kind for day in (AUTUMN, date(2023, 10, 15))]

    assert kinds == [PriceKind.OWN_LIST, PriceKind.COMMON_LIST]


def test_a_party_that_has_left_is_no_longer_paid_by_the_agreement(area, owner, home, neighbour, programme):
    third = MembershipFactory(area=area).municipality
    agreement = signed(
        draft(area, [home, neighbour, third], owner, programme=programme),
        price_kind=PriceKind.OWN_LIST, notice_ends=NoticeEnds.FOR_PARTY, notice_months=1, notice_effect="day",
    )  # fmt: skip
    notice = give_notice(
        agreement.parties.get(municipality=home), given_on=date(2026, 1, 10), received_on=date(2026, 1, 10),
        by=owner, on_behalf_of=home.body,
    )  # fmt: skip

    before = price_rule_on(home, neighbour, programme, None, notice.effective_on)
    after = price_rule_on(home, neighbour, programme, None, date(2026, 10, 15))

    assert (before.kind, after.kind) == (PriceKind.OWN_LIST, PriceKind.SELF_COST)


def test_a_fixed_price_is_the_terms_own(area, owner, home, neighbour, programme):
    terms = [NewTerm(home=home, provider=neighbour, programme=programme, price_sek=Decimal("99999.99"))]
    signed(draft(area, [home, neighbour], owner, terms=terms), price_kind=PriceKind.FIXED)
    flow(home, neighbour, programme, 3)

    line = lines_of(made(home, neighbour))[0]

    assert (line.price_kind, line.price_row, line.amount_sek) == (PriceKind.FIXED, None, Decimal("149999.99"))


def test_an_orientation_that_the_agreement_names_gives_its_own_price(area, owner, home, neighbour, programme):
    vehicles = OrientationFactory(programme=programme, code="BAANL")
    own_cost(neighbour, (programme, "137000"), (programme, vehicles, "204400"), incl_meals=False)
    terms = [NewTerm(home=home, provider=neighbour, programme=programme, orientation=vehicles)]
    signed(draft(area, [home, neighbour], owner, terms=terms))
    flow(home, neighbour, programme, 2)

    assert [line.price_sek for line in lines_of(made(home, neighbour))] == [Decimal("204400.00")]


def test_spring_is_paid_by_the_next_calendar_years_list(owner, home, neighbour, programme):
    own_cost(neighbour, (programme, "100000"))
    own_cost(neighbour, (programme, "110000"), year=2023)
    for semester in ("HT", "VT"):
        flow(home, neighbour, programme, 2, semester=semester)

    prices = [lines_of(made(home, neighbour, semester))[0].price_sek for semester in ("HT", "VT")]

    assert prices == [Decimal("100000.00"), Decimal("110000.00")]


def test_the_latest_edition_is_the_one_that_counts(owner, home, neighbour, programme):
    own_cost(neighbour, (programme, "100000"))
    own_cost(neighbour, (programme, "101000"), number=2)
    flow(home, neighbour, programme, 2)

    assert lines_of(made(home, neighbour))[0].price_sek == Decimal("101000.00")


def test_orientations_with_different_prices_wait_for_an_official_to_choose(owner, home, neighbour, programme):
    house, road = OrientationFactory(programme=programme), OrientationFactory(programme=programme)
    price_list = own_cost(neighbour, (programme, house, "130000"), (programme, road, "200000"))
    flow(home, neighbour, programme, 4)
    statement = made(home, neighbour)
    line = lines_of(statement)[0]
    assert (line.basis, line.amount_sek) == (LineBasis.SEVERAL_PRICES, None)

    row = price_list.rows.get(orientation=road)
    choose_price(line, f"row:{row.pk}", why="Alla läser mark.", by=owner, on_behalf_of=home.body)

    line = lines_of(statement)[0]
    assert (line.basis, line.price_row, line.amount_sek, line.chosen_why) == (
        LineBasis.CHOSEN, row, Decimal("400000.00"), "Alla läser mark.",
    )  # fmt: skip


def test_a_price_that_is_not_offered_cannot_be_chosen(owner, home, neighbour, programme):
    other = PriceRowFactory(price_list__year=2021, programme=programme)
    flow(home, neighbour, programme, 4)
    line = lines_of(made(home, neighbour))[0]

    with pytest.raises(NotAPriceToChoose):
        choose_price(line, f"row:{other.pk}", why="Den passar.", by=owner, on_behalf_of=home.body)


def test_with_and_without_meals_is_a_choice_when_the_agreement_does_not_say(owner, home, neighbour, programme):
    own_cost(neighbour, (programme, "137000"))
    own_cost(neighbour, (programme, "131000"), incl_meals=False)
    flow(home, neighbour, programme, 4)

    assert lines_of(made(home, neighbour))[0].basis == LineBasis.SEVERAL_PRICES


# Making and making anew


def test_make_statement_is_for_the_two_municipalities(outsider, elsewhere, owner, home, neighbour, programme):
    flow(home, neighbour, programme, 4)

    with pytest.raises(NotYourStatement):
        make_statement(home, neighbour, YEAR, "HT", by=outsider, on_behalf_of=elsewhere.body)
    with pytest.raises(NotYourStatement):
        make_statement(home, neighbour, YEAR, "HT", by=owner, on_behalf_of=neighbour.body)

    assert not Statement.objects.exists()


def test_make_statement_needs_pupils(owner, home, neighbour, programme):
    flow(home, neighbour, programme, 0)

    with pytest.raises(NoPupils):
        made(home, neighbour)


def test_making_anew_keeps_choices_and_disputes(owner, asker, home, neighbour, programme, ek):
    house, road = OrientationFactory(programme=programme), OrientationFactory(programme=programme)
    price_list = own_cost(neighbour, (programme, house, "130000"), (programme, road, "200000"), (ek, "90000"))
    flow(home, neighbour, programme, 4)
    later = flow(home, neighbour, ek, 10)
    statement = made(home, neighbour)
    building, economy = lines_of(statement)
    row = price_list.rows.get(orientation=road)
    choose_price(building, f"row:{row.pk}", why="Alla läser mark.", by=owner, on_behalf_of=home.body)
    raise_dispute(economy, text="Två har slutat.", by=asker, on_behalf_of=neighbour.body)
    later.pupils = 8
    later.save()

    again = made(home, neighbour)

    assert again.pk == statement.pk
    building, economy = lines_of(again)
    assert (building.basis, building.price_row, building.chosen_why) == (LineBasis.CHOSEN, row, "Alla läser mark.")
    assert (economy.pupils, economy.amount_sek) == (8, Decimal("360000.00"))
    assert [dispute.text for dispute in economy.disputes.all()] == ["Två har slutat."]


def test_making_anew_says_which_choice_no_longer_fits(owner, home, neighbour, programme):
    house, road = OrientationFactory(programme=programme), OrientationFactory(programme=programme)
    price_list = own_cost(neighbour, (programme, house, "130000"), (programme, road, "200000"))
    flow(home, neighbour, programme, 4)
    statement = made(home, neighbour)
    row = price_list.rows.get(orientation=road)
    choose_price(lines_of(statement)[0], f"row:{row.pk}", why="Mark.", by=owner, on_behalf_of=home.body)
    own_cost(neighbour, (programme, "150000"), number=2)

    made(home, neighbour)

    assert said(statement) == [
        ("Enköping", "BA", 4, LineBasis.SELF_COST, Decimal("150000.00"), Decimal("300000.00"))
    ]  # fmt: skip
    assert Event.objects.get(name="statement.remade").data["dropped"] == ["BA: Mark."]


def test_making_anew_without_any_change_writes_nothing(owner, home, neighbour, programme):
    own_cost(neighbour, (programme, "130000"))
    flow(home, neighbour, programme, 4)
    statement = made(home, neighbour)

    again = made(home, neighbour)

    assert again.made_at == statement.made_at
    assert not Event.objects.filter(name="statement.remade").exists()


# Disputes


def test_a_line_has_one_open_dispute_at_a_time(owner, asker, home, neighbour, programme):
    own_cost(neighbour, (programme, "130000"))
    flow(home, neighbour, programme, 4)
    line = lines_of(made(home, neighbour))[0]
    dispute = raise_dispute(line, text="Tre, inte fyra.", by=asker, on_behalf_of=neighbour.body)

    with pytest.raises(AlreadyDisputed):
        raise_dispute(line, text="Fem.", by=owner, on_behalf_of=home.body)

    settle_dispute(dispute, text="Det var fyra.", by=owner, on_behalf_of=home.body)
    with pytest.raises(AlreadySettled):
        settle_dispute(dispute, text="Det var tre.", by=owner, on_behalf_of=home.body)
    raise_dispute(line, text="Fem.", by=owner, on_behalf_of=home.body)
    assert list(Dispute.objects.order_by("pk").values_list("settlement", flat=True)) == ["Det var fyra.", ""]


# Locking


@pytest.fixture
def statement(owner, home, neighbour, programme):
    own_cost(neighbour, (programme, "130000"))
    own_cost(home, (programme, "120000"))
    flow(home, neighbour, programme, 7)
    flow(neighbour, home, programme, 2)
    return made(home, neighbour)


def test_lock_is_refused_while_a_line_is_open_or_disputed_and_says_which(owner, home, neighbour, programme, ek):
    own_cost(neighbour, (programme, "130000"))
    flow(home, neighbour, programme, 7)
    flow(home, neighbour, ek, 7)
    statement = made(home, neighbour)
    with pytest.raises(LinesOpen, match="EK"):
        lock_statement(statement, by=owner, on_behalf_of=home.body)
    own_cost(neighbour, (programme, "130000"), (ek, "90000"), number=2)
    made(home, neighbour)
    raise_dispute(lines_of(statement)[0], text="Sex.", by=owner, on_behalf_of=home.body)

    with pytest.raises(LinesDisputed, match="BA"):
        lock_statement(statement, by=owner, on_behalf_of=home.body)

    statement.refresh_from_db()
    assert statement.state == StatementState.DRAFT


def test_lock_is_refused_when_figures_have_changed_since_it_was_made(owner, home, statement):
    PupilFlow.objects.filter(pupils=7).update(pupils=9)

    with pytest.raises(StatementOutdated):
        lock_statement(statement, by=owner, on_behalf_of=home.body)


def test_lock_holds_only_for_what_was_shown(owner, home, neighbour, statement):
    seen = seen_of_statement(review_of(statement).lines)
    PupilFlow.objects.filter(pupils=7).update(pupils=9)
    made(home, neighbour)

    with pytest.raises(ChangedSinceShown):
        lock_statement(statement, by=owner, on_behalf_of=home.body, seen=seen)


def test_a_locked_statement_is_a_version_with_every_figure_and_its_source(owner, home, statement):
    lock_statement(statement, by=owner, on_behalf_of=home.body)

    version = Version.objects.of(statement).get()
    statement.refresh_from_db()
    assert (statement.state, statement.version) == (StatementState.LOCKED, version)
    assert version.is_intact()
    assert version.title == "Ersättning Enköping–Västerås, HT 2022/23"
    tables = {block["id"]: block for part in version.content["sections"] for block in part["blocks"] if "id" in block}
    assert [row[3][0]["value"] for row in tables["rader-0381"]["rows"]] == ["455000.00"]
    assert [row[3][0]["value"] for row in tables["rader-1980"]["rows"]] == ["120000.00"]
    assert [row[3][0]["value"] for row in tables["summor"]["rows"]] == ["335000.00"]


def test_locking_orders_the_files_and_the_worker_makes_them(owner, home, statement):
    lock_statement(statement, by=owner, on_behalf_of=home.body)

    work_off_jobs()

    statement.refresh_from_db()
    assert {job.state for job in Job.objects.all()} == {JobState.DONE}
    kinds = set(statement.version.renditions.values_list("kind", flat=True))
    assert {"pdf", "sealed", "csv", "xlsx", "zip"} <= kinds


def test_after_the_lock_nothing_changes_it(owner, home, neighbour, programme, statement):
    lock_statement(statement, by=owner, on_behalf_of=home.body)
    before, sha256 = said(statement), Version.objects.of(statement).get().content_sha256

    PupilFlow.objects.update(pupils=99)
    own_cost(neighbour, (programme, "1"), number=2)
    Municipality.objects.filter(pk=home.pk).update(name="Nyköping")
    line = lines_of(statement)[0]
    with pytest.raises(StatementLocked):
        choose_price(line, "row:1", why="Nej.", by=owner, on_behalf_of=home.body)
    with pytest.raises(StatementLocked):
        raise_dispute(line, text="Nej.", by=owner, on_behalf_of=home.body)
    with pytest.raises(StatementLocked):
        lock_statement(statement, by=owner, on_behalf_of=home.body)

    assert [row[1:] for row in said(statement)] == [row[1:] for row in before]
    version = Version.objects.of(statement).get()
    assert version.is_intact()
    assert version.content_sha256 == sha256


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE agreements_statement SET state = 'draft'",
        "UPDATE agreements_statement SET locked_at = NULL",
        "DELETE FROM agreements_statement",
        "UPDATE agreements_statementline SET amount_sek = 1",
        "UPDATE agreements_statementline SET pupils = 1",
        "DELETE FROM agreements_statementline",
        "UPDATE agreements_pricerow SET sek_per_pupil_year = 1",
        "UPDATE agreements_pricelist SET year = 2030",
    ],
)
def test_the_database_refuses_to_change_what_is_locked_or_published(owner, home, statement, sql):
    lock_statement(statement, by=owner, on_behalf_of=home.body)

    with pytest.raises((IntegrityError, InternalError)), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_line_cannot_be_added_to_a_locked_statement(owner, home, neighbour, ek, statement):
    lock_statement(statement, by=owner, on_behalf_of=home.body)

    with pytest.raises(IntegrityError), transaction.atomic():
        StatementLine.objects.create(
            statement=statement, home=home, provider=neighbour, programme=ek, pupils=1, flow_key=1,
            flow_source="form", basis=LineBasis.NO_PRICE,
        )  # fmt: skip


def test_a_correction_is_a_new_edition(owner, home, neighbour, statement):
    lock_statement(statement, by=owner, on_behalf_of=home.body)
    PupilFlow.objects.filter(pupils=7).update(pupils=9)

    correction = made(home, neighbour)

    assert (correction.number, correction.state) == (2, StatementState.DRAFT)
    assert [line.pupils for line in lines_of(correction)] == [9, 2]
    assert [line.pupils for line in lines_of(statement)] == [7, 2]


# Kinds are never mixed


def test_prices_of_different_kinds_are_summed_apart(area, owner, home, neighbour, programme, ek):
    own_cost(neighbour, (programme, "100000"), (ek, "80000"))
    national = PriceListFactory(incl_meals=False, incl_vat=True)
    PriceRowFactory(price_list=national, programme=ek, sek_per_pupil_year=90_000)
    signed(
        draft(area, [home, neighbour], owner, programme=ek),
        price_kind=PriceKind.NATIONAL_LIST, incl_meals=False, incl_vat=True,
    )  # fmt: skip
    flow(home, neighbour, programme, 2)
    flow(home, neighbour, ek, 2)

    statement = made(home, neighbour)

    assert {one.group: one.net_sek for one in sums_of(statement, lines_of(statement))} == {
        PriceGroup("self_cost", True, False): Decimal("100000.00"),
        PriceGroup("national_list", False, True): Decimal("90000.00"),
    }


PRICES = st.decimals(min_value=0, max_value=400_000, places=2)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    rows=st.lists(
        st.tuples(st.booleans(), st.integers(1, 400), PRICES, st.sampled_from([True, False, None])),
        min_size=1,
        max_size=6,
    )
)
def test_sums_to_the_ore_equal_a_plain_recomputation(home, neighbour, rows):
    """Pupils of either on programmes with prices of any öre, in lists with, without and not saying about meals."""
    statement = Statement(first=home, second=neighbour)
    lines, expected = [], defaultdict(lambda: [0, 0])
    for out, pupils, price, meals in rows:
        line = StatementLine(
            home=home if out else neighbour, provider=neighbour if out else home, pupils=pupils,
            price_kind=PriceKind.SELF_COST, incl_meals=meals, price_sek=price, amount_sek=half_of(pupils, price),
        )  # fmt: skip
        lines.append(line)
        ore_twice = pupils * int(price * 100)  # twice the amount in öre: an odd one is rounded up
        expected[meals][0 if out else 1] += (ore_twice + 1) // 2

    found = {one.group.incl_meals: one for one in sums_of(statement, lines)}

    assert found.keys() == expected.keys()
    for meals, (out_ore, in_ore) in expected.items():
        assert found[meals].first_owes_sek * 100 == out_ore
        assert found[meals].second_owes_sek * 100 == in_ore
        assert found[meals].net_sek * 100 == out_ore - in_ore


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_a_statement_from_any_flows_and_lists_equals_a_plain_recomputation(owner, home, neighbour, data):
    with transaction.atomic():
        programmes = [ProgrammeFactory() for _nth in range(3)]
        prices: dict[tuple[int, int], Decimal] = {}
        for provider in (home, neighbour):
            price_list = own_cost(provider)
            for programme in programmes:
                if data.draw(st.booleans()):
                    price = data.draw(PRICES)
                    prices[provider.pk, programme.pk] = price
                    PriceRowFactory(price_list=price_list, programme=programme, sek_per_pupil_year=price)
        expected = Decimal(0)
        any_pupils = False
        for one, other, sign in ((home, neighbour, 1), (neighbour, home, -1)):
            for programme in programmes:
                pupils = data.draw(st.integers(0, 50))
                any_pupils |= pupils > 0
                flow(one, other, programme, pupils)
                if (price := prices.get((other.pk, programme.pk))) is not None:
                    ore = (pupils * int(price * 100) + 1) // 2
                    expected += sign * Decimal(ore) / 100
        if any_pupils:
            statement = made(home, neighbour)
            sums = sums_of(statement, lines_of(statement))
            assert sum((one.net_sek for one in sums), Decimal(0)) == expected
        transaction.set_rollback(True)


# The whole area


def test_an_areas_statements_are_made_by_a_job_with_progress(area, owner, home, neighbour, programme):
    third = MembershipFactory(area=area, municipality__code="0484").municipality
    own_cost(neighbour, (programme, "100000"))
    flow(home, neighbour, programme, 2)
    flow(third, neighbour, programme, 3)

    job = order_statements(area, YEAR, "HT", by=owner, on_behalf_of=home.body)
    work_off_jobs()

    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.result["pairs"]) == (JobState.DONE, 2, 2, 2)
    pairs = {(one.first.code, one.second.code) for one in Statement.objects.select_related("first", "second")}
    assert pairs == {("0381", "1980"), ("0484", "1980")}


def test_the_job_makes_ones_own_anew_and_leaves_others_and_locked_ones_alone(
    area, owner, asker, home, neighbour, programme
):
    third = MembershipFactory(area=area, municipality__code="0484").municipality
    own_cost(neighbour, (programme, "100000"))
    flow(home, neighbour, programme, 2)
    flow(third, neighbour, programme, 3)
    mine = made(home, neighbour)
    theirs = make_statement(third, neighbour, YEAR, "HT", by=asker, on_behalf_of=neighbour.body)
    PupilFlow.objects.update(pupils=5)

    order_statements(area, YEAR, "HT", by=owner, on_behalf_of=home.body)
    work_off_jobs()

    assert [line.pupils for line in lines_of(mine)] == [5]
    assert [line.pupils for line in lines_of(theirs)] == [3]


def test_order_statements_is_for_members(area, outsider, elsewhere):
    with pytest.raises(NotYourStatement):
        order_statements(area, YEAR, "HT", by=outsider, on_behalf_of=elsewhere.body)


def test_published_prices_are_in_use_and_stay(owner, home, statement):
    """A list that a statement rests on cannot be taken away."""
    with pytest.raises(Exception, match="referenced|protected"):
        PriceRow.objects.all().delete()
