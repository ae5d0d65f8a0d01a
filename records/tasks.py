"""What the clock starts. A task may come twice or not at all: the work is in the tables."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down
from django.db import InterfaceError, OperationalError, close_old_connections

from records import operations, pulse

log = logging.getLogger(__name__)


def waits_for_the_database(task: Callable[[], Any]) -> Callable[[], None]:
    """Begin with a connection that answers, and leave the work to the next wake-up if the database does not."""

    @wraps(task)
    def run() -> None:
        close_old_connections()
        try:
            task()
        except (OperationalError, InterfaceError) as error:
            log.warning("The database does not answer (%s); %s waits", type(error).__name__, task.__name__)
        finally:
            close_old_connections()

    return run


@shared_task
@waits_for_the_database
def drain() -> None:
    """Deliver mail that is due and do jobs that wait."""
    operations.feel_pulse("queue")
    operations.deliver_mail()
    operations.work_off_jobs()


@shared_task
@waits_for_the_database
def send_digests() -> None:
    """Gather mail for those who want it once a day or once a week."""
    operations.gather_digests()


@worker_ready.connect
def start_pulse(**_signal: Any) -> None:
    pulse.start("worker")


@worker_shutting_down.connect
def stop_pulse(**_signal: Any) -> None:
    pulse.stop()
