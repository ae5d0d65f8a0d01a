"""The report's chapter on the offer: whole for any area, from the data alone, with every number as pages have it."""

from collections import Counter
from datetime import date

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command

from collab4m.school_year import SchoolYear
from organisations.models import CollaborationArea, TravelTime
from programmes.chapter import MANDATE, chapter
from programmes.models import Answer, OfferingFact, OfferingReport, PupilFlow
from programmes.operations import NATIONAL, GapState, flows_of, gaps_of, gaps_of_area, offer_of
from records.documents.blocks import document, section
from records.documents.content import blocks_of, canonical, check, figures, has_examples
from records.documents.words import shown
from records.models import span
from tests.factories import (
    AreaFactory,
    MembershipFactory,
    MunicipalityFactory,
    OrientationFactory,
    ProgrammeFactory,
    ProviderFactory,
    PupilFlowFactory,
)
from tests.programmes.offers import independent_school, own_school, report, say

YEAR = SchoolYear(2022)
OUTSIDER = AnonymousUser()


def content(area, year=YEAR):
    """The chapter in a document of its own."""
    made = chapter(area, year)
    assert made.mandate == MANDATE
    return document(
        kind="Återredovisning",
        title="Utbud",
        sections=[section("uppdrag-1", "Utbud", *made.blocks, sections=made.sections)],
        annexes=made.annexes,
        sources=dict(made.sources),
    )


def tables(content):
    return {block["id"]: block for block in blocks_of(content) if block["kind"] in ("table", "chart")}


def numbers(inline):
    """The figures of a piece of text, in order."""
    return [figure["value"] for _path, figure in figures(inline)]


def value(cell):
    """A cell that is one figure, as its number; None when it is not reported."""
    (part,) = cell
    return part.get("value")


def members(area, number):
    return [
        MembershipFactory(area=area, municipality=MunicipalityFactory(name=f"Stad {place:02}")).municipality
        for place in range(number)
    ]


def fill(area, number, programmes):
    """An area where every member but the last reports: the first programme at home in all, the second in the first."""
    common, rare, orientation = programmes
    towns = members(area, number)
    for place, town in enumerate(towns[:-1]):
        made = report(own_school(town), orientation)
        say(made, common, seats=20, first_choice_applicants=30)
        if place == 0:
            say(made, rare, seats=10, first_choice_applicants=4)
        report(own_school(town), orientation)
        report(independent_school(town), rare)
        TravelTime.objects.create(origin=town, destination=towns[-1], mode="rail", minutes=30 + place)
        PupilFlowFactory(home=town, provider_municipality=towns[-1], programme=common, pupils=place + 3)
    own_school(towns[-1])
    OfferingFact.objects.create(municipality=towns[-1], programme=common, year="2018/19", source_note="En folder")
    return towns


@pytest.fixture
def catalogue_of_three(db):
    orientation = OrientationFactory(programme__code="EE")
    return ProgrammeFactory(code="BA"), ProgrammeFactory(code="HV"), orientation


@pytest.fixture
def demo(demonstration):
    return CollaborationArea.objects.get()


# It can be made final


def test_the_chapter_of_the_demonstration_can_be_made_final(demo):
    check(content(demo))


def test_without_the_demonstration_nothing_is_reported_and_the_last_known_is_listed(demo):
    call_command("remove_demo")

    made = content(demo)

    check(made)
    assert not has_examples(made)
    counts = [number for block in made["sections"][0]["blocks"] for number in numbers(block)]
    own = sum(len(member.own) for member in offer_of(demo, YEAR, NATIONAL).members)
    assert counts[:2] == [0, own]
    known = tables(made)["utbud-senast-kant"]
    (food,) = [row for row in known["rows"] if row[1] == "Thomasgymnasiet" and "Restaurang- och livs" in row[2]]
    assert food[3] == "finns, 2018/19"
    assert "Försäljnings- och serviceprogrammet (HA)" in food[2]
    assert all(row[4] for row in known["rows"])
    assert not [name for name in tables(made) if name.startswith("utbud-saknas")]
    cells = [cell for row in tables(made)["utbud-matris-1"]["rows"] for cell in row[1:]]
    assert {cell[0]["missing"] for cell in cells} == {"not_reported"}


@pytest.mark.parametrize("number", [1, 2, 26, 41])
def test_the_chapter_of_any_area_can_be_made_final(area, catalogue_of_three, number):
    fill(area, number, catalogue_of_three)

    made = content(area)

    check(made)
    widths = [len(block["columns"]) for name, block in tables(made).items() if name.startswith("utbud-matris")]
    assert sum(widths) - len(widths) == number
    assert max(widths) <= 7
    bars = [len(block["rows"]) for name, block in tables(made).items() if name.startswith("utbud-saknas")]
    assert bars == {1: [], 2: [2], 26: [26], 41: [40]}[number]


