"""Resources and their bookings over a year: searching, timelines, asking, by one and by many at once.

`python -m benchmarks resources` measures these alone; with `large`, 10,000 resources and 3,000,000 bookings too.
"""

from __future__ import annotations

import gc
import gzip
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count
from statistics import median, quantiles
from threading import Barrier, Thread
from time import perf_counter, thread_time
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext, setup_databases, teardown_databases

from benchmarks.national import load
from collab4m.clock import today
from organisations.models import Body, User
from resources.models import Booking, Category, Resource, ResourceUnit, Unit
from resources.operations import (
    Need,
    Scale,
    SlotTaken,
    grid_of,
    lines_of,
    local,
    request_booking,
    search_resources,
    window_of,
)

SIZES = {
    "few": (10, 1_000),
    "tenth": (200, 10_000),
    "peers'": (200, 100_000),
    "large": (1_000, 300_000),
    "largest": (10_000, 3_000_000),
}
RUNS, WARM_UP = 30, 3
CLIENTS = (1, 8, 32)
EACH = 96  # bookings that the clients make together
RIVALS = 50
WEEKS = 20
AIMS = {  # milliseconds
    ("peers'", "free search"): 15, ("peers'", "timeline, week of all"): 30, ("peers'", "page: day of all"): 25,
    ("peers'", "creation, 1 client"): 16, ("large", "search with 20 weekly dates"): 500,
}  # fmt: skip

# Two bookings on a weekday at most, before and after twelve, an hour or two each: nothing collides, and noon is free.
BOOKINGS = """
    INSERT INTO resources_booking (
        resource_id, booked_for_id, asked_by_id, asked_at, during, quantity, purpose, licence_confirmed, cost_place,
        request_state, answer, turnaround_minutes, vat, uid, sequence, idempotency_key, example
    )
    SELECT resources[1 + n %% size], bodies[1 + (n * 7 + n / size) %% 4], %(user)s, now(),
        tstzrange(begins, begins + make_interval(hours => 1 + (abs(hashint8(n + 2)) %% 2)::int), '[)'),
        1, 'Kursmoment ' || n, false, '', 'approved', '', 0, '', gen_random_uuid(), 0, '', false
    FROM (SELECT %(resources)s::bigint[] AS resources, %(bodies)s::bigint[] AS bodies, %(size)s AS size) AS given,
        generate_series(0, %(number)s - 1) AS n,
        LATERAL (SELECT (n / size / 2) * 260 / (%(each)s / 2) AS workday) AS spread,
        LATERAL (SELECT (
            %(monday)s::date + (workday / 5 * 7 + workday %% 5)::int
            + make_interval(hours => (8 + n / size %% 2 * 5 + abs(hashint8(n + 1)) %% 3)::int)
        ) AT TIME ZONE 'Europe/Stockholm' AS begins) AS placed
"""
CLAIMS = """
    INSERT INTO resources_claim (unit_id, booking_id, during, blocked)
    SELECT unit_id, booking.id, during, during
    FROM resources_booking booking JOIN resources_resourceunit USING (resource_id)
"""
OPEN = """
    INSERT INTO resources_openspan (resource_id, during)
    SELECT id, tstzrange((day::date + time '07:00') AT TIME ZONE 'Europe/Stockholm',
        (day::date + time '18:00') AT TIME ZONE 'Europe/Stockholm', '[)')
    FROM resources_resource, generate_series(%(from)s::date, %(from)s::date + 400, interval '1 day') AS day
    WHERE extract(isodow FROM day) < 6
"""
# Millions of rows are looked up and sorted in faster together, afterwards, than one by one.
FILLED = ["resources_booking", "resources_claim", "resources_openspan"]
LAID_ASIDE = """
    SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
        format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE conrelid = ANY(%s::regclass[]) AND contype IN ('f', 'u', 'x')
    UNION ALL
    SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid = ANY(%s::regclass[]) AND NOT EXISTS (
        SELECT FROM pg_constraint WHERE conindid = indexrelid
    )
"""
ONE_BOOKING = """
    BEGIN;
    INSERT INTO resources_booking (
        resource_id, booked_for_id, asked_by_id, asked_at, during, quantity, purpose, licence_confirmed, cost_place,
        request_state, answer, turnaround_minutes, vat, uid, sequence, idempotency_key, example
    ) VALUES (
        %(resource)s, %(body)s, %(user)s, now(), tstzrange(%(begins)s, %(begins)s + interval '1 minute'), 1, '', false,
        '', 'approved', '', 0, '', gen_random_uuid(), 0, '', false
    );
    INSERT INTO resources_claim (unit_id, booking_id, during, blocked)
    SELECT unit_id, booking.id, during, during
    FROM resources_booking booking JOIN resources_resourceunit USING (resource_id)
    WHERE booking.id = currval('resources_booking_id_seq');
    COMMIT
"""
# What the database alone takes: the same rows without what is made of them.
WEEK_SQL = """
    SELECT resource_id, lower(during), upper(during) FROM resources_claim JOIN resources_resourceunit USING (unit_id)
    WHERE blocked && tstzrange(%s, %s) AND resource_id IN (SELECT id FROM resources_resource)
"""
FREE_SQL = """
    SELECT id FROM resources_resource
    WHERE EXISTS (
        SELECT FROM resources_openspan WHERE resource_id = resources_resource.id AND during @> tstzrange(%s, %s)
    ) AND NOT EXISTS (
        SELECT FROM resources_claim JOIN resources_resourceunit USING (unit_id)
        WHERE resource_id = resources_resource.id AND blocked && tstzrange(%s, %s)
    )
"""


