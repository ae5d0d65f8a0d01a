"""The job ledger: ordered in the caller's transaction, taken up by one worker at a time, taken up again if it dies."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connection, transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now
from collab4m.errors import RuleBroken, refused
from records.models import Job, JobState
from records.operations.history import record
from records.people import Body, User
from records.work import JobLost, RunningJob, kind_named

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
WAIT_AFTER_FAULT = timedelta(seconds=10)
_TAKING_UP_JOBS = 4_041_101  # names the lock under which workers count and take up jobs, one at a time

# What PostgreSQL answers when it is there: a deadlock, two at the same row, a lock or a statement that took too long.
_WAITED_TOO_LONG = ("40P01", "40001", "55P03", "57014")


class JobNotFailed(RuleBroken):
    code = "job_not_failed"
    message = _("This job has not failed, so there is nothing to try again.")


class _AlreadyOrdered(RuleBroken):
    code = "already_ordered"


def order_job(
    kind: str,
    key: str,
    *,
    by: User | None = None,
    on_behalf_of: Body | None = None,
    args: dict[str, Any] | None = None,
) -> Job:
    """The unfinished job with this kind and key; a new one if there is none. Needs only the database.

    Whoever orders what somebody else has ordered already follows that job.
    """
    job, _is_new = _found_or_made(kind, key, by=by, on_behalf_of=on_behalf_of, args=args)
    if by and job.by_id != by.pk:
        job.followers.add(by)
    return job


def _found_or_made(
    kind: str, key: str, *, by: User | None, on_behalf_of: Body | None, args: dict[str, Any] | None
) -> tuple[Job, bool]:
    """The unfinished job, and whether it is new."""
    if kind_named(kind) is None:
        raise LookupError(f"no job kind is called {kind!r}")
    while True:
        unfinished = Job.objects.unfinished().filter(kind=kind, key=key).first()
        if unfinished:
            return unfinished, False
        try:
            with refused(job_once_at_a_time=_AlreadyOrdered), transaction.atomic():
                job = Job.objects.create(
                    kind=kind,
                    key=key,
                    by=by,
                    on_behalf_of_id=on_behalf_of.pk if on_behalf_of else None,
                    args=args or {},
                )
                return job, True
        except _AlreadyOrdered:
            continue  # a rival was first; it is there to be read now, unless it is done already


@transaction.atomic
def retry_job(job: Job, *, by: User) -> Job:
    """Order the same work again after it failed, for those who ordered it. Raises JobNotFailed if it has not."""
    job = Job.objects.select_for_update(no_key=True).get(pk=job.pk)
    if job.state != JobState.FAILED:
        raise JobNotFailed
    again, is_new = _found_or_made(job.kind, job.key, by=job.by, on_behalf_of=job.on_behalf_of, args=job.args)
    again.followers.add(*{job.by_id, *job.followers.values_list("pk", flat=True)} - {again.by_id, None})
    if is_new:
        record("job.retried", job, by=by, number=again.pk)
    return again


def work_off_jobs() -> int:
    """Do what waits in the ledger, one after another, until nothing is due or enough is under way; returns how many."""
    taken_up = 0
    while job := claim_job():
        run_job(job)
        taken_up += 1
    return taken_up


@transaction.atomic
def claim_job() -> Job | None:
    """Take up the job that has waited longest, or one whose worker has stopped giving signs of life.

    At most JOBS_AT_ONCE are under way at once, so that long jobs never keep the mail waiting.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TAKING_UP_JOBS])
    stale = now() - timedelta(seconds=settings.JOB_STALE_SECONDS)
    running = Job.objects.filter(state=JobState.RUNNING)
    if running.filter(heartbeat_at__gt=stale).count() >= settings.JOBS_AT_ONCE:
        return None
    to_do = Job.objects.filter(
        Q(state=JobState.QUEUED, not_before__lte=now()) | Q(state=JobState.RUNNING, heartbeat_at__lte=stale)
    ).order_by("not_before", "pk")
    free = to_do.select_for_update(skip_locked=True, no_key=True, of=("self",)).select_related("by", "on_behalf_of")
    while job := free.first():
        if job.attempts >= MOST_ATTEMPTS:
            _fail(job, _in_the_orderers_language(job, _("The work was interrupted three times and stopped.")))
            continue
        moment = now()
        job.state = JobState.RUNNING
        job.attempts += 1
        job.heartbeat_at = moment
        job.started_at = job.started_at or moment
        job.done, job.total, job.step = 0, None, ""
        job.save(update_fields=["state", "attempts", "heartbeat_at", "started_at", "done", "total", "step"])
        return job
    return None


