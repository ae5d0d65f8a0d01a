"""What stands around the portal: the set-up, and the servers a command may have for itself."""

import os
import subprocess
import sys

import pytest

from collab4m.build import ROOT
from collab4m.embedded import processes

LOOK = """
import os, psycopg2
cursor = psycopg2.connect(os.environ["DATABASE_URL"]).cursor()
cursor.execute("SELECT current_setting('fsync'), (SELECT count(*) FROM pg_class WHERE relname = 'django_migrations')")
print(*cursor.fetchone(), os.environ["DATA_DIR"])
raise SystemExit(3)
"""


def with_servers(folder, *command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "collab4m.embedded", "with-servers", "--data", str(folder), "--", *command],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_setup_does_nothing_twice():
    command = [sys.executable, "-I", "collab4m/build.py", "test"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)

    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_may_not_be_written_is_one_sentence(tmp_path):
    tmp_path.chmod(0o500)

    refused, _ = with_servers(tmp_path / "data", "true").communicate(timeout=60)

    assert refused.strip().startswith("This user may not write")
    assert len(refused.strip().splitlines()) == 1


def test_a_command_has_empty_servers_of_its_own_beside_the_running_portal(portal, tmp_path):
    command = with_servers(tmp_path / "data", sys.executable, "-c", LOOK)
    said, _ = command.communicate(timeout=60)

    assert said.split() == ["off", "0", str(tmp_path / "data")]
    assert command.returncode == 3
    assert not [process for process in processes.everyone() if str(tmp_path).encode() in process.environment()]
    assert portal.ready()


def test_two_commands_do_not_share_servers(tmp_path):
    first = with_servers(
        tmp_path / "data", sys.executable, "-c", "import time; print('on', flush=True); time.sleep(60)"
    )
    assert first.stdout.readline() == "on\n"

    second = with_servers(tmp_path / "data", "true")
    said, _ = second.communicate(timeout=60)
    first.terminate()
    first.communicate(timeout=60)

    assert second.returncode == 1
    assert f"is in use by process {first.pid}" in said
