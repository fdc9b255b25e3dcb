"""A command line that can not be used ends before any work: exit code 2, one line that names what was wrong."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from services.health import main as ask

SWEEP = [
    *(
        ("bench", f"run --kill-projector-at={value}", "--kill-projector-at")
        for value in ("-5s", "abc", "nan", "31s", "1e1")
    ),
    ("bench", "run --kill-projector-at -5s", "--kill-projector-at"),
    ("bench", "run --kill-projector-at=--", "--kill-projector-at"),
    ("bench", "run --kill-projector-at 1s --no-replace", "--no-replace"),
    ("bench", "run nowhere", "argument scenario: SCENARIO='nowhere' is not usable: expected one of throughput, "),
    ("bench", "run --mode both", "--mode"),
    ("bench", "run --results /dev/null", "--results"),
    *(("bench", f"{name} --results=", "argument --results") for name in ("run", "compare", "doctor")),
    ("bench.perf", "append --results=", "argument --results"),
    ("bench", "run --nonsense", "--nonsense"),
    ("bench", "nonsense", "invalid choice: 'nonsense'"),
    ("bench", "", "required: name"),
    *(("bench", f"compare --trials={value}", "--trials") for value in ("0", "-1", "51", "1.5", "abc", "1e1", "1_0")),
    *(
        ("bench", f"compare --projectors={value}", "--projectors")
        for value in ("1", "1,1", "0,1", "1,65", "1,x", ",", "-1,2")
    ),
    ("bench", "compare one", "1 bundles are no pairs"),
    ("bench", "compare --scenario nowhere", "--scenario"),
    ("bench", "report /nowhere", "/nowhere: no usable result bundle"),
    *(("bench.perf", f"append --trials={value}", "--trials") for value in ("0", "-1", "51", "1.5", "abc", "1" * 30)),
    ("bench.perf", "nowhere", "nowhere: there is no such row"),
    ("bench.perf", "append --results /dev/null", "--results"),
    ("bench.perf", "publish --results /nowhere", "/nowhere/latest.json"),
    ("bench.platforms.compose", "nonsense", "invalid choice"),
    ("bench.platforms.kubernetes", "nonsense", "invalid choice"),
    ("services.projector", "nonsense", "invalid choice"),
    ("services.projector", "skip", "STREAM"),
    ("services.projector", "reset --all more", "STREAM"),
    ("migrations", "nonsense", "invalid choice"),
    ("migrations", "upgrade a b", "unrecognized arguments: b"),
]


@pytest.mark.parametrize(("module", "line", "told"), SWEEP, ids=lambda value: value[:40])
def test_nonsense_is_refused_in_one_line(
    module: str,
    line: str,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    for name in ("DATABASE_URL", "BASE_URL", "DURATION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))  # no stack
    monkeypatch.setattr(sys, "argv", [module, *line.split()])
    main = importlib.import_module(f"{module}.__main__").main
    try:
        code = main()
    except SystemExit as end:
        code = end.code
    said = capsys.readouterr().err.splitlines()
    assert (code, len(said)) == (2, 1), said
    assert told in said[0]


@pytest.mark.parametrize(
    "given",
    ["http://", "http://127.0.0.1:99999/", "http://127.0.0.1:x", "http://[/", "https://127.0.0.1", "ftp://x", ""],
)
def test_a_health_check_of_nothing_says_how_to_ask(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask([given]) == 64
    assert capsys.readouterr().err == "usage: python -m services.health URL | FILE [live]\n"
