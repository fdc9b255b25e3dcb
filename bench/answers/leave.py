"""Leave an answer in its folder: the document, its page, and `latest` pointing there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.bundle.folder import point_latest
from metrics.files import write_whole
from metrics.records.record import write_json


def leave(folder: Path, name: str, document: Mapping[str, Any], page: str) -> str:
    """Write them; returns what could not be written, and why, else nothing."""
    at = name
    try:
        folder.mkdir(parents=True)
        write_json(folder / name, document)
        at = "report.html"
        write_whole(folder / at, page)
        point_latest(folder)
    except OSError as error:
        return f"{folder / at}: {error.strerror}"
    return ""
