"""An arm: one side of a comparison, of which any number of trials can be run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from rich.console import Console

from bench.preflight.settings import Settings


class Arm(Protocol):
    """One side."""

    @property
    def name(self) -> str:
        """How it is called, on the terminal and in the document."""
        ...

    @property
    def settings(self) -> Settings:
        """Those of its trials, checked before anything starts."""
        ...

    def run(self, results: Path, number: int, title: str, console: Console) -> Path:
        """Run one trial with its progress shown, and return its bundle in `results`.

        Raises SetupError where the trial can not begin, RunFailed where it leaves no bundle, Interrupted.
        """
        ...


def apart(names: Sequence[str]) -> list[str]:
    """The names, and where two are the same (A against A) each with a letter."""
    if len(set(names)) == len(names):
        return list(names)
    return [f"{chr(ord('A') + number)}: {name}" for number, name in enumerate(names)]
