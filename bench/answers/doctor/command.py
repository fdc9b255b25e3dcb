"""`python -m bench doctor`: the database of DATABASE_URL, or a throw-away server that is prepared as a run does."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bench.answers.doctor.table import show
from bench.bundle.folder import new_id
from bench.ends.errors import SetupError
from bench.platforms import preparation
from bench.platforms.choice import prepared_database
from bench.preflight.examination import FILE, Doctor, examine
from bench.preflight.settings import Settings
from bench.report.progress import progress
from metrics.records.record import write_json
from settings import Environment
from settings.catalogue.database import DATABASE_URLS, listening
from settings.catalogue.load import TARGET


def doctor(results: Path, console: Console) -> int:
    """Examine, print, and leave `doctor.json` in a folder of its own. Returns 0, 1 or 2."""
    # The examination is of what our own system needs, whatever else is measured.
    elsewhere = (TARGET.name, DATABASE_URLS.name)
    settings = Settings.from_env({name: value for name, value in os.environ.items() if name not in elsewhere})
    found = _examined(settings, console)
    show(console, found.document)
    file = results / new_id("doctor", settings.mode) / FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, found.document.to_dict())
    except OSError as error:
        raise SetupError("--results", f"{file} can not be written ({error.strerror})", "make room") from None
    console.print(Text(str(file)), soft_wrap=True)
    return found.code


def _examined(settings: Settings, console: Console) -> Doctor:
    env = Environment(os.environ)
    if given := DATABASE_URLS.optional(env):
        listening(env, len(given))
        return examine(preparation.environment(replace(settings, database_url=given[0]), DATABASE_URLS=" ".join(given)))
    with (
        tempfile.TemporaryDirectory(prefix="tidemark-doctor-") as scratch,
        progress(console, "doctor") as shown,
        prepared_database(settings, Path(scratch), shown) as environment,
    ):
        return examine(environment)
