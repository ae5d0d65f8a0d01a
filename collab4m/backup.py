"""`python -m collab4m.backup make [--to FOLDER]` and `… restore --from FOLDER`.

A backup is a folder: `database.dump` (read by pg_restore), `media/`, and `manifest.json` with the SHA-256 of every file
and, table by table, of the rows as they were in the dump's snapshot. What is restored is held against the same hashes.
Logged-in sessions and the cache are left out: a backup must not be a way in.
"""

import argparse
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection, make_dsn, parse_dsn

from collab4m import env
from collab4m.build import ROOT, Trouble, in_one_sentence, say, tail
from collab4m.embedded import database_url, homes
from collab4m.embedded.postgres import Postgres
from collab4m.embedded.servers import clear_leftovers, locked, start

FORMAT = 1
DUMP, MEDIA, MANIFEST = "database.dump", "media", "manifest.json"
LEFT_OUT = {"public.cache", "public.django_session"}
OURS = """
    SELECT c.oid::regclass::text FROM pg_class c
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
"""
ROWS = """
    SELECT count(*), encode(sha256(convert_to(coalesce(string_agg(hash, '' ORDER BY hash), ''), 'UTF8')), 'hex')
    FROM (SELECT encode(sha256(convert_to(t::text, 'UTF8')), 'hex') COLLATE "C" AS hash FROM {table} t) AS hashes
"""

Manifest = dict[str, Any]


class Database:
    """The database of a URL, for our own questions and for PostgreSQL's programs."""

    def __init__(self, url: str) -> None:
        self.url = url

    @contextmanager
    def one_moment(self) -> Iterator[connection]:
        """A connection that sees the database as it is now, whatever others write meanwhile."""
        try:
            asked = psycopg2.connect(self.url, connect_timeout=10)
        except psycopg2.OperationalError as error:
            raise Trouble(f"The database does not answer. It said:\n{tail(str(error), 5)}") from None
        try:
            asked.set_session("REPEATABLE READ", readonly=True)
            with asked.cursor() as cursor:  # how rows are written as text must not depend on the server
                cursor.execute("SET search_path = ''; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'")
                cursor.execute("SET IntervalStyle = 'postgres'; SET extra_float_digits = 1; SET bytea_output = 'hex'")
            yield asked
        finally:
            asked.close()

    def run(self, program: str, *arguments: str, why: str) -> None:
        """One of PostgreSQL's programs; the password goes by the environment, which other users cannot read."""
        parts = parse_dsn(self.url)
        secret = {"PGPASSWORD": parts.pop("password")} if "password" in parts else {}
        done = subprocess.run(
            [homes.package() / "pginstall/bin" / program, "--dbname", make_dsn(**parts), "--no-password", *arguments],
            env={**os.environ, **secret}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace",
        )  # fmt: skip
        if done.returncode:
            raise Trouble(f"{why}. {program} said:\n{tail(done.stdout, 12)}")


@contextmanager
def own_server(data_dir: Path, command: str) -> Iterator[Database]:
    """The database of a portal that does not run: its server is started, and stopped afterwards."""
    with locked(data_dir, command=command):
        clear_leftovers(data_dir)
        postgres = Postgres(data_dir, secrets.token_hex(8))
        postgres.prepare()
        child = postgres.child()
        try:
            start(child, postgres.answers, lambda: False)
            yield Database(database_url(data_dir))
        finally:
            child.stop()


@contextmanager
def database_to_read(data_dir: Path) -> Iterator[Database]:
    if url := env.text("DATABASE_URL", ""):
        yield Database(url)
    elif answers(data_dir):
        yield Database(database_url(data_dir))
    elif (data_dir / "postgres").exists() or (data_dir / "servers_are_in").exists():
        with own_server(data_dir, "make backup") as database:
            yield database
    else:
        raise Trouble(f"There is no database in {data_dir}: nothing to back up.")


def answers(data_dir: Path) -> bool:
    if not (data_dir / "secret").exists():  # asking would make one
        return False
    with suppress(psycopg2.OperationalError):
        psycopg2.connect(database_url(data_dir), connect_timeout=2).close()
        return True
    return False


@contextmanager
def database_to_fill(data_dir: Path) -> Iterator[Database]:
    if url := env.text("DATABASE_URL", ""):
        yield Database(url)
    else:
        with own_server(data_dir, "make restore") as database:
            yield database


def ours(asked: connection) -> list[str]:
    """All tables, views and sequences that no extension brought, each with its schema."""
    with asked.cursor() as cursor:
        cursor.execute(OURS)
        return sorted(name for (name,) in cursor.fetchall())


def rows(asked: connection) -> dict[str, dict[str, Any]]:
    """Number and hash of the rows of every table, in whatever order they lie."""
    found = {}
    with asked.cursor() as cursor:
        cursor.execute(f"{OURS} AND c.relkind = 'r'")
        for (table,) in sorted(cursor.fetchall()):
            if table not in LEFT_OUT:
                cursor.execute(ROWS.format(table=table))
                number, sha256 = cursor.fetchone()
                found[table] = {"rows": number, "sha256": sha256}
    return found


