"""Medians, 95th percentiles and SQL counts of requests made in this process, on the real database."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter

from django.db import connection
from django.test.utils import CaptureQueriesContext

RUNS = 40
WARM_UP = 5


@dataclass(frozen=True)
class Timing:
    """What one request cost: milliseconds, SQL statements, and how many times the bare page."""

    name: str
    median_ms: float
    p95_ms: float
    queries: int
    ratio: float

    def row(self) -> str:
        return f"{self.name:<44} {self.median_ms:9.1f} {self.p95_ms:9.1f} {self.queries:5} {self.ratio:7.2f}"


HEAD = f"{'':<44} {'median ms':>9} {'p95 ms':>9} {'SQL':>5} {'ratio':>7}"


def measure(
    name: str, request: Callable[[], int], bare: Callable[[], int], runs: int = RUNS, expected: int = 200
) -> Timing:
    """Time `request` in turn with the bare page, so that a busy machine slows both alike.

    Each answers its status code; a request that does not answer `expected` stops the run.
    """
    times, baseline = [], []
    for nth in range(WARM_UP + runs):
        elapsed, bare_elapsed = timed(name, request, expected), timed("the bare page", bare, 200)
        if nth >= WARM_UP:
            times.append(elapsed)
            baseline.append(bare_elapsed)
    with CaptureQueriesContext(connection) as captured:
        request()
    return Timing(name, median(times), quantiles(times, n=20)[-1], len(captured), median(times) / median(baseline))


def timed(name: str, request: Callable[[], int], expected: int) -> float:
    """Milliseconds of one request."""
    start = perf_counter()
    status = request()
    elapsed = (perf_counter() - start) * 1000
    if status != expected:
        raise SystemExit(f"{name} answered {status} instead of {expected}: nothing was measured.")
    return elapsed
