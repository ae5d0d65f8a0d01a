"""The real portal, started by its own supervisor, in a folder and on a port of its own."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from collab4m.build import ROOT
from collab4m.embedded import database_url, processes

SERVERS = ("web", "beat", "worker", "redis", "postgres")
QUICK = {"JOB_HEARTBEAT_SECONDS": "1", "JOB_STALE_SECONDS": "4", "WATCHDOG_SECONDS": "10", "WEB_PROCESSES": "4"}
FOREIGN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SITE_URL", "DEBUG", "DEMO", "DEMO_PASSWORD", "ALLOWED_HOSTS")


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    text: str
    seconds: float


@dataclass
class Portal:
    """A running portal, as the person at the keyboard and the visitor see it."""

    data_dir: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    running: list[processes.Process] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in FOREIGN}
        settings = {
            "DJANGO_SETTINGS_MODULE": "collab4m.settings",
            "DATA_DIR": str(self.data_dir),
            "PORT": str(self.port),
        }
        return {**kept, **settings, **QUICK}

    @property
    def output(self) -> str:
        return (self.data_dir.parent / "output").read_text()

    def start(self, *options: str) -> "Portal":
        with open(self.data_dir.parent / "output", "wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "collab4m.embedded", "run", *options],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if not options:
            eventually(lambda: "collab4m is ready" in self.output or self.process.poll() is not None, 600, self)
            assert self.process.poll() is None, self.output
        return self

    def run_second(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "collab4m.embedded", "run"],
            cwd=ROOT, env={**self.environment, **environment}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)

    def record(self, name: str) -> processes.Record | None:
        """None for the moment between the end of a part and its next start."""
        return processes.Record.read(self.data_dir / "run" / f"{name}.json")

    def leader(self, name: str) -> int:
        return eventually(lambda: self.record(name), 60, self).pid

    def started_again(self, name: str, since: int) -> bool:
        """Whether the part that `since` led runs under another leader."""
        record = self.record(name)
        return record is not None and record.pid != since and bool(record.members())

    def members(self, name: str) -> list[processes.Process]:
        record = self.record(name)
        return record.members() if record else []

    def everybody(self) -> list[processes.Process]:
        """The supervisor, its guard, and every process of every part."""
        mark = f"DATA_DIR={self.data_dir}".encode()
        ours = {process.pid: process for process in processes.everyone() if mark in process.environment().split(b"\0")}
        return list({**ours, **{one.pid: one for name in SERVERS for one in self.members(name)}}.values())

    def survivors(self) -> list[processes.Process]:
        """Who of those that ran when the test began still lives, told apart by start time."""
        return [process for process in self.running if processes.look(process.pid) == process]

    def get(self, path: str, *, timeout: float = 20, **headers: str) -> Answer:
        return self.request("GET", path, timeout=timeout, headers=headers)

    def request(
        self, method: str, path: str, body: str | None = None, *, timeout: float = 20, headers: dict[str, str]
    ) -> Answer:
        began = time.monotonic()
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            line.request(method, path, body, {"Host": f"localhost:{self.port}", **headers})
            answer = line.getresponse()
            text = answer.read().decode(errors="replace")
            return Answer(answer.status, answer.headers, text, time.monotonic() - began)
        finally:
            line.close()

    def ready(self) -> bool:
        try:
            return self.get("/readyz", timeout=5).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def log_in(self, who: str = "handlaggare.enkoping@demo.example") -> Answer:
        """Log in as a browser would, without JavaScript; the answer to the posted form."""
        page = self.get("/konto/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token, page.text[:500]
        cookie = "; ".join(value.partition(";")[0] for value in page.headers.get_all("Set-Cookie", []))
        form = f"csrfmiddlewaretoken={token[1]}&login={who.replace('@', '%40')}&password=fyra-malarstader"
        headers = {
            "Cookie": cookie,
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": f"http://localhost:{self.port}",
        }
        return self.request("POST", "/konto/login/", form, headers=headers)

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        connection = psycopg2.connect(database_url(self.data_dir), connect_timeout=3)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall()
        finally:
            connection.close()

    def manage(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip


def eventually(holds: Callable[[], Any], seconds: float, portal: Portal | None = None) -> Any:
    """Wait until it holds, and return what it then is; fails with what the portal said."""
    until = time.monotonic() + seconds
    while not (held := holds()):
        if time.monotonic() > until:
            pytest.fail(f"did not come true in {seconds} s\n{portal.output if portal else ''}")
        time.sleep(0.1)
    return held


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """One DATA_DIR for all live tests, deep enough that no socket fits into its path."""
    folder = tmp_path_factory.mktemp("portal") / ("a-folder-with-a-name-as-long-as-people-make-them-" * 2) / "data"
    folder.parent.mkdir(parents=True)
    portal = Portal(folder, free_port())
    yield portal
    if portal.process:
        portal.stop()


@pytest.fixture
def portal(installation: Portal) -> Portal:
    """The portal, running and well."""
    if not installation.process or installation.process.poll() is not None:
        installation.start()
    eventually(installation.ready, 60, installation)
    installation.running = installation.everybody()
    return installation
