"""How hard chance tries: the same examples each time; HYPOTHESIS_EXPLORE=1 asks for many new ones."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, settings

EXPLORE: Final = os.environ.get("HYPOTHESIS_EXPLORE") == "1"


def effort(examples: int, steps: int = 50) -> settings:
    """Settings for one test: so many examples, each of at most so many steps of a state machine."""
    return settings(
        max_examples=examples * 20 if EXPLORE else examples,
        stateful_step_count=steps,
        derandomize=not EXPLORE,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
