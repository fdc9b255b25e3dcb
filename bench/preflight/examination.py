"""What `python -m services.doctor` found, as the bench reads it: facts, strategies, warnings."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench import ROOT
from bench.ends.errors import RunFailed
from metrics.records.doctor import WRITES, Diagnosis
from settings import strategies
from settings.catalogue.projection import Strategy

FILE: Final = "doctor.json"
TIMEOUT_S: Final = 30.0


@dataclass(frozen=True)
class Doctor:
    """What is asked of an examination; `document` goes into the bundle as it is."""

    document: Diagnosis

    @property
    def code(self) -> int:
        """The exit code of the examination."""
        return self.document.code

    @property
    def warnings(self) -> list[str]:
        """What a result must carry."""
        return self.document.warnings

    def why_not(self, name: Strategy) -> str:
        """Why no run by it can be; empty where it can. One of somebody else's needs what its mode needs."""
        mode = "serial" if strategies.is_serial(name) else "parallel"
        known = self.document.strategies
        strategy = next((one for one in known if one.name == name), None) or next(
            one for one in known if one.mode == mode
        )
        if not strategy.sound:
            return f"strategy {name} is not sound there: {strategy.why}"
        return next(
            (
                f"{one.name} are {one.value}: {one.note}"
                for one in self.document.facts
                # Of several shards its name is told with the shard.
                if one.name.startswith(WRITES)
            ),
            "",
        )


def examine(environment: Mapping[str, str], *arguments: str) -> Doctor:
    """Run the examination; `environment` has DATABASE_URL. Raises RunFailed where it gives no answer."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "services.doctor", *arguments],
            cwd=ROOT,
            env=dict(environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
        return Doctor(Diagnosis.from_dict(json.loads(done.stdout)))
    except subprocess.TimeoutExpired:
        raise RunFailed(f"the doctor gave no answer within {TIMEOUT_S:g} s") from None
    except ValueError:
        raise RunFailed("the doctor gave no answer", done.stderr.strip()) from None
