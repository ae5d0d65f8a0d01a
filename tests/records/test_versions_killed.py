"""A worker is killed while it makes something final: afterwards there is one whole version, or none yet."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from collab4m.clock import now
from organisations.models import School
from records import storage
from records.documents.files import MadeFile
from records.models import Job, JobState, Rendition, Version
from records.operations import claim_job, freeze, make_final, next_version, order_job, run_job, work_off_jobs
from records.work import RunningJob, job_kind
from tests.factories import SchoolFactory
from tests.records.documents.content import COVER, OTHER_COVER, small
from tests.records.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

COVERS = {"0381": COVER, "1980": OTHER_COVER}
FILES = 2 + 3 + 8


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Deadly(dict):
    """Covers that kill whoever asks for the second of them, on a first attempt."""

    def items(self) -> Any:
        yield from list(super().items())[:1]
        die()


@job_kind("test.killed", label="Killed")
def killed(job: RunningJob):
    school = School.objects.get(pk=job.args["school"])
    where = job.args["where"] if job.job.attempts == 1 else ""
    if where == "rendering":
        make_final(job, school, small(), covers=Deadly(COVERS))
    if where == "storing":
        version = next_version(school, small(), by=None)
        with job.finish():
            freeze(version, deadly_files())
    make_final(job, school, small(), covers=COVERS)
    if where == "after":
        die()


def deadly_files() -> Iterator[MadeFile]:
    yield MadeFile("pdf", "0381", "a.pdf", b"the first of many")
    yield MadeFile("pdf", "1980", "b.pdf", b"the second")
    die()


WORK = """
import sys
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from tests.records import test_versions_killed
test_versions_killed.{work}()
"""


def in_a_process_of_its_own(work: Callable[[], None]) -> int:
    """Do the work in another process, as a worker would; the signal that ended it."""
    program = WORK.format(work=work.__name__)
    done = subprocess.run([sys.executable, "-c", program, connection.settings_dict["NAME"]], timeout=300)
    return -done.returncode


def do_what_waits() -> None:
    run_job(claim_job())


def write_half_a_file() -> None:
    storage.FinalFiles()._save("zy/torn", Torn())


class Torn:
    name = "torn"

    def chunks(self) -> Iterator[bytes]:
        yield b"half"
        die()


@pytest.mark.parametrize("where", ["rendering", "storing", "after"])
def test_a_killed_worker_leaves_nothing_half(where):
    school = SchoolFactory()
    job = order_job("test.killed", where, args={"school": school.pk, "where": where})

    assert in_a_process_of_its_own(do_what_waits) == signal.SIGKILL

    rows = (Version.objects.count(), Rendition.objects.count())
    assert rows == ((1, FILES) if where == "after" else (0, 0))
    Job.objects.filter(state=JobState.RUNNING).update(heartbeat_at=now() - timedelta(seconds=61))
    work_off_jobs()

    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.DONE, 1 if where == "after" else 2)
    version = Version.objects.get()
    assert (version.number, version.renditions.count(), Rendition.objects.count()) == (1, FILES, FILES)
    assert all(len(storage.read(one.sha256)) == one.size for one in Rendition.objects.all())


def test_a_worker_killed_in_the_middle_of_a_file_leaves_none_under_its_name():
    storage.FinalFiles().delete("zy/torn")

    assert in_a_process_of_its_own(write_half_a_file) == signal.SIGKILL

    assert not storage.FinalFiles().exists("zy/torn")
    storage.FinalFiles()._save("zy/torn", ContentFile(b"whole"))
    with storage.FinalFiles().open("zy/torn") as file:
        assert file.read() == b"whole"


@pytest.mark.race
def test_twenty_orders_at_once_make_one_job_and_one_version():
    school = SchoolFactory()
    args = {"school": school.pk, "where": ""}

    jobs = at_once(*[lambda: order_job("test.killed", "a", args=args).pk] * 20)
    work_off_jobs()

    assert set(jobs) == {Job.objects.get().pk}
    assert Version.objects.get().renditions.count() == FILES


@pytest.mark.race
def test_of_eight_who_freeze_at_once_each_number_is_taken_once():
    school = SchoolFactory()

    def rival(number: int) -> Callable[[], Any]:
        version = next_version(school, small(f"Rival {number}"), by=None)
        return lambda: freeze(version)

    answers = at_once(*[rival(number) for number in range(8)])

    assert sorted(type(answer).__name__ for answer in answers) == ["Version"] + ["VersionTaken"] * 7
    assert Version.objects.of(school).count() == 1
