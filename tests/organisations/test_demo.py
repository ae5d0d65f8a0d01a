"""The demonstration: complete, loaded as often as one likes, and gone without a trace."""

from collections import Counter

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.test import Client

from collab4m.clock import today
from collab4m.school_year import SchoolYear
from organisations.demo import load_demo, remove_demo
from organisations.models import (
    Board,
    CollaborationArea,
    Contact,
    Membership,
    Municipality,
    Role,
    RoleKind,
    School,
    SchoolBreak,
    Semester,
    User,
)
from organisations.operations import (
    change_board,
    change_contact,
    create_area,
    create_board,
    create_school,
    end_membership,
    invite_person,
    load_reference,
)
from records.models import Correction, Event, Question
from records.operations import save_part
from tests.factories import PartFactory, RoleFactory

pytestmark = pytest.mark.django_db

TOWNS = ("vasteras", "eskilstuna", "enkoping", "strangnas")


@pytest.fixture
def reference(db):
    load_reference()


@pytest.fixture
def demo(reference):
    load_demo()


def everything():
    """Every row of every table, by table."""
    return {
        model._meta.label: sorted(map(repr, model._default_manager.values_list()))
        for model in apps.get_models()
        if model is not ContentType
    }


def person(who):
    return User.objects.get(email=f"{who}@demo.example")


def test_load_demo_brings_the_people_of_the_demonstration(demo):
    expected = {
        f"{who}.{town}@demo.example" for who in ("handlaggare", "rektor", "programrad", "namnd") for town in TOWNS
    }

    assert set(User.objects.values_list("email", flat=True)) == expected | {
        "system@demo.example",
        "handlaggare.tvakommuner@demo.example",
    }
    assert set(User.objects.values_list("example", flat=True)) == {True}
    assert set(EmailAddress.objects.values_list("verified", "primary")) == {(True, True)}
    assert EmailAddress.objects.count() == User.objects.count()


def test_the_people_have_the_roles_of_their_names(demo):
    roles = {
        who: [(role.kind, str(role.body or role.area or "")) for role in person(who).roles_today]
        for who in ("handlaggare.enkoping", "rektor.enkoping", "programrad.enkoping", "namnd.enkoping", "system")
    }

    assert roles == {
        "handlaggare.enkoping": [(RoleKind.ADMINISTRATOR, "Enköping")],
        "rektor.enkoping": [(RoleKind.PRINCIPAL, "Westerlundska gymnasiet")],
        "programrad.enkoping": [(RoleKind.COUNCIL_MEMBER, "Fyra Mälarstäder")],
        "namnd.enkoping": [(RoleKind.COMMITTEE, "Enköping")],
        "system": [(RoleKind.SYSTEM_ADMINISTRATOR, "")],
    }
    assert [str(role.body) for role in person("handlaggare.tvakommuner").roles_today] == ["Enköping", "Västerås"]
    assert set(Role.objects.values_list("example", flat=True)) == {True}


@pytest.mark.parametrize("who", ["handlaggare.vasteras", "system", "programrad.strangnas"])
def test_they_log_in_with_the_demonstrations_password(demo, settings, who):
    client = Client()

    response = client.post("/konto/login/", {"login": f"{who}@demo.example", "password": settings.DEMO_PASSWORD})

    assert response.status_code == 302
    assert client.get("/").status_code == 200


def test_the_examples_are_marked(demo):
    assert Contact.objects.filter(example=True).count() == 12
    assert all(contact.is_complete for contact in Contact.objects.all())
    years = {SchoolYear(2022), SchoolYear.of(today()), SchoolYear.of(today()) + 1}
    assert set(Semester.objects.values_list("school_year", flat=True)) == years
    assert Counter(Semester.objects.values_list("example", flat=True)) == {True: 8 * len(years)}
    assert Counter(SchoolBreak.objects.values_list("example", flat=True)) == {True: 12 * len(years)}