def hashes(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file in the folder, by its path there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with open(path, "rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def make(data_dir: Path, folder: Path) -> None:
    """Write a backup into the folder, which appears when it is whole. The portal may run meanwhile."""
    if folder.exists():
        raise Trouble(f"{folder} exists already. Name a new folder: make backup TO=folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        with database_to_read(data_dir) as database:
            say("Writing the database.")
            tables = dump(database, draft / DUMP)
        # After the database: a file is stored before its row, so every row in the dump finds its file.
        say("Copying the files.")
        copy_files(data_dir / MEDIA, draft / MEDIA)
        manifest = {
            "format": FORMAT,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "demo_loaded": (data_dir / "demo_loaded").exists(),
            "tables": tables,
            "files": hashes(draft),
        }
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    say(f"The backup is in {folder}. {contents(manifest)}")


def dump(database: Database, target: Path) -> dict[str, dict[str, Any]]:
    with database.one_moment() as asked:
        tables = rows(asked)
        if not tables:
            raise Trouble("The database has no tables: nothing to back up.")
        with asked.cursor() as cursor:
            cursor.execute("SELECT pg_export_snapshot()")
            (snapshot,) = cursor.fetchone()
        database.run(
            "pg_dump", "--format", "custom", "--no-owner", "--no-privileges", "--snapshot", snapshot,
            *(f"--exclude-table-data={table}" for table in LEFT_OUT), "--file", str(target),
            why="The database could not be written out",
        )  # fmt: skip
        return tables


def copy_files(source: Path, target: Path) -> None:
    target.mkdir()
    for path in sorted(source.rglob("*")):
        if path.is_file():
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # forgotten meanwhile
                shutil.copyfile(path, copy)


def restore(data_dir: Path, folder: Path) -> None:
    """Put a backup onto an empty place.

    Raises Trouble before anything is written if the backup is damaged or the place not empty.
    """
    say("Reading the backup.")
    manifest = read(folder)
    media = data_dir / MEDIA
    if media.exists() and any(media.iterdir()):
        raise Trouble(f"There are files in {media}. A backup is only put onto an empty place: see docs/operations.md.")
    with database_to_fill(data_dir) as database:
        with database.one_moment() as asked:
            if present := ours(asked):
                raise Trouble(
                    f"The database is not empty: it has {present[0]} and {len(present) - 1} more. "
                    "A backup is only put onto an empty place: see docs/operations.md."
                )
        say("Copying the files.")
        draft = data_dir / ".media.draft"
        shutil.rmtree(draft, ignore_errors=True)
        data_dir.mkdir(parents=True, exist_ok=True)
        copy_files(folder / MEDIA, draft)
        refuse_difference("files", at_media(manifest["files"]), hashes(draft))
        say("Filling the database.")
        database.run(
            "pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges",
            str(folder / DUMP), why="The database could not be filled, and is empty again",
        )  # fmt: skip
        with database.one_moment() as asked:
            refuse_difference("tables", manifest["tables"], rows(asked))
    if media.exists():
        media.rmdir()
    draft.rename(media)
    # A demo that was not in the backup must not be added to it by the next start.
    (data_dir / "demo_loaded").write_text("" if manifest["demo_loaded"] else "not here: restored from a backup")
    say(f"Restored, and every hash compared. {contents(manifest)}")


def read(folder: Path) -> Manifest:
    """The manifest, with every file of the backup held against it."""
    if not folder.is_dir():
        raise Trouble(f"There is no backup in {folder}.")
    try:
        manifest: Manifest = json.loads((folder / MANIFEST).read_text())
        written, expected = manifest["format"], manifest["files"]
    except (OSError, ValueError, TypeError, KeyError):
        raise Trouble(f"The backup in {folder} is damaged: its {MANIFEST} cannot be read. Use another.") from None
    if written != FORMAT:
        raise Trouble(f"The backup in {folder} has format {written}; this version of collab4m reads {FORMAT}.")
    found = {name: sha256 for name, sha256 in hashes(folder).items() if name != MANIFEST}
    if wrong := differing(expected, found):
        raise Trouble(f"The backup in {folder} is damaged: {wrong}. Nothing was restored. Use another.")
    return manifest


def at_media(files: dict[str, str]) -> dict[str, str]:
    prefix = f"{MEDIA}/"
    return {name.removeprefix(prefix): sha256 for name, sha256 in files.items() if name.startswith(prefix)}


def differing(expected: dict[str, Any], found: dict[str, Any]) -> str:
    """What is missing, added or changed, in words; empty if nothing is."""
    wrong = [
        f"{name} is {'missing' if name not in found else 'not in the manifest' if name not in expected else 'changed'}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]
    return ", ".join(wrong[:3]) + (f", and {len(wrong) - 3} more" if len(wrong) > 3 else "")


def refuse_difference(what: str, expected: dict[str, Any], found: dict[str, Any]) -> None:
    if wrong := differing(expected, found):
        raise Trouble(f"The {what} are not as in the backup: {wrong}. Do not use this place; empty it and try again.")


def contents(manifest: Manifest) -> str:
    """How much a backup holds, and the one hash that stands for all."""
    number = sum(table["rows"] for table in manifest["tables"].values())
    files = len(at_media(manifest["files"]))
    sha256 = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    return f"{number} rows, {files} files, of {manifest['made_at']}, mark {sha256[:16]}."


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m collab4m.backup")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("make", help="write a backup into a new folder").add_argument("--to", type=Path)
    verbs.add_parser("restore", help="put one onto an empty place").add_argument(
        "--from", type=Path, dest="source", required=True
    )
    asked = parser.parse_args()
    os.umask(0o077)  # a backup is for this user alone
    data_dir = Path(os.environ.get("DATA_DIR") or ROOT / ".data").absolute()
    if asked.verb == "make":
        make(data_dir, (asked.to or data_dir / "backups" / f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}").absolute())
    else:
        restore(data_dir, asked.source.absolute())


if __name__ == "__main__":
    try:
        main()
    except Trouble as trouble:
        sys.exit(f"\n{trouble}")
    except psycopg2.Error as error:
        sys.exit(f"\nThe database refused. It said:\n{tail(str(error), 5)}")
    except OSError as error:
        sys.exit(f"\n{in_one_sentence(error)}")
    except KeyboardInterrupt:
        sys.exit("\nStopped. A backup that was not whole is gone; a restore must begin again on an empty place.")
