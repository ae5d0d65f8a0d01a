"""Send one job through the queue, and say whether it came through."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from records.models import Job, JobState
from records.operations import order_job


class Command(BaseCommand):
    help = "Orders a job that changes nothing, waits until a worker has done it, and says how it went."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seconds", type=int, default=1, help="how long the job works (1)")
        parser.add_argument("--timeout", type=int, default=60, help="how long to wait for it (60)")
        parser.add_argument("--no-wait", action="store_true", help="print the job's number and leave")

    def handle(self, *, seconds: int, timeout: int, no_wait: bool, **options: Any) -> None:
        try:
            job = order_job("records.check", f"check-{time.time_ns()}", args={"seconds": seconds})
            if no_wait:
                self.stdout.write(str(job.pk))
                return
            self.stdout.write(f"Job {job.pk} is ordered.")
            self.wait_for(job, timeout)
        except DatabaseError as error:
            raise CommandError(f"The database does not do its part: {str(error).splitlines()[0]}") from error
        self.stdout.write(f"Job {job.pk} went through the queue and is done.")

    def wait_for(self, job: Job, timeout: int) -> None:
        until = time.monotonic() + timeout
        while job.state in (JobState.QUEUED, JobState.RUNNING):
            if time.monotonic() > until:
                raise CommandError(
                    f"Job {job.pk} was not done within {timeout} seconds: it is {job.state}. "
                    "Is the worker running, and the beat?"
                )
            time.sleep(0.2)
            job.refresh_from_db()
        if job.state == JobState.FAILED:
            raise CommandError(f"Job {job.pk} failed: {job.error}")
