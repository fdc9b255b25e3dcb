"""The menu: every task says what it does, and is one line that Task could be left out for."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from bench import ROOT

TOOLS = {"python", "task", "ruff", "mypy", "lint-imports"}
TASKS: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "Taskfile.yml").read_text(encoding="utf-8"))["tasks"]
PROMISED = {
    "up", "down", "reset", "logs", "ps", "scale", "dev", "test", "check", "throughput", "actions", "reads", "scaling",
    "combined", "bench:serial", "bench:parallel", "bench:compare", "bench:ui",
}  # fmt: skip


def lines(name: str) -> list[str]:
    """The command lines of a task."""
    task = TASKS[name]
    commands = task["cmds"] if "cmds" in task else [task["cmd"]]
    return [command if isinstance(command, str) else f"task {command['task']}" for command in commands]


def test_what_is_promised_is_there() -> None:
    assert set(TASKS) >= PROMISED


@pytest.mark.parametrize("name", TASKS)
def test_a_task_has_a_description(name: str) -> None:
    assert TASKS[name]["desc"].strip()


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_plain_calls_of_tools(name: str) -> None:
    for line in lines(name):
        assert "\n" not in line.strip()
        assert line.split()[0] in TOOLS
        assert not re.search(r"[;&|<>$`]", line.replace("{{.", "").replace("}}", ""))
