"""Every line of .env.example works as it stands: read by Task, by Compose's rules and by us, in every process.

Nothing here names a setting, so that lines to come are held to it too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
import yaml

from bench import ROOT
from bench.platforms.compose.dotenv import read
from services.loadgen.worker import command
from settings import Environment
from tests.architecture.test_settings_agree import FROM_ENV, URL

LINES = re.findall(r"^#?([A-Z][A-Z0-9_]*=.*)$", (ROOT / ".env.example").read_text(encoding="utf-8"), flags=re.MULTILINE)
NAMES = [line.partition("=")[0] for line in LINES]
TASK = Path(sys.executable).with_name("task")


def text(name: str | None = None) -> str:
    """The example with one line uncommented, as an editor does it; None: with all of them."""
    return re.sub(rf"^#(?={name or '[A-Z][A-Z0-9_]*'}=)", "", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)


def by_compose(content: str) -> dict[str, str]:
    """What Compose's documentation says of a .env file that has neither quotes nor references."""
    pairs = (line.partition("=") for line in content.splitlines() if line.strip() and not line.startswith("#"))
    return {name: re.split(r"\s#", value.strip())[0].strip() for name, _, value in pairs}


def by_task(folder: Path, contents: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What Task hands to a command, by task."""
    tasks = {}
    for name, content in contents.items():
        (folder / f"{name}.env").write_text(content, encoding="utf-8")
        show = f'{sys.executable} -c \'import json, os; json.dump(dict(os.environ), open("{name}.json", "w"))\''
        tasks[name] = {"dotenv": [f"{name}.env"], "cmd": show}
    (folder / "Taskfile.yml").write_text(yaml.safe_dump({"version": "3", "tasks": tasks}))
    clean = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        [TASK, "--silent", "--parallel", *contents], cwd=folder, env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = {name: json.loads((folder / f"{name}.json").read_text()) for name in contents}
    return {name: {key: value for key, value in env.items() if key in NAMES} for name, env in found.items()}


@cache
def has_compose() -> bool:
    """Whether Docker's own word can be had here."""
    found = shutil.which("docker") is not None
    return found and not subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode


def by_docker(folder: Path, content: str) -> dict[str, str]:
    """What Compose itself reads."""
    (folder / "one.env").write_text(content, encoding="utf-8")
    told = {name: f"${{{name}:-}}" for name in by_compose(content)}
    (folder / "compose.yaml").write_text(yaml.safe_dump({"services": {"one": {"image": "one", "environment": told}}}))
    line = ["docker", "compose", "--env-file", "one.env", "config", "--format", "json"]
    clean = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(line, cwd=folder, env=clean, capture_output=True, text=True, check=True)
    shown: dict[str, str] = json.loads(done.stdout)["services"]["one"]["environment"]
    return shown


def test_a_line_has_its_value_and_no_more() -> None:
    """Docker's `--env-file` and systemd take all that stands after the sign, and Task what stands after nothing."""
    assert len(LINES) > 40
    assert [line for line in LINES if re.search(r"[\s#$'\"]", line)] == []


def test_every_reader_reads_every_line_alike(tmp_path: Path) -> None:
    contents = {name: text(name) for name in NAMES} | {"all": text()}
    task = by_task(tmp_path, contents)
    for name, content in contents.items():
        (tmp_path / ".env").write_text(content, encoding="utf-8")
        expected = by_compose(content)
        assert name == "all" or f"{name}={expected[name]}" in LINES
        assert read(tmp_path / ".env") == expected
        assert task[name] == expected, name
    if has_compose():
        assert by_docker(tmp_path, text()) == by_compose(text())


@pytest.mark.parametrize("name", NAMES)
def test_every_process_takes_every_line(name: str) -> None:
    value = by_compose(text(name))
    needed = {"DATABASE_URL": URL, "INFLUX_TOKEN": "t", "INFLUX_ORG": "o", "INFLUX_BUCKET": "b"}
    for process, from_env in FROM_ENV.items():
        given = {**(needed if process != "bench" else {}), **{k: v for k, v in value.items() if v}}
        from_env(given)
    command(Environment(value).text("LOADGEN_MASTER", "127.0.0.1:5557"))
