"""Leave an answer in its folder: the document, its page, and `latest` pointing there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from bench.bundle.folder import LATEST, point_latest
from bench.ends import signals
from bench.ends.conclude import FAILED, SOUND
from metrics.files import write_whole
from metrics.records.record import write_json

REPORT: Final = "report.html"


def leave(folder: Path, name: str, document: Mapping[str, Any], page: str, *, at: str = REPORT) -> str:
    """Write them, the page `at` its place; returns what could not be written, and why, else nothing."""
    path = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, document)
        path = folder / at
        path.parent.mkdir(exist_ok=True)
        write_whole(path, page)
        path = folder.parent / LATEST
        point_latest(folder)
    except OSError as error:
        return f"{path}: {error.strerror}"
    return ""


def finish(
    folder: Path, name: str, document: Mapping[str, Any], page: str, show: Callable[[], None], console: Console
) -> int:
    """Leave an answer and show it, whatever signals come. SOUND where it is `sound`, and all of it was written."""
    with signals.held():
        missing = leave(folder, name, document, page)
        show()
    if missing:
        console.print(Text(f"missing {missing}", style="bold red"), soft_wrap=True)
    return SOUND if document["sound"] and not missing else FAILED
