"""Twenty people at once for one thing, over HTTP, against four web processes: one gets it, the rest a way out."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from http.cookies import SimpleCookie
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.live.conftest import Portal, eventually

STOCKHOLM = ZoneInfo("Europe/Stockholm")
PEOPLE = [
    f"{role}.{town}@demo.example"
    for role in ("handlaggare", "rektor")
    for town in ("enkoping", "vasteras", "eskilstuna", "strangnas")
]
CLIENTS = 20
ROUNDS = 5
BROKEN = (ConnectionError, http.client.HTTPException, TimeoutError)


@dataclass
class Session:
    """Somebody who has logged in, in a browser of their own."""

    portal: Portal
    who: str
    cookie: str
    token: str

    def get(self, path: str) -> Any:
        return json.loads(self.portal.get(f"/api/v1/{path}", Cookie=self.cookie).text)

    def post(self, path: str, said: dict[str, Any], *, key: str = "") -> tuple[int, dict[str, Any]]:
        headers = {"Cookie": self.cookie, "X-CSRFToken": self.token, "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        answer = self.portal.request("POST", f"/api/v1/{path}", json.dumps(said), timeout=60, headers=headers)
        return answer.status, json.loads(answer.text)

    def post_until_answered(self, path: str, said: dict[str, Any], *, key: str) -> tuple[int, dict[str, Any]]:
        """As a client does whose connection broke: the same once more, with the same key."""
        for _attempt in range(40):
            try:
                return self.post(path, said, key=key)
            except BROKEN:
                time.sleep(0.25)
        raise AssertionError("nobody answered")


def log_in(portal: Portal, who: str) -> Session:
    answer = portal.log_in(who)
    assert answer.status == 302, answer.text[:300]
    jar: SimpleCookie = SimpleCookie()
    for line in answer.headers.get_all("Set-Cookie", []):
        jar.load(line)
    cookie = "; ".join(f"{name}={one.value}" for name, one in jar.items())
    return Session(portal, who, cookie, jar["csrftoken"].value)


def at_once(*rivals: Callable[[], Any]) -> list[Any]:
    """Start every rival at the same instant; what each answered. Nobody is left hanging."""
    gate, answers = threading.Barrier(len(rivals)), [None] * len(rivals)

    def run(place: int) -> None:
        gate.wait()
        try:
            answers[place] = rivals[place]()
        except Exception as error:
            answers[place] = error

    threads = [threading.Thread(target=run, args=(place,), daemon=True) for place in range(len(rivals))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=90)
        assert not thread.is_alive(), "a rival was never answered"
    return answers


@pytest.fixture(scope="module")
def sessions(installation: Portal) -> list[Session]:
    if not installation.process or installation.process.poll() is not None:
        installation.start()
    eventually(installation.ready, 60, installation)
    answers: list[Any] = []
    for first in range(0, CLIENTS, 5):
        people = [PEOPLE[place % len(PEOPLE)] for place in range(first, first + 5)]
        answers += at_once(*[partial(log_in, installation, who) for who in people])
    assert all(isinstance(one, Session) for one in answers), answers
    return answers


@pytest.fixture(autouse=True)
def _no_deadlock(portal: Portal) -> Iterator[None]:
    asked = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = portal.sql(asked)
    yield
    assert portal.sql(asked) == before


def of(sessions: list[Session], who: str) -> list[Session]:
    return [one for one in sessions if one.who.startswith(who)]


def named(session: Session, name: str) -> int:
    found = [
        one["id"] for one in session.get("resources/?search=exempel&page_size=200")["results"] if one["name"] == name
    ]
    assert len(found) == 1, f"the demonstration has {len(found)} of {name}"
    return int(found[0])


def free_days(session: Session, resource: int) -> Iterator[datetime]:
    """Nine o'clock on days on which it is free from then until three, the nearest first."""
    first = datetime.now(STOCKHOLM).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=10)
    said = {
        "starts_at": first.isoformat(),
        "ends_at": (first + timedelta(hours=6)).isoformat(),
        "series": {"last_day": (first.date() + timedelta(days=150)).isoformat(), "weekdays": [1, 2, 3, 4, 5]},
    }
    status, dates = session.post(f"resources/{resource}/preview/", said)
    assert status == 200, dates
    for one in dates:
        if one["state"] == "free":
            yield datetime.fromisoformat(one["starts_at"])


def wish(resource: int, day: datetime, minutes: int = 0, **more: Any) -> dict[str, Any]:
    begins = day + timedelta(minutes=minutes)
    return {
        "resource": resource, "starts_at": begins.isoformat(), "ends_at": (begins + timedelta(hours=2)).isoformat(),
        "purpose": "Studiebesök", **more,
    }  # fmt: skip


