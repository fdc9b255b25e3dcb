"""`acknowledged.jsonl.gz`: each todo with the highest version that was acknowledged, for whoever reads the log itself.

A line is a JSON array of id and version. It is a lower bound: a write whose answer was lost is not in it.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import structlog

from services.loadgen.judge.ledger import Ledger

FILE: Final = "acknowledged.jsonl.gz"

log = structlog.get_logger()


def leave(folder: Path, ledger: Ledger) -> None:
    """Write the file whole, or none."""
    path = folder / FILE
    try:
        with gzip.open(path, "wt", encoding="ascii", compresslevel=1) as file:
            file.writelines(f"{json.dumps(each)}\n" for each in _acknowledged(ledger))
    except OSError as error:
        log.warning("file not written", file=FILE, error=str(error))
        path.unlink(missing_ok=True)


def _acknowledged(ledger: Ledger) -> Iterator[tuple[str, int]]:
    yield from ledger.retired
    yield from ((todo.id, todo.version) for todo in ledger.todos.values() if todo.versions)
