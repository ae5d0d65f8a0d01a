"""Asking for what others share."""

import pytest

from resources.operations import request_booking


@pytest.fixture
def ask(home, owner):
    """Home asks for a resource; somebody else does when `by` and `on_behalf_of` say so."""

    def made(resource, starts_at, ends_at, **more):
        what = {"purpose": "Studiebesök", "by": owner, "on_behalf_of": home.body} | more
        return request_booking(resource, starts_at=starts_at, ends_at=ends_at, **what)

    return made
