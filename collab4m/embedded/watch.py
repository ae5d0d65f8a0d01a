"""Signs of life that a living process does not give: a worker that no longer takes work, a Redis that hangs.

`python -m collab4m.embedded.watch worker` (or `beat`) asks the same for a container: exit status 1 if it is silent.
"""

import math
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress

EVERY_SECONDS = 5
SIGNS = {"beat": ["beat"], "worker": ["queue", "worker"]}


def patience() -> float:
    return float(os.environ.get("WATCHDOG_SECONDS", "45"))


def pulses(url: str) -> dict[str, float]:
    """Seconds since each part last gave a sign of life; empty when the database cannot say."""
    import psycopg2

    with suppress(psycopg2.Error):
        connection = psycopg2.connect(url, connect_timeout=2, options="-c statement_timeout=2s")
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT name, extract(epoch FROM now() - at)::float FROM records_pulse")
                return dict(cursor.fetchall())
        finally:
            connection.close()
    return {}


class Watch:
    """Says which part to start again. Patient: a part must be silent for long, and what it needs must answer."""

    def __init__(self, database_url: str, redis_answers: Callable[[], bool] | None) -> None:
        self.database_url, self.redis_answers = database_url, redis_answers
        self.patience = patience()
        self.looked_at = self.redis_spoke_at = self.redis_back_at = time.monotonic()

    def silent_part(self, alive_for: Callable[[str], float]) -> str | None:
        """The name of a part that lives and does nothing, asked at most every few seconds."""
        now = time.monotonic()
        if now - self.looked_at < EVERY_SECONDS:
            return None
        if now - self.looked_at > 4 * EVERY_SECONDS:  # we slept, or were held ourselves
            self.redis_spoke_at = self.redis_back_at = now
        self.looked_at = now
        if self.redis_answers and not self.redis_answers():
            self.redis_back_at = now
            return "redis" if now - self.redis_spoke_at > self.patience and alive_for("redis") > self.patience else None
        self.redis_spoke_at = now
        if now - self.redis_back_at < self.patience:
            return None
        ages = pulses(self.database_url)
        for part, signs in SIGNS.items():
            if alive_for(part) > self.patience and any(ages.get(sign, 0) > self.patience for sign in signs):
                return part
        return None


def main() -> None:
    """Unlike the supervisor, which waits for what has just started, a container has its own time to start in."""
    from collab4m import env

    part, ages = sys.argv[1], pulses(env.text("DATABASE_URL"))
    for sign in SIGNS[part]:
        if ages.get(sign, math.inf) > patience():
            sys.exit(f"No sign of life from {sign}, or the database does not answer.")


if __name__ == "__main__":
    main()
