"""How hard chance tries: the same examples each time, and a failure is told as it was found.

HYPOTHESIS_EXPLORE=1 asks for many new ones, and looks for the shortest way to a failure, which can take minutes.
"""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, Phase, settings

EXPLORE: Final = os.environ.get("HYPOTHESIS_EXPLORE") == "1"


def effort(examples: int, steps: int = 50) -> settings:
    """Settings for one test: so many examples, each of at most so many steps of a state machine."""
    return settings(
        max_examples=examples * 20 if EXPLORE else examples,
        stateful_step_count=steps,
        derandomize=not EXPLORE,
        database=None,
        deadline=None,
        phases=tuple(Phase) if EXPLORE else (Phase.explicit, Phase.generate),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
