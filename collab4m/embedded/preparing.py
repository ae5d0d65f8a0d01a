"""What Django must do before the portal serves: static files, tables, reference data, and the first time the demo.

A process of its own, so that the supervisor stays small. Says each step in one line on standard output; what the
commands themselves say goes to standard error, into the log.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def command(name: str, *args: str, **options: Any) -> None:
    from django.core.management import call_command

    print(f"--- {name}", file=sys.stderr, flush=True)
    call_command(name, *args, stdout=sys.stderr, stderr=sys.stderr, **options)


def sources() -> Iterator[Path]:
    """All static files, wherever they come from."""
    from django.contrib.staticfiles.finders import get_finders

    for finder in get_finders():
        for name, storage in finder.list([]):
            yield Path(storage.path(name))


def collect_static() -> None:
    """Skipped while names, sizes and times of all sources are as they were."""
    from django.conf import settings

    if settings.DEBUG:
        return
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for path in sorted(sources()):
        status = path.stat()
        digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    stamp = Path(settings.STATIC_ROOT) / ".made-from"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    print("Collecting styles, scripts and fonts.", flush=True)
    command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(digest.hexdigest())


def load_demo() -> None:
    """Once per data folder, so that a demo that was taken away stays away."""
    from django.conf import settings

    marker = Path(settings.DATA_DIR) / "demo_loaded"
    wanted = os.environ.get("DEMO", "1" if settings.EMBEDDED else "0")
    if wanted == "0" or marker.exists():
        return
    print("Loading the demo.", flush=True)
    command("load_demo")
    marker.touch()


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collab4m.settings")
    django.setup()
    collect_static()
    print("Bringing the tables up to date.", flush=True)
    command("migrate", interactive=False, verbosity=1)
    print("Loading the reference data.", flush=True)
    command("load_reference")
    load_demo()


if __name__ == "__main__":
    main()
