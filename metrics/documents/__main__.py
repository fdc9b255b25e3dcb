"""`python -m metrics.documents`: write `docs/operation/metrics.md` and `docs/results.schema.json`."""

from __future__ import annotations

from metrics.documents import page, schema
from metrics.files import write_whole
from settings.command_line import terminal

if __name__ == "__main__":
    terminal.forgive()
    write_whole(page.PATH, page.markdown())
    write_whole(schema.PATH, schema.text())
