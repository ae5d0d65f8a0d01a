"""Kinds of jobs, and what a job may do while it runs. Taking one up and giving it back is in `operations.jobs`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.functional import Promise

from collab4m.clock import now
from records.models import Job, JobState


class JobLost(Exception):
    """Another worker has taken this job up: whoever meets this stops at once and writes nothing more."""


class RunningJob:
    """A job in the hands of one worker. `attempts` is its fence: a later worker has a higher number."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.args: dict[str, Any] = job.args
        self.by = job.by
        self.on_behalf_of = job.on_behalf_of
        self.is_finished = False

    def mine(self) -> Any:
        """The ledger's row, as long as it is still ours."""
        return Job.objects.filter(pk=self.job.pk, attempts=self.job.attempts, state=JobState.RUNNING)

    def progress(self, done: int, total: int | None = None, step: str = "") -> None:
        """Say how far the work has come. Raises JobLost if another worker has taken it up."""
        if not self.mine().update(done=done, total=total, step=step[:200], heartbeat_at=now()):
            raise JobLost

    @contextmanager
    def finish(self) -> Iterator[dict[str, Any]]:
        """The last part of the work, done together with the ledger's mark that it is done, or not at all.

        Effects in the database belong inside, and then happen exactly once. Yields a dict for the job's result.
        Raises JobLost, before anything is written, if another worker has taken the job up.
        """
        result: dict[str, Any] = {}
        with transaction.atomic():
            if not list(self.mine().select_for_update(no_key=True).values_list("pk")):
                raise JobLost
            yield result
            moment = now()
            self.mine().update(
                state=JobState.DONE, result=result or None, finished_at=moment, heartbeat_at=moment, step="", error=""
            )
        self.is_finished = True


Runner = Callable[[RunningJob], dict[str, Any] | None]


@dataclass(frozen=True)
class JobKind:
    name: str
    label: Promise | str
    run: Runner


_kinds: dict[str, JobKind] = {}


def job_kind(name: str, *, label: Promise | str) -> Callable[[Runner], Runner]:
    """Register the function that does jobs of this kind: `@job_kind("reports.make", label=_("Make the report"))`.

    The module must be read when the app is ready. The function may be run again after a worker died under it.
    """

    def register(run: Runner) -> Runner:
        _kinds[name] = JobKind(name, label, run)
        return run

    return register


def kind_named(name: str) -> JobKind | None:
    return _kinds.get(name)
