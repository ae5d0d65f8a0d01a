"""The job ledger: ordered once, taken up again when a worker dies, never finished by two."""

import logging
import threading
import time
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction

from collab4m.clock import now
from collab4m.errors import RuleBroken
from records.models import Event, Job, JobState
from records.operations import (
    JobNotFailed,
    claim_job,
    order_job,
    record,
    retry_job,
    run_job,
    work_off_jobs,
)
from records.work import JobLost, RunningJob, job_kind

seen: list[str] = []


@job_kind("test.simple", label="Simple")
def simple(job: RunningJob):
    job.progress(1, 2, "Halvvägs")
    seen.append(job.args.get("name", ""))
    return {"name": job.args.get("name", "")}


@job_kind("test.breaks_a_rule", label="Breaks a rule")
def breaks_a_rule(job: RunningJob):
    raise RuleBroken("Rapporten saknar läsår.")


@job_kind("test.crashes", label="Crashes")
def crashes(job: RunningJob):
    raise ZeroDivisionError("secret detail")


@job_kind("test.loses_the_database", label="Loses the database")
def loses_the_database(job: RunningJob):
    raise OperationalError("server closed the connection")


@pytest.fixture(autouse=True)
def _forget():
    seen.clear()


def test_order_job_gives_the_unfinished_one_with_the_same_key(owner, home):
    first = order_job("test.simple", "a", by=owner, on_behalf_of=home, args={"name": "x"})

    assert order_job("test.simple", "a") == first
    assert order_job("test.simple", "b") != first
    assert (first.by, first.on_behalf_of_id, first.args) == (owner, home.pk, {"name": "x"})


def test_order_job_gives_a_new_one_when_the_last_is_done(db):
    first = order_job("test.simple", "a")
    work_off_jobs()

    assert order_job("test.simple", "a") != first


def test_order_job_refuses_a_kind_that_nobody_does(db):
    with pytest.raises(LookupError):
        order_job("test.unheard_of", "a")


def test_work_off_jobs_does_all_that_waits_in_order(db):
    for name in ("a", "b", "c"):
        order_job("test.simple", name, args={"name": name})

    assert work_off_jobs() == 3

    assert seen == ["a", "b", "c"]
    assert set(Job.objects.values_list("state", "attempts")) == {("done", 1)}
    assert Job.objects.get(key="b").result == {"name": "b"}


def test_a_rule_that_says_no_is_told_as_it_is_and_not_tried_again(owner):
    job = order_job("test.breaks_a_rule", "a", by=owner)
    work_off_jobs()

    job.refresh_from_db()
    assert (job.state, job.error, job.attempts) == (JobState.FAILED, "Rapporten saknar läsår.", 1)


def test_a_crash_is_told_in_plain_words_with_the_logs_number(owner, caplog):
    owner.language = "en"
    owner.save()
    job = order_job("test.crashes", "a", by=owner)
    with caplog.at_level(logging.ERROR):
        work_off_jobs()

    job.refresh_from_db()
    words, number = job.error.rsplit(" ", 1)
    assert words == "Something went wrong on our side. Number for the error report:"
    assert number in caplog.text
    assert "secret" not in job.error


@pytest.mark.django_db(transaction=True)
def test_a_job_that_loses_the_database_waits_and_is_tried_three_times():
    job = order_job("test.loses_the_database", "a")
    states = []
    for _attempt in range(3):
        Job.objects.update(not_before=now())
        work_off_jobs()
        job.refresh_from_db()
        states.append(job.state)

    assert states == ["queued", "queued", "failed"]
    assert job.error


