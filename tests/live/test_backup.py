"""Backup and restore, drilled with the real portal: taken while it runs, put onto empty places, held against hashes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings

from collab4m.backup import MEDIA, contents
from collab4m.build import ROOT
from collab4m.embedded import database_url
from tests.live.conftest import Portal, free_port

FILE, TEXT = "protokoll/Möte å ä ö.txt", "Justerat.\n"


def run(data_dir: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "collab4m.backup", *arguments],
        cwd=ROOT, env={**Portal(data_dir, 1).environment, **environment}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def refused(data_dir: Path, *arguments: str, **environment: str) -> str:
    """What a refusal says: one sentence or two, no traceback."""
    done = run(data_dir, *arguments, **environment)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done
    return done.stderr.strip()


def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


def no_draft(folder: Path) -> bool:
    return not [*folder.parent.glob(".*draft")]


@pytest.fixture(scope="module")
def backup(installation: Portal, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Taken while the portal runs, with a file in it and somebody logged in."""
    if not installation.process or installation.process.poll() is not None:
        installation.start()
    assert installation.log_in().status == 302
    file = installation.data_dir / "media" / FILE
    file.parent.parent.mkdir(mode=0o700, exist_ok=True)  # as the portal, whose umask is strict, would have made it
    file.parent.mkdir(exist_ok=True)
    file.write_text(TEXT)
    folder = tmp_path_factory.mktemp("backups") / "first"

    done = run(installation.data_dir, "make", "--to", str(folder))

    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def copied(backup, tmp_path) -> Path:
    return Path(shutil.copytree(backup, tmp_path / "copied"))


@pytest.fixture
def other_server(portal):
    """The URL of an empty database on a server that is given, not brought along."""
    url = database_url(portal.data_dir)
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE elsewhere")
        yield url.removesuffix("collab4m") + "elsewhere"
        cursor.execute("DROP DATABASE elsewhere WITH (FORCE)")
    connection.close()


def test_files_are_where_the_settings_put_them():
    assert settings.MEDIA_ROOT == settings.DATA_DIR / MEDIA


def test_backup_holds_database_files_and_hashes_for_the_owner_alone(backup, portal):
    written = manifest(backup)

    assert sorted(path.name for path in backup.iterdir()) == ["database.dump", "manifest.json", "media"]
    assert f"media/{FILE}" in written["files"]
    assert written["tables"]["public.organisations_user"]["rows"] > 10
    assert {"public.django_session", "public.cache"}.isdisjoint(written["tables"])
    assert {path.stat().st_mode & 0o077 for path in (backup, *backup.rglob("*"))} == {0}
    secrets = [path.read_bytes() for path in (portal.data_dir / "secret").iterdir()]
    assert not [secret for secret in secrets for path in backup.rglob("*.*") if secret in path.read_bytes()]


def test_restored_on_an_empty_place_the_portal_is_as_it_was(backup, portal, tmp_path):
    place = Portal(tmp_path / "place", free_port())
    (sessions,) = portal.sql("SELECT count(*) FROM django_session")[0]

    done = run(place.data_dir, "restore", "--from", str(backup))
    again = run(place.data_dir, "make", "--to", str(tmp_path / "second"))

    assert (done.returncode, again.returncode) == (0, 0), done.stderr + again.stderr
    assert contents(manifest(backup)) in done.stdout
    assert manifest(tmp_path / "second")["tables"] == manifest(backup)["tables"]
    assert (place.data_dir / "media" / FILE).read_text() == TEXT
    assert (place.data_dir / "media").stat().st_mode & 0o077 == 0
    place.start()
    try:
        assert place.log_in().status == 302
        assert "Loading the demo." not in place.output
        assert sessions > 0
        assert place.sql("SELECT count(*) FROM django_session") == [(1,)]
    finally:
        assert place.stop() == 0


