"""The portal's own job: shows that the queue carries work from order to done."""

import time

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from records.work import RunningJob, job_kind


@job_kind("records.check", label=gettext_lazy("Check that the queue works"))
def check(job: RunningJob) -> dict[str, bool]:
    """Wait for `seconds`, in steps, and change nothing."""
    seconds = int(job.args.get("seconds", 1))
    job.progress(0, seconds, _("Waiting"))
    for second in range(seconds):
        time.sleep(1)
        job.progress(second + 1, seconds, _("Waiting"))
    return {"ok": True}
