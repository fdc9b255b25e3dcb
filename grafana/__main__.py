"""`python -m grafana`: write the dashboards again."""

from __future__ import annotations

from grafana.documents import FOLDER, documents
from metrics.files import write_whole
from settings.command_line import terminal

if __name__ == "__main__":
    terminal.forgive()
    for name, text in documents().items():
        write_whole(FOLDER / name, text)