def test_neighbours_have_talked_through_the_real_operations(demo):
    assert Question.objects.count() == 5
    assert Question.objects.exclude(answered_at=None).count() == 1
    assert Correction.objects.waiting().count() == 1
    assert set(Event.objects.values_list("name", flat=True)) >= {"question.asked", "question.answered", "role.given"}


def test_load_demo_a_second_time_adds_nothing(demo):
    before = everything()

    assert load_demo() == 0

    assert everything() == before


def test_load_demo_leaves_what_a_municipality_has_stated(reference):
    home = Municipality.objects.get(code="0381")
    Contact.objects.create(municipality=home, purpose="cookies", owner="Kultur- och fritidsnämnden")

    load_demo()

    assert Contact.objects.get(municipality=home, purpose="cookies").owner == "Kultur- och fritidsnämnden"


def test_load_demo_needs_the_reference_facts(db):
    with pytest.raises(CommandError, match="load_reference"):
        call_command("load_demo")

    assert not User.objects.exists()


def test_remove_demo_leaves_everything_as_it_was(reference):
    before = everything()
    load_demo()

    assert remove_demo() == 18

    assert everything() == before


def test_remove_demo_takes_away_what_the_people_did(reference):
    before = everything()
    load_demo()
    system, official = person("system"), person("handlaggare.enkoping")
    home = Municipality.objects.get(code="0381")
    create_area(name="Mittland", short_name="ML", slug="mittland", by=system)
    create_school(municipality=home, name="Nya gymnasiet", by=system)
    create_board(municipality=home, name="skolnämnden", by=system)
    invite_person(email="ny@enkoping.example", name="Ny", kind="committee", body=home.body, by=system)
    change_contact(home, "cookies", owner="Nämnden", email="webb@enkoping.example", by=official, on_behalf_of=home.body)
    board = Board.objects.get(reference_key="enkoping-uan")
    change_board(board, administration="skolförvaltningen", by=official, on_behalf_of=home.body)
    end_membership(Membership.objects.get(municipality=home), last_day=today(), by=system)
    client = Client()
    client.force_login(official)
    client.get("/")

    remove_demo()

    assert everything() == before


def test_remove_demo_leaves_real_people_and_what_they_did(reference):
    real = RoleFactory(kind=RoleKind.SYSTEM_ADMINISTRATOR).user
    create_area(name="Mittland", short_name="ML", slug="mittland", by=real)
    change_board(Board.objects.get(reference_key="enkoping-uan"), administration="skolförvaltningen", by=real)
    before = everything()
    load_demo()

    remove_demo()

    assert everything() == before


def test_a_real_role_at_an_example_school_goes_with_the_school(demo):
    school = create_school(municipality=Municipality.objects.get(code="0381"), name="Nya", by=person("system"))
    real = RoleFactory(kind=RoleKind.PRINCIPAL, body=school.body).user

    remove_demo()

    assert list(User.objects.all()) == [real]
    assert not real.roles.exists()
    assert not School.objects.filter(name="Nya").exists()


def test_the_area_is_found_whatever_it_is_called(reference):
    CollaborationArea.objects.update(name="Mälarsamverkan", slug="malaren")

    load_demo()

    assert person("programrad.enkoping").roles_today[0].area.name == "Mälarsamverkan"


def test_remove_demo_leaves_in_texts_what_others_wrote(demo):
    area = CollaborationArea.objects.get()
    demo_person = User.objects.get(email="handlaggare.enkoping@demo.example")
    body = demo_person.roles.get().body
    somebody = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=body).user
    both, alone = PartFactory(subject__area=area), PartFactory(subject__area=area)
    save_part(both, text="Först", base_version=0, by=somebody, on_behalf_of=body)
    for part in (both, alone):
        save_part(part, text="Till prov", base_version=1 if part == both else 0, by=demo_person, on_behalf_of=body)

    remove_demo()

    for part in (both, alone):
        part.refresh_from_db()
    assert (both.text, both.version, both.last_by) == ("Först", 1, somebody)
    assert (alone.text, alone.version, alone.last_by) == ("", 0, None)
