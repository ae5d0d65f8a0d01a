"""Making a report final, while whoever ordered it does something else."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy

from collab4m.errors import RuleBroken
from records.operations import make_final, unchanged
from records.work import RunningJob, job_kind
from reports.models import Report
from reports.operations import current_content
from reports.operations.building import BUILD


class ReportGone(RuleBroken):
    code = "report_gone"
    message = gettext_lazy("The report is no longer there.")


@job_kind(BUILD, label=gettext_lazy("Make the report"))
def build(job: RunningJob) -> None:
    """Collect the content, make the files, and make all of it final together with the job's end."""
    report = Report.objects.select_related("area").filter(pk=job.args["report"]).first()
    if report is None:
        raise ReportGone
    content, covers = current_content(report)
    if same := unchanged(report, content, covers):
        with job.finish() as result:
            result |= {"version": same.pk, "page": reverse("report", args=[report.pk])}
        return
    make_final(job, report, content, covers=covers)
