"""What the page of gaps shows of agreements: what covers a gap, what is drafted, and the way to begin."""

import pytest
from django.urls import reverse

from agreements.models import Agreement
from tests.agreements.stories import draft, signed
from tests.factories import OrientationFactory, ProgrammeFactory
from tests.programmes.offers import own_school, report, say

pytestmark = pytest.mark.django_db

ADDRESS = "/program/saknas/?kommun=0381&lasar=2022-23"


@pytest.fixture
def programmes(home, neighbour):
    """Three programmes that Enköping lacks and Västerås offers."""
    report(own_school(home))
    made = report(own_school(neighbour))
    found = [ProgrammeFactory(code=code) for code in ("BA", "EE", "FT")]
    for programme in found:
        OrientationFactory(programme=programme)
        say(made, programme, seats=10)
    return found


def near(client, user, address=ADDRESS):
    client.force_login(user)
    page = client.get(address)
    return page, {gap.key: (states, actions) for gap, states, actions in page.context["near"]}


def test_administrators_of_the_municipality_begin_from_one_gap_or_several(client, programmes, owner):
    page, rows = near(client, owner)

    start = f"{reverse('agreement_new')}?kommun=0381&lasar=2022-23"
    assert {key: [address for _verb, address in actions] for key, (_states, actions) in rows.items()} == {
        code: [f"{start}&rad={code}"] for code in ("BA", "EE", "FT")
    }
    html = page.content.decode()
    assert html.count('name="rad"') == 3
    assert f'<form action="{reverse("agreement_new")}">' in html


@pytest.mark.parametrize("who", ["asker", "outsider", "principal", "committee", "council_member"])
def test_others_begin_nothing_there(client, request, programmes, school, who):
    page, rows = near(client, request.getfixturevalue(who))

    assert [actions for _states, actions in rows.values()] == [[], [], []]
    assert 'name="rad"' not in page.content.decode()


def test_what_is_covered_says_so_for_its_intakes_only(client, programmes, area, home, neighbour, owner):
    agreement = signed(draft(area, [home, neighbour], owner, programme=programmes[0]))

    page, rows = near(client, owner)
    states, actions = rows["BA"]
    _page, before = near(client, owner, ADDRESS.replace("2022-23", "2021-22"))

    assert [(address, tone) for _words, address, tone in states] == [(agreement.get_absolute_url(), "yes")]
    assert actions == []
    assert agreement.number in page.content.decode()
    assert "BA" not in before or before["BA"][0] == []
    assert rows["EE"][0] == []


def test_a_draft_is_shown_to_its_parties_only(client, programmes, area, home, neighbour, owner, asker, council_member):
    draft(area, [home, neighbour], owner, programme=programmes[1])

    for user, drafts in ((owner, 1), (asker, 1), (council_member, 0)):
        _page, rows = near(client, user)
        assert len(rows["EE"][0]) == drafts


@pytest.mark.parametrize("number", [1, 3])
def test_the_slots_cost_the_same_for_any_number(
    client, programmes, area, home, neighbour, owner, number, django_assert_num_queries
):
    for programme in programmes[:number]:
        signed(draft(area, [home, neighbour], owner, programme=programme))
        draft(area, [home, neighbour], owner, programme=programme)
    near(client, owner)

    with django_assert_num_queries(29):
        _page, rows = near(client, owner)

    assert sum(bool(states) for states, _actions in rows.values()) == number
    assert Agreement.objects.count() == 2 * number
