"""Wait until the reports that are due have been made, and say where their files are."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from collab4m.clock import today
from records import storage
from records.models import JobState, Rendition, RenditionKind, Version
from reports.models import Report
from reports.operations import order_due_reports
from reports.operations.building import latest_build


class Command(BaseCommand):
    help = (
        "Waits until the clock and the worker have made the reports that are due, and prints path and SHA-256 of each."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--timeout", type=int, default=180, help="seconds to wait (180)")

    def handle(self, *, timeout: int, **options: Any) -> None:
        try:
            order_due_reports()
            self.wait(timeout)
            for report in Report.objects.filter(due__lte=today()).order_by("pk"):
                self.show(report)
        except DatabaseError as error:
            raise CommandError(f"The database does not do its part: {str(error).splitlines()[0]}") from error

    def wait(self, timeout: int) -> None:
        until = time.monotonic() + timeout
        while waiting := list(Report.objects.filter(due__lte=today()).without_version()):
            for report in waiting:
                job = latest_build(report)
                if job and job.state == JobState.FAILED:
                    raise CommandError(f"{report} could not be made: {job.error}")
            if time.monotonic() > until:
                names = ", ".join(str(report) for report in waiting)
                raise CommandError(f"Not made within {timeout} seconds: {names}. Is the worker running, and the beat?")
            time.sleep(0.2)

    def show(self, report: Report) -> None:
        version = Version.objects.of(report).defer("content").first()
        if version is None:
            return
        self.stdout.write(f"{report}, version {version.number}")
        files = Rendition.objects.current().filter(version=version, kind=RenditionKind.PDF)
        for file in files.order_by("variant"):
            self.stdout.write(f"  {file.name}  {storage.path_of(file.sha256)}  SHA-256 {file.sha256}")
