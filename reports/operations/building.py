"""Making a report final: ordered by somebody or by the clock, once, and done by the worker."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import translation

from collab4m.clock import now, today
from organisations.models import Body, User
from records.documents.content import Content
from records.models import Job, Part, Version
from records.operations import order_job, unchanged
from reports.models import Report
from reports.operations.content import LANGUAGE, content_of
from reports.operations.covers import covers_of
from reports.outline import written_sections

BUILD = "reports.build"
ASK_AGAIN_AFTER = timedelta(hours=24)  # the clock does not order anew what has just failed


def open_parts(report: Report) -> None:
    """Make the parts that officials write in, where they are not there yet."""
    with translation.override(LANGUAGE):
        there = set(Part.objects.about(report).values_list("key", flat=True))
        Part.objects.bulk_create(
            Part(subject=report, key=section.key, heading=str(section.heading), order=place)
            for place, section in enumerate(written_sections())
            if section.key not in there
        )


def current_content(report: Report) -> tuple[Content, dict[str, Content]]:
    """What would be made final now, and the boards' covers."""
    return content_of(report), covers_of(report)


def order_build(report: Report, *, by: User, on_behalf_of: Body | None) -> Job | Version:
    """Have the report made final as it now is. Returns the job, or the latest version when it says the same already.

    Whoever orders what is under way follows the same job.
    """
    content, covers = current_content(report)
    latest: Version | None = unchanged(report, content, covers)
    return latest or _order(report, by=by, on_behalf_of=on_behalf_of)


@transaction.atomic
def order_due_reports() -> list[Job]:
    """Order what was to be there by now and is not: once, however long the clock has stood still."""
    lately = Job.objects.filter(kind=BUILD, created_at__gt=now() - ASK_AGAIN_AFTER).values_list("key", flat=True)
    due = Report.objects.filter(due__lte=today()).without_version()
    asked = set(lately)
    return [_order(report) for report in due.order_by("pk") if str(report.pk) not in asked]


def _order(report: Report, *, by: User | None = None, on_behalf_of: Body | None = None) -> Job:
    return order_job(BUILD, str(report.pk), by=by, on_behalf_of=on_behalf_of, args={"report": report.pk})


def latest_build(report: Report) -> Job | None:
    """The last job that was to make this report, however it went."""
    return Job.objects.filter(kind=BUILD, key=str(report.pk)).order_by("-pk").first()


def build_is_running(report: Report) -> Job | None:
    """The unfinished job that makes this report, if there is one."""
    return Job.objects.unfinished().filter(kind=BUILD, key=str(report.pk)).first()
