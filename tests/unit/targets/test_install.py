"""Installing targets: the stamp is last, and who can not be installed is left out with what to do."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.ends.bounded import NoAnswer
from bench.platforms.targets import __main__ as command
from bench.platforms.targets import folder
from bench.platforms.targets import install as installing
from bench.platforms.targets.install import LeftOut, install
from settings.targets import reader
from settings.targets.manifest import Manifest

MANIFEST = """
title = "A stack"
version = "1.0"
language = "any"
store = "none"
class = "documented"
homepage = "https://example.org"
durable = "not at all"
modes = ["parallel"]
proof = "read-back"

[install]
kind = "{kind}"

[api]
command = ["{{python}}", "api.py"]
"""

Target = Callable[..., Manifest]


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    """A target of its own with a lock, installed into a folder of the test."""
    monkeypatch.setattr(folder, "INSTALLS", tmp_path / "installs")

    def make(kind: str, *, node: str = ">=20") -> Manifest:
        place = tmp_path / "stack"
        place.mkdir(exist_ok=True)
        (place / "target.toml").write_text(MANIFEST.format(kind=kind))
        (place / reader.LOCKS[kind]).write_text("{}")
        (place / "package.json").write_text(f'{{"engines": {{"node": "{node}"}}}}')
        return reader.load(f"{place}/")

    return make


def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> None:
    """A PATH on which there are these programs, as shell scripts, beside the system's own tools."""
    place = tmp_path / "programs"
    place.mkdir(exist_ok=True)
    for tool in ("sh", "mkdir", "sleep", "env"):
        (place / tool).symlink_to(
            next(path for path in map(Path, (f"/bin/{tool}", f"/usr/bin/{tool}")) if path.exists())
        )
    for name, text in scripts.items():
        (place / name).write_text(f"#!/bin/sh\n{text}\n")
        (place / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(place))


def quiet(_: str) -> None:
    """Nobody listens."""


def test_node_packages_are_installed_by_npm_ci_where_the_programs_are(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path, monkeypatch, node="echo v20.1.0", npm='mkdir node_modules; echo "$@" > node_modules/told')
    stack = target("node")
    assert install(stack, quiet).startswith("installed in ")
    place = folder.install_folder(stack)
    assert (place / "node_modules" / "told").read_text().split() == [
        "ci",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]
    assert (place / "target.toml").is_file()
    assert folder.lacking(stack) == ("", "")
    (place / "node_modules" / "told").unlink()
    assert install(stack, quiet) == "was installed before"
    assert not (place / "node_modules" / "told").exists()


def test_another_lock_is_installed_anew(target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path, monkeypatch, node="echo v20.1.0", npm="mkdir node_modules")
    stack = target("node")
    install(stack, quiet)
    (stack.folder / "package-lock.json").write_text('{"changed": true}')
    assert folder.lacking(stack)[0]
    assert install(stack, quiet).startswith("installed in ")
    assert folder.lacking(stack) == ("", "")


@pytest.mark.parametrize(
    ("scripts", "told"),
    [
        ({"node": "echo v20.1.0"}, "npm is not on this machine; install Node with npm"),
        ({"node": "echo v18.2.0", "npm": "mkdir node_modules"}, "Node is v18.2.0 here; install Node 20 or newer"),
        (
            {"node": "echo v20.1.0", "npm": 'echo "npm error network getaddrinfo ENOTFOUND" >&2; exit 1'},
            "npm ci failed: npm error network getaddrinfo ENOTFOUND; look to the network",
        ),
    ],
    ids=["no npm", "Node too old", "no network"],
)
def test_who_can_not_be_installed_is_left_out_with_what_to_do(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scripts: dict[str, str], told: str
) -> None:
    programs(tmp_path, monkeypatch, **scripts)
    stack = target("node")
    with pytest.raises(LeftOut) as left_out:
        install(stack, quiet)
    assert told in str(left_out.value)
    assert "\n" not in str(left_out.value)
    assert folder.lacking(stack)[0]


def test_an_install_that_is_broken_off_never_looks_installed(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path, monkeypatch, node="echo v20.1.0", npm="mkdir node_modules")
    stack = target("node")
    install(stack, quiet)
    (stack.folder / "package-lock.json").write_text('{"changed": true}')

    def ended(*_: Any, **__: Any) -> None:
        # As if this process were killed now: nothing of it runs after this but what has been done already.
        assert not (folder.install_folder(stack) / folder.STAMP).exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(installing, "ask", ended)
    with pytest.raises(KeyboardInterrupt):
        install(stack, quiet)
    (stack.folder / "package-lock.json").write_text("{}")
    assert folder.lacking(stack)[0], "the old stamp is gone, though the old lock is back"


def test_python_packages_are_installed_by_hash_into_an_environment_of_their_own(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[str]] = []

    def answer(command: Sequence[str], *_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(installing, "ask", answer)
    stack = target("python")
    (stack.folder / "package.json").unlink()
    install(stack, quiet)
    venv, pip = asked
    place = folder.install_folder(stack) / ".venv"
    assert venv[1:] == ["-m", "venv", str(place)]
    assert pip[0] == str(place / "bin" / "python")
    assert {"--require-hashes", "requirements.lock"} <= set(pip)


def test_one_that_takes_too_long_is_left_out(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: Any, within_s: float, **__: Any) -> None:
        raise NoAnswer(f"no answer within {within_s:g} s")

    monkeypatch.setattr(installing, "ask", silent)
    with pytest.raises(LeftOut, match="no answer within 600 s"):
        install(target("python"), quiet)


def test_the_command_goes_on_after_one_that_is_left_out_and_ends_with_1(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    programs(tmp_path, monkeypatch, node="echo v20.1.0")
    stack = target("node")
    monkeypatch.setattr("sys.argv", ["targets", "install", f"{stack.folder}/", "tidemark"])
    assert command.main() == 1
    told = capsys.readouterr().out
    assert "✗ stack is left out: npm is not on this machine" in told
    assert "✓ tidemark" in told
    assert told.splitlines()[-1] == "left out: stack"


def test_a_name_that_is_no_target_is_refused_before_anything_is_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["targets", "install", "nobody"])
    assert command.main() == 2
    assert "nobody" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["eventsourcing", "emmett"])
def test_every_package_of_a_target_is_pinned(name: str) -> None:
    stack = reader.load(name)
    assert stack.install is not None
    lock = (stack.folder / reader.LOCKS[stack.install.kind]).read_text()
    if stack.install.kind == "python":
        entries = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
        assert entries
        assert all("==" in line and line.rstrip().endswith("\\") for line in entries)
        assert lock.count("--hash=sha256:") >= len(entries)
    else:
        assert lock.count('"integrity": "sha512-') >= lock.count('"node_modules/') > 0
