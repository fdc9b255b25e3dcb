"""How projectors work, told against asked for: a result names its ordering strategy, event handler and read models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bench.preflight.settings import Settings

WORDS: Final = {"strategies": "work by {}", "handlers": "run HANDLER={}", "read_models": "keep READ_MODELS={}"}
"""What is told, by its name in `loadgen.json`, and how it is said of projectors."""
IN_STATS: Final = {"strategies": "strategies", "handlers": "handlers", "read_models": "readModels"}
"""The same by its name in `GET /stats`."""


def others(settings: Settings, told: Mapping[str, Sequence[str]]) -> str:
    """Why projectors that say `told` give no result of these settings; empty where they do, or do not say."""
    asked = {
        "strategies": settings.strategy,
        "handlers": settings.handler,
        "read_models": ",".join(settings.read_models),
    }
    return "; ".join(
        f"the projectors said that they {word.format(' and '.join(told[name]))}, this run is one of {asked[name]}"
        for name, word in WORDS.items()
        if settings.target.ours and not set(told.get(name, ())) <= {asked[name]}
    )
