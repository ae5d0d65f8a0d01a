"""Processes by what cannot be mistaken: id, start time and session; and the records that survive the supervisor."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

RUN_MARK = "COLLAB4M_RUN"  # environment variable that tells which run a process belongs to


@dataclass(frozen=True)
class Process:
    """A living process; a zombie does not count. `started` is in clock ticks since the machine started."""

    pid: int
    session: int
    started: int

    def environment(self) -> bytes:
        with suppress(OSError):
            return Path(f"/proc/{self.pid}/environ").read_bytes()
        return b""

    def link(self, name: str) -> str:
        """Where `exe` or `cwd` points; empty when the process is gone or another user's."""
        with suppress(OSError):
            return os.readlink(f"/proc/{self.pid}/{name}")
        return ""


def look(pid: int) -> Process | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, UnicodeDecodeError):
        return None
    state, session, started = fields[0], int(fields[3]), int(fields[19])
    return None if state in "ZX" else Process(pid, session, started)


def everyone() -> Iterator[Process]:
    for name in os.listdir("/proc"):
        if name.isdecimal() and (process := look(int(name))):
            yield process


def this_boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@dataclass(frozen=True)
class Record:
    """Who leads a part's session, as written under `run/` when it was started."""

    name: str
    pid: int
    started: int
    boot: str
    run: str
    program: str
    gently: int

    @classmethod
    def of(cls, name: str, pid: int, run: str, gently: signal.Signals) -> "Record | None":
        process = look(pid)
        if process is None:
            return None
        return cls(name, pid, process.started, this_boot(), run, process.link("exe"), int(gently))

    @classmethod
    def read(cls, path: Path) -> "Record | None":
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        draft = folder / f".{self.name}.json"
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(folder / f"{self.name}.json")

    def leader(self) -> Process | None:
        process = look(self.pid)
        return process if process and process.started == self.started and this_boot() == self.boot else None

    def members(self) -> list[Process]:
        """All living processes of the part, also when its leader is dead.

        A session's number is not given away while anyone is in it; what is left of a dead leader's session must also
        carry our mark or run our program, in case the number was used anew and that leader died as well.
        """
        if this_boot() != self.boot:
            return []
        leader = look(self.pid)
        if leader and leader.started != self.started:
            return []
        ours = [process for process in everyone() if process.session == self.pid and process.started >= self.started]
        if leader:
            return ours
        mark = f"{RUN_MARK}={self.run}".encode()
        return [
            process
            for process in ours
            if mark in process.environment() or process.link("exe") in {self.program, ""}  # "": we may not look
        ]


def tell(process: Process, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process.pid, number)


def end(record: Record, grace: float, reap: Callable[[], object] = lambda: None) -> bool:
    """Ask the part's leader to stop, and end whatever is left of its session after `grace` seconds.

    True if anything was there to end. `reap` is called while waiting; a true answer means that nobody waits any longer.
    """
    found = members = record.members()
    if leader := record.leader():
        tell(leader, record.gently)
    else:
        grace = 0
    for process in members:
        tell(process, signal.SIGCONT)  # a stopped process would not hear
    until = time.monotonic() + grace
    while (members := record.members()) and time.monotonic() < until and record.leader():
        if reap():
            break
        time.sleep(0.03)
    until = time.monotonic() + 10
    while members and time.monotonic() < until:
        for process in members:
            tell(process, signal.SIGKILL)
        reap()
        time.sleep(0.02)
        members = record.members()
    return bool(found)


def end_leftovers(folder: Path, run: str | None = None, grace: float = 5) -> list[str]:
    """End what the records speak of (of one run or of all), dependents first. Returns the names of the parts found."""
    records = [record for path in folder.glob("*.json") if (record := Record.read(path))]
    order = ["relay", "web", "beat", "worker", "redis", "postgres"]
    records.sort(key=lambda record: order.index(record.name) if record.name in order else -1)
    found = []
    for record in records:
        if run is None or record.run == run:
            if end(record, grace):
                found.append(record.name)
            (folder / f"{record.name}.json").unlink(missing_ok=True)
    return found