def winners(answers: list[Any]) -> list[dict[str, Any]]:
    """Those who got it. Everyone else got a 409 that names something else."""
    assert all(isinstance(answer, tuple) for answer in answers), answers
    assert {status for status, _told in answers} <= {200, 201, 409}, answers
    for status, told in answers:
        if status == 409:
            assert told["code"] in ("slot_taken", "not_awaiting_decision"), told
            assert all({"resource", "starts_at", "ends_at"} <= one.keys() for one in told["alternatives"])
            assert told["alternatives"], told
    return [told for status, told in answers if status != 409]


def test_one_of_twenty_gets_the_van(sessions):
    van = named(sessions[0], "Minibuss A (exempel)")
    days = free_days(sessions[0], van)

    for _round in range(ROUNDS):
        day = next(days)
        answers = at_once(
            *[partial(one.post, "bookings/", wish(van, day, 3 * place)) for place, one in enumerate(sessions)]
        )

        (won,) = winners(answers)
        assert (won["request_state"], won["resource"]) == ("approved", van)


def test_one_of_the_approving_gives_it_to_one(sessions):
    truck = named(sessions[0], "Lastbil med släp (exempel)")
    days = free_days(sessions[0], truck)
    owners = of(sessions, "handlaggare.eskilstuna")
    askers = of(sessions, "rektor.enkoping") + of(sessions, "rektor.vasteras")

    for _round in range(ROUNDS):
        day = next(days)
        asked = [one.post("bookings/", wish(truck, day, licence_confirmed=True)) for one in askers]
        assert {(status, told["request_state"]) for status, told in asked} == {(201, "requested")}
        answers = at_once(
            *[
                partial(owners[place % len(owners)].post, f"bookings/{told['id']}/approve/", {})
                for place, (_status, told) in enumerate(asked)
            ]
        )

        assert len(winners(answers)) == 1
        states = [
            one.get(f"bookings/{told['id']}/")["request_state"] for one, (_s, told) in zip(askers, asked, strict=True)
        ]
        assert sorted(states) == ["approved"] + ["declined"] * (len(asked) - 1)


def test_the_whole_hall_against_its_halves(sessions):
    hall, north, south = (
        named(sessions[0], f"{name} (exempel)")
        for name in ("Sporthall", "Sporthall, norra halvan", "Sporthall, södra halvan")
    )
    days = free_days(sessions[0], hall)
    askers = of(sessions, "rektor.")

    for _round in range(ROUNDS):
        day = next(days)
        wanted = [(hall, north, south)[place % 3] for place in range(len(askers))]
        answers = at_once(
            *[partial(one.post, "bookings/", wish(resource, day)) for one, resource in zip(askers, wanted, strict=True)]
        )

        got = sorted(told["resource"] for told in winners(answers))
        assert got in ([hall], sorted([north, south]))


def test_the_same_key_twenty_times_is_one_booking(sessions):
    van = named(sessions[0], "Minibuss A (exempel)")
    day, me = next(free_days(sessions[0], van)), sessions[0]

    answers = at_once(*[lambda: me.post("bookings/", wish(van, day), key=f"twenty {day}")] * CLIENTS)

    assert {status for status, _told in answers} == {201}
    assert len({told["id"] for _status, told in answers}) == 1


def test_a_web_process_that_is_killed_in_the_middle_loses_nobody(portal, sessions):
    van = named(sessions[0], "Minibuss A (exempel)")
    day = next(free_days(sessions[0], van))
    leader = portal.leader("web")
    workers = [one.pid for one in portal.members("web") if one.pid != leader]
    assert len(workers) >= 4

    def kill() -> None:
        time.sleep(0.1)
        for pid in workers[:2]:
            os.kill(pid, signal.SIGKILL)

    answers = at_once(
        *[
            partial(one.post_until_answered, "bookings/", wish(van, day, 3 * place), key=f"killed {place} {day}")
            for place, one in enumerate(sessions)
        ],
        kill,
    )[:-1]

    (won,) = winners(answers)
    place = next(place for place, (status, _told) in enumerate(answers) if status == 201)
    again = sessions[place].post("bookings/", wish(van, day, 3 * place), key=f"killed {place} {day}")
    assert (again[0], again[1]["id"]) == (201, won["id"])
    eventually(lambda: len(portal.members("web")) > len(workers), 30, portal)
    assert portal.ready()
    assert portal.leader("web") == leader
