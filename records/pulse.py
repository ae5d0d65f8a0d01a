"""Signs of life from the worker and the beat, and a beat that follows the schedule in the code through any fault."""

import logging
import threading
import time
from typing import Any

from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django_celery_beat.models import PeriodicTask, PeriodicTasks
from django_celery_beat.schedulers import DatabaseScheduler

from records.operations.signs import feel_pulse

log = logging.getLogger(__name__)

SECONDS = 5
_stop = threading.Event()


def start(name: str) -> threading.Thread:
    """Feel the pulse called `name` every few seconds, from a thread of this process."""
    _stop.clear()
    thread = threading.Thread(target=_go_on, args=(name,), name=f"pulse-{name}", daemon=True)
    thread.start()
    return thread


def stop() -> None:
    _stop.set()


def _go_on(name: str) -> None:
    while True:
        try:
            feel_pulse(name)
        except (DatabaseError, InterfaceError) as error:
            log.warning("The pulse %s was not written: %s", name, type(error).__name__)
        finally:
            connection.close()  # the worker forks: nothing stays open in its parent
        if _stop.wait(SECONDS):
            return


class Scheduler(DatabaseScheduler):
    """The schedule of the settings, which the beat keeps in its own tables. What leaves the one leaves the other."""

    _felt_at = float("-inf")

    def setup_schedule(self) -> None:
        while True:
            try:
                self._initial_read = True
                super().setup_schedule()
                self.forget_others()
                if set(self.app.conf.beat_schedule) <= set(self.schedule):
                    return
            except (DatabaseError, InterfaceError) as error:
                log.warning("The beat waits for the database: %s", type(error).__name__)
            close_old_connections()
            time.sleep(2)

    def install_default_entries(self, data: Any) -> None:
        """None: results are never kept, so there are none to clean away."""

    def forget_others(self) -> None:
        if PeriodicTask.objects.exclude(name__in=self.app.conf.beat_schedule).delete()[0]:
            PeriodicTasks.update_changed()
            self._initial_read = True

    def tick(self, *args: Any, **kwargs: Any) -> float:
        try:
            if time.monotonic() - self._felt_at >= SECONDS:
                feel_pulse("beat")
                self._felt_at = time.monotonic()
            return super().tick(*args, **kwargs)
        except (DatabaseError, InterfaceError) as error:
            log.warning("The beat waits for the database: %s", type(error).__name__)
            close_old_connections()
            return 2.0
