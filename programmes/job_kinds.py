"""Reading and writing large files, while whoever sent them does something else."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from programmes.models import FileImport, FileKind
from programmes.operations import FileGone, FileRefused, read_file, write_file
from records.work import RunningJob, job_kind


def _file_of(job: RunningJob) -> FileImport:
    file = FileImport.objects.filter(pk=job.args["file"]).select_related("municipality", "by", "on_behalf_of").first()
    if file is None:
        raise FileGone
    file.job = job.job  # another one than at first, when somebody had it tried again
    file.save(update_fields=["job"])
    return file


@job_kind("programmes.read_file", label=gettext_lazy("Read a file"))
def read(job: RunningJob) -> dict[str, Any]:
    """Read a file into rows to confirm. What is wrong in it stays with the file, for its page to show."""
    file = _file_of(job)
    step = _("Reading the file")
    job.progress(0, None, step)
    try:
        rows = read_file(file, lambda done, about: job.progress(done, max(done, about) if about else None, step))
    except FileRefused as refused:
        problems = [vars(problem) for problem in refused.problems]
        FileImport.objects.filter(pk=file.pk).update(problems=problems)
        raise
    return {"rows": rows}


@job_kind("programmes.write_file", label=gettext_lazy("Import a file"))
def write(job: RunningJob) -> None:
    """Write a file's rows and the mark that the job is done together, or neither."""
    file = _file_of(job)
    total = file.rows.count()
    job.progress(0, total, _("Saving the rows"))
    with job.finish() as result:
        page = reverse("reporting" if file.kind == FileKind.OFFERINGS else "flows")
        result |= {"rows": write_file(file, complete=job.args["complete"], seen=job.args["seen"]), "page": page}
