"""`samples.jsonl`, followed while the load generator writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Samples:
    """Follows `samples.jsonl` while it is being written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new(self) -> list[dict[str, Any]]:
        """The complete lines since the last call."""
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                text = stream.read()
        except FileNotFoundError:
            return []
        complete = text[: text.rfind(b"\n") + 1]
        self._offset += len(complete)
        return [json.loads(line) for line in complete.splitlines()]
