"""A report made final for four boards and for twenty-six: seconds, pages, and the most memory that its process had."""

import resource
import subprocess
import sys
from datetime import date
from time import perf_counter

from django.test.utils import setup_databases, teardown_databases
from pypdfium2 import PdfDocument

from benchmarks.imports import peak_megabytes
from benchmarks.national import load
from collab4m.school_year import SchoolYear
from organisations.models import User
from records import storage
from records.models import Job, JobState, Version
from records.operations import work_off_jobs
from reports.models import Report
from reports.operations import open_parts, order_build
from reports.operations.building import BUILD

MUNICIPALITIES = 30  # one area of 26 and one of four
MOST_MEGABYTES = 600


def measure_reports() -> None:
    """Measure in a process of its own, so that nothing else has raised the peak of memory."""
    program = "import django; django.setup(); from benchmarks.reports import measure_here; measure_here()"
    sys.stdout.flush()
    if subprocess.run([sys.executable, "-c", program]).returncode:
        raise SystemExit("The reports were not measured.")


def measure_here() -> None:
    config = setup_databases(verbosity=0, interactive=False)
    try:
        cast = load(MUNICIPALITIES)
        print(f"\nReport made final, with all files (aim: at most {MOST_MEGABYTES} MB)")
        print(f"{'boards':>6} {'build s':>8} {'files':>6} {'pages':>6} {'again s':>8} {'peak MB':>8} {'helper':>8}")
        for size in (4, 26):
            _build(size, cast[size])
    finally:
        teardown_databases(config, verbosity=0)


def _build(size: int, user: User) -> None:
    body = user.roles_today[0].body
    area = body.as_municipality.memberships.get().area
    report = Report.objects.create(
        area=area, title="Återredovisning", school_year=SchoolYear(2022), due=date(2022, 9, 1)
    )
    open_parts(report)
    start = perf_counter()
    order_build(report, by=user, on_behalf_of=body)
    work_off_jobs()
    built_s = perf_counter() - start
    job = Job.objects.get(kind=BUILD, key=str(report.pk))
    if job.state != JobState.DONE:
        raise SystemExit(f"The report for {size} boards was not made: {job.error}")
    start = perf_counter()
    version = order_build(report, by=user, on_behalf_of=body)
    again_s = perf_counter() - start
    if not isinstance(version, Version):
        raise SystemExit("An unchanged report was ordered again.")
    first = version.renditions.filter(kind="pdf").order_by("variant")[0]
    pages = len(PdfDocument(storage.read(first.sha256)))
    files = version.renditions.count()
    helper = peak_megabytes(resource.RUSAGE_CHILDREN)
    print(f"{size:6} {built_s:8.1f} {files:6} {pages:6} {again_s:8.1f} {peak_megabytes():8.0f} {helper:8.0f}")