def test_an_area_without_members_or_programmes_says_so(area, home):
    empty = AreaFactory()

    for of_area, year in [(empty, YEAR), (area, YEAR)]:
        made = chapter(of_area, year)
        check(content(of_area, year))
        assert [block["kind"] for block in made.blocks] == ["note"]


def test_who_runs_no_school_is_told_of(area, home, neighbour):
    ProgrammeFactory(code="BA")
    provider = ProviderFactory(kind="municipal", municipality=home)
    OfferingReport.objects.create(provider=provider, school_year=YEAR, complete=True)

    made = content(area)

    check(made)
    assert [row[0] for row in tables(made)["utbud-ej-rapporterat"]["rows"]] == ["Västerås"]


# The same data, the same bytes


def test_the_same_data_give_the_same_bytes(demo):
    first = canonical(content(demo))

    PupilFlow.objects.filter(pk=PupilFlow.objects.first().pk).update(example=True)  # moves the row, changes nothing
    OfferingReport.objects.filter(pk=OfferingReport.objects.first().pk).update(complete=True)

    assert canonical(content(demo)) == first


def test_travel_is_told_of_the_year_and_not_of_today(area, home, neighbour):
    programme = ProgrammeFactory(code="BA")
    report(own_school(home))
    report(own_school(neighbour), programme)
    TravelTime.objects.create(
        origin=home, destination=neighbour, mode="rail", minutes=30, valid=span(None, date(2023, 6, 30))
    )
    TravelTime.objects.create(
        origin=home, destination=neighbour, mode="rail", minutes=25, valid=span(date(2023, 7, 1), None)
    )

    (row,) = tables(content(area))["utbud-0381-hos-granne"]["rows"]

    assert value(row[5]) == 30


# Every number is the pages'


def test_gaps_of_an_area_are_each_members_own(demo):
    _offer, of_area = gaps_of_area(demo, YEAR, reader=OUTSIDER, kinds=NATIONAL)

    for found in of_area:
        alone = gaps_of(found.municipality, YEAR, reader=OUTSIDER, kinds=NATIONAL)
        assert [_plain(row) for row in found.rows] == [_plain(row) for row in alone.rows]


def _plain(row):
    offers = [(offer.school.school, offer.cell.figures, offer.travel) for offer in (*row.offers, *row.beside)]
    waits = [one.school for one in row.waits_for]
    return row.key, row.state, row.own.answer, offers, waits, row.silent, row.demand


def test_the_numbers_of_each_municipality_are_those_of_its_gaps(demo):
    made = content(demo)
    (chart,) = [block for name, block in tables(made).items() if name.startswith("utbud-saknas")]
    (in_short,) = [
        block for block in made["sections"][0]["blocks"] if block["kind"] == "list" and len(block["items"]) == 4
    ]

    for found, bars, told in zip(_gaps_alone(demo), chart["rows"], in_short["items"], strict=True):
        states = Counter(row.state for row in found.rows if row.orientation is None)
        near, nobody, unknown = (states[state] for state in GapState)
        assert (bars[0], [value(cell) for cell in bars[1:]]) == (found.municipality.name, [near, nobody])
        assert (told[0]["text"], numbers(told)) == (
            found.municipality.name,
            [near, nobody, unknown] if unknown else [near, nobody],
        )


def _gaps_alone(area):
    offer = offer_of(area, YEAR, NATIONAL)
    return [gaps_of(member.municipality, YEAR, reader=None, kinds=NATIONAL) for member in offer.members]


def test_the_sections_tell_what_each_gap_tells(demo):
    made = content(demo)

    for found in _gaps_alone(demo):
        code = found.municipality.code
        told = tables(made)[f"utbud-{code}-hos-granne"]["rows"]
        gaps = [row for row in found.of(GapState.NEIGHBOUR_OFFERS) if row.orientation is None]
        assert [(row[0], row[1], value(row[3]), value(row[4])) for row in told] == [
            (
                gap.programme.name,
                offer.municipality.name,
                offer.cell.figures.seats,
                offer.cell.figures.first_choice_applicants,
            )
            for gap in gaps
            for offer in gap.offers
        ]
        ways = [offer.travel_minutes for gap in gaps for offer in gap.offers]
        assert [numbers(row[5]) for row in told] == [[] if way is None else [way] for way in ways]
        (part,) = [one for one in made["sections"][0]["sections"] if one["id"] == f"utbud-{code}"]
        orientations = Counter(row.state for row in found.rows if row.orientation)
        assert numbers(part["blocks"][-1]) == [orientations[state] for state in GapState]


