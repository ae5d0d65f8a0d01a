"""A part dies, hangs or stops while the portal is used: what people see, and how it mends."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from collab4m.embedded import processes
from tests.live.conftest import Portal, eventually

JOB = "SELECT state, attempts, result IS NOT NULL FROM records_job WHERE id = %s"


@contextmanager
def supervisor_looks_away(portal: Portal) -> Iterator[None]:
    """So that what we stop stays stopped for a while."""
    os.kill(portal.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(portal.process.pid, signal.SIGCONT)


@contextmanager
def held(portal: Portal, name: str) -> Iterator[None]:
    members = portal.members(name)
    for process in members:
        processes.tell(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in members:
            processes.tell(process, signal.SIGCONT)


def order_job(portal: Portal, seconds: int) -> int:
    """Order a job of that length and return its id at once."""
    said, _ = portal.manage("order_check_job", f"--seconds={seconds}", "--no-wait").communicate(timeout=60)
    return int(said.split()[-1])


def state(portal: Portal, job: int) -> tuple[object, ...]:
    return portal.sql(JOB, job)[0]


def assert_pages_answer_fast(portal: Portal) -> None:
    """Without waiting for Redis, which is given ten seconds to answer."""
    assert portal.get("/konto/login/").seconds < 8
    log_in = portal.log_in()
    assert log_in.status == 302
    assert log_in.seconds < 8


def test_worker_killed_in_the_middle_of_a_job_finishes_it_once_on_the_second_attempt(portal):
    job = order_job(portal, seconds=8)
    eventually(lambda: state(portal, job)[0] == "running", 60, portal)

    os.kill(portal.leader("worker"), signal.SIGKILL)

    eventually(lambda: state(portal, job)[0] == "done", 60, portal)
    assert state(portal, job)[:2] == ("done", 2)


def test_redis_that_hangs_stops_no_page_and_the_queue_goes_on_afterwards(portal):
    with supervisor_looks_away(portal), held(portal, "redis"):
        assert_pages_answer_fast(portal)
        eventually(lambda: portal.get("/readyz").status == 503, 60, portal)
        assert "queue" in portal.get("/readyz").text
        job = order_job(portal, seconds=0)

    eventually(lambda: state(portal, job)[0] == "done", 60, portal)
    eventually(portal.ready, 60, portal)


def test_redis_that_goes_on_hanging_is_started_again(portal):
    redis = portal.leader("redis")
    with held(portal, "redis"):
        eventually(lambda: portal.started_again("redis", redis), 60, portal)

    job = order_job(portal, seconds=0)
    eventually(lambda: state(portal, job)[0] == "done", 60, portal)
    eventually(portal.ready, 60, portal)


def test_redis_that_is_gone_stops_no_page_and_the_queue_goes_on_afterwards(portal):
    with supervisor_looks_away(portal):
        os.kill(portal.leader("redis"), signal.SIGKILL)
        assert_pages_answer_fast(portal)
        job = order_job(portal, seconds=0)

    eventually(lambda: state(portal, job)[0] == "done", 60, portal)
    eventually(portal.ready, 60, portal)


def test_database_that_is_gone_is_a_designed_answer_and_mends_without_a_new_web_server(portal):
    web = portal.leader("web")
    with supervisor_looks_away(portal):
        os.kill(portal.leader("postgres"), signal.SIGINT)
        eventually(lambda: not portal.members("postgres"), 60, portal)

        page = portal.get("/konto/login/")
        ready = portal.get("/readyz")

    assert page.status == 503
    assert int(page.headers["Retry-After"]) > 0
    assert "<h1" in page.text
    assert ready.status == 503
    assert "database" in ready.text
    eventually(portal.ready, 60, portal)
    assert portal.get("/konto/login/").status == 200
    assert portal.leader("web") == web
    job = order_job(portal, seconds=0)
    eventually(lambda: state(portal, job)[0] == "done", 40, portal)


def test_worker_that_lives_and_takes_no_work_is_started_again(portal):
    worker = portal.leader("worker")
    with held(portal, "worker"):
        eventually(lambda: portal.started_again("worker", worker), 60, portal)

    eventually(portal.ready, 60, portal)
