"""How servers run without root's rights: PostgreSQL refuses them, and Redis needs none.

In a user namespace of their own where the system allows it (their files stay root's), else as `nobody`. No account is
made. Uses the C library directly because Python has `unshare` only since 3.12.
"""

import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG, CLONE_NEWUSER = 1, 0x10000000


def bare_account() -> pwd.struct_passwd:
    """An account without rights that the system already has; PostgreSQL wants its number to have a name."""
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        return next(account for account in pwd.getpwall() if account.pw_uid)


def enter_namespace() -> None:
    account, uid, gid = bare_account(), os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{account.pw_uid} {uid} 1"),
        ("gid_map", f"{account.pw_gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as handle:
            handle.write(text)


def become_nobody() -> None:
    account = bare_account()
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


@cache
def way_down() -> Callable[[], None] | None:
    """What a child must call before it runs a server: nothing unless we are root."""
    if os.geteuid():
        return None
    works = ["sh", "-c", '[ "$(id -u)" != 0 ]']
    try:
        done = subprocess.run(works, preexec_fn=enter_namespace, stderr=subprocess.DEVNULL)
        return become_nobody if done.returncode else enter_namespace
    except (OSError, subprocess.SubprocessError):
        return become_nobody


def owner() -> tuple[int, int]:
    """Who must own the servers' files."""
    if way_down() is become_nobody:
        account = bare_account()
        return account.pw_uid, account.pw_gid
    return os.geteuid(), os.getegid()


def give(folder: Path) -> None:
    """Make the folder and all in it the servers' own, and nobody else's."""
    uid, gid = owner()
    folder.chmod(0o700)
    if folder.stat().st_uid != uid:
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, uid, gid, follow_symlinks=False)


def reaches(*paths: Path) -> bool:
    """Whether a server may come to these paths."""
    if way_down() is not become_nobody:
        return True
    test = " && ".join(f'[ -r "${number}" ]' for number, _ in enumerate(paths, 1))
    return not subprocess.run(["/bin/sh", "-c", test, "sh", *paths], preexec_fn=become_nobody, cwd="/").returncode


def before_exec(unprivileged: bool, at_parents_death: signal.Signals) -> Callable[[], None]:
    """What a new child does before it becomes its program: lose rights, and be told when its parent dies."""
    parent, lose_rights = os.getpid(), way_down() if unprivileged else None

    def prepare() -> None:
        if lose_rights:
            lose_rights()
        libc.prctl(PR_SET_PDEATHSIG, at_parents_death)  # last: a change of rights clears it
        if os.getppid() != parent:
            os._exit(1)

    return prepare
