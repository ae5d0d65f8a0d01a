"""A part of the portal as a child process: its session, its log, its record, its end."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from collab4m.build import ROOT, Trouble, refuse_full_disk, tail
from collab4m.embedded import privileges, processes

LOG_BYTES = 10_000_000
DEATHS, WITHIN_SECONDS = 5, 60  # a part that dies so often in so long a time is not started again


@dataclass
class Child:
    """One part. `gently` is the signal that asks it to stop, also when we are killed; `grace` how long it may take."""

    name: str
    title: str
    command: list[str]
    data_dir: Path
    run: str
    gently: signal.Signals = signal.SIGTERM
    grace: float = 10
    unprivileged: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    clear_away: Callable[[], None] = lambda: None
    process: subprocess.Popen[bytes] | None = None
    record: processes.Record | None = None
    deaths: list[float] = field(default_factory=list)
    started_at: float = 0

    @property
    def log(self) -> Path:
        return self.data_dir / "log" / f"{self.name}.log"

    @property
    def folder(self) -> Path:
        return self.data_dir / "run"

    def start(self) -> None:
        """Start the part. Call from the main thread only: the signal at the parent's death is tied to the thread."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.clear_away()
        if self.started_at == 0 and self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/" if self.unprivileged else ROOT,
                env={**os.environ, **self.environment, processes.RUN_MARK: self.run},
                start_new_session=True,
                preexec_fn=privileges.before_exec(self.unprivileged, self.gently),
            )
        self.started_at = time.monotonic()
        try:
            self.record = processes.Record.of(self.name, self.process.pid, self.run, self.gently)
            if self.record:
                self.record.write(self.folder)
        except BaseException:
            self.process.kill()
            raise

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """End the part and everything it started."""
        if self.process is None:
            return
        if self.record:
            processes.end(self.record, self.grace, lambda: bool(self.alive() and hurry()))
        self.process.wait()
        (self.folder / f"{self.name}.json").unlink(missing_ok=True)
        self.process = None

    def start_again(self) -> None:
        """After a death: end what is left of it and start anew. Raises Trouble if it keeps dying."""
        status = self.process.returncode if self.process else 0
        self.stop()
        now = time.monotonic()
        self.deaths = [at for at in self.deaths if now - at < WITHIN_SECONDS] + [now]
        if len(self.deaths) >= DEATHS:
            raise self.trouble(f"{self.title} keeps stopping ({how(status)})")
        self.start()

    def pause(self) -> float:
        """Seconds to wait before the next start: none after a first death, longer when it dies again and again."""
        recent = [at for at in self.deaths if time.monotonic() - at < WITHIN_SECONDS]
        return 0.2 if not recent else min(2.0 ** len(recent), 10)

    def trouble(self, what: str) -> Exception:
        """What to raise when the part has failed: the end of its log, or the full disk it complains about."""
        said = self.last_lines()
        refuse_full_disk(said, self.data_dir)
        return Trouble(f"{what}. The end of {self.log}:\n{said}")

    def last_lines(self, lines: int = 12) -> str:
        try:
            with open(self.log, "rb") as log:
                log.seek(max(0, self.log.stat().st_size - 8000))
                return tail(log.read().decode(errors="replace"), lines)
        except OSError:
            return "    (no log)"

    def bound_log(self) -> None:
        """Keep the log from growing without end. The child goes on writing at the new end, as it appends."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.truncate(self.log, 0)


def how(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"exit status {status}"
    return f"killed by {signal.Signals(-status).name}"
