"""What the load generator leaves of acknowledged writes: `acknowledged.jsonl.gz`, read line by line."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.ends.errors import RunFailed

FILE: Final = "acknowledged.jsonl.gz"


def read(folder: Path) -> Iterator[tuple[str, int]] | None:
    """Streams, each with its highest acknowledged version; None where no file was left. Reading raises RunFailed."""
    path = folder / FILE
    return _lines(path) if path.exists() else None


def _lines(path: Path) -> Iterator[tuple[str, int]]:
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            for line in file:
                stream, version = json.loads(line)
                yield stream, version
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise RunFailed(f"{path} can not be read: {error}") from error
