"""Starts the portal's parts in order, keeps them alive, and stops them in the opposite order."""

import errno
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from collab4m.build import ROOT, Trouble, say
from collab4m.embedded import database_url, privileges, processes
from collab4m.embedded.children import Child, how
from collab4m.embedded.postgres import Postgres
from collab4m.embedded.redis import Redis
from collab4m.embedded.servers import clear_leftovers, locked, start
from collab4m.embedded.watch import Watch

MUNICIPALITIES = ("vasteras", "eskilstuna", "enkoping", "strangnas")
ONCE_SECONDS = 180


class Stopped(Exception):
    """Somebody asked us to stop."""


class Supervisor:
    def __init__(self, data_dir: Path, *, once: bool, reload: bool) -> None:
        self.data_dir, self.once, self.reload = data_dir, once, reload
        self.port = port_number(os.environ.get("PORT", "8000"))
        self.address = os.environ.get("SITE_URL") or f"http://localhost:{self.port}"
        self.run_mark = secrets.token_hex(8)
        self.children: list[Child] = []
        self.due: dict[str, float] = {}
        self.signals = 0
        self.has_failed = False  # told at the end of `--once`

    # Start, serve, stop

    def run(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.hear)
        os.umask(0o077)  # logs, mails and files are for this user alone
        with locked(self.data_dir, address=self.address):
            if found := clear_leftovers(self.data_dir):
                say(f"Ended what an earlier run had left: {', '.join(found)}.")
            self.two_doors = refuse_taken_port(self.port)
            os.environ.update(DATA_DIR=str(self.data_dir), PORT=str(self.port), PYTHONUNBUFFERED="1")
            self.post_guard()
            try:
                self.start_all()
                if self.once:
                    return self.order_one_job()
                self.keep()
            except Stopped:
                return 130 if self.once else 0
            finally:
                self.stop_all()

    def hear(self, number: int, frame: object) -> None:
        self.signals += 1
        if self.signals == 2:
            say("Stopping at once.")

    def pause(self, seconds: float) -> None:
        """Wait, unless we are asked to stop."""
        until = time.monotonic() + seconds
        while not self.signals and time.monotonic() < until:
            time.sleep(min(0.1, max(0, until - time.monotonic())))
        if self.signals:
            raise Stopped

    def start_all(self) -> None:
        redis_answers = self.start_servers()
        self.prepare()
        say("Starting web, worker and beat.")
        for child in self.portal():
            self.children.append(child)
            child.start()
        self.watch = Watch(given("DATABASE_URL") or database_url(self.data_dir), redis_answers)
        self.files = newest_files() if self.reload else {}
        self.await_readiness()
        self.await_reports()
        print(f"\n{self.welcome()}\n", flush=True)

    def start_servers(self) -> Callable[[], bool] | None:
        if given("DATABASE_URL"):
            say("Using the database of DATABASE_URL.")
        else:
            postgres = Postgres(self.data_dir, self.run_mark)
            say("Starting PostgreSQL." if postgres.data.exists() else "Making a database and starting PostgreSQL.")
            postgres.prepare()
            self.children.append(postgres.child())
            start(self.children[-1], postgres.answers, lambda: bool(self.signals))
        if given("REDIS_URL"):
            say("Using the Redis of REDIS_URL.")
            return None
        redis = Redis(self.data_dir, self.run_mark)
        say("Starting Redis.")
        self.children.append(redis.child())
        start(self.children[-1], redis.answers, lambda: bool(self.signals))
        return redis.answers

    def prepare(self) -> None:
        self.finish(["-m", "collab4m.embedded.preparing"], "prepare", "The portal could not be prepared")

    def portal(self) -> Iterator[Child]:
        python, celery = sys.executable, ["-m", "celery", "-A", "collab4m"]
        jobs_at_once = int(os.environ.get("JOBS_AT_ONCE", "2"))  # one process more, free for mail and wake-up calls
        web_processes = max(1, int(os.environ.get("WEB_PROCESSES", "2")))
        level = os.environ.get("LOG_LEVEL", "WARNING")
        parts = {
            "worker": (
                "The worker",
                [*celery, "worker", "--loglevel", level, "--concurrency", str(max(3, jobs_at_once + 1)),
                 "--without-gossip", "--without-mingle", "--without-heartbeat"],
            ),
            "beat": ("Beat", [*celery, "beat", "--loglevel", level, "--pidfile", ""]),
            "web": (
                "The web server",
                ["-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port),
                 "--workers", str(web_processes), "--blocking-threads", "4", "--no-ws", "--respawn-failed-workers",
                 "--workers-kill-timeout", "5", "collab4m.wsgi:application"],
            ),
        }  # fmt: skip
        if self.two_doors:
            parts["relay"] = ("The second door", ["-m", "collab4m.embedded.relay", str(self.port)])
        for name, (title, command) in parts.items():
            yield Child(name, title, [python, *command], self.data_dir, self.run_mark)

    def stop_all(self) -> None:
        if self.signals:
            print(flush=True)
        if self.children:
            say("Stopping.")
        for child in reversed(self.children):
            child.stop(lambda: self.signals > 1)
        if self.children:
            say("Everything is stopped.")

    def post_guard(self) -> None:
        """A fork of us that ends the parts, also those of their processes that outlive them, if we are killed."""
        hears, speaks = os.pipe()
        if os.fork():
            os.close(hears)
            self.guard_line = speaks  # closed by the system when we die
            return
        with suppress(BaseException):
            os.setsid()
            os.closerange(3, hears)
            os.closerange(hears + 1, 1024)  # also the lock: it must be free when we are gone
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            os.read(hears, 1)
            processes.end_leftovers(self.data_dir / "run", self.run_mark)
        os._exit(0)

    # While it runs

    def keep(self) -> NoReturn:
        """Keep all parts alive until we are asked to stop."""
        looked_at_files = bounded_at = time.monotonic()
        while True:
            self.pause(0.2)
            self.mend()
            now = time.monotonic()
            if now - bounded_at > 10:
                bounded_at = now
                for child in self.children:
                    child.bound_log()
            if self.reload and now - looked_at_files > 1:
                looked_at_files = now
                self.start_changed_code()
            if silent := self.watch.silent_part(self.alive_for):
                child = self.child(silent)
                say(f"{child.title} gives no sign of life. Starting it again.")
                child.grace = 0 if silent == "redis" else child.grace
                child.start_again()

    def mend(self) -> None:
        """Start parts again that have died, each after a pause that grows."""
        for child in self.children:
            if child.alive():
                self.due.pop(child.name, None)
            elif child.name not in self.due:
                self.due[child.name] = time.monotonic() + child.pause()
                status = child.process.returncode if child.process else 0
                say(f"{child.title} stopped ({how(status)}). Starting it again.")
            elif time.monotonic() >= self.due[child.name]:
                del self.due[child.name]
                child.start_again()

    def child(self, name: str) -> Child:
        return next(child for child in self.children if child.name == name)

    def alive_for(self, name: str) -> float:
        return next((time.monotonic() - child.started_at for child in self.children if child.name == name), 0)

    def start_changed_code(self) -> None:
        files = newest_files()
        changed = [path for path in files if files[path] != self.files.get(path)] or [*self.files.keys() - files.keys()]
        self.files = files
        if changed:
            say(f"{changed[0].relative_to(ROOT)} changed. Starting web, worker and beat again.")
            for name in ("web", "beat", "worker"):
                self.child(name).grace = 2
                self.child(name).stop()
                self.child(name).start()

    # Ready?

    def ask(self, path: str) -> tuple[int, str]:
        """Status and text of a page; status 0 if nothing answers."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            line.request("GET", path, headers={"Host": urlsplit(self.address).netloc})
            answer = line.getresponse()
            return answer.status, answer.read(2000).decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return 0, "nothing answers yet"
        finally:
            line.close()

    def await_readiness(self) -> None:
        said = time.monotonic()
        while True:
            status, text = self.ask("/readyz")
            if status == 200:
                return
            if time.monotonic() - said > 15:
                said = time.monotonic()
                ill = [line.removeprefix("ILL ") for line in text.splitlines() if not line.startswith("ok ")]
                say(f"Not ready yet: {'; '.join(ill)[:200]}")
            self.pause(0.3)
            self.mend()

    def await_reports(self) -> None:
        """The reports that are due are made by the clock and the worker; a portal without them serves all the same."""
        say("Waiting for the reports that are due.")
        try:
            self.finish(["manage.py", "await_reports"], "await_reports", "The reports were not made")
        except Trouble as trouble:
            print(f"\n{trouble}\n", flush=True)
            self.has_failed = True

    def order_one_job(self) -> int:
        say("Ordering one job through the queue.")
        try:
            self.finish(["manage.py", "order_check_job"], "check_job", "The job was not done")
        except Trouble as trouble:
            print(f"\n{trouble}\n", flush=True)
            return 1
        say("The worker has done the job.")
        return int(self.has_failed)

    def finish(self, command: list[str], name: str, failed: str) -> None:
        """Run a command to its end, pass on what it says in lines, and keep the parts alive meanwhile.

        Raises Trouble with the end of its log if it fails.
        """
        log = self.data_dir / "log" / f"{name}.log"
        with open(log, "wb") as errors, subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
            env={**os.environ, processes.RUN_MARK: self.run_mark}, start_new_session=True,
            preexec_fn=privileges.before_exec(False, signal.SIGKILL),
        ) as process:  # fmt: skip
            assert process.stdout
            os.set_blocking(process.stdout.fileno(), False)
            is_working = name in ("check_job", "await_reports")  # all parts are up, and may need mending
            until = time.monotonic() + (ONCE_SECONDS if is_working else 3600)
            try:
                while process.poll() is None and time.monotonic() < until:
                    pass_on(process)
                    self.pause(0.1)
                    if is_working:
                        self.mend()
                pass_on(process)
            finally:
                if process.poll() is None:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
        if process.returncode:
            raise Child(name, "", [], self.data_dir, "").trouble(failed)

    def welcome(self) -> str:
        lines = [f"collab4m is ready: {self.address}"]
        demo = self.data_dir / "demo_loaded"
        if demo.exists() and not demo.read_text():  # a restore writes into it when the backup had no demo
            names = ", ".join(MUNICIPALITIES)
            lines += [
                "",
                f"Demo log-ins, each with the password {os.environ.get('DEMO_PASSWORD') or 'fyra-malarstader'}",
                "  handlaggare.<kommun>@demo.example   official at the education administration",
                "  rektor.<kommun>@demo.example        head of a school",
                "  programrad.<kommun>@demo.example    member of a programme council",
                "  namnd.<kommun>@demo.example         committee",
                "  handlaggare.tvakommuner@demo.example  official in two of them",
                "  system@demo.example                 system administrator",
                f"<kommun> is one of {names}",
            ]
        return "\n".join([*lines, *([] if self.once else ["", "Ctrl-C stops everything."])])


def pass_on(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdout
    for line in (process.stdout.read() or b"").decode(errors="replace").splitlines():
        say(line)


def given(name: str) -> str:
    """A setting from the environment or from the file that `<name>_FILE` points to; empty if there is none."""
    if file := os.environ.get(f"{name}_FILE"):
        return Path(file).read_text().strip()
    return os.environ.get(name, "")


def port_number(text: str) -> int:
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise Trouble(f"PORT is {text!r}: write a number between 1 and 65535.")


def refuse_taken_port(port: int) -> bool:
    """Try the port with a plain bind, before anything is started. True if [::1] has it free as well.

    Raises Trouble if somebody has it.
    """
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as line:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                line.bind((host, port))
                line.listen(1)
        except PermissionError:
            raise Trouble(f"Port {port} needs root's rights. Choose one above 1023: make run PORT=8001") from None
        except OSError as error:
            if family == socket.AF_INET or error.errno == errno.EADDRINUSE:
                raise Trouble(
                    f"Port {port} is taken by another program. Stop it, or choose another: make run PORT={port + 1}"
                ) from None
            return False
    return True


def newest_files() -> dict[Path, int]:
    """The code and templates, with the time each was last changed."""
    found = {}
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name for name in folders if not name.startswith(".") and name not in {"node_modules", "build", "tests"}
        ]
        for name in names:
            if name.endswith((".py", ".html", ".mo")):
                with suppress(OSError):
                    found[Path(folder, name)] = os.stat(os.path.join(folder, name)).st_mtime_ns
    return found
