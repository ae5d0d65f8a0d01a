"""`make run` as the person at the keyboard meets it: start, stop, kill, start again."""

import http.client
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from collab4m.embedded import processes
from tests.live.conftest import SERVERS, Portal, eventually


def kill(portal: Portal, name: str) -> int:
    pid = portal.leader(name)
    os.kill(pid, signal.SIGKILL)
    return pid


def test_start_answers_and_names_address_and_log_ins(portal):
    start, ready = portal.get("/"), portal.get("/readyz")

    assert start.status == 302
    assert start.headers["Location"].startswith("/konto/login/")
    assert ready.status == 200
    assert f"http://localhost:{portal.port}" in portal.output
    assert "handlaggare.<kommun>@demo.example" in portal.output
    assert "fyra-malarstader" in portal.output


def test_both_readings_of_localhost_answer(portal):
    if "relay" not in {path.stem for path in (portal.data_dir / "run").glob("*.json")}:
        pytest.skip("no IPv6 here")
    line = http.client.HTTPConnection("::1", portal.port, timeout=10)

    line.request("GET", "/readyz", headers={"Host": f"localhost:{portal.port}"})
    status = line.getresponse().status
    line.close()

    assert status == 200


def test_secrets_and_servers_are_for_the_owner_alone(portal):
    private = [*(portal.data_dir / "secret").rglob("*"), *portal.data_dir.iterdir()]

    assert {path.name for path in private if path.stat().st_mode & 0o077} <= {"run", "log", "lock"}
    assert portal.data_dir.stat().st_mode & 0o066 == 0
    assert portal.sql("SHOW listen_addresses") == [("",)]
    assert portal.sql("SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user") == [(False, True)]
    if os.geteuid() == 0:
        status = Path(f"/proc/{portal.leader('postgres')}/status").read_text()
        assert "CapEff:\t0000000000000000" in status


def test_second_run_beside_the_first_says_where_it_is(portal):
    second = portal.run_second()

    assert second.returncode == 1
    assert f"collab4m already runs here: http://localhost:{portal.port}" in second.stderr
    assert "Traceback" not in second.stderr
    assert portal.ready()


def test_taken_port_is_one_sentence_and_nothing_is_started(portal, tmp_path):
    second = portal.run_second(DATA_DIR=str(tmp_path / "data"))

    assert second.returncode == 1
    assert second.stderr.strip().startswith(f"Port {portal.port} is taken by another program.")
    assert len(second.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "data" / "postgres").exists()


def test_taken_port_is_seen_on_the_other_localhost_too(portal, tmp_path):
    try:
        line = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with line:
        second = portal.run_second(DATA_DIR=str(tmp_path / "data"), PORT=str(line.getsockname()[1]))

    assert second.returncode == 1
    assert "is taken by another program" in second.stderr


@pytest.mark.parametrize("name", SERVERS)
def test_killed_part_is_started_again(portal, name):
    before = portal.members(name)

    killed = kill(portal, name)

    eventually(lambda: portal.started_again(name, killed), 60, portal)
    eventually(portal.ready, 60, portal)
    assert not [process for process in before if processes.look(process.pid) == process]
    assert portal.process.poll() is None


def test_killed_supervisor_takes_all_parts_along_and_the_next_start_recovers(portal):
    portal.stop(signal.SIGKILL)

    eventually(lambda: not portal.survivors(), 60, portal)
    portal.start()
    assert portal.ready()


def test_next_start_recovers_when_every_process_was_killed_at_once(portal):
    for process in portal.running:  # held first, so that none cleans up after another
        processes.tell(process, signal.SIGSTOP)
    for process in portal.running:
        processes.tell(process, signal.SIGKILL)
    portal.process.wait()

    portal.start()

    assert portal.ready()


def test_next_start_ends_orphans_that_hold_the_port(portal):
    """The supervisor, its guard and the web server's leader are gone; the web server's workers live on, as orphans."""
    leaders = {portal.leader(name) for name in SERVERS}
    orphans = [process for process in portal.members("web") if process.pid not in leaders]
    for process in portal.running:
        if process not in orphans:
            processes.tell(process, signal.SIGSTOP)
    for process in portal.running:
        if process not in orphans:
            processes.tell(process, signal.SIGKILL)
    portal.process.wait()
    time.sleep(0.5)
    assert [process for process in orphans if processes.look(process.pid)]

    portal.start()

    assert "Ended what an earlier run had left: web" in portal.output
    assert not [process for process in orphans if processes.look(process.pid) == process]


def test_stop_leaves_no_process_and_the_second_start_makes_nothing_anew_and_keeps_its_data(portal):
    portal.manage("shell", "-c", "from django.core.cache import cache; cache.set('kept', 'yes', None)").communicate()

    status = portal.stop(signal.SIGINT)

    assert status == 0
    eventually(lambda: not portal.survivors(), 60, portal)  # the guard sees our end a moment later
    assert not list((portal.data_dir / "run").glob("*.json"))
    assert not list(portal.data_dir.rglob("postmaster.pid"))
    portal.start()
    assert "Loading the demo." not in portal.output
    ask = "from django.core.cache import cache; print(cache.get('kept'))"
    said, _ = portal.manage("shell", "-v0", "-c", ask).communicate()
    assert said.strip() == "yes"


def test_terminate_stops_as_cleanly_as_ctrl_c(portal):
    assert portal.stop(signal.SIGTERM) == 0
    eventually(lambda: not portal.survivors(), 60, portal)  # the guard sees our end a moment later


def test_once_does_one_job_and_exits_with_nothing_left(installation):
    if installation.process and installation.process.poll() is None:
        installation.stop()
    installation.start("--once")

    status = installation.process.wait(600)

    assert status == 0, installation.output
    assert "The worker has done the job." in installation.output
    assert not [process for process in installation.everybody() if process.pid != os.getpid()]
