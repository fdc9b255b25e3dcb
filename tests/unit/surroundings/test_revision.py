"""Whose revision a result names: that of this tree, whatever the environment or a folder above says."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.preflight import description
from settings.children import GIT

Repository = Callable[[Path], str]


def git(folder: Path, *arguments: str) -> str:
    names = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", "-C", str(folder), *names, *arguments],
        env=GIT.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def repository(folder: Path, text: str = "one") -> str:
    """A repository with one commit; returns its revision."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet")
    (folder / "file").write_text(text)
    git(folder, "add", "file")
    git(folder, "commit", "--quiet", "--message", text)
    return git(folder, "rev-parse", "HEAD")


def told(folder: Path) -> tuple[Any, Any]:
    found = description.versions(folder)
    return found["revision"], found["dirty"]


def test_a_tree_tells_its_revision_and_its_changes(tmp_path: Path) -> None:
    revision = repository(tmp_path)
    assert told(tmp_path) == (revision, False)
    (tmp_path / "new").write_text("not of the project")
    assert told(tmp_path) == (revision, False)
    (tmp_path / "file").write_text("two")
    assert told(tmp_path) == (revision, True)
    git(tmp_path, "add", "file")
    assert told(tmp_path) == (revision, True)


def test_a_repository_of_the_environment_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, other = tmp_path / "ours", tmp_path / "other"
    revision = repository(ours, "ours")
    repository(other, "other")
    (other / "file").write_text("changed")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(ours))
    assert told(ours) == (revision, False)


def test_a_repository_above_is_not_taken(tmp_path: Path) -> None:
    repository(tmp_path)
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    assert told(unpacked) == (None, None)


def test_a_worktree_tells_its_own(tmp_path: Path) -> None:
    main, tree = tmp_path / "main", tmp_path / "tree"
    first = repository(main)
    git(main, "worktree", "add", "--quiet", str(tree))
    (tree / "file").write_text("two")
    assert told(tree) == (first, True)
    assert told(main) == (first, False)


def test_a_repository_without_a_commit_has_no_revision(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert told(tmp_path)[0] is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a tree away")
def test_a_tree_of_another_owner_tells_its_revision(tmp_path: Path) -> None:
    revision = repository(tmp_path)
    for path in (tmp_path, *tmp_path.rglob("*")):
        os.chown(path, 65534, 65534)
    assert told(tmp_path) == (revision, False)


def test_a_configuration_of_the_user_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[core]\n\tfsmonitor = /bin/false\n[status]\n\tshort = [broken")
    monkeypatch.setenv("HOME", str(home))
    revision = repository(tmp_path / "ours")
    assert told(tmp_path / "ours") == (revision, False)


@pytest.mark.parametrize("script", ["exec sleep 60", "sleep 60 & wait", "exit 1", "echo fatal >&2; exit 128"])
def test_a_git_that_gives_no_answer_is_told_as_unknown(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "git"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(description, "GIT_S", 0.5)
    assert told(tmp_path) == (None, None)
