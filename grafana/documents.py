"""The files of `dashboards/` and what is in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from grafana.consistency import consistency
from grafana.load import load

FOLDER: Final = Path(__file__).with_name("dashboards")


def documents() -> dict[str, str]:
    """The text of each dashboard by the name of its file."""
    boards = (consistency(), load())
    return {f"{board['uid']}.json": json.dumps(board, indent=2, ensure_ascii=False) + "\n" for board in boards}
