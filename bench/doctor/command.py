"""`python -m bench doctor`: the database of DATABASE_URL, or a throw-away server that is prepared as a run does."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bench.bundle import new_id
from bench.doctor.reading import FILE, Doctor, examine
from bench.doctor.table import show
from bench.progress import progress
from bench.settings import Settings
from bench.stack import prepared
from metrics.results import write_json


def doctor(results: Path, console: Console) -> int:
    """Examine, print, and leave `doctor.json` in a folder of its own. Returns 0, 1 or 2."""
    settings = Settings.from_env(os.environ)
    with _examined(settings, console) as found:
        folder = results / new_id("doctor", settings.mode)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / FILE, found.document)
    show(console, found.document)
    console.print(Text(str(folder / FILE)), soft_wrap=True)
    return found.code


@contextmanager
def _examined(settings: Settings, console: Console) -> Iterator[Doctor]:
    with (
        tempfile.TemporaryDirectory(prefix="tidemark-doctor-") as scratch,
        progress(console, "doctor") as shown,
        prepared(settings, Path(scratch), shown) as environment,
    ):
        yield examine(environment)