def test_the_opening_counts_what_the_offer_tells(demo):
    made, offer = content(demo), offer_of(demo, YEAR, NATIONAL)
    opening = [block for block in made["sections"][0]["blocks"] if block["kind"] == "paragraph"]
    schools = [one for member in offer.members for one in member.schools]
    cells = [
        (programme.name, one.school.name, offer.at_school(one, programme).figures)
        for programme in offer.programmes
        for one in schools
    ]
    both = [cell for cell in cells if None not in (cell[2].seats, cell[2].first_choice_applicants)]
    pressed = [cell for cell in both if cell[2].first_choice_applicants > cell[2].seats]
    nowhere = [
        programme
        for programme in offer.programmes
        if {offer.at_municipality(member, programme).answer for member in offer.members} == {Answer.NOT_OFFERED}
    ]

    assert [numbers(block) for block in opening if numbers(block)] == [
        [sum(one.is_complete for one in schools if one.is_own), sum(one.is_own for one in schools)],
        [sum(one.is_complete for one in schools if not one.is_own), sum(not one.is_own for one in schools)],
        [len(nowhere)],
        [len(pressed), len(both)],
    ]
    assert [(row[0], value(row[3]), value(row[4])) for row in tables(made)["utbud-fler-sokande"]["rows"]] == [
        (name, figures.seats, figures.first_choice_applicants)
        for name, _school, figures in sorted(pressed, key=lambda cell: _place(offer, cell))
    ]
    for member, part in zip(offer.members, made["sections"][0]["sections"], strict=False):
        offered = [offer.at_municipality(member, programme).answer for programme in offer.programmes]
        assert numbers(part["blocks"][0]) == [offered.count(Answer.OFFERED), len(offered)]


def _place(offer, cell):
    """Where a programme stands in the catalogue and a school among all."""
    schools = [one.school.name for member in offer.members for one in member.schools]
    return [programme.name for programme in offer.programmes].index(cell[0]), schools.index(cell[1])


def test_the_annexes_tell_what_the_offer_tells(demo):
    made, offer = content(demo), offer_of(demo, YEAR, NATIONAL)
    matrix, whole = tables(made)["utbud-matris-1"]["rows"], tables(made)["utbud-skolornas-utbud"]["rows"]

    for programme, row in zip(offer.programmes, matrix, strict=True):
        for member, cell in zip(offer.members, row[1:], strict=True):
            known = offer.at_municipality(member, programme)
            assert shown(cell).startswith(str(Answer(known.answer).label)) or numbers(cell)
            assert numbers(cell) == ([known.figures.seats] if known.figures.seats is not None else [])
    offered = [
        (one.school.name, programme.name, offer.at_school(one, programme).figures)
        for one in offer.schools.values()
        for programme in offer.programmes
        if offer.at_school(one, programme).answer == Answer.OFFERED
    ]
    for place, name in enumerate(["seats", "first_choice_applicants", "admitted", "workplace_learning_capacity"], 3):
        told = Counter()
        for row in whole:
            told[row[0].rsplit(" (", 1)[0], row[1]] += sum(numbers(row[place]))
        assert told == Counter({(school, code): getattr(figures, name) or 0 for school, code, figures in offered})


def test_every_figure_has_a_source_that_says_where_it_is_from(demo):
    made = content(demo)
    names = {report.school.name: report.pk for report in OfferingReport.objects.filter(school_year=YEAR)}

    for school, _programme, *rest in tables(made)["utbud-skolornas-utbud"]["rows"]:
        for _path, figure in figures(rest):
            assert figure["source"] == f"utbud:rapport:{names[school.rsplit(' (', 1)[0]]}"
    assert {figure["source"].split(":")[1] for _path, figure in figures(made)} == {
        "rapport", "restid", "portalen", "summa", "elevstrommar",
    }  # fmt: skip


def test_a_sum_over_schools_names_them(area, home):
    programme = ProgrammeFactory(code="BA")
    schools = [own_school(home, name=name) for name in ("Ena skolan", "Andra skolan")]
    for school in schools:
        say(report(school), programme, seats=10)

    made = content(area)

    ((_name, cell),) = tables(made)["utbud-matris-1"]["rows"]
    ((_path, seats),) = figures(cell)
    assert seats["value"] == 20
    assert all(school.name in made["sources"][seats["source"]]["note"] for school in schools)


def test_a_figure_that_nobody_reported_is_not_reported(area, home):
    programme = ProgrammeFactory(code="BA")
    say(report(own_school(home)), programme, seats=10)

    (row,) = tables(content(area))["utbud-skolornas-utbud"]["rows"]

    assert [value(cell) for cell in row[3:]] == [10, None, None, None]
    assert row[4] == [{"missing": "not_reported"}]


