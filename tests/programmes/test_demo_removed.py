"""The demonstration's offer: it leaves alone what people have reported, and goes without a trace."""

import pytest
from django.core.management import call_command

from collab4m.school_year import SchoolYear
from organisations.demo import load_demo as load_people
from organisations.models import Municipality, Provider, ProviderKind, RoleKind, School
from organisations.operations import create_school
from programmes.demo import load_demo
from programmes.models import (
    OfferingReport,
    Programme,
)
from programmes.operations import (
    Intake,
    report_flow,
    report_offering,
)
from records.models import Outgoing
from records.operations import ask_question
from tests.factories import RoleFactory
from tests.organisations.test_demo import everything, person

pytestmark = pytest.mark.django_db

YEAR = SchoolYear(2022)


@pytest.fixture
def reference(db):
    call_command("load_reference")


def test_load_demo_leaves_what_people_have_reported(reference):
    load_people()
    home = Municipality.objects.get(code="0381")
    school = School.objects.get(reference_key="westerlundska")
    real = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body).user
    acting = {"by": real, "on_behalf_of": home.body}
    rows = [Intake(Programme.objects.get(code="NB").pk, seats=16)]
    report = report_offering(school, YEAR, rows, complete=False, **acting)
    flow = report_flow(
        home=home, provider_municipality=home, programme=Programme.objects.get(code="BA"), school_year=YEAR,
        semester="HT", pupils=7, **acting,
    )  # fmt: skip

    load_demo()

    assert list(report.offerings.values_list("programme__code", "seats")) == [("NB", 16)]
    flow.refresh_from_db()
    assert (flow.pupils, flow.example) == (7, False)


def test_load_demo_sends_no_mail(reference):
    load_people()
    before = Outgoing.objects.count()

    load_demo()

    assert Outgoing.objects.count() == before


def test_remove_demo_takes_what_real_people_reported_and_asked_about_examples(reference):
    home = Municipality.objects.get(code="0381")
    real = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body).user
    asker = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=Municipality.objects.get(code="0486").body).user
    before = everything()
    call_command("load_demo")
    provider = Provider.objects.create(name="Exempelhuvudman", kind=ProviderKind.INDEPENDENT, example=True)
    school = create_school(municipality=home, name="Nya gymnasiet", by=person("system"))
    School.objects.filter(pk=school.pk).update(provider=provider)
    school.refresh_from_db()
    rows = [Intake(Programme.objects.get(code="NB").pk, seats=16)]
    report_offering(school, YEAR, rows, complete=True, by=real, on_behalf_of=home.body)
    report = OfferingReport.objects.get(school__reference_key="westerlundska", school_year=YEAR)
    strangnas = Municipality.objects.get(code="0486")
    ask_question(
        report, to_body=home.body, title="Stämmer det?", text="Vi undrar.", by=asker, on_behalf_of=strangnas.body
    )

    call_command("remove_demo")

    after = everything()
    mail = ("records.Outgoing",)
    assert {label: rows for label, rows in after.items() if label not in mail} == {
        label: rows for label, rows in before.items() if label not in mail
    }
