"""`results/perf/latest.json`: the rows measured last, and what they were measured on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench import ROOT
from bench.bundle.reading import refusing
from bench.perf.http_load import wrk
from bench.perf.references import peers
from bench.preflight import description
from metrics.reading import read_optional
from metrics.records.perf import Perf
from metrics.records.record import write_json

FILE: Final = "latest.json"


def surroundings(postgres: str) -> dict[str, Any]:
    """Machine, versions and Postgres, without which a figure means nothing."""
    return {
        "machine": description.machine(),
        "versions": {**description.versions(ROOT), "postgres": postgres, "peers": peers.versions()},
        "settings": {
            "postgres": "defaults; fsync and synchronous_commit on",
            "durable": True,
            "http_client": f"{wrk.client()}, {wrk.CONNECTIONS} connections",
        },
    }


def read(folder: Path) -> dict[str, Any]:
    """The document; one without rows where there is none. Raises SetupError for one that can not be used."""
    with refusing():
        found = read_optional(folder / FILE, Perf)
    return dict(found) if found else {"rows": []}


def merge(before: Mapping[str, Any], now: Mapping[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """The document with one row measured anew. Rows of another machine or revision are left out. Pure."""
    same = all(
        _get(before, *path) == _get(now, *path)
        for path in (("machine",), ("versions", "revision"), ("versions", "postgres"), ("quick",))
    )
    kept = [old for old in before.get("rows", []) if same and old["name"] != row["name"]]
    return {"rows": [*kept, row], **now}


def write(folder: Path, document: dict[str, Any], order: list[str]) -> None:
    """Write the document, its rows in the order of the table."""
    folder.mkdir(parents=True, exist_ok=True)
    document["rows"].sort(key=lambda row: order.index(row["name"]) if row["name"] in order else len(order))
    write_json(folder / FILE, document)


def moment() -> str:
    """Now, for people and machines."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _get(document: Mapping[str, Any], *path: str) -> Any:
    found: Any = document
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
