"""Metric sinks: where samples go. One never slows or fails the run that feeds it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Protocol

from metrics.catalogue import SAMPLED

Value = float | int | None
NOT_METRICS = frozenset({"t", "phase"})
METRICS = frozenset[str]().union(*(measurement.names for measurement in SAMPLED))


class UnknownMetric(KeyError):
    """A sample names a metric that the catalogue does not have."""


class Sink(Protocol):
    """Takes one sample a second: `t` (epoch seconds), `phase`, and metrics by their catalogue names."""

    def write(self, sample: Mapping[str, Value | str]) -> None:
        """Take a sample. Raises UnknownMetric for a name outside the catalogue: a defect of the caller."""
        ...

    def close(self) -> None:
        """Write out what is held back. No samples may follow."""
        ...


def check(sample: Mapping[str, Value | str]) -> None:
    """Raise UnknownMetric, naming it, unless the catalogue has every metric of the sample."""
    unknown = sorted(sample.keys() - METRICS - NOT_METRICS)
    if unknown:
        raise UnknownMetric(f"{unknown[0]!r} is not in metrics.catalogue")


class NullSink:
    """Forgets."""

    def write(self, sample: Mapping[str, Value | str]) -> None:
        """Check the names, keep nothing."""
        check(sample)

    def close(self) -> None:
        """Nothing to do."""


class MemorySink:
    """Keeps every sample in `samples`, for tests."""

    def __init__(self) -> None:
        self.samples: list[dict[str, Value | str]] = []
        self.closed = False

    def write(self, sample: Mapping[str, Value | str]) -> None:
        """Keep a copy."""
        check(sample)
        self.samples.append(dict(sample))

    def close(self) -> None:
        """Note the end."""
        self.closed = True


class JsonLinesSink:
    """Writes one JSON object a line. Each line is complete once written, so a reader can follow the file."""

    def __init__(self, path: Path) -> None:
        self._stream: IO[str] = path.open("w", encoding="utf-8", buffering=1)

    def write(self, sample: Mapping[str, Value | str]) -> None:
        """Append the sample as a line."""
        check(sample)
        self._stream.write(json.dumps(sample, allow_nan=False) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
