"""Running the state machines, whose `reached` says how far they came."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test


def run_until_reached(machine: Any, wanted: Collection[str]) -> None:
    """Run a machine, and again when luck has left something out: what is drawn follows from the name."""
    for number in range(6):
        run_state_machine_as_test(
            type(f"{machine.__name__}{number}", (machine,), {}),
            settings=settings(
                max_examples=10,
                stateful_step_count=25,
                deadline=None,
                database=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
        if machine.reached >= set(wanted):
            return
    raise AssertionError(f"it never came as far as {sorted(set(wanted) - machine.reached)}")
