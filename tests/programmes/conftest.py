"""The catalogue as it comes with the portal, for tests that need real programmes and schools."""

import pytest

from organisations.models import Municipality, RoleKind, User
from organisations.operations import load_reference as load_organisations
from programmes.models import Programme
from programmes.operations import load_reference as load_programmes
from tests.factories import RoleFactory


@pytest.fixture
def catalogue(db) -> dict[str, Programme]:
    """The reference facts of both apps; the programmes by code."""
    load_organisations(history=False)
    load_programmes(history=False)
    return {programme.code: programme for programme in Programme.objects.all()}


@pytest.fixture
def enkoping(catalogue) -> Municipality:
    """The municipality of `reporter`, with the schools that it has."""
    return Municipality.objects.get(code="0381")


@pytest.fixture
def vasteras(catalogue) -> Municipality:
    """A neighbour of `enkoping`, of which `neighbour_reporter` is administrator."""
    return Municipality.objects.get(code="1980")


@pytest.fixture
def reporter(enkoping) -> User:
    return RoleFactory(kind=RoleKind.ADMINISTRATOR, body=enkoping.body).user


@pytest.fixture
def neighbour_reporter(vasteras) -> User:
    return RoleFactory(kind=RoleKind.ADMINISTRATOR, body=vasteras.body).user
