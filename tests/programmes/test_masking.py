"""Small numbers of pupils: shown to the two municipalities, and for nobody else to compute from what is shown."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils.translation import override

from collab4m.clock import today
from collab4m.school_year import SchoolYear
from organisations.models import RoleKind
from programmes.models import PupilFlow
from programmes.operations import Count, flows_of, gaps_of, report_flow
from programmes.tables import count_in_words
from records.models import Event, span
from tests.factories import MembershipFactory, MunicipalityFactory, ProgrammeFactory, PupilFlowFactory, RoleFactory
from tests.programmes.offers import own_school, report

YEAR = SchoolYear(2022)


@pytest.fixture
def third(area):
    return MembershipFactory(area=area, municipality=MunicipalityFactory(name="Strängnäs", code="0486")).municipality


@pytest.fixture
def building(db):
    return ProgrammeFactory(code="BA", name_sv="Bygg")


@pytest.fixture
def economics(db):
    return ProgrammeFactory(code="EK", name_sv="Ekonomi")


@pytest.fixture
def small(home, neighbour, third, building, economics) -> list[PupilFlow]:
    """The flows under five, among others that are not."""
    for start, end, programme, pupils in [
        (home, neighbour, economics, 12),
        (neighbour, home, economics, 7),
        (third, home, building, 5),
        (home, home, building, 40),
    ]:
        PupilFlowFactory(home=start, provider_municipality=end, programme=programme, pupils=pupils)
    return [
        PupilFlowFactory(home=start, provider_municipality=end, programme=programme, pupils=4)
        for start, end, programme in [
            (home, neighbour, building),
            (home, third, economics),
            (third, neighbour, building),
        ]
    ]


def set_pupils(flows, numbers):
    for flow, pupils in zip(flows, numbers, strict=True):
        PupilFlow.objects.filter(pk=flow.pk).update(pupils=pupils)


def everything_shown(reader, municipalities):
    """All that a reader is told of the flows: the operations, the API asked in every way, the files and the page."""
    flows = flows_of(municipalities, YEAR, "HT", reader=reader)
    shown = {
        "table": flows.table(),
        "totals": flows.totals(),
        "balances": flows.balances(),
        "nets": [balance.net for balance in flows.balances()],
        "programmes": flows.by_programme(),
        "of each": [flows.of_programme(programme) for programme, _count in flows.by_programme()],
    }
    client = Client()
    client.force_login(reader)
    for municipality in municipalities:
        shown[f"demand {municipality}"] = [
            (gap.key, gap.demand) for gap in gaps_of(municipality, YEAR, reader=reader).rows
        ]
        asked = f"municipality={municipality.code}&school_year=2022/23"
        shown[f"gaps {municipality}"] = client.get(f"/api/v1/programme-gaps/?{asked}").json()
        for demand in ("", "elever", "tryck"):
            address = f"/program/saknas/fil/csv/?kommun={municipality.code}&lasar=2022-23&efterfragan={demand}"
            shown[f"file {municipality} {demand}"] = content_of(client.get(address))
    for query in ("", "?ordering=programme", "?ordering=-school_year", "?pupils=4", "?programme=BA", "?page_size=2"):
        shown[query] = client.get(f"/api/v1/pupil-flows/{query}").json()
    shown["refused"] = client.get("/api/v1/pupil-flows/?ordering=pupils").status_code
    for address in ("fil/csv/?omrade=4m", "?omrade=4m", "?omrade=4m&program=BA"):
        shown[address] = content_of(client.get(f"/program/elevstrommar/{address}"), reader)
    return shown


def content_of(response, reader=None):
    """The text of an answer without what differs each time: keys of forms and scripts."""
    assert response.status_code == 200
    if reader is None or response["Content-Type"].startswith("text/csv"):
        return response.content
    names = ("table", "totals", "balances", "by_programme", "has_hidden", "programmes")
    return [repr(response.context[name]) for name in names]


@pytest.mark.parametrize("who", ["outsider", "committee", "principal", "system_administrator"])
def test_what_others_see_does_not_depend_on_what_is_hidden(request, small, home, neighbour, third, building, who):
    reader = request.getfixturevalue(who)
    report(own_school(home))
    report(own_school(neighbour), building)
    municipalities = [home, neighbour, third]
    shown = everything_shown(reader, municipalities)

    for numbers in [(0, 0, 0), (1, 0, 4), (4, 1, 0)]:
        set_pupils(small, numbers)
        assert everything_shown(reader, municipalities) == shown


def test_a_leak_would_be_seen(small, home, neighbour, third, outsider):
    """A number that is not hidden makes a difference: the comparison above is not blind."""
    municipalities = [home, neighbour, third]
    shown = everything_shown(outsider, municipalities)

    set_pupils(small, [5, 4, 4])

    different = {name for name, value in everything_shown(outsider, municipalities).items() if value != shown[name]}
    assert {"table", "totals", "balances", "programmes", "of each", "", "fil/csv/?omrade=4m", "?omrade=4m"} <= different


def test_an_administrator_of_one_of_the_two_sees_what_is_hidden_from_others(
    small, home, neighbour, third, asker, owner
):
    to_neighbour, to_third, among_others = small
    set_pupils(small, [1, 2, 3])

    def seen_by(user):
        return [PupilFlow.objects.get(pk=flow.pk).shown_to(user) for flow in small]

    assert seen_by(owner) == [1, 2, None]
    assert seen_by(asker) == [1, None, 3]
    assert seen_by(RoleFactory(kind=RoleKind.ADMINISTRATOR, body=third.body).user) == [None, 2, 3]
    table = flows_of([home, neighbour, third], YEAR, "HT", reader=owner).table()
    assert [count.number for count in table[0][1]] == [40, 13, 2]
    assert table[0][2].number == 55


def test_what_one_municipality_may_see_does_not_depend_on_what_passes_between_others(
    small, home, neighbour, third, owner, building
):
    report(own_school(home))
    municipalities = [home, neighbour, third]
    shown = everything_shown(owner, municipalities)

    for number in (0, 1, 4):
        set_pupils(small[2:], [number])
        assert everything_shown(owner, municipalities) == shown


def test_a_role_that_has_ended_sees_no_more(small, owner):
    owner.roles.update(valid=span(None, today() - timedelta(days=1)))

    assert small[0].shown_to(owner) is None


def test_no_sum_is_shown_of_which_a_part_is_hidden(small, home, neighbour, third, outsider, building, economics):
    flows = flows_of([home, neighbour, third], YEAR, "HT", reader=outsider)

    (_home, counts, total), *_others = flows.table()
    assert counts == [Count(40, True, 1), Count(12, False, 2), Count(0, False, 1)]
    assert (total.number, total.least) == (None, 52)
    assert [count.number for count in flows.totals()] == [52, None, None]
    assert [balance.net for balance in flows.balances()] == [None, None, None]
    assert {programme.code: count.number for programme, count in flows.by_programme()} == {"BA": None, "EK": None}
    assert flows.of_programme(building) == Count(5, False, 3)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (Count(), "not reported"),
        (Count(0, True, 1), "0"),
        (Count(12, True, 2), "12"),
        (Count(0, False, 1), "under 5"),
        (Count(0, False, 2), "at least 0"),  # two hidden fours are eight
        (Count(12, False, 2), "at least 12"),
    ],
)
def test_counts_in_words_say_no_more_than_is_known(count, words):
    with override("en"):
        assert count_in_words(count) == words


def test_history_tells_the_numbers_only_to_the_two(client, small, owner, asker, outsider, home):
    flow = small[0]
    changed = report_flow(
        home=flow.home, provider_municipality=flow.provider_municipality, programme=flow.programme,
        school_year=flow.school_year, semester=flow.semester, pupils=2, by=owner, on_behalf_of=home.body,
    )  # fmt: skip

    events = Event.objects.about(changed)
    assert [event.changes for event in events] == [{"pupils": ["4", "2"]}]
    assert [event.data for event in events] == [{"flow": str(changed)}]
    for user, may_read in [(owner, True), (asker, True), (outsider, False)]:
        assert Event.objects.filter(pk=events[0].pk).filter(changed.visible_events(user)).exists() is may_read
