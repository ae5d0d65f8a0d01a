"""The pages about notice: what is lost comes first, then the act, then taking it back together."""

from __future__ import annotations

import pytest

from agreements.models import Notice, NoticeEffect
from agreements.operations import effective_day
from collab4m.clock import today
from tests.agreements.stories import administrator_of, building, draft, signed


@pytest.fixture
def agreement(area, home, neighbour, owner, asker):
    return signed(draft(area, [home, neighbour], owner, programme=building(), title="Bygg"))


def days(**more):
    return {"given_on": today().isoformat(), "received_on": today().isoformat(), "reason": "Eget program", **more}


def last_day() -> str:
    return effective_day(today(), 12, NoticeEffect.SCHOOL_YEAR).isoformat()


def test_what_is_lost_is_shown_before_notice_is_given(agreement, client, owner):
    client.force_login(owner)

    response = client.post(f"/avtal/{agreement.pk}/sag-upp/", days())

    assert response.status_code == 200
    assert [loss.cover.orientation.code for loss in response.context["losses"]] == ["BAHUS", "BAMAR"]
    assert response.context["homes"][0][2] == (10, False)
    assert "Eget program" in response.content.decode()
    assert not Notice.objects.exists()


def test_notice_is_given_once_one_says_that_one_has_read_it(agreement, client, owner, home):
    client.force_login(owner)
    address = f"/avtal/{agreement.pk}/sag-upp/"

    unticked = client.post(address, days(effective_on=last_day()))
    assert unticked.status_code == 200
    assert "understood" in unticked.context["confirm"].errors
    assert not Notice.objects.exists()

    response = client.post(address, days(effective_on=last_day(), understood="on"))
    assert response.status_code == 302
    assert response["Location"] == f"/avtal/{agreement.pk}/uppsagningar/"
    assert Notice.objects.get().given_by == home
    assert Notice.objects.get().reason == "Eget program"

    again = client.post(address, days(effective_on=last_day(), understood="on"))
    assert again.status_code == 200
    assert Notice.objects.count() == 1


def test_a_last_day_that_is_not_the_one_that_was_shown_is_shown_anew(agreement, client, owner):
    client.force_login(owner)

    response = client.post(f"/avtal/{agreement.pk}/sag-upp/", days(effective_on="2031-06-30", understood="on"))

    assert response.status_code == 200
    assert response.context["confirm"].initial["effective_on"] == last_day()
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"given_on": ""}, "given_on"),
        ({"given_on": "i går"}, "given_on"),
        ({"received_on": "2026-02-30"}, "received_on"),
        ({"received_on": "2999-01-01"}, "received_on"),
        ({"given_on": "0001-01-01", "received_on": "0001-01-01"}, "given_on"),
        ({"reason": "x" * 2001}, "reason"),
    ],
)
def test_bad_input_is_told_at_its_field_and_what_was_typed_stays(agreement, client, owner, change, field):
    client.force_login(owner)

    response = client.post(f"/avtal/{agreement.pk}/sag-upp/", days(**change))

    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    assert response.context["form"]["reason"].value() == days(**change)["reason"]
    assert not Notice.objects.exists()


def test_who_administers_two_parties_chooses_for_which(area, home, neighbour, client, two_homes):
    made = signed(draft(area, [home, neighbour], two_homes, programme=building()))
    client.force_login(two_homes)

    unchosen = client.post(f"/avtal/{made.pk}/sag-upp/", days())
    assert "party" in unchosen.context["form"].errors

    party = made.parties.get(municipality=neighbour)
    client.post(f"/avtal/{made.pk}/sag-upp/", days(party=party.pk, effective_on=last_day(), understood="on"))
    assert Notice.objects.get().given_by == neighbour


def test_the_notice_is_withdrawn_when_all_have_agreed(agreement, client, owner, asker, outsider, committee):
    client.force_login(owner)
    client.post(f"/avtal/{agreement.pk}/sag-upp/", days(effective_on=last_day(), understood="on"))
    address = f"/avtal/{agreement.pk}/uppsagningar/{Notice.objects.get().pk}/aterta/"

    for user, status in ((outsider, 404), (committee, 403), (owner, 302)):
        client.force_login(user)
        assert client.post(address).status_code == status
    row = client.get(f"/avtal/{agreement.pk}/uppsagningar/").context["rows"][0]
    assert [consent.municipality.name for consent in row["agreed"]] == ["Enköping"]
    assert [party.municipality.name for party in row["waits"]] == ["Västerås"]
    assert row["mine"] == []
    assert Notice.objects.standing().exists()

    client.force_login(asker)
    client.post(address)
    assert not Notice.objects.standing().exists()
    assert client.post(address, follow=True).status_code == 200


def test_everyone_in_the_area_sees_what_would_be_lost(agreement, client, principal, council_member):
    for reader in (principal, council_member):
        client.force_login(reader)
        response = client.get(f"/avtal/{agreement.pk}/om-det-upphor/")
        assert response.context["consequence"].effective_on.isoformat() == last_day()
        assert len(response.context["losses"]) == 2
        assert not response.context["may_give"]


@pytest.mark.parametrize(
    "query", ["dag=9999-12-31", "dag=x", "kommun=x", "kommun=99999999999999999999", "dag=0001-01-01"]
)
def test_a_day_that_cannot_be_read_shows_today(agreement, client, owner, query):
    client.force_login(owner)

    response = client.get(f"/avtal/{agreement.pk}/om-det-upphor/?{query}")

    assert response.status_code == 200
    assert response.context["received_on"] == today()


def test_a_draft_says_that_there_is_nothing_to_lose(area, home, neighbour, client, owner):
    made = draft(area, [home, neighbour], owner, programme=building())
    client.force_login(administrator_of(home))

    response = client.get(f"/avtal/{made.pk}/om-det-upphor/")

    assert response.status_code == 200
    assert response.context["why_not"]


@pytest.mark.parametrize("number", [1, 3])
def test_what_would_be_lost_costs_the_same_however_much_there_is(
    django_assert_num_queries, area, home, neighbour, client, owner, asker, number
):
    from agreements.operations import NewTerm, consequences_of_notice, losses_of
    from tests.factories import ProgrammeFactory

    terms = [NewTerm(home, neighbour, ProgrammeFactory()) for _nth in range(number)]
    made = signed(draft(area, [home, neighbour], owner, terms=terms))
    owner.bodies_today()

    with django_assert_num_queries(12):
        assert len(losses_of(consequences_of_notice(made, home, today()), owner)) == number
