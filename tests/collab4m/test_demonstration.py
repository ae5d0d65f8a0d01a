"""The demonstration as a whole: what the commands say, that it troubles nobody, and that it goes without a trace."""

from datetime import time, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from collab4m.clock import today
from organisations.models import Municipality, RoleKind, User
from organisations.operations import load_reference as load_directory
from records import storage
from records.models import Attachment, Outgoing
from resources.models import Approval, Category, Picture, Resource, UnmetNeed
from resources.operations import (
    Pattern,
    add_picture,
    approve_booking,
    block_resource,
    cancel_booking,
    local,
    make_feed,
    name_deputy,
    request_booking,
    request_series,
    wait_for,
)
from tests.factories import ResourceFactory, RoleFactory
from tests.organisations.test_demo import everything
from tests.resources.painted import painted

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


@pytest.fixture
def enkoping(reference):
    return Municipality.objects.get(name="Enköping")


@pytest.fixture
def real(enkoping):
    """An official of flesh and blood, in a municipality where the demonstration has one too."""
    return RoleFactory(kind=RoleKind.ADMINISTRATOR, body=enkoping.body).user


@pytest.fixture
def van(enkoping, real):
    """A van that is really shared, where the owner decides."""
    category = Category.objects.get(slug="minibuss")
    return ResourceFactory(name="Skåpbil", municipality=enkoping, category=category, approval=Approval.BY_OWNER)


@pytest.fixture
def colleague(reference):
    return RoleFactory(kind=RoleKind.ADMINISTRATOR, body=Municipality.objects.get(name="Västerås").body).user


def without_mail(tables):
    """Real people keep what was written to them."""
    return {name: rows for name, rows in tables.items() if name != "records.Outgoing"}


def test_remove_demo_takes_what_its_people_did_with_resources_by_hand(
    client, van, real, colleague, enkoping, django_capture_on_commit_callbacks
):
    before = everything()
    call_command("load_demo")
    ours, theirs = (User.objects.get(email=f"handlaggare.{town}@demo.example") for town in ("enkoping", "vasteras"))
    acting = {"by": ours, "on_behalf_of": enkoping.body}
    asking = {"by": theirs, "on_behalf_of": Municipality.objects.get(name="Västerås").body}
    bus = Resource.objects.get(name="Minibuss A (exempel)")  # never closed
    day = today() + timedelta(days=30)

    def hours(first, last, days=0):
        on = day + timedelta(days=days)
        return {"starts_at": local(on, time(first)), "ends_at": local(on, time(last))}

    client.force_login(theirs)
    assert client.get("/resurser/?platser=900").context["is_kept"]
    approve_booking(request_booking(van, **hours(9, 12), purpose="Till prov", **asking), **acting)
    wait_for(van, **hours(9, 11), purpose="Till prov", **acting)
    request_booking(bus, **hours(9, 12), purpose="Till prov", **asking)
    wait_for(bus, **hours(9, 11), purpose="Till prov", by=real, on_behalf_of=enkoping.body)
    pattern = Pattern(day + timedelta(days=1), day + timedelta(days=15), time(13), 60)
    _series, dates = request_series(van, pattern, purpose="Till prov", **asking)
    cancel_booking(dates[-1], **asking)
    block_resource(van, **hours(9, 12, days=40), reason="Till prov", seen=set(), **acting)
    add_picture(van, data=painted(), alt="Till prov", **acting)
    stranger = User.objects.get(email="handlaggare.strangnas@demo.example")
    add_picture(bus, data=painted((20, 30)), alt="Till prov", by=stranger, on_behalf_of=bus.owner)
    name_deputy(enkoping.body, user=colleague, first_day=today(), last_day=day, **acting)
    make_feed("person", by=ours)
    make_feed("resource", by=real, resource=bus)
    kept = list(Picture.objects.values_list("sha256", flat=True))

    with django_capture_on_commit_callbacks(execute=True):
        call_command("remove_demo")

    assert without_mail(everything()) == without_mail(before)
    assert not any(Path(storage.path_of(one)).exists() for one in kept)


def test_remove_demo_keeps_what_others_sought_in_vain(client, real):
    call_command("load_demo")
    for reader in (User.objects.get(email="handlaggare.enkoping@demo.example"), real):
        client.force_login(reader)
        client.get("/resurser/?platser=900")

    call_command("remove_demo")

    assert [(row.sought, row.example) for row in UnmetNeed.objects.all()] == [({"capacity": 900}, False)]


def test_load_demo_needs_the_catalogue_and_leaves_nothing_without_it(db):
    load_directory()
    before = everything()

    with pytest.raises(CommandError, match="load_reference"):
        call_command("load_demo")

    assert everything() == before
