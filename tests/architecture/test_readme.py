"""What the README promises: the two commands of the contract, files that exist, tasks and settings that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import yaml

from bench import __main__ as bench_main
from bench.answers.gate.requirement import requirements
from bench.perf import __main__ as perf_main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NAMED = r"`(?:[A-Z_]+=\S+ )*task ([a-z][a-z:]*)"
SCENARIO = str(ROOT / "scenarios" / "reads.toml")
COMMANDS = (
    "python3 -m pip install --target .tools uv && .tools/bin/uv run task bench:parallel",
    ".tools/bin/uv run task test",
)


def test_the_two_commands_stand_as_they_are_checked() -> None:
    lines = [line.partition("#")[0].strip() for line in README.splitlines()]
    assert [line for line in lines if line in COMMANDS] == list(COMMANDS)


def test_every_link_leads_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "GLOSSARY.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_task_that_is_named_exists() -> None:
    tasks = yaml.safe_load((ROOT / "Taskfile.yml").read_text(encoding="utf-8"))["tasks"]
    named = set(re.findall(NAMED, README))
    assert named - tasks.keys() == set()
    assert "bench:compare" in named


def test_each_command_that_answers_stands_beside_its_question() -> None:
    tasks = yaml.safe_load((ROOT / "Taskfile.yml").read_text(encoding="utf-8"))["tasks"]
    named = set(re.findall(NAMED, (ROOT / "docs" / "which-command.md").read_text(encoding="utf-8")))
    assert named - tasks.keys() == set()
    assert {
        "bench:parallel",
        "bench:serial",
        "bench:compare",
        "bench:capacity",
        "bench:crossover",
        "bench:gate",
        "advise",
    } <= named
    assert {"drill", "doctor", "perf", "report"} <= named


def test_each_command_beside_a_question_is_one_that_its_parser_takes() -> None:
    tasks = yaml.safe_load((ROOT / "Taskfile.yml").read_text(encoding="utf-8"))["tasks"]
    page = (ROOT / "docs" / "which-command.md").read_text(encoding="utf-8")
    taken = set()
    for task, words in re.findall(r"`(?:[A-Z_]+=\S+ )*task ([a-z:]+)(?: -- ([^`]+))?`", page):
        called = shlex.split(tasks[task]["cmd"].replace("{{.CLI_ARGS}}", words.replace("my.toml", SCENARIO)))
        if called[1:3] not in (["-m", "bench"], ["-m", "bench.perf"]):
            continue
        parser = bench_main._parser() if called[2] == "bench" else perf_main._parser()
        given = parser.parse_args(called[3:])
        if task == "bench:gate":
            assert given.against or given.baseline or requirements(given.require), words
        taken.add(task)
    assert {"bench", "bench:gate", "bench:capacity", "bench:compare", "advise", "drill", "perf", "report"} <= taken


def test_every_setting_of_the_table_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    table = [line for line in README.splitlines() if line.startswith("| `") and re.match(r"\| `[A-Z]", line)]
    named = {name for line in table for name in re.findall(r"`([A-Z][A-Z_]+)`", line.split("|")[1])}
    assert {name for name in named if f"{name}=" not in example} == set()
    assert {"DATABASE_URL", "BASE_URL", "INFLUX_URL", "HANDLER_LATENCY_MS"} <= named