def run_job(job: Job) -> None:
    """Do a job that `claim_job` took up, with a sign of life every JOB_HEARTBEAT_SECONDS."""
    running = RunningJob(job)
    kind = kind_named(job.kind)
    try:
        with _signs_of_life(running), translation.override(_language(job)):
            if kind is None:
                raise LookupError(f"no job kind is called {job.kind!r}")
            result = kind.run(running)
            if not running.is_finished:
                with running.finish() as kept:
                    kept.update(result or {})
    except JobLost:
        log.warning("Job %s was taken up by another worker during attempt %s", job.pk, job.attempts)
    except (OperationalError, InterfaceError) as error:
        log.warning("Job %s met a database fault (%s) and will be tried again", job.pk, type(error).__name__)
        _hand_back(running, error)
    except RuleBroken as broken:
        _fail_mine(running, broken)
    except Exception:
        number = uuid4().hex[:8]
        log.exception("Job %s (%s) failed, number %s", job.pk, job.kind, number)
        _fail_mine(running, _("Something went wrong on our side. Number for the error report:"), number)


def _language(job: Job) -> str:
    return job.by.language if job.by else settings.LANGUAGE_CODE


def _in_the_orderers_language(job: Job, *parts: Any) -> str:
    with translation.override(_language(job)):
        return " ".join(str(part) for part in parts)


def _fail(job: Job, reason: str) -> None:
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED, error=reason, finished_at=now())


def _fail_mine(running: RunningJob, *reason: Any) -> None:
    running.mine().update(
        state=JobState.FAILED, error=_in_the_orderers_language(running.job, *reason), finished_at=now()
    )


def _hand_back(running: RunningJob, error: Exception) -> None:
    """Back to the queue; if not even that can be written, the missing signs of life will say so."""
    close_old_connections()
    try:
        if running.job.attempts >= MOST_ATTEMPTS:
            _fail_mine(running, _three_times(error))
        else:
            running.mine().update(state=JobState.QUEUED, not_before=now() + WAIT_AFTER_FAULT)
    except (OperationalError, InterfaceError):
        close_old_connections()


def _three_times(error: Exception) -> Any:
    """What the orderer is told when the same fault has ended three attempts."""
    if getattr(error.__cause__, "pgcode", None) in _WAITED_TOO_LONG:
        return _("The work had to wait too long for other work three times in a row. Try again later.")
    return _("The database could not be reached three times in a row.")


@contextmanager
def _signs_of_life(running: RunningJob) -> Iterator[None]:
    """While inside: a thread with its own connection renews the job's heartbeat."""
    done = threading.Event()
    thread = threading.Thread(target=_beat, args=(running, done), name=f"job-{running.job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=10)


def _beat(running: RunningJob, done: threading.Event) -> None:
    try:
        while not done.wait(settings.JOB_HEARTBEAT_SECONDS):
            try:
                # A row that is locked is being finished or reported on: it lives, and we must not queue behind it.
                with transaction.atomic():
                    mine = (
                        running.mine()
                        .select_for_update(skip_locked=True, no_key=True)
                        .values_list("pk", flat=True)
                        .first()
                    )
                    if mine:
                        running.mine().update(heartbeat_at=now())
            except (OperationalError, InterfaceError) as error:
                log.warning("Job %s could not give a sign of life: %s", running.job.pk, type(error).__name__)
                close_old_connections()
    finally:
        connection.close()
