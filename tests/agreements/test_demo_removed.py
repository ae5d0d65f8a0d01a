"""The demonstration's agreements go without a trace, and trouble nobody while they are there."""

from pathlib import Path

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
from records import storage
from records.models import Attachment, Outgoing
from tests.factories import RoleFactory
from tests.organisations.test_demo import everything, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def reference(db):
    call_command("load_reference")


def test_real_officials_get_no_mail_about_examples(reference):
    for municipality in Municipality.objects.filter(code__in=["0381", "1980"]):
        RoleFactory(kind=RoleKind.ADMINISTRATOR, body=municipality.body)

    call_command("load_demo")

    assert not Outgoing.objects.filter(kind__startswith="agreements.", user__example=False).exists()
    assert Outgoing.objects.filter(kind__startswith="agreements.").exists()


def test_remove_demo_leaves_everything_as_it_was(reference, django_capture_on_commit_callbacks):
    before = everything()
    call_command("load_demo")
    kept = list(Attachment.objects.values_list("sha256", flat=True))
    assert all(storage.is_kept(one) for one in kept)

    with django_capture_on_commit_callbacks(execute=True):
        call_command("remove_demo")

    assert everything() == before
    assert not any(Path(storage.path_of(one)).exists() for one in kept)


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
