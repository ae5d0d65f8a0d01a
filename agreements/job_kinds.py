"""Work that agreements hand to the worker."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agreements.models import Agreement, Statement
from agreements.operations.compensation import STATEMENTS, make_statements
from agreements.operations.copies import attached_files, covers_of, send_copies
from agreements.operations.freezing import FILES, SIGNED_FILES
from agreements.operations.locking import STATEMENT_FILES
from agreements.operations.service import ASK, LOOK, call_service, send_request
from collab4m.errors import RuleBroken
from collab4m.school_year import SchoolYear
from organisations.models import CollaborationArea
from records.models import Version
from records.operations import finish_files
from records.work import RunningJob, job_kind


class VersionGone(RuleBroken):
    code = "version_gone"
    message = gettext_lazy("The version is no longer there.")


def _version(job: RunningJob) -> Version:
    found = Version.objects.filter(pk=job.args["version"]).first()
    if found is None:
        raise VersionGone
    return found


@job_kind(FILES, label=gettext_lazy("Make the agreement's files"))
def make_files(job: RunningJob) -> None:
    """The files of a version that was sent on referral or to decision."""
    finish_files(job, _version(job))


@job_kind(SIGNED_FILES, label=gettext_lazy("Make the signed agreement and the copies"))
def make_signed_files(job: RunningJob) -> None:
    """The files of a signed version, with what was decided and signed, and each party's copy for its archive."""
    version = _version(job)
    agreement: Agreement = Agreement.objects.get(pk=version.subject_id)
    finish_files(
        job,
        version,
        covers=covers_of(agreement, version),
        attached=attached_files(version),
        then=lambda rows: send_copies(agreement, version, rows),
    )


@job_kind(STATEMENTS, label=gettext_lazy("Make statements of compensation"))
def statements(job: RunningJob) -> None:
    """Make the statements of an area pair by pair. Each is whole; after a fault those that are made stay."""
    area = CollaborationArea.objects.get(pk=job.args["area"])
    year, semester = SchoolYear(job.args["year"]), job.args["semester"]
    made = 0
    for made, total in make_statements(area, year, semester, by=job.by, on_behalf_of=job.on_behalf_of):
        job.progress(made, total, _("Pairs of municipalities"))
    with job.finish() as result:
        result |= {"pairs": made, "page": job.args["page"]}


@job_kind(STATEMENT_FILES, label=gettext_lazy("Make the files of a statement"))
def statement_files(job: RunningJob) -> None:
    """Make the files of what a locked statement says, and keep them together with the job's end."""
    statement = Statement.objects.select_related("version").get(pk=job.args["statement"])
    assert statement.version is not None
    finish_files(job, statement.version)


@job_kind(ASK, label=gettext_lazy("Ask for the signature in the signing service"))
def ask_signature(job: RunningJob) -> None:
    send_request(job.args["request"])


@job_kind(LOOK, label=gettext_lazy("Look at the signatures in the signing service"))
def look_at_signatures(job: RunningJob) -> None:
    call_service()
