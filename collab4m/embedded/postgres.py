"""The embedded PostgreSQL: its data, its rights, its start."""

import hashlib
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from collab4m.build import Trouble, refuse_full_disk, tail
from collab4m.embedded import DATABASE, USER, database_url, homes, privileges, processes, secret, sockets
from collab4m.embedded.children import Child

LETTERS = (
    *("--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
    *("--lc-ctype", "C.UTF-8"),  # pg_trgm takes its letters from here, whatever the provider
)
FAST_BUT_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # It would find tables of which every row is rolled back, and plans for tables that are thought empty take minutes.
    "autovacuum": "off",
}


class Postgres:
    """The server of one DATA_DIR. Holds no lock of its own: whoever uses it holds the lock on DATA_DIR."""

    def __init__(self, data_dir: Path, run: str, *, forgetful: bool = False) -> None:
        self.data_dir, self.run, self.forgetful = data_dir, run, forgetful
        self.home = homes.settle(data_dir)
        self.programs = homes.programs(data_dir, self.home)
        self.data = self.home / "postgres"
        self.sockets = sockets(data_dir)
        self.agreed = self.home / "database_password_is"

    def program(self, name: str) -> str:
        return str(self.programs / name)

    def prepare(self) -> bool:
        """All that must be true before the server starts. True if the data was made now."""
        self.end_strays()
        fresh = not self.data.exists()
        if fresh:
            self.make_data()
        else:
            privileges.give(self.data)
            self.check_version()
        self.clear_away()
        self.agree_on_password()
        return fresh

    def call(self, *command: str, words: str = "", why: str) -> None:
        done = subprocess.run(
            command,
            input=words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd="/",
            preexec_fn=privileges.before_exec(True, signal.SIGKILL),
            start_new_session=True,
        )
        failed = done.returncode or "ERROR:" in done.stdout or "FATAL:" in done.stdout
        if failed:
            refuse_full_disk(done.stdout, self.data)
            raise Trouble(f"{why}. It said:\n{tail(done.stdout, 12)}")

    def make_data(self) -> None:
        """A new cluster, made beside its place and moved there when it is whole."""
        draft = self.home / "postgres.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        privileges.give(draft)
        password = self.sockets / "password"
        try:
            password.write_text(secret(self.data_dir, "database_owner_password"))
            privileges.give(self.sockets)
            self.call(
                self.program("initdb"),
                *("--pgdata", str(draft), "--username", "postgres", "--auth", "scram-sha-256"),
                *("--pwfile", str(password)),
                *LETTERS,
                *("--data-checksums", "--no-instructions"),
                *(["--no-sync"] if self.forgetful else []),
                why="PostgreSQL could not make its data folder",
            )
            self.single_user(draft, f"CREATE ROLE {USER} LOGIN CREATEDB;", f"CREATE DATABASE {DATABASE} OWNER {USER};")
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        finally:
            password.unlink(missing_ok=True)
        self.agreed.unlink(missing_ok=True)  # spoke of an earlier cluster
        draft.rename(self.data)

    def single_user(self, data: Path, *statements: str) -> None:
        self.call(
            *(self.program("postgres"), "--single", "-D", str(data), "postgres"),
            words="".join(f"{statement}\n" for statement in statements),
            why="PostgreSQL could not be set up",
        )

    def agree_on_password(self) -> None:
        """Give the database our password when it has another, as after the secret was removed."""
        password = secret(self.data_dir, "database_password")
        mark = hashlib.sha256(password.encode()).hexdigest()
        if not self.agreed.exists() or self.agreed.read_text() != mark:
            self.single_user(self.data, f"ALTER ROLE {USER} PASSWORD '{password}';")
            self.agreed.write_text(mark)

    def check_version(self) -> None:
        version = (self.data / "PG_VERSION").read_text().strip()
        done = subprocess.run(
            [self.program("postgres"), "--version"], capture_output=True, text=True, cwd="/",
            preexec_fn=privileges.before_exec(True, signal.SIGKILL),
        )  # fmt: skip
        ours = done.stdout.split()[-1].split(".")[0] if done.stdout else version
        if ours != version:
            raise Trouble(
                f"The data in {self.data} was written by PostgreSQL {version}, and this version brings {ours}. "
                "See `A new PostgreSQL` in docs/operations.md."
            )

    def strays(self) -> list[processes.Process]:
        """Processes of a killed run that still sit in our data folder; PostgreSQL's processes always work in theirs."""
        here = str(self.data.resolve())
        return [
            process
            for process in processes.everyone()
            if process.link("cwd") == here and os.path.basename(process.link("exe")).split()[0] == "postgres"
        ]

    def end_strays(self) -> None:
        until = time.monotonic() + 10
        while (strays := self.strays()) and time.monotonic() < until:
            for process in strays:
                processes.tell(process, signal.SIGKILL)
            time.sleep(0.02)

    def clear_away(self) -> None:
        """Remove what a killed server leaves and a new one would take for a living one; nobody else holds our lock."""
        self.end_strays()
        for path in (self.data / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
            path.unlink(missing_ok=True)

    def child(self) -> Child:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "log_checkpoints": "off",
            "log_timezone": "Europe/Stockholm",
            **(FAST_BUT_FORGETFUL if self.forgetful else {}),
        }
        return Child(
            name="postgres",
            title="PostgreSQL",
            command=[
                *(self.program("postgres"), "-D", str(self.data)),
                *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
            ],
            data_dir=self.data_dir,
            run=self.run,
            gently=signal.SIGINT,  # its word for: end the sessions and stop
            grace=30,
            unprivileged=True,
            clear_away=self.clear_away,
        )

    def answers(self) -> bool:
        import psycopg2

        with suppress(psycopg2.OperationalError):
            psycopg2.connect(database_url(self.data_dir), connect_timeout=2).close()
            return True
        return False
