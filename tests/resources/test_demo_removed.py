"""The demonstration's resources go, with what people did with them."""

from datetime import time, timedelta

import pytest
from django.core.management import call_command

from collab4m.clock import now, today
from organisations.models import Municipality, RoleKind
from resources.models import Claim, Resource, Takes, Unit
from resources.operations import local, remove_unit, request_booking, span_of
from tests.factories import RoleFactory
from tests.organisations.test_demo import everything

pytestmark = pytest.mark.django_db


@pytest.fixture
def reference(db):
    call_command("load_reference")


def test_remove_demo_takes_what_people_asked_for_and_shared(reference):
    municipality = Municipality.objects.get(name="Enköping")
    real = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=municipality.body).user
    before = everything()
    call_command("load_demo")
    day = today() + timedelta(days=30)
    request_booking(
        Resource.objects.get(name="Minibuss A (exempel)"),
        starts_at=local(day, time(9)), ends_at=local(day, time(10)), purpose="Till prov", by=real,
        on_behalf_of=municipality.body,
    )  # fmt: skip

    call_command("remove_demo")

    assert _without_the_mail(everything()) == _without_the_mail(before)


def test_remove_demo_takes_the_pieces_that_had_been_lent_and_removed(reference):
    enkoping = Municipality.objects.get(name="Enköping").body
    administrator = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=enkoping).user
    before = everything()
    call_command("load_demo")
    unit = Claim.objects.filter(booking__isnull=False, unit__resources__takes=Takes.SOME).latest("pk").unit
    last_week = span_of(now() - timedelta(days=7), now() - timedelta(days=6))
    unit.claims.exclude(pk=unit.claims.latest("pk").pk).delete()
    unit.claims.update(during=last_week, blocked=last_week)
    remove_unit(unit, by=administrator, on_behalf_of=enkoping)
    assert Unit.objects.get(pk=unit.pk).is_retired

    call_command("remove_demo")

    assert _without_the_mail(everything()) == _without_the_mail(before)


def _without_the_mail(tables):
    return {name: rows for name, rows in tables.items() if name != "records.Outgoing"}
