"""What watches the portal is told the truth, whoever asks."""

from datetime import timedelta

import pytest

from collab4m.clock import now
from records.models import Pulse

pytestmark = pytest.mark.django_db


@pytest.fixture
def alive():
    return [Pulse.objects.create(name=name) for name in ("worker", "beat", "queue")]


def test_healthz_asks_nothing_of_the_database(client, django_assert_num_queries, owner):
    client.force_login(owner)

    with django_assert_num_queries(0):
        response = client.get("/healthz")

    assert (response.status_code, response.content) == (200, b"ok")


def test_readyz_is_200_when_every_part_lives(client, alive):
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.content.decode().splitlines() == [
        "ok  database: answers",
        "ok  migrations: all applied",
        "ok  worker: alive",
        "ok  beat: alive",
        "ok  queue: alive",
    ]


@pytest.mark.parametrize("part", ["worker", "beat", "queue"])
def test_readyz_says_who_is_ill_and_since_when(client, alive, part):
    since = now() - timedelta(minutes=10)
    Pulse.objects.filter(name=part).update(at=since)

    response = client.get("/readyz", headers={"Accept": "application/json"})

    assert response.status_code == 503
    assert response.json()["ready"] is False
    assert [name for name, state in response.json()["parts"].items() if not state["well"]] == [part]
    assert response.json()["parts"][part]["detail"] == f"no sign of life since {since.isoformat(timespec='seconds')}"


def test_readyz_before_the_first_sign_of_life(client):
    assert "ILL worker: no sign of life yet" in client.get("/readyz").content.decode()
