"""The demonstration's agreements go, with what people did with them, and nothing else goes."""

import pytest
from django.core.management import call_command

from agreements.models import (
    Agreement,
    Clause,
    ClauseVersion,
    Notice,
)
from agreements.operations import (
    add_clause,
    agree_to_withdrawal,
    start_agreement,
)
from organisations.models import CollaborationArea, Municipality, RoleKind
from tests.factories import RoleFactory
from tests.organisations.test_demo import everything, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def reference(db):
    call_command("load_reference")


def test_remove_demo_takes_what_people_went_on_to_do(reference):
    before = everything()
    call_command("load_demo")
    official = person("handlaggare.enkoping")
    home, neighbour = (Municipality.objects.get(code=code) for code in ("0381", "1980"))
    acting = {"by": official, "on_behalf_of": home.body}
    start_agreement(area=CollaborationArea.objects.get(), title="Till prov", municipalities=[home, neighbour], **acting)
    add_clause(CollaborationArea.objects.get(), section="syfte", name="Till prov", text="Text.", **acting)
    notice = Notice.objects.get()
    party = notice.agreement.parties.get(municipality=neighbour)
    agree_to_withdrawal(notice, party, by=person("handlaggare.vasteras"), on_behalf_of=neighbour.body)

    call_command("remove_demo")

    assert everything() == before


def test_remove_demo_leaves_real_agreements_and_their_numbers(reference):
    home, neighbour = (Municipality.objects.get(code=code) for code in ("0381", "1980"))
    real = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body).user
    area = CollaborationArea.objects.get()
    acting = {"by": real, "on_behalf_of": home.body}
    first = start_agreement(area=area, title="Vårt", municipalities=[home, neighbour], **acting)
    call_command("load_demo")

    call_command("remove_demo")

    assert list(Agreement.objects.all()) == [first]
    following = start_agreement(area=area, title="Nästa", municipalities=[home, neighbour], **acting)
    assert (first.sequence, following.sequence) == (1, 2)
    assert not ClauseVersion.objects.filter(by=None).exclude(clause__in=Clause.objects.all()).exists()
