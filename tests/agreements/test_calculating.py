"""The calculator: exact, never guessing, and filled in only with what the portal knows."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements.models import Calculation, PriceKind
from agreements.operations import (
    ASSUMPTIONS,
    BY_KEY,
    MOST_PUPILS,
    AssumptionRefused,
    CalculationChanged,
    CalculationRefused,
    NoDraftToAttach,
    NotYourCalculation,
    attach_calculation,
    calculation_address,
    change_calculation,
    compare,
    curve,
    detach_calculation,
    given_by,
    known_for,
    make_calculation,
    value_of,
)
from organisations.models import TravelTime
from records.models import Event, Source
from tests.agreements.stories import draft
from tests.factories import (
    OrientationFactory,
    PriceListFactory,
    PriceRowFactory,
    ProgrammeFactory,
)

WHOLE = {
    "pupils": "16", "years": "3", "school_days": "178", "group_size": "16", "teachers": "900000", "premises": "600000",
    "equipment": "1200000", "equipment_years": "10", "other": "30000", "share_away": "0", "price": "150000",
    "price_kind": "own_list", "price_meals": "yes", "price_vat": "no", "travel_day": "60", "travel_minutes": "42",
    "extra": "0",
}  # fmt: skip


def assumed(**changed):
    """A whole set of assumptions, as `compare` takes them; None where nothing is assumed."""
    texts = {**WHOLE, **changed}
    return {key: value_of(BY_KEY[key], text or "") for key, text in texts.items()}


# What follows


def test_both_ways_are_computed_from_the_assumptions():
    found = compare(assumed())

    # At home: 3 groups of 900 000, premises 600 000, equipment 120 000 a year, 48 pupils of 30 000.
    assert found.home_total.value == Decimal("4860000")
    assert found.home_each.value == Decimal("101250")
    # With the neighbour: 150 000 and 178 days of 60.
    assert (found.travel.value, found.neighbour_each.value) == (Decimal("10680"), Decimal("160680"))
    assert found.neighbour_total.value == Decimal("160680") * 48
    assert found.difference.value == Decimal("-59430")
    assert found.travel_hours.value == Decimal("249.20")
    assert (found.pupils.value, found.groups.value) == (48, 3)


def test_those_who_still_leave_cost_a_seat_and_leave_the_groups_smaller():
    found = compare(assumed(pupils="20", share_away="25"))

    assert found.groups.value == 3  # 15 stay in each year group
    assert found.away.value == Decimal("160680") * 15
    assert found.other.value == 30000 * 45


def test_one_pupil_more_than_a_group_holds_needs_another_group():
    assert compare(assumed(pupils="16")).groups.value == 3
    assert compare(assumed(pupils="17")).groups.value == 6


@pytest.mark.parametrize(
    ("missing", "result", "still"),
    [
        ("price", "neighbour_each", "home_each"),
        ("price_kind", "neighbour_each", "home_each"),
        ("teachers", "home_each", "neighbour_each"),
        ("school_days", "travel_hours", "home_each"),
        ("travel_minutes", "travel_hours", "difference"),
        ("group_size", "groups", "pupils"),
    ],
)
def test_what_is_not_assumed_is_named_and_the_rest_is_computed(missing, result, still):
    found = compare(assumed(**{missing: None}))

    assert (getattr(found, result).value, getattr(found, result).missing) == (None, (missing,))
    assert getattr(found, result).missing_names == [str(BY_KEY[missing].name)]
    assert getattr(found, still).value is not None


def test_the_seats_are_needed_for_home_only_if_somebody_still_leaves():
    without_price = compare(assumed(price=None))
    assert without_price.home_each.value is not None

    assert compare(assumed(price=None, share_away="10")).home_each.missing == ("price",)


def test_nothing_assumed_gives_nothing():
    found = compare({})

    assert all(getattr(found, name).value is None for name in found.__dataclass_fields__)
    assert curve({}) == []


def test_the_break_even_needs_no_number_of_pupils():
    found = compare(assumed(pupils=None))

    assert found.home_each.missing == ("pupils",)
    assert found.break_even.value == compare(assumed()).break_even.value == 9


def test_a_break_even_may_be_lost_again_with_the_next_group():
    found = compare(assumed(teachers="1800000"))

    # 16 pupils pay for one group, 17 do not pay for two.
    assert (found.break_even.value, found.dearer_again.value) == (16, 17)


def test_no_break_even_where_each_pupil_costs_more_at_home():
    found = compare(assumed(other="200000"))

    assert (found.break_even.value, found.break_even.missing) == (None, ())
    assert (found.dearer_again.value, found.dearer_again.missing) == (None, ())


def cost_at_home(pupils, of):
    """Written anew, as slowly as possible: pupil groups counted one by one, in all year groups."""
    stay = pupils * (1 - Fraction(of["share_away"]) / 100)
    groups = 0
    while groups * of["group_size"] < stay:
        groups += 1
    years = int(of["years"])
    equipment = Fraction(of["equipment"]) / int(of["equipment_years"])
    each_year_group = groups * Fraction(of["teachers"]) + stay * Fraction(of["other"])
    leave = (pupils - stay) * years * seat(of)
    return each_year_group * years + Fraction(of["premises"]) + equipment + leave


def seat(of):
    return Fraction(of["price"]) + Fraction(of["travel_day"]) * int(of["school_days"]) + Fraction(of["extra"])


def pays(pupils, of):
    return cost_at_home(pupils, of) <= pupils * int(of["years"]) * seat(of)


money = st.decimals(min_value=0, max_value=40, places=2)
situations = st.fixed_dictionaries(
    {
        "years": st.integers(1, 4).map(Decimal),
        "school_days": st.integers(1, 5).map(Decimal),
        "group_size": st.integers(1, 12).map(Decimal),
        "teachers": st.decimals(min_value=0, max_value=150, places=2),
        "premises": st.decimals(min_value=0, max_value=900, places=1),
        "equipment": st.decimals(min_value=0, max_value=900, places=1),
        "equipment_years": st.integers(1, 10).map(Decimal),
        "other": money,
        "share_away": st.sampled_from([Decimal(0), Decimal("12.5"), Decimal("33.33"), Decimal(50), Decimal(100)]),
        "price": money,
        "travel_day": st.decimals(min_value=0, max_value=3, places=1),
        "extra": money,
        "price_kind": st.just("own_list"),
    }
)
FAR = 120


@settings(max_examples=60, deadline=None)
@given(situations)
def test_the_break_even_is_the_first_intake_that_pays(of):
    found = compare(of).break_even.value
    paying = [pupils for pupils in range(1, FAR) if pays(pupils, of)]

    assert found is None or 1 <= found <= MOST_PUPILS
    if paying:
        assert found == paying[0]
    else:
        assert found is None or (found >= FAR and pays(int(found), of))


@settings(max_examples=60, deadline=None)
@given(situations)
def test_it_costs_more_again_from_the_first_larger_intake_that_does_not_pay(of):
    found = compare(of)
    if found.break_even.value is None:
        assert found.dearer_again.value is None
        return
    after = range(int(found.break_even.value) + 1, FAR)
    failing = next((pupils for pupils in after if not pays(pupils, of)), None)

    if failing:
        assert found.dearer_again.value == failing
    else:
        assert found.dearer_again.value is None or found.dearer_again.value >= FAR


@settings(max_examples=60, deadline=None)
@given(situations, st.integers(1, 40))
def test_the_sums_are_exact_and_rounded_once(of, pupils):
    found = compare({**of, "pupils": Decimal(pupils), "travel_minutes": Decimal(30)})
    total = cost_at_home(pupils, of)

    assert abs(Fraction(found.home_total.value) - total) <= Fraction(1, 200)
    assert abs(Fraction(found.home_each.value) - total / (pupils * int(of["years"]))) <= Fraction(1, 200)
    assert abs(Fraction(found.neighbour_each.value) - seat(of)) <= Fraction(1, 200)
    difference = total / (pupils * int(of["years"])) - seat(of)
    assert abs(Fraction(found.difference.value) - difference) <= Fraction(1, 200)


def test_the_curve_meets_the_break_even():
    of = assumed()
    points = curve(of)

    assert len(points) == 12
    assert ceil(2 * 16 / 12) == points[0][0]
    for pupils, home, neighbour in points:
        assert (home <= neighbour) is pays(pupils, of)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("price", "150 000", Decimal("150000")),
        ("price", "150\xa0000,50", Decimal("150000.50")),
        ("price", "0", Decimal("0")),
        ("price", "", None),
        ("price_kind", "self_cost", "self_cost"),
        ("price_kind", " ", None),
        ("share_away", "12.5", Decimal("12.5")),
    ],
)
def test_values_are_read_as_people_write_them(key, text, value):
    assert value_of(BY_KEY[key], text) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("price", "-1"), ("price", "dyrt"), ("price", "1e9"), ("price", "NaN"), ("price", "1,234"), ("price", "٣"),
        ("price", "9999999999"), ("pupils", "0"), ("pupils", "1,5"), ("pupils", str(MOST_PUPILS + 1)),
        ("share_away", "101"), ("group_size", "0"), ("equipment_years", "0"), ("price_kind", "gratis"),
        ("price_meals", "kanske"), ("price", "9" * 400),
    ],
)  # fmt: skip
def test_what_cannot_be_a_value_is_refused_in_words(key, text):
    with pytest.raises(ValueError, match=r"."):
        value_of(BY_KEY[key], text)


# Making and changing


@pytest.fixture
def programme(db):
    return ProgrammeFactory(code="BA", name_sv="Bygg- och anläggningsprogrammet")


@pytest.fixture
def acting(owner, home):
    return {"by": owner, "on_behalf_of": home.body}


@pytest.fixture
def calculation(home, neighbour, programme, acting):
    rows = [{"key": key, "value": value, "source": "Budget 2023"} for key, value in WHOLE.items()]
    return make_calculation(
        title="Bygg hemma", municipality=home, provider=neighbour, programme=programme, assumptions=rows, **acting
    )


def rows_with(calculation, **values):
    return [{**row, "value": values.get(row["key"], row["value"])} for row in calculation.assumptions]


def test_a_calculation_keeps_every_assumption_with_its_source(calculation, home):
    calculation.refresh_from_db()

    assert [row["key"] for row in calculation.assumptions] == [one.key for one in ASSUMPTIONS]
    assert {row["source"] for row in calculation.assumptions} == {"Budget 2023"}
    assert given_by(calculation) == assumed()
    assert Event.objects.about(calculation).get().name == "calculation.made"


def test_only_ones_own_municipality_is_calculated_for(programme, home, neighbour, owner, asker):
    for by, body in ((asker, home.body), (owner, neighbour.body), (asker, neighbour.body)):
        with pytest.raises(NotYourCalculation):
            make_calculation(title="Bygg", municipality=home, programme=programme, by=by, on_behalf_of=body)
    assert not Calculation.objects.exists()


def test_what_does_not_fit_together_is_refused(programme, home, acting):
    other = OrientationFactory()
    for wrong in ({"provider": home}, {"orientation": other}, {"title": " "}, {"title": "x" * 151}):
        with pytest.raises(CalculationRefused):
            make_calculation(**{"title": "Bygg", "municipality": home, "programme": programme, **wrong}, **acting)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"key": "price", "value": "dyrt"}, "price"),
        ({"key": "hittepå", "value": "1"}, "key"),
        ({"key": "price", "value": "1", "source": "x" * 301}, "price"),
    ],
)
def test_a_wrong_assumption_is_named(programme, home, acting, row, field):
    with pytest.raises(AssumptionRefused) as told:
        make_calculation(title="Bygg", municipality=home, programme=programme, assumptions=[row], **acting)
    assert told.value.field == field


def test_a_change_is_told_with_names_and_values(calculation, acting):
    rows = rows_with(calculation, price="155000,5", price_kind="self_cost")

    changed = change_calculation(calculation, edit=0, title="Bygg hemma", assumptions=rows, **acting)

    assert changed.edit == 1
    assert Event.objects.about(calculation).first().changes == {
        "Pris för en plats": ["150000", "155000.5"],
        "Vilket slags pris det är": [str(PriceKind.OWN_LIST.label), str(PriceKind.SELF_COST.label)],
    }


def test_a_save_on_top_of_anothers_is_refused_with_what_stands(calculation, acting):
    change_calculation(calculation, edit=0, title="A", assumptions=rows_with(calculation, price="1"), **acting)

    with pytest.raises(CalculationChanged) as told:
        change_calculation(calculation, edit=0, title="B", assumptions=rows_with(calculation, price="2"), **acting)

    assert (told.value.now.title, told.value.now.edit) == ("A", 1)
    calculation.refresh_from_db()
    assert given_by(calculation)["price"] == 1


def test_saving_what_stands_already_is_no_conflict_and_no_event(calculation, acting):
    rows = rows_with(calculation, price="1")
    change_calculation(calculation, edit=0, title="A", assumptions=rows, **acting)
    change_calculation(calculation, edit=0, title="A", assumptions=rows, **acting)

    assert Event.objects.about(calculation).filter(name="calculation.changed").count() == 1


# Attaching


def seen_by(calculation, *users):
    return [Calculation.objects.visible_to(user).filter(pk=calculation.pk).count() for user in users]


def test_attached_to_a_draft_all_parties_administrators_see_it(
    calculation, area, home, neighbour, owner, asker, outsider, committee, acting
):
    assert seen_by(calculation, owner, asker, outsider, committee) == [1, 0, 0, 0]

    attach_calculation(calculation, draft(area, [home, neighbour], owner), **acting)
    assert seen_by(calculation, owner, asker, outsider, committee) == [1, 1, 0, 0]

    detach_calculation(calculation, **acting)
    assert seen_by(calculation, owner, asker) == [1, 0]
    names = list(Event.objects.about(calculation).values_list("name", flat=True))
    assert names == ["calculation.detached", "calculation.attached", "calculation.made"]


def test_it_is_attached_only_to_a_draft_of_ones_own(calculation, area, home, neighbour, elsewhere, acting):
    theirs = draft(area, [neighbour, elsewhere])
    with pytest.raises(NoDraftToAttach):
        attach_calculation(calculation, theirs, **acting)

    withdrawn = draft(area, [home, neighbour])
    withdrawn.revisions.update(state="withdrawn")
    with pytest.raises(NoDraftToAttach):
        attach_calculation(calculation, withdrawn, **acting)


def test_another_party_reads_but_neither_changes_nor_detaches(calculation, area, home, neighbour, asker, acting):
    attach_calculation(calculation, draft(area, [home, neighbour]), **acting)
    theirs = {"by": asker, "on_behalf_of": neighbour.body}

    with pytest.raises(NotYourCalculation):
        detach_calculation(calculation, **theirs)
    with pytest.raises(NotYourCalculation):
        change_calculation(calculation, edit=0, title="C", assumptions=[], **theirs)


# What is known


def test_nothing_is_filled_in_that_nobody_has_stated(home, neighbour, programme):
    assert known_for(home, neighbour, ProgrammeFactory(kind="introductory")) == {}
    assert set(known_for(home, neighbour, programme)) == {"years"}
    assert set(known_for(home, None, programme)) == {"years"}


def test_the_neighbours_own_list_comes_before_the_areas_and_the_national_one(home, neighbour, area, programme):
    source = Source.objects.create(key="lista", publisher="Skolverket", year="2024")
    national = PriceListFactory(year=2024, title="Riksprislistan", incl_meals=True, incl_vat=True, source=source)
    PriceRowFactory(price_list=national, programme=programme, sek_per_pupil_year=130_000)
    known = known_for(home, neighbour, programme)
    assert (known["price"][0], known["price_kind"][0]) == ("130000", PriceKind.NATIONAL_LIST)
    assert (known["price_meals"][0], known["price_vat"][0]) == ("yes", "yes")
    assert known["price"][1] == "Riksprislistan 2024, Skolverket, 2024 (ej kontrollerad)"

    common = PriceListFactory(kind="common_list", area=area, year=2023)
    PriceRowFactory(price_list=common, programme=programme, sek_per_pupil_year=140_000)
    assert known_for(home, neighbour, programme)["price"][0] == "140000"

    own = PriceListFactory(kind="own_list", municipality=neighbour, year=2022, title="Västerås prislista")
    PriceRowFactory(price_list=own, programme=programme, sek_per_pupil_year="150000.50")
    later = PriceListFactory(kind="own_list", municipality=neighbour, year=2022, number=2, title="Västerås prislista")
    PriceRowFactory(price_list=later, programme=programme, sek_per_pupil_year=151_000)
    known = known_for(home, neighbour, programme)
    assert (known["price"][0], known["price_kind"][0], known["price_meals"][0]) == ("151000", "own_list", "")
    assert known["price"][1] == "Västerås prislista 2022, utgåva 2 (ej kontrollerad)"


def test_other_municipalities_lists_say_nothing(home, neighbour, elsewhere, programme):
    for facts in ({"kind": "own_list", "municipality": elsewhere}, {"kind": "own_list", "municipality": home}):
        PriceRowFactory(price_list=PriceListFactory(**facts), programme=programme)

    assert "price" not in known_for(home, neighbour, programme)


def test_an_orientation_has_its_own_price_before_the_programmes(home, neighbour, programme):
    orientation = OrientationFactory(programme=programme)
    prices = PriceListFactory(kind="own_list", municipality=neighbour)
    PriceRowFactory(price_list=prices, programme=programme, sek_per_pupil_year=100_000)
    assert known_for(home, neighbour, programme, orientation)["price"][0] == "100000"

    PriceRowFactory(price_list=prices, programme=programme, orientation=orientation, sek_per_pupil_year=200_000)
    assert known_for(home, neighbour, programme, orientation)["price"][0] == "200000"
    assert known_for(home, neighbour, programme)["price"][0] == "100000"


def test_the_fastest_known_way_is_filled_in_whichever_way_it_stands(home, neighbour, programme):
    TravelTime.objects.create(origin=neighbour, destination=home, mode="road", minutes=35, verified=True)
    TravelTime.objects.create(origin=neighbour, destination=home, mode="rail", minutes=None)
    TravelTime.objects.create(origin=home, destination=neighbour, mode="bus", minutes=55)

    assert known_for(home, neighbour, programme)["travel_minutes"] == ("35", "Mellan centralorterna: väg")


def test_a_price_list_that_changes_later_changes_no_calculation(calculation, home, neighbour, programme):
    before = calculation.assumptions
    own = PriceListFactory(kind="own_list", municipality=neighbour, year=2030)
    PriceRowFactory(price_list=own, programme=programme, sek_per_pupil_year=1)

    calculation.refresh_from_db()
    assert calculation.assumptions == before


def test_the_address_names_what_is_chosen(home, neighbour, programme):
    orientation = OrientationFactory(programme=programme)

    assert calculation_address(home, neighbour, programme) == "/avtal/kalkyl/ny/?program=BA&kommun=0381&hos=1980"
    address = calculation_address(home, neighbour, programme, orientation)
    assert address == f"/avtal/kalkyl/ny/?program=BA&inriktning={orientation.pk}&kommun=0381&hos=1980"
    assert calculation_address(home) == "/avtal/kalkyl/ny/?kommun=0381"