@dataclass(frozen=True)
class Cost:
    median_ms: float
    p95_ms: float
    cpu_ms: float  # of this process; a busy machine lengthens it less than the time by the clock
    queries: int


def first_monday() -> date:
    day = today() + timedelta(days=14)
    return day - timedelta(days=day.weekday())


def load_resources(number: int, bookings: int, user: User) -> None:
    """Resources of the four members of the user's area, taking turns; every twentieth is a hall of two halves."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE resources_resource, resources_unit, resources_category CASCADE")
    category = Category.objects.create(name_sv="Minibuss", slug="minibuss", kind="vehicle")
    membership = user.roles_today[0].body.as_municipality.memberships.get()
    members = [one.municipality for one in membership.area.memberships.order_by("position")]
    resources = Resource.objects.bulk_create(
        Resource(
            owner=members[nth % len(members)].body, municipality=members[nth % len(members)], category=category,
            kind="vehicle", name=f"Minibuss {nth:05}", capacity=5 + nth % 5, approval="automatic",
        )
        for nth in range(number)
    )  # fmt: skip
    halves = [(one, half) for nth, one in enumerate(resources) for half in range(1 if nth % 20 else 2)]
    units = Unit.objects.bulk_create(Unit(owner=one.owner, name=f"{one.name}, {half}") for one, half in halves)
    ResourceUnit.objects.bulk_create(
        ResourceUnit(resource=one, unit=unit) for (one, _half), unit in zip(halves, units, strict=True)
    )
    values = {
        "resources": [one.pk for one in resources], "bodies": [one.pk for one in members], "size": number,
        "number": bookings, "each": bookings // number, "user": user.pk, "monday": first_monday(),
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL maintenance_work_mem = '512MB'")
        cursor.execute(LAID_ASIDE, [FILLED, FILLED])
        aside = cursor.fetchall()
        cursor.execute(";".join([f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in FILLED]))
        cursor.execute(";".join([drop for drop, _make in aside]))
        cursor.execute(BOOKINGS, values)
        cursor.execute(CLAIMS)
        cursor.execute(OPEN, {"from": today()})
        cursor.execute(";".join([make for _drop, make in aside]))
        cursor.execute(";".join([f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in FILLED]))
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE")  # as the database does by itself before long
        cursor.execute("RESET statement_timeout")


# Measuring


def timed(do: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds by the clock, and of this thread's own work."""
    start, worked = perf_counter(), thread_time()
    do()
    return (perf_counter() - start) * 1000, (thread_time() - worked) * 1000


def cost_of(do: Callable[[], object], baselines: list[Callable[[], object]]) -> tuple[Cost, list[float]]:
    """Time `do` in turn with its baselines, so that a busy machine slows all alike; and how many times each it took."""
    rounds = [[timed(one) for one in (do, *baselines)] for _nth in range(WARM_UP + RUNS)][WARM_UP:]
    own, *bare = map(list, zip(*rounds, strict=True))
    cost = _cost(own, _with_queries(do))
    return cost, [cost.median_ms / median(ms for ms, _cpu in one) for one in bare]


def _cost(taken: list[tuple[float, float]], queries: int) -> Cost:
    times = [ms for ms, _cpu in taken]
    return Cost(median(times), quantiles(times, n=20)[-1], median(cpu for _ms, cpu in taken), queries)


def rows(sql: str, *values: Any) -> Callable[[], object]:
    def run() -> object:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()

    return run


