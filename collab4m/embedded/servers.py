"""One DATA_DIR in use: its lock, and its own PostgreSQL and Redis; also for a single command, such as the tests."""

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from collab4m.build import ROOT, Trouble
from collab4m.embedded import database_url, make_folder, privileges, processes, redis_url, secret
from collab4m.embedded.children import Child
from collab4m.embedded.postgres import Postgres
from collab4m.embedded.redis import Redis

PATIENCE_SECONDS = 300  # a database that was killed may have to repair itself first


@contextmanager
def locked(data_dir: Path, **who: str) -> Iterator[None]:
    """Hold DATA_DIR for this process. Raises Trouble that says who holds it already."""
    make_folder(data_dir)
    for folder in (data_dir / "run", data_dir / "log"):
        folder.mkdir(exist_ok=True)
    with open(data_dir / "lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(who_holds(data_dir)) from None
        lock.truncate(0)
        lock.write(json.dumps({**who, "pid": os.getpid()}))
        lock.flush()
        yield


def who_holds(data_dir: Path) -> str:
    holder = {}
    with suppress(OSError, ValueError):
        holder = json.loads((data_dir / "lock").read_text())
    pid = holder.get("pid", "unknown")
    if address := holder.get("address"):
        return f"collab4m already runs here: {address} (process {pid}). Stop that one first, with Ctrl-C or: kill {pid}"
    return f"{data_dir} is in use by process {pid}, which runs: {holder.get('command', 'something else')}. Wait for it."


def clear_leftovers(data_dir: Path) -> list[str]:
    """End what a killed run has left behind. Call with the lock held."""
    return processes.end_leftovers(data_dir / "run")


def start(child: Child, answers: Callable[[], bool], give_up: Callable[[], bool]) -> None:
    """Start a server and wait until it answers."""
    child.start()
    until = time.monotonic() + PATIENCE_SECONDS
    while not answers():
        if not child.alive():
            raise child.trouble(f"{child.title} did not start")
        if time.monotonic() > until:
            raise child.trouble(f"{child.title} did not answer")
        if give_up():
            return
        time.sleep(0.05)


def with_servers(data_dir: Path, command: list[str]) -> int:
    """Run a command with servers of its own, made anew and forgotten afterwards. Returns its exit status."""
    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: stopped.append(number))
    with locked(data_dir, command=" ".join(command)):
        clear_leftovers(data_dir)
        run = secrets.token_hex(8)
        postgres, redis = Postgres(data_dir, run, forgetful=True), Redis(data_dir, run)
        postgres.end_strays()
        shutil.rmtree(postgres.data, ignore_errors=True)
        children: list[Child] = []
        try:
            postgres.prepare()
            for child, answers in ((postgres.child(), postgres.answers), (redis.child(), redis.answers)):
                children.append(child)
                start(child, answers, lambda: bool(stopped))
            return 130 if stopped else call(command, data_dir, stopped)
        finally:
            for child in reversed(children):
                child.stop(lambda: len(stopped) > 1)


def call(command: list[str], data_dir: Path, stopped: list[int]) -> int:
    ours = {
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": database_url(data_dir),
        "REDIS_URL": redis_url(data_dir),
        "SECRET_KEY": secret(data_dir, "secret_key"),
    }
    theirs = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in ours}
    process = subprocess.Popen(
        command, cwd=ROOT, env={**theirs, **ours}, preexec_fn=privileges.before_exec(False, signal.SIGTERM)
    )  # fmt: skip
    told = False
    while process.poll() is None:
        if stopped and not told:
            told = True
            if stopped[0] != signal.SIGINT or not os.isatty(0):  # a terminal has told it already
                with suppress(ProcessLookupError):
                    process.send_signal(stopped[0])
        time.sleep(0.1)
    return process.returncode if process.returncode >= 0 else 128 - process.returncode
