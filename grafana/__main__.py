"""`python -m grafana`: write the dashboards again."""

from __future__ import annotations

from grafana.documents import FOLDER, documents

if __name__ == "__main__":
    for name, text in documents().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