def measure_reading(user: User, size: str) -> dict[str, Cost]:
    number, _bookings = SIZES[size]
    client = Client()
    client.force_login(user)
    monday = first_monday() + timedelta(weeks=8)
    tuesday = monday + timedelta(days=1)
    begins, ends = local(tuesday, time(9)), local(tuesday, time(11))
    week = _span(monday, monday + timedelta(days=7))
    month, year = (_span(*_days_of(scale, tuesday)) for scale in (Scale.MONTH, Scale.YEAR))
    day = _span(tuesday, tuesday + timedelta(days=1))
    times = tuple((begins + timedelta(weeks=nth), ends + timedelta(weeks=nth)) for nth in range(WEEKS))
    reader = User.objects.get(pk=user.pk)
    reader.around_today  # noqa: B018  read once per request

    def page(path: str) -> Callable[[], object]:
        def get() -> object:
            response = client.get(path, headers={"accept-encoding": "gzip"})
            if response.status_code != 200:
                raise SystemExit(f"{path} answered {response.status_code}: nothing was measured.")
            return response

        return get

    def grid(scale: Scale, most: int) -> Callable[[], object]:
        rows_of = Resource.objects.visible_to(reader).order_by("name")[:most]
        return lambda: grid_of(scale, tuesday, lines_of(rows_of, reader=reader), reader=reader)

    bare = page("/bare/")
    free = rows(FREE_SQL, begins, ends, begins, ends)
    cases: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "free search": (lambda: search_resources(reader, Need(times=((begins, ends),))), free),
        "timeline, week of all": (grid(Scale.WEEK, number), rows(WEEK_SQL, *week)),
        "timeline, week of 40": (grid(Scale.WEEK, 40), rows(WEEK_SQL + " AND resource_id <= %s", *week, _nth_id(40))),
        "timeline, day of all": (grid(Scale.DAY, number), rows(WEEK_SQL, *day)),
        "page: day of all": (page(f"/resurser/tidslinje/?vy=dag&datum={tuesday}"), rows(WEEK_SQL, *day)),
        "page: week of 50": (page(f"/resurser/tidslinje/?datum={tuesday}"), rows(WEEK_SQL, *week)),
        "page: month of 50": (page(f"/resurser/tidslinje/?vy=manad&datum={tuesday}"), rows(WEEK_SQL, *month)),
        "page: school year of 50": (page(f"/resurser/tidslinje/?vy=lasar&datum={tuesday}"), rows(WEEK_SQL, *year)),
        "search with 20 weekly dates": (
            lambda: search_resources(reader, Need(times=times)),
            lambda: [rows(FREE_SQL, *span, *span)() for span in times],
        ),
    }
    costs = {}
    for name, (do, sql) in cases.items():
        costs[name], (to_sql, to_page) = cost_of(do, [sql, bare])
        print(_row(size, name, costs[name], to_sql, to_page))
    compressed = len(gzip.compress(client.get(f"/resurser/tidslinje/?vy=dag&datum={tuesday}").content)) / 1000
    print(f"{'page: day of all, compressed':<34} {compressed:9.0f} kB (aim: under 100)")
    return costs


def _span(first: date, until: date) -> tuple[datetime, datetime]:
    return local(first, time()), local(until, time())


def _days_of(scale: Scale, day: date) -> tuple[date, date]:
    first, last = window_of(scale, day)
    return first, last + timedelta(days=1)


def _nth_id(number: int) -> int:
    return list(Resource.objects.order_by("name").values_list("pk", flat=True)[:number])[-1]


def _row(size: str, name: str, cost: Cost, to_sql: float | None = None, to_page: float | None = None) -> str:
    ratios = "".join(f" {one:7.2f}" if one is not None else f" {'':>7}" for one in (to_sql, to_page))
    aim = f"   (aim: at most {AIMS[size, name]} ms)" if (size, name) in AIMS else ""
    return f"{name:<34} {cost.median_ms:9.1f} {cost.p95_ms:9.1f} {cost.cpu_ms:9.1f} {cost.queries:5}{ratios}{aim}"


HEAD = f"{'':<34} {'median ms':>9} {'p95 ms':>9} {'own CPU':>9} {'SQL':>5} {'x SQL':>7} {'x page':>7}"

_day_to_book = count()  # no two measurements ask for the same day


