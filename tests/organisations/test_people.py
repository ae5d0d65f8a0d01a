"""Who sees which people, and how one finds them."""

from datetime import date

import pytest

from organisations.models import Role, RoleKind, User
from organisations.operations import change_preferences, give_role
from records.models import span
from tests.factories import ProviderFactory, RoleFactory, SchoolFactory, UserFactory


@pytest.fixture
def own_school(home):
    """A school that `home` runs itself."""
    return SchoolFactory(municipality=home, provider=ProviderFactory(municipality=home))


def names(response):
    return [person.name for person in response.context["page"]]


def test_visible_people_are_oneself_and_colleagues_of_today(owner, home, own_school, asker, two_homes, outsider):
    principal = RoleFactory(kind=RoleKind.PRINCIPAL, body=own_school.body).user
    RoleFactory(kind=RoleKind.COMMITTEE, body=home.body, valid=span(date(2020, 1, 1), date(2021, 1, 1)))

    assert set(User.objects.visible_to(owner)) == {owner, two_homes, principal}
    assert set(User.objects.visible_to(principal)) == {principal}


def test_visible_people_are_all_for_the_system_administrator(system_administrator, owner, outsider, roleless):
    assert User.objects.visible_to(system_administrator).count() == 4


def test_visible_roles_and_people_agree(owner, own_school, asker):
    principal = RoleFactory(kind=RoleKind.PRINCIPAL, body=own_school.body)

    assert set(Role.objects.visible_to(owner).values_list("user", flat=True)) == {owner.pk, principal.user_id}
    assert set(Role.objects.visible_to(asker)) == set(asker.roles.all())


def test_people_are_listed_in_swedish_order(client, system_administrator):
    for name in ("Örjan", "Åsa", "Ärla", "zorn", "Anna"):
        UserFactory(name=name)
    client.force_login(system_administrator)

    listed = names(client.get("/personer/"))

    assert [name for name in listed if not name.startswith("Handläggare")] == ["Anna", "zorn", "Åsa", "Ärla", "Örjan"]


def test_people_can_be_searched_and_narrowed(client, system_administrator, home, school, neighbour):
    anna = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body, user__name="Anna Öberg").user
    bo = RoleFactory(kind=RoleKind.PRINCIPAL, body=school.body, user__name="Bo Ek").user
    RoleFactory(kind=RoleKind.COMMITTEE, body=neighbour.body, user__name="Cia Alm")
    client.force_login(system_administrator)

    assert names(client.get("/personer/", {"q": "oberg"})) == [anna.name]
    assert names(client.get("/personer/", {"kommun": home.pk})) == [anna.name, bo.name]
    assert names(client.get("/personer/", {"kommun": home.pk, "roll": "principal"})) == [bo.name]
    assert names(client.get("/personer/", {"q": "finns inte alls"})) == []


@pytest.mark.parametrize(
    "query", ["kommun=9" * 9, "kommun=x", "roll=x", "sida=x", "sida=999999999999999999999", "q=" + "x" * 200]
)
def test_people_answers_odd_addresses(client, system_administrator, query):
    client.force_login(system_administrator)

    assert client.get(f"/personer/?{query}").status_code == 200


@pytest.mark.parametrize("rows", [1, 3])
def test_people_costs_the_same_for_any_number(client, system_administrator, home, rows, django_assert_num_queries):
    for _ in range(rows):
        RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body)
    client.force_login(system_administrator)
    client.get("/personer/")

    with django_assert_num_queries(QUERIES_OF_THE_LIST):
        client.get("/personer/")


QUERIES_OF_THE_LIST = 10


def test_people_of_a_municipality_see_no_others(client, owner, two_homes, outsider):
    client.force_login(owner)

    assert set(names(client.get("/personer/"))) == {owner.name, two_homes.name}


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("system_administrator", 200),
        ("owner", 200),
        ("two_homes", 200),
        ("asker", 404),
        ("committee", 404),
        ("principal", 404),
    ],
)
def test_person_is_for_colleagues_who_administer(client, request, owner, who, status):
    client.force_login(request.getfixturevalue(who))

    assert client.get(f"/personer/{owner.pk}/").status_code == status


def test_person_shows_roles_of_now_and_before(client, owner, home, system_administrator):
    RoleFactory(user=owner, kind=RoleKind.COMMITTEE, body=home.body, valid=span(date(2020, 1, 1), date(2021, 1, 1)))
    client.force_login(system_administrator)

    context = client.get(f"/personer/{owner.pk}/").context

    assert [role.kind for role in context["roles"]] == ["administrator"]
    assert [role.kind for role in context["past_roles"]] == ["committee"]


def test_history_of_a_person_shows_a_colleague_only_what_concerns_their_own_municipality(
    client, owner, home, neighbour, system_administrator
):
    someone = UserFactory()
    for municipality in (home, neighbour):
        give_role(someone, kind=RoleKind.ADMINISTRATOR, body=municipality.body, by=system_administrator)
    change_preferences(someone, mail_rhythm="weekly")

    def told(reader):
        client.force_login(reader)
        days = client.get(f"/historik/organisations/user/{someone.pk}/").context["days"]
        return sorted((line.event.name, line.event.data.get("scope", "")) for _day, lines in days for line in lines)

    everything = [("person.preferences_changed", ""), ("role.given", "Enköping"), ("role.given", "Västerås")]
    assert told(owner) == [("role.given", "Enköping")]
    assert told(someone) == everything
    assert told(system_administrator) == everything
