"""Leave an answer in its folder: the document, its page, and `latest` pointing there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bench.bundle.folder import LATEST, point_latest
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
