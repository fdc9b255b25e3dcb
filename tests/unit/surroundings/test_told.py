"""What acted on a run is said where its numbers are: in the terminal's table and in the report."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bench.compare.loaded import load
from bench.report import report
from bench.report.words import machine_line
from bench.trial import summary
from metrics.records.record import write_json
from tests.unit.bench import bundles

TRACED = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318"}
SAID = "exported spans while they were measured"


def shown(folder: Path) -> str:
    console = Console(file=StringIO(), width=160)
    summary.show(console, load(folder).result, folder)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(("variables", "told"), [(TRACED, True), ({}, False)])
def test_a_traced_run_says_so_beside_its_numbers(variables: dict[str, str], told: bool, tmp_path: Path) -> None:
    folder = bundles.write(tmp_path, variables=variables)
    assert (SAID in shown(folder)) is told
    assert (SAID in report.render(folder)) is told


def test_debug_logs_are_told(tmp_path: Path) -> None:
    assert "LOG_LEVEL=debug" in report.render(bundles.write(tmp_path, variables={"LOG_LEVEL": "debug"}))


def test_a_part_of_the_machine_is_told_as_a_part() -> None:
    assert "2 cores" in machine_line(bundles.MACHINE)
    assert "1.5 of 8 cores" in machine_line({**bundles.MACHINE, "cores": 1.5, "cores_installed": 8})
    assert " of " not in machine_line({**bundles.MACHINE, "cores": 2, "cores_installed": 2})


def test_variables_that_acted_on_a_given_server_are_told(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path)
    postgres = {**load(folder).postgres, "tls": True, "environment": {"PGSSLMODE": "require"}}
    write_json(folder / "postgres.json", postgres)
    page = report.render(folder)
    assert "PGSSLMODE" in page
    assert "TLS" in page