def grown_stale(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(heartbeat_at=now() - timedelta(seconds=61))


def test_a_job_whose_worker_is_silent_is_taken_up_again_at_most_three_times(db):
    job = order_job("test.simple", "a")
    attempts = []
    for _attempt in range(3):
        attempts.append(claim_job().attempts)
        assert claim_job() is None
        grown_stale(job)

    assert attempts == [1, 2, 3]
    assert claim_job() is None
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert job.error


def test_a_zombie_can_neither_report_nor_finish_nor_overwrite(owner, home):
    job = order_job("test.simple", "a", args={"name": "x"})
    zombie = RunningJob(claim_job())
    grown_stale(job)
    successor = RunningJob(claim_job())

    with pytest.raises(JobLost):
        zombie.progress(1, 2)
    with pytest.raises(JobLost), zombie.finish():
        record("fact.corrected", home, by=owner, from_body="zombie")
    with successor.finish() as result:
        record("fact.corrected", home, by=owner, from_body="successor")
        result["by"] = "successor"
    with pytest.raises(JobLost), zombie.finish():
        record("fact.corrected", home, by=owner, from_body="zombie")

    job.refresh_from_db()
    assert (job.state, job.result, job.attempts) == (JobState.DONE, {"by": "successor"}, 2)
    assert [event.data["from_body"] for event in Event.objects.all()] == ["successor"]


def test_a_zombie_that_fails_does_not_fail_its_successors_job(db):
    order_job("test.crashes", "a")
    zombie = claim_job()
    grown_stale(zombie)
    successor = claim_job()

    run_job(zombie)

    successor.refresh_from_db()
    assert successor.state == JobState.RUNNING


def test_what_happens_in_finish_happens_with_it_or_not_at_all(owner, home):
    order_job("test.simple", "a")
    running = RunningJob(claim_job())

    def fail_at_the_end() -> None:
        with running.finish():
            record("fact.corrected", home, by=owner, from_body="A")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_at_the_end()

    assert not Event.objects.exists()
    assert Job.objects.get().state == JobState.RUNNING


def test_only_so_many_jobs_at_once_so_that_mail_is_never_kept_waiting(db, settings):
    settings.JOBS_AT_ONCE = 2
    for key in "abc":
        order_job("test.simple", key)

    assert claim_job() is not None
    second = claim_job()
    assert claim_job() is None
    run_job(second)
    assert claim_job() is not None


def test_a_job_is_not_taken_up_before_its_time(db):
    order_job("test.simple", "a")
    Job.objects.update(not_before=now() + timedelta(minutes=1))

    assert claim_job() is None


@pytest.mark.django_db(transaction=True)
def test_a_long_job_gives_signs_of_life_from_a_thread_of_its_own(settings):
    settings.JOB_HEARTBEAT_SECONDS = 0.1

    @job_kind("test.long", label="Long")
    def long(job: RunningJob):
        before = between = Job.objects.get(pk=job.job.pk).heartbeat_at
        while between == before and time.monotonic() - started < 300:
            time.sleep(0.05)
            between = Job.objects.get(pk=job.job.pk).heartbeat_at
        with job.finish() as result:  # the row is locked: the thread must neither wait for it nor stop it
            time.sleep(0.5)
            result["went_on"] = between > before

    order_job("test.long", "a")
    started = time.monotonic()
    work_off_jobs()

    assert Job.objects.get().result == {"went_on": True}
    assert threading.active_count() == 1 or not [t for t in threading.enumerate() if t.name.startswith("job-")]


def test_retry_job_orders_the_same_work_again(owner):
    job = order_job("test.crashes", "a", by=owner, args={"name": "x"})
    with pytest.raises(JobNotFailed):
        retry_job(job, by=owner)
    work_off_jobs()

    again = retry_job(job, by=owner)

    assert again.pk != job.pk
    assert (again.kind, again.key, again.args, again.state) == ("test.crashes", "a", {"name": "x"}, JobState.QUEUED)
    assert retry_job(job, by=owner) == again


def test_a_job_that_the_system_administrator_retries_stays_with_its_orderer(owner, home, asker, system_administrator):
    job = order_job("test.crashes", "a", by=owner, on_behalf_of=home)
    order_job("test.crashes", "a", by=asker)
    work_off_jobs()

    again = retry_job(job, by=system_administrator)

    assert (again.by, again.on_behalf_of_id, list(again.followers.all())) == (owner, home.pk, [asker])
    event = Event.objects.about(job).get()
    assert (event.name, event.by, event.data) == ("job.retried", system_administrator, {"number": again.pk})
    retry_job(job, by=system_administrator)
    assert Event.objects.about(job).count() == 1


def test_whoever_orders_what_is_ordered_already_can_follow_it(client, owner, asker, outsider):
    job = order_job("test.simple", "a", by=owner)

    for _time in range(2):
        assert order_job("test.simple", "a", by=asker) == job

    job.refresh_from_db()
    assert job.by == owner
    for user, sees in ((owner, True), (asker, True), (outsider, False)):
        assert Job.objects.visible_to(user).count() == sees


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("setting", "sleep"), [("statement_timeout", True), ("lock_timeout", False)])
def test_a_job_that_waits_too_long_is_not_told_that_the_database_is_away(setting, sleep):
    @job_kind("test.waits", label="Waits")
    def waits(job: RunningJob):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL {setting} = '50ms'")
            cursor.execute("SELECT pg_sleep(1)" if sleep else "SELECT pg_advisory_xact_lock(77)")

    job = order_job("test.waits", "a")
    rival = connection.copy()
    try:
        with rival.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(77)")
        for _attempt in range(3):
            Job.objects.update(not_before=now())
            work_off_jobs()
    finally:
        rival.close()

    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert job.error == "Arbetet fick vänta för länge på annat arbete tre gånger i rad. Försök igen senare."


def test_the_check_job_reports_its_progress_and_changes_nothing(db):
    job = order_job("records.check", "a", args={"seconds": 1})
    work_off_jobs()

    job.refresh_from_db()
    assert (job.state, job.result, job.total, job.done) == (JobState.DONE, {"ok": True}, 1, 1)
    assert not Event.objects.exists()


def test_order_check_job_says_in_one_line_that_nobody_took_it_up(db):
    with pytest.raises(CommandError, match="was not done within 0 seconds: it is queued"):
        call_command("order_check_job", seconds=0, timeout=0, stdout=StringIO())


def test_order_check_job_may_leave_at_once(db):
    out = StringIO()
    call_command("order_check_job", no_wait=True, stdout=out)

    assert out.getvalue().strip() == str(Job.objects.get().pk)
