"""A trial of an answer that takes many: run with its progress shown, and read back from its bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bench.bundle.reading import Read, read_bundle
from bench.preflight.settings import Settings
from bench.report.progress import progress
from bench.trial import runner

Measure = Callable[[Settings, str], Read]
"""One trial by its settings and a title. Raises SetupError where it can not begin, KeyboardInterrupt."""


def measured(results: Path, console: Console) -> Measure:
    """Trials as the bench runs them, each with a system of its own: so the next begins with nothing left to project."""

    def measure(settings: Settings, title: str) -> Read:
        with progress(console, title) as shown:
            ended = runner.run(runner.Trial(settings, results), shown)
        for missing, reason in ended.bundle.missing.items():
            console.print(Text(f"missing {ended.bundle.folder / missing}: {reason}"), soft_wrap=True)
        ended.tell()
        return read_bundle(ended.bundle.folder)

    return measure
