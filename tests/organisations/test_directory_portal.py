"""What the directory shows on the start page, in search, in the menu and in the admin."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.utils.translation import override

from collab4m.clock import today
from collab4m.school_year import SchoolYear
from organisations import portal
from organisations.models import Contact, ContactPurpose, GlossaryEntry, SchoolBreak, Semester, SemesterKind
from records.admin import ReadOnly
from records.models import span
from tests.factories import BoardFactory, MunicipalityFactory, SchoolFactory, SiteFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english():
    with override("en"):
        yield


def found(user, words):
    return [(hit.kind, hit.title) for hit in portal.search(user, words)]


def test_search_finds_parts_of_compounds(owner):
    GlossaryEntry.objects.create(name="körjournal", name_en="vehicle log", meaning="Anteckningar om resor.")

    assert found(owner, "journal") == [("Glossary", "Körjournal")]


def test_search_finds_misspellings(owner, neighbour):
    assert found(owner, "Vesterås") == [("Municipalities", "Västerås")]
    assert found(owner, "vasteras") == [("Municipalities", "Västerås")]


def test_search_puts_municipalities_of_ones_own_area_first(owner, neighbour):
    MunicipalityFactory(name="Västervik")
    neighbour.name = "Västerås stift"
    neighbour.save()

    assert [title for _kind, title in found(owner, "väster")] == ["Västerås stift", "Västervik"]


def test_search_finds_areas_schools_boards_and_sites_with_their_municipality(owner, home):
    SchoolFactory(name="Målargymnasiet", municipality=home)
    BoardFactory(name="målarnämnden", municipality=home)
    SiteFactory(name="Målarplatsen", municipality=home)

    assert found(owner, "målar") == [
        ("Cooperation areas", "Fyra Mälarstäder"),
        ("Schools", "Målargymnasiet, Enköping"),
        ("Boards", "Målarnämnden, Enköping"),
        ("Sites", "Målarplatsen, Enköping"),
    ]


def test_search_shows_at_most_fifty_of_a_kind(owner, home):
    for number in range(51):
        SchoolFactory(name=f"Målargymnasiet {number}", municipality=home)

    assert len(found(owner, "målargymnasiet")) == 50


@pytest.mark.parametrize("words", ["%", "_", "'", '"', "\\", "ö" * 100, "a b c"])
def test_search_stands_any_words(owner, words):
    found(owner, words)


def test_an_administrator_is_asked_for_contacts_that_are_missing(owner, home):
    Contact.objects.create(municipality=home, purpose=ContactPurpose.COOKIES, owner="Nämnden", phone="0171-1")
    Contact.objects.create(municipality=home, purpose=ContactPurpose.ACCESSIBILITY, owner="Nämnden")

    todos = portal.start_cards(owner).todos

    assert [(todo.title, todo.why, todo.for_body) for todo in todos] == [
        ("Fill in who answers in Enköping", "The public pages lack: accessibility, personal data.", "Enköping")
    ]


def test_nobody_else_is_asked_for_contacts(principal, committee, council_member, system_administrator):
    for user in (principal, committee, council_member, system_administrator):
        assert portal.start_cards(user).todos == []


def test_start_shows_the_coming_days_of_ones_own_municipalities(owner, principal, asker, home):
    year = SchoolYear.of(today())
    soon, later = today() + timedelta(days=3), today() + timedelta(days=10)
    Semester.objects.create(
        municipality=home, school_year=year, kind=SemesterKind.SPRING, valid=span(today() - timedelta(days=9), later)
    )
    SchoolBreak.objects.create(municipality=home, school_year=year, name="sportlov", valid=span(soon, later))
    SchoolBreak.objects.create(
        municipality=home, school_year=year + 1, name="lov", valid=span(today() + timedelta(days=400), None)
    )

    for user in (owner, principal):
        assert [(one.day, one.title, one.place) for one in portal.start_cards(user).dates] == [
            (soon, "Sportlov begins", "Enköping"),
            (later, "The spring semester ends", "Enköping"),
        ]
    assert portal.start_cards(asker).dates == []


def test_menu_leads_to_ones_own_area_and_to_what_one_may(owner, council_member, roleless, system_administrator):
    users = (owner, council_member, roleless, system_administrator)
    menus = {user: [(item.label, item.url) for item in portal.nav(user)] for user in users}

    assert menus == {
        owner: [("Area", "/omraden/4m/"), ("People", "/personer/")],
        council_member: [("Area", "/omraden/4m/")],
        roleless: [("Area", "/omraden/")],
        system_administrator: [("Area", "/omraden/"), ("People", "/personer/"), ("Registers", "/admin/")],
    }


def test_the_admin_changes_nothing(client, system_administrator, owner, school):
    client.force_login(system_administrator)
    mine = [one for model, one in admin.site._registry.items() if model._meta.app_label == "organisations"]

    assert all(isinstance(one, ReadOnly) for one in mine)
    assert client.get("/admin/organisations/school/").status_code == 200
    assert client.get(f"/admin/organisations/school/{school.pk}/change/").status_code == 200
    assert client.post(f"/admin/organisations/school/{school.pk}/change/", {"name": "Ny"}).status_code == 403
    assert client.get("/admin/organisations/school/add/").status_code == 403
    assert client.post(f"/admin/organisations/school/{school.pk}/delete/", {"post": "yes"}).status_code == 403
    assert owner.password not in client.get(f"/admin/organisations/user/{owner.pk}/change/").content.decode()


@pytest.mark.parametrize("model", [model for model in admin.site._registry if model._meta.app_label == "organisations"])
def test_every_list_of_the_admin_opens(client, system_administrator, home, school, model):
    client.force_login(system_administrator)

    assert client.get(f"/admin/organisations/{model._meta.model_name}/").status_code == 200
