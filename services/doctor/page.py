"""`python -m services.doctor.page`: write the table of `docs/operation/engines.md` again; its prose stays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from services.doctor.engines import rows
from settings.command_line import terminal

PATH: Final = Path(__file__).parents[2] / "docs" / "operation" / "engines.md"
_TABLE: Final = re.compile(r"^\| server, or way to it \|.*\n(?:\|.*\n)+", re.MULTILINE)


def written(page: str) -> str:
    """The page with the table that the code has."""
    table = "".join(f"{row}\n" for row in rows())
    return _TABLE.sub(lambda _: table, page)


def main() -> None:
    """Write it."""
    PATH.write_text(written(PATH.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    terminal.forgive()
    main()
