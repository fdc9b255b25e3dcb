"""Operator commands (`python -m services.projector reset --all`) as processes beside the load.

Under the operator's login. One begins, is looked at, and ends; its answer is the JSON that it prints last.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Final, Self

from bench.ends import signals
from bench.ends.errors import RunFailed
from bench.platforms.platform import Start, System
from bench.platforms.postgres.logins import addresses
from bench.platforms.preparation import environment
from bench.platforms.processes import Process, describe, tail
from bench.trial.fault import NotApplicable, require_projectors

PROGRAM: Final = "services.projector"
WITHIN_S: Final = 90.0
LOOK_S: Final = 0.05


def require_operator(system: System) -> None:
    """Make sure that the system is ours to operate: our store, its logins, and power over its projectors.

    Whoever runs on an address that somebody gave it is not reset by a drill. Raises NotApplicable, LacksPower.
    """
    require_projectors(system)
    if system.store_url is None or system.logins is None:
        target = system.settings.target.name
        raise NotApplicable("TARGET", f"{target} has no commands of ours for an operator", "choose another fault")
    system.require("projector", Start)


def of_shard(system: System) -> tuple[str, ...]:
    """What tells a command over all streams that it is for the one shard of several that the system is."""
    return ("--shard", str(len(system.before))) if system.before else ()


class Command:
    """One command, under way or ended."""

    def __init__(self, process: Process, words: tuple[str, ...]) -> None:
        self._process = process
        self._words = words

    @classmethod
    def begin(cls, system: System, *words: str) -> Self:
        """Start it; it writes to `operator-<command>.log`. Raises RunFailed."""
        line = ["-m", PROGRAM, *words, *(of_shard(system) if "--all" in words else ()), "--json"]
        env = environment(system.settings, **addresses([logins.operator for logins in system.shards]))
        process = system.processes.start(f"operator-{words[0]}{'-all' if '--all' in words else ''}", line, env)
        process.expendable = True
        return cls(process, words)

    @property
    def running(self) -> bool:
        """Until it has ended."""
        return self._process.running

    def answer(self) -> Mapping[str, Any]:
        """Wait for its end; what it did, as it says. Raises RunFailed where it did not."""
        deadline = time.monotonic() + WITHIN_S
        while self.running and time.monotonic() < deadline:
            signals.check()
            time.sleep(LOOK_S)
        code, told = self._process.popen.poll(), tail(self._process.log)
        said = [line for line in told.splitlines() if line.startswith("{")]
        if code != 0 or not said:
            how = f"did not end within {WITHIN_S:g} s" if code is None else f"ended with {describe(code)}"
            raise RunFailed(f"operator command `{' '.join(self._words)}` {how}", told)
        found: Mapping[str, Any] = json.loads(said[-1])
        return found


def carry_out(system: System, *words: str) -> Mapping[str, Any]:
    """Begin a command, and wait for its answer. Raises RunFailed."""
    return Command.begin(system, *words).answer()
