"""Signs of life, tasks, and a beat that follows the code."""

import logging
import threading
from datetime import timedelta

import pytest
from celery import Celery
from django.core import mail
from django.db import OperationalError
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from collab4m.celery import app
from collab4m.clock import now
from records import operations, pulse, tasks
from records.models import Job, Pulse
from records.operations import feel_pulse, order_job, send
from tests.records.test_outbox import message


@pytest.fixture
def scheduler(settings):
    return lambda: pulse.Scheduler(app=app, lazy=True)


def test_feel_pulse_keeps_one_row_per_part(db):
    feel_pulse("worker")
    feel_pulse("worker")

    assert Pulse.objects.get().is_fresh
    Pulse.objects.update(at=now() - timedelta(seconds=61))
    assert not Pulse.objects.get().is_fresh


@pytest.mark.django_db(transaction=True)
def test_drain_delivers_mail_does_jobs_and_leaves_a_sign():
    from tests.factories import UserFactory

    send(message(UserFactory()))
    order_job("records.check", "a", args={"seconds": 0})

    tasks.drain()

    assert len(mail.outbox) == 1
    assert Job.objects.get().state == "done"
    assert Pulse.objects.get().name == "queue"


@pytest.mark.django_db(transaction=True)
def test_a_task_leaves_its_work_to_the_next_when_the_database_is_away(monkeypatch, caplog):
    def away(*args):
        raise OperationalError("could not connect to server at 10.0.0.1")

    monkeypatch.setattr(operations, "feel_pulse", away)
    with caplog.at_level(logging.WARNING):
        tasks.drain()

    assert "The database does not answer (OperationalError); drain waits" in caplog.text
    assert "10.0.0.1" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_the_pulse_thread_goes_on_through_a_fault(monkeypatch):
    felt, again = [], threading.Event()

    def feel(name):
        felt.append(name)
        if len(felt) == 1:
            raise OperationalError
        again.set()

    monkeypatch.setattr(pulse, "SECONDS", 0.01)
    monkeypatch.setattr(pulse, "feel_pulse", feel)
    thread = pulse.start("worker")

    assert again.wait(timeout=300)
    pulse.stop()
    thread.join(timeout=300)
    assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_the_beat_writes_the_codes_schedule_into_an_empty_database(settings, scheduler):
    scheduler().setup_schedule()

    assert set(PeriodicTask.objects.values_list("name", "task")) == {
        (name, entry["task"]) for name, entry in settings.CELERY_BEAT_SCHEDULE.items()
    }
    assert PeriodicTask.objects.get(name="drain").expire_seconds == 10


@pytest.mark.django_db(transaction=True)
def test_what_leaves_the_code_leaves_the_schedule(scheduler):
    every_minute = IntervalSchedule.objects.create(every=1, period="minutes")
    PeriodicTask.objects.create(name="gone", task="records.tasks.gone", interval=every_minute)
    beat = scheduler()

    beat.setup_schedule()

    assert "gone" not in beat.schedule
    assert not PeriodicTask.objects.filter(name="gone").exists()
    assert set(beat.schedule) == set(app.conf.beat_schedule)


def test_every_scheduled_task_exists():
    app.loader.import_default_modules()

    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


@pytest.mark.django_db(transaction=True)
def test_the_beat_waits_for_a_database_that_is_away(scheduler, monkeypatch):
    beat = scheduler()
    beat.setup_schedule()

    def away(name):
        raise OperationalError

    monkeypatch.setattr(pulse, "feel_pulse", away)
    monkeypatch.setattr(pulse, "close_old_connections", lambda: None)

    assert beat.tick() == 2.0


@pytest.mark.django_db(transaction=True)
def test_the_beat_feels_its_own_pulse(scheduler, monkeypatch):
    beat = scheduler()
    beat.setup_schedule()
    monkeypatch.setattr(Celery, "send_task", lambda *args, **kwargs: None)
    monkeypatch.setattr(type(beat), "apply_async", lambda *args, **kwargs: None)

    beat.tick()

    assert Pulse.objects.get().name == "beat"
