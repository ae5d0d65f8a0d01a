"""The demonstration as a whole: what the commands say, that it troubles nobody, and that it goes without a trace."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from organisations.models import Municipality, RoleKind
from organisations.operations import load_reference as load_directory
from records import storage
from records.models import Attachment, Outgoing
from tests.factories import RoleFactory
from tests.organisations.test_demo import everything

pytestmark = pytest.mark.django_db


@pytest.fixture
def reference(db):
    call_command("load_reference")


def test_the_commands_say_what_they_did(reference, capsys):
    capsys.readouterr()
    call_command("load_demo")
    call_command("load_demo")
    call_command("remove_demo")

    assert capsys.readouterr().out.splitlines() == [
        "18 people for trying the portal were added.",
        "19 schools' offer was reported as an example.",
        "4 agreements were made as examples.",
        "18 resources were shared as examples.",
        "4 texts of a report were written as examples.",
        "0 people for trying the portal were added.",
        "0 schools' offer was reported as an example.",
        "0 agreements were made as examples.",
        "0 resources were shared as examples.",
        "0 texts of a report were written as examples.",
        "18 people for trying the portal were removed, with everything they did.",
    ]


def test_real_officials_get_no_mail_about_examples(reference):
    for municipality in Municipality.objects.filter(code__in=["0381", "1980", "0484", "0486"]):
        RoleFactory(kind=RoleKind.ADMINISTRATOR, body=municipality.body)

    call_command("load_demo")

    for app in ("agreements", "resources"):
        mails = Outgoing.objects.filter(kind__startswith=f"{app}.")
        assert not mails.filter(user__example=False).exists()
        assert mails.exists()


def test_remove_demo_leaves_everything_as_it_was(reference, django_capture_on_commit_callbacks):
    before = everything()
    call_command("load_demo")
    kept = list(Attachment.objects.values_list("sha256", flat=True))
    assert all(storage.is_kept(one) for one in kept)

    with django_capture_on_commit_callbacks(execute=True):
        call_command("remove_demo")

    assert everything() == before
    assert not any(Path(storage.path_of(one)).exists() for one in kept)


def test_load_demo_needs_the_catalogue_and_leaves_nothing_without_it(db):
    load_directory()
    before = everything()

    with pytest.raises(CommandError, match="load_reference"):
        call_command("load_demo")

    assert everything() == before