def test_restore_fills_the_database_of_database_url_once(backup, other_server, tmp_path):
    environment = {"DATABASE_URL": other_server, "SECRET_KEY": "k" * 50}

    done = run(tmp_path / "place", "restore", "--from", str(backup), **environment)
    again = refused(tmp_path / "another", "restore", "--from", str(backup), **environment)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "place/media" / FILE).read_text() == TEXT
    assert not (tmp_path / "place/postgres").exists()
    assert again.startswith("The database is not empty: it has public.")
    assert not (tmp_path / "another/media").exists()


def test_restore_refuses_a_place_with_files(backup, tmp_path):
    (tmp_path / "place/media").mkdir(parents=True)
    (tmp_path / "place/media/kept.txt").write_text("kept")

    said = refused(tmp_path / "place", "restore", "--from", str(backup))

    assert said.startswith(f"There are files in {tmp_path / 'place/media'}.")
    assert [path.name for path in (tmp_path / "place").rglob("*")] == ["media", "kept.txt"]


def test_restore_refuses_the_running_portal(backup, portal, tmp_path):
    shutil.move(portal.data_dir / "media", tmp_path / "media")

    said = refused(portal.data_dir, "restore", "--from", str(backup))

    shutil.move(tmp_path / "media", portal.data_dir / "media")
    assert said.startswith(f"collab4m already runs here: http://localhost:{portal.port}")
    assert portal.ready()


def flip_a_byte(folder: Path) -> None:
    content = bytearray((folder / "database.dump").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "database.dump").write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (flip_a_byte, "database.dump is changed"),
        (lambda folder: (folder / "media" / FILE).unlink(), f"media/{FILE} is missing"),
        (lambda folder: (folder / "media/added.txt").write_text("added"), "media/added.txt is not in the manifest"),
        (lambda folder: os.truncate(folder / "manifest.json", 300), "its manifest.json cannot be read"),
        (lambda folder: (folder / "manifest.json").unlink(), "its manifest.json cannot be read"),
    ],
)
def test_restore_refuses_a_damaged_backup_and_writes_nothing(copied, tmp_path, damage, said):
    damage(copied)

    refusal = refused(tmp_path / "place", "restore", "--from", str(copied))

    assert refusal.startswith(f"The backup in {copied} is damaged: {said}.")
    assert not (tmp_path / "place").exists()


def test_restore_says_when_a_table_came_out_otherwise(copied, other_server, tmp_path):
    changed = manifest(copied)
    changed["tables"]["public.organisations_role"]["rows"] += 1
    (copied / "manifest.json").write_text(json.dumps(changed))

    said = refused(tmp_path / "place", "restore", "--from", str(copied), DATABASE_URL=other_server)

    assert said.startswith("The tables are not as in the backup: public.organisations_role is changed.")
    assert not (tmp_path / "place/media").exists()


def test_failed_restore_leaves_the_database_empty(copied, other_server, tmp_path):
    """A dump that ends too early, with a manifest that knows it so."""
    os.truncate(copied / "database.dump", (copied / "database.dump").stat().st_size // 2)
    changed = manifest(copied)
    changed["files"]["database.dump"] = subprocess.check_output(["sha256sum", copied / "database.dump"], text=True)[:64]
    (copied / "manifest.json").write_text(json.dumps(changed))

    said = refused(tmp_path / "place", "restore", "--from", str(copied), DATABASE_URL=other_server)

    connection = psycopg2.connect(other_server)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        assert cursor.fetchone() == (0,)
    connection.close()
    assert said.startswith("The database could not be filled, and is empty again.")


def test_backup_refuses_a_folder_that_exists_and_a_place_without_a_database(backup, portal, tmp_path):
    taken = refused(portal.data_dir, "make", "--to", str(backup))
    nothing = refused(tmp_path / "place", "make", "--to", str(tmp_path / "backup"))

    assert taken.startswith(f"{backup} exists already.")
    assert nothing.startswith(f"There is no database in {tmp_path / 'place'}")
    assert not (tmp_path / "backup").exists()
    assert not (tmp_path / "place").exists()
    assert no_draft(backup)
    assert no_draft(tmp_path / "backup")
