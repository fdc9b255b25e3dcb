"""Leave an answer in its folder: the document, its page, and `latest` pointing there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bench.bundle.folder import LATEST, point_latest
from metrics.files import write_whole
from metrics.records.record import write_json

REPORT: Final = "report.html"


def leave(folder: Path, name: str, document: Mapping[str, Any], page: str) -> str:
    """Write them; returns what could not be written, and why, else nothing."""
    at = folder / name
    try:
        folder.mkdir(parents=True)
        write_json(at, document)
        at = folder / REPORT
        write_whole(at, page)
        at = folder.parent / LATEST
        point_latest(folder)
    except OSError as error:
        return f"{at}: {error.strerror}"
    return ""
