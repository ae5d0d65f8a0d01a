"""`/healthz`: the web process lives. `/readyz`: everything the portal needs is well, or who is ill since when."""

import logging
from dataclasses import asdict, dataclass
from datetime import datetime

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from records.models import Pulse

logger = logging.getLogger(__name__)
PARTS_WITH_PULSE = ["worker", "beat", "queue"]


@dataclass
class Condition:
    """How a part is. `since` is its last sign of life, when there is one to tell."""

    part: str
    well: bool
    detail: str
    since: datetime | None = None


@login_not_required
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when every part is well, else 503. Text for people at a terminal, JSON for those who ask for it."""
    conditions = examine()
    well = all(condition.well for condition in conditions)
    status = 200 if well else 503
    if request.get_preferred_type(["text/plain", "application/json"]) != "application/json":
        lines = [
            f"{'ok ' if condition.well else 'ILL'} {condition.part}: {condition.detail}" for condition in conditions
        ]
        return HttpResponse("\n".join([*lines, ""]), status=status, content_type="text/plain; charset=utf-8")
    parts = {condition.part: {k: v for k, v in asdict(condition).items() if k != "part"} for condition in conditions}
    return JsonResponse({"ready": well, "parts": parts}, status=status)


def examine() -> list[Condition]:
    """The database first, then its tables: while one of them is ill, nobody knows about the rest."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        tables = migrations()
        database = Condition("database", True, "answers")
        if not tables.well:
            return [database, tables, *unknown(PARTS_WITH_PULSE, "the migrations are not applied")]
        return [database, tables, *pulses()]
    except (DatabaseError, InterfaceError) as error:
        logger.warning("The database does not answer: %s", error)  # the log may name host and user, the page not
        rest = unknown(["migrations", *PARTS_WITH_PULSE], "the database does not answer")
        return [Condition("database", False, "does not answer"), *rest]


def unknown(parts: list[str], why: str) -> list[Condition]:
    return [Condition(part, False, f"not known while {why}") for part in parts]


def migrations() -> Condition:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    detail = f"{missing} not applied; run manage.py migrate" if missing else "all applied"
    return Condition("migrations", not missing, detail)


def pulses() -> list[Condition]:
    """What the worker, the beat and the queue between them last said. Redis itself is never asked."""
    known = Pulse.objects.in_bulk(PARTS_WITH_PULSE)
    conditions = []
    for part in PARTS_WITH_PULSE:
        pulse = known.get(part)
        if pulse is None:
            conditions.append(Condition(part, False, "no sign of life yet"))
        elif pulse.is_fresh:
            conditions.append(Condition(part, True, "alive", pulse.at))
        else:
            at = pulse.at.isoformat(timespec="seconds")
            conditions.append(Condition(part, False, f"no sign of life since {at}", pulse.at))
    return conditions
