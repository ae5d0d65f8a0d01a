"""A program that speaks for a person, and asks for the neighbour's van."""

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


@pytest.fixture
def speak(program, owner):
    """Speaks as a program for somebody: `speak("post", "bookings/", {...}, by=asker)`."""
    clients = {}

    def send(method, address, body=None, *, by=owner, **headers):
        client = clients.setdefault(by.pk, program(by, may_write=True))
        return getattr(client, method)(f"/api/v1/{address}", body, content_type="application/json", headers=headers)

    return send


@pytest.fixture
def ask(speak, van, owner, at):
    def send(starts_at=None, ends_at=None, *, by=owner, headers=None, **more):
        said = {
            "resource": van.pk, "starts_at": (starts_at or at(9)).isoformat(),
            "ends_at": (ends_at or at(11)).isoformat(), "purpose": "Studiebesök", **more,
        }  # fmt: skip
        return speak("post", "bookings/", said, by=by, **(headers or {}))

    return send
