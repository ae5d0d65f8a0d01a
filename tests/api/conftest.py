"""A program that speaks for a person."""

import pytest
from django.test import Client

from organisations.operations import create_token


@pytest.fixture
def program():
    """A client with a fresh key of the person's; `may_write=True` for a key that may write."""

    def of(user, **chosen):
        _token, secret = create_token(user, name="Test", by=user, **chosen)
        return Client(headers={"Authorization": f"Bearer {secret}"})

    return of


@pytest.fixture
def reader(program, owner):
    return program(owner)


@pytest.fixture
def writer(program, system_administrator):
    return program(system_administrator, may_write=True)
