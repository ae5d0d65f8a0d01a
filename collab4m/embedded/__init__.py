"""The servers a checkout brings along: PostgreSQL and Redis under DATA_DIR, and the supervisor that runs the portal.

Settings import this on every start, so it needs nothing but the standard library and never fails because nothing runs.
"""

import hashlib
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

DATABASE = USER = "collab4m"
LONGEST_SOCKET_FOLDER = 80  # a socket's whole path may have 107 bytes


def make_folder(data_dir: Path) -> None:
    """DATA_DIR, if it is not there. Others may not list it, only pass: the servers of root may be another user."""
    if not data_dir.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        data_dir.chmod(0o711)


def secret(data_dir: Path, name: str) -> str:
    """The secret of that name: made once, kept readable for its owner alone.

    Where nothing can be kept, a new one each time, so that commands still run in a read-only checkout.
    """
    path = data_dir / "secret" / name
    with suppress(FileNotFoundError, PermissionError):
        return path.read_text().strip()
    value = secrets.token_urlsafe(48)
    try:
        make_folder(data_dir)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft = Path(tempfile.mkstemp(dir=path.parent, prefix=f".{name}-")[1])
        try:
            draft.write_text(value)
            os.link(draft, path)  # refuses when another process was first, so all agree on one
        finally:
            draft.unlink()
    except FileExistsError:
        return path.read_text().strip()
    except OSError:
        return value
    return value


def sockets(data_dir: Path) -> Path:
    """Where the servers' sockets are: where the supervisor said, else where it would put them."""
    with suppress(OSError):
        return Path((data_dir / "run" / "sockets").read_text().strip())
    return usual_sockets(data_dir)


def usual_sockets(data_dir: Path) -> Path:
    """Under DATA_DIR, or in the temporary folder when that path is too long for a socket."""
    folder = data_dir.absolute() / "sockets"
    if len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER:
        return folder
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"collab4m-{os.geteuid()}-{mark}"


def database_url(data_dir: Path) -> str:
    password, host = secret(data_dir, "database_password"), quote(str(sockets(data_dir)), safe="")
    return f"postgres://{USER}:{password}@{host}/{DATABASE}"


def redis_url(data_dir: Path, number: int = 0) -> str:
    return f"redis+socket://{sockets(data_dir) / 'redis.sock'}?virtual_host={number}"