def measure_creation(user: User, size: str) -> dict[str, Cost]:
    """By threads against the operation, each with a connection of its own; noon is free everywhere."""
    body = user.roles_today[0].body
    resources = list(Resource.objects.order_by("pk").select_related("owner", "municipality")[:EACH])
    costs = {}
    for clients in CLIENTS:
        day = first_monday() + timedelta(weeks=next(_day_to_book))
        spans = local(day, time(12)), local(day, time(13))
        taken: list[tuple[float, float]] = []

        def work(share: list[Resource], spans: Any = spans, taken: list[tuple[float, float]] = taken) -> None:
            taken += [timed(lambda one=one: _book(one, *spans, user, body)) for one in share]
            connection.close()

        queries = _with_queries(lambda day=day: _book(resources[0], *_evening(day), user, body))
        start = perf_counter()
        _together([lambda part=part: work(part) for part in (resources[nth::clients] for nth in range(clients))])
        name = f"creation, {clients} client{'s' if clients > 1 else ''}"
        costs[name] = _cost(taken, queries)
        rate = len(taken) / (perf_counter() - start)
        insert = _bare_insert(resources[0].pk, user, body) if clients == 1 else None
        ratio = costs[name].median_ms / insert if insert else None
        print(_row(size, name, costs[name], ratio) + f"   {rate:.0f}/s")
    return costs


def _evening(day: date) -> tuple[datetime, datetime]:
    return local(day, time(7)), local(day, time(7, 30))


def _with_queries(do: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        do()
    return len(captured)


def _book(resource: Resource, begins: datetime, ends: datetime, user: User, body: Body) -> Booking:
    return request_booking(
        resource, starts_at=begins, ends_at=ends, purpose="Mätning", by=user, on_behalf_of=body, licence_confirmed=True
    )


def _bare_insert(resource: int, user: User, body: Body) -> float:
    """Milliseconds of the two rows alone, a booking and its claim, in a transaction of their own."""
    day = first_monday() + timedelta(weeks=next(_day_to_book))
    taken = []
    for nth in range(RUNS):
        begins = local(day, time(18)) + timedelta(minutes=2 * nth)
        values = {"resource": resource, "body": body.pk, "user": user.pk, "begins": begins}
        with connection.cursor() as cursor:
            taken.append(timed(lambda cursor=cursor, values=values: cursor.execute(ONE_BOOKING, values))[0])
    return median(taken)


def _together(jobs: list[Callable[[], object]]) -> None:
    gate = Barrier(len(jobs))

    def run(job: Callable[[], object]) -> None:
        gate.wait()
        job()

    threads = [Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def measure_rivals(user: User) -> None:
    """Fifty at once for one hour of one resource: one gets it, the others are told what to do instead."""
    body, resource = user.roles_today[0].body, Resource.objects.earliest("pk")
    slowest = []
    for _round in range(5):
        day = first_monday() + timedelta(weeks=next(_day_to_book))
        answers: list[str] = []
        times: list[float] = []

        def ask(day: date = day, answers: list[str] = answers, times: list[float] = times) -> None:
            start = perf_counter()
            try:
                _book(resource, local(day, time(12)), local(day, time(13)), user, body)
                answers.append("booked")
            except SlotTaken:
                answers.append("taken")
            times.append((perf_counter() - start) * 1000)
            connection.close()

        _together([ask] * RIVALS)
        if sorted(answers) != ["booked", *["taken"] * (RIVALS - 1)]:
            raise SystemExit(f"Of {RIVALS} rivals {answers.count('booked')} got it, {len(answers)} were answered.")
        slowest.append(max(times))
    print(f"{RIVALS} at one slot: one got it in each of 5 rounds; all answered after {median(slowest):.0f} ms (median)")


def measure_resources(*, large: bool = False) -> None:
    config = setup_databases(verbosity=0, interactive=False)
    try:
        user = load(4)[4]
        costs: dict[str, dict[str, Cost]] = {}
        for name, (number, bookings) in SIZES.items():
            if name == "largest" and not large:
                continue
            cache.clear()
            load_resources(number, bookings, user)
            print(f"\nResources: {number:,} with {bookings:,} bookings over a year; ratio to bare SQL and bare page")
            print(HEAD)
            gc.collect()
            gc.freeze()  # as `collab4m/wsgi.py` does before it serves
            costs[name] = measure_reading(user, name) | measure_creation(user, name)
            measure_rivals(user)
        print("\nTen times the bookings of 200 resources, by the clock and by own CPU (aim: at most 1.2 times),")
        print("and SQL of 1,000 resources against 10 (aim: the same)")
        for name, cost in costs["peers'"].items():
            tenth, few, big = costs["tenth"][name], costs["few"][name], costs["large"][name]
            times = f"{cost.median_ms / tenth.median_ms:9.2f} {cost.cpu_ms / tenth.cpu_ms:9.2f}"
            print(f"{name:<34} {times} {big.queries - few.queries:+5}")
        sys.stdout.flush()
    finally:
        teardown_databases(config, verbosity=0)