def test_many_others_are_counted_and_few_are_named(area, catalogue_of_three):
    towns = fill(area, 9, catalogue_of_three)
    OfferingReport.objects.exclude(school__municipality=towns[0]).delete()

    made = content(area)

    (second,) = [one for one in made["sections"][0]["sections"] if one["id"] == f"utbud-{towns[1].code}"]
    (waiting,) = [block for block in second["blocks"] if block["kind"] == "list"]
    (item,) = waiting["items"]
    assert numbers(item) == [7]
    assert all(one.name in shown(item) for one in towns[1].schools.filter(provider__municipality=towns[1]))
    assert towns[2].name not in shown(item)


# Examples


def test_examples_are_marked_and_nothing_else(area, home, neighbour):
    programme = ProgrammeFactory(code="BA")
    real, example = own_school(home), own_school(neighbour)
    say(report(real), programme, seats=10)
    say(report(example, example=True), programme, seats=12)

    made = content(area)

    listed = tables(made)["utbud-skolornas-utbud"]["rows"]
    marks = {value(row[3]): figure["example"] for row in listed for _path, figure in figures(row[3])}
    assert marks == {10: False, 12: True}


def test_without_examples_nothing_is_marked(area, catalogue_of_three):
    fill(area, 4, catalogue_of_three)

    assert not has_examples(content(area))


def test_all_of_the_demonstrations_figures_but_facts_are_marked(demo):
    plain = [figure for _path, figure in figures(content(demo)) if not figure["example"]]

    assert {figure["source"].split(":")[1] for figure in plain} == {"restid", "portalen"}


# Pupils


@pytest.fixture
def third(area):
    return MembershipFactory(area=area, municipality=MunicipalityFactory(name="Strängnäs", code="0486")).municipality


def test_small_numbers_of_pupils_never_show(area, home, neighbour, third):
    building, other = ProgrammeFactory(code="BA"), ProgrammeFactory(code="EK")
    PupilFlowFactory(home=home, provider_municipality=neighbour, programme=other, pupils=12)
    hidden = [
        PupilFlowFactory(
            home=home, provider_municipality=third, programme=building, pupils=4, source_note="Vi räknade till fyra"
        ),
        PupilFlowFactory(home=third, provider_municipality=neighbour, programme=building, pupils=4),
        PupilFlowFactory(home=third, provider_municipality=home, programme=building, pupils=4),
    ]
    seen = set()
    for pupils in ([0, 1, 2], [3, 4, 1], [4, 0, 3]):
        for flow, number in zip(hidden, pupils, strict=True):
            PupilFlow.objects.filter(pk=flow.pk).update(pupils=number)
        seen.add(canonical(content(area)))

    assert len(seen) == 1
    assert "fyra" not in seen.pop().decode()
    rows = {row[0]: row[1:] for row in tables(content(area))["utbud-netto"]["rows"]}
    assert numbers(rows["Enköping"]) == [12]
    assert rows["Strängnäs"][1] == [{"missing": "masked"}]
    assert numbers(rows["Strängnäs"]) == []


def test_the_net_is_that_of_the_years_latest_semester(area, home, neighbour):
    programme = ProgrammeFactory(code="BA")
    for start, end, pupils, semester in [
        (home, neighbour, 12, "HT"), (home, neighbour, 14, "VT"), (neighbour, home, 9, "VT"),
    ]:  # fmt: skip
        PupilFlowFactory(
            home=start, provider_municipality=end, programme=programme, pupils=pupils, semester=semester
        )  # fmt: skip
    PupilFlowFactory(home=home, provider_municipality=neighbour, programme=programme, school_year=YEAR + 1)

    rows = tables(content(area))["utbud-netto"]["rows"]

    assert [[value(cell) for cell in row[1:]] for row in rows] == [[14, 9, -5], [9, 14, 5]]


def test_the_demonstrations_pupils_are_those_of_the_page(demo):
    rows = tables(content(demo))["utbud-netto"]["rows"]
    municipalities = [member.municipality for member in offer_of(demo, YEAR).members]

    for balance, row in zip(flows_of(municipalities, YEAR, "VT", reader=OUTSIDER).balances(), rows, strict=True):
        counted = [count.least for count in (balance.out, balance.into) if count.least]
        assert numbers(row) == [*counted, *([balance.net] if balance.net is not None else [])]


def test_flows_that_nobody_reported_are_said_to_be_missing(area, home):
    ProgrammeFactory(code="BA")

    made = content(area)

    (flows,) = [one for one in made["sections"][0]["sections"] if one["id"] == "utbud-elevstrommar"]
    assert [block["kind"] for block in flows["blocks"]] == ["note"]


# What it costs


@pytest.mark.parametrize("number", [4, 6])
def test_the_chapter_costs_the_same_for_any_number(area, catalogue_of_three, number, django_assert_num_queries):
    fill(area, number, catalogue_of_three)

    with django_assert_num_queries(12):
        chapter(area, YEAR)
