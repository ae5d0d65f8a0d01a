"""What resources are tried on: a van of the neighbour's that is lent at once, days to come, and asking for it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from collab4m.clock import now
from resources.operations import request_booking
from tests.factories import CategoryFactory, ResourceFactory


@pytest.fixture
def at():
    """A moment a week from now, at an hour of a day: at(9), at(9, day=1)."""
    midnight = timezone.localtime(now()).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=7)

    def moment(hour, *, day=0, minute=0):
        return midnight + timedelta(days=day, hours=hour, minutes=minute)

    return moment


@pytest.fixture
def buses(db):
    return CategoryFactory(name_sv="Minibuss", slug="minibuss")


@pytest.fixture
def van(neighbour, buses, asker, owner):
    return ResourceFactory(name="Minibuss A", municipality=neighbour, category=buses, capacity=9)


@pytest.fixture
def ask(home, owner):
    """Home asks for a resource; somebody else does when `by` and `on_behalf_of` say so."""

    def made(resource, starts_at, ends_at, **more):
        what = {"purpose": "Studiebesök", "by": owner, "on_behalf_of": home.body} | more
        return request_booking(resource, starts_at=starts_at, ends_at=ends_at, **what)

    return made
