"""Arms that are revisions: a worktree each, its own environment and bench, and nothing left of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from bench.compare.arms import revisions, worktree
from bench.compare.arms.revisions import Revision, prepared
from bench.ends.errors import RunFailed, SetupError
from metrics.records.result import METHOD, SCHEMA

BENCH = """
import json, os, sys, time
from pathlib import Path
results = Path(sys.argv[sys.argv.index("--results") + 1])
print("its own bench", flush=True)
if os.environ.get("TODO") == "refuse":
    print("VUS=-1 is not usable", file=sys.stderr)
    sys.exit(2)
if os.environ.get("TODO") == "hang":
    Path(os.environ["PID_FILE"]).write_text(str(os.getpid()))
    time.sleep(600)
if os.environ.get("TODO") != "nothing":
    (results / "a-bundle").mkdir(parents=True)
    (results / "latest").symlink_to("a-bundle")
    told = {"argv": sys.argv[1:], "environment": dict(os.environ), "cwd": os.getcwd(), "text": Path("text").read_text()}
    (results / "a-bundle" / "told.json").write_text(json.dumps(told))
"""
UV = """#!/bin/sh
mkdir -p .venv/bin
printf '#!/bin/sh\\nexec %s "$@"\\n' "$PYTHON_OF_THE_TEST" > .venv/bin/python
chmod +x .venv/bin/python
"""


def git(root: Path, *arguments: str) -> str:
    who = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    done = subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def write(root: Path, text: str, schema: int = SCHEMA, method: str = f"METHOD = {METHOD!r}") -> str:
    """Commit a revision of a project, as far as a comparison looks into it."""
    files = {
        "bench/__init__.py": "",
        "bench/__main__.py": BENCH,
        "metrics/__init__.py": "",
        "metrics/records/__init__.py": "",
        "metrics/records/result.py": f"SCHEMA = {schema}\n{method}\n",
        "text": text,
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    git(root, "add", "-A")
    git(root, "commit", "-qm", text)
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two revisions, and an installer that makes do with this Python."""
    root, tools = tmp_path / "project", tmp_path / "tools"
    for folder in (root, tools):
        folder.mkdir()
    git(root, "init", "-q", "-b", "main")
    write(root, "old")
    git(root, "tag", "old")
    write(root, "new")
    (tools / "uv").write_text(UV.replace("$PYTHON_OF_THE_TEST", sys.executable))
    (tools / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(revisions, "ROOT", root)
    for name in ("BASE_URL", "DATABASE_URL", "TODO"):
        monkeypatch.delenv(name, raising=False)
    return root


@pytest.fixture
def left(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary folders go; at the end of the test nothing of a worktree is there."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []
    assert len(git(root, "worktree", "list").splitlines()) == 1
    assert git(root, "status", "--porcelain") in ("", "M text")


def opened(stack: ExitStack, *names: str) -> list[Revision]:
    return stack.enter_context(prepared(names, "throughput", None, Console(quiet=True)))


def test_each_revision_runs_its_own_bench_in_a_worktree_of_its_own(
    root: Path, left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VUS", "7")
    monkeypatch.setenv("VIRTUAL_ENV", "/somewhere")
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.setenv("POSTGRES_PASSWORD", "of-the-stack")
    with ExitStack() as stack:
        arms = opened(stack, "old", "main")
        assert [arm.name for arm in arms] == [f"{name} {git(root, 'rev-parse', name)[:7]}" for name in ("old", "main")]
        told = []
        for arm in arms:
            folder = arm.run(tmp_path / "results" / arm.name, 1, "a title", Console(quiet=True))
            assert folder == tmp_path / "results" / arm.name / "a-bundle"
            told.append(json.loads((folder / "told.json").read_text()))
    assert [each["text"] for each in told] == ["old", "new"]
    assert len({each["cwd"] for each in told}) == 2
    environment = told[0]["environment"]
    assert (environment["VUS"], environment["DURATION"]) == ("7", "8s")
    assert not {"VIRTUAL_ENV", "PYTHONPATH", "POSTGRES_PASSWORD"} & set(environment)
    assert told[0]["argv"][:4] == ["run", "throughput", "--mode", "parallel"]


def test_a_revision_against_itself_is_two_arms(root: Path, left: Path) -> None:
    with ExitStack() as stack:
        assert [arm.name[:2] for arm in opened(stack, "main", "main")] == ["A:", "B:"]


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (("main",), "--revision: 1 named; say it twice"),
        (("main", "nowhere"), "--revision: 'nowhere' is no revision of this repository"),
        (("main", "--all"), "--revision: '--all' is no revision of this repository"),
    ],
)
def test_what_is_no_pair_of_revisions_is_refused_before_any_work(
    names: tuple[str, ...], complaint: str, root: Path, left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worktree, "made", None)
    with ExitStack() as stack, pytest.raises(SetupError, match=complaint):
        opened(stack, *names)


@pytest.mark.parametrize("name", ["BASE_URL", "DATABASE_URL"])
def test_a_store_that_two_revisions_would_share_is_refused(
    name: str, root: Path, left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@127.0.0.1/x")
    if name == "BASE_URL":
        monkeypatch.setenv(name, "http://127.0.0.1:8000")
    with ExitStack() as stack, pytest.raises(SetupError, match=f"{name}: each revision needs a system"):
        opened(stack, "old", "main")


def test_a_revision_with_results_of_another_schema_is_refused_before_a_trial(root: Path, left: Path) -> None:
    other = write(root, "older", schema=SCHEMA - 1)
    with ExitStack() as stack, pytest.raises(SetupError, match=f"{other[:10]}: its results are of schema {SCHEMA - 1}"):
        opened(stack, "old", other)


@pytest.mark.parametrize(("method", "named"), [("METHOD = '1.5'", "1.5"), ("", "1")])
def test_a_revision_that_measures_by_another_method_is_refused_before_a_trial(
    method: str, named: str, root: Path, left: Path
) -> None:
    other = write(root, "older", method=method)
    with ExitStack() as stack, pytest.raises(SetupError, match=f"{other[:10]}: its results are of method {named}, and"):
        opened(stack, "old", other)


def test_a_worktree_of_the_user_is_kept_also_where_its_folder_is_away(root: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "on-a-disk"
    git(root, "worktree", "add", "-q", "--detach", str(theirs), "old")
    theirs.rename(tmp_path / "unmounted")
    with ExitStack() as stack:
        opened(stack, "old", "main")
    (tmp_path / "unmounted").rename(theirs)
    assert f"worktree {theirs}" in git(root, "worktree", "list", "--porcelain").splitlines()
    assert git(theirs, "rev-parse", "HEAD") == git(root, "rev-parse", "old")


def test_a_worktree_that_a_killed_bench_has_left_is_forgotten(root: Path, left: Path) -> None:
    folder = left / f"{worktree.PREFIX}killed"
    git(root, "worktree", "add", "-q", "--detach", str(folder / "0"), "old")
    shutil.rmtree(folder)
    with ExitStack() as stack:
        opened(stack, "old", "main")
    assert str(folder) not in git(root, "worktree", "list")


def test_an_installer_that_fails_leaves_nothing(root: Path, left: Path, tmp_path: Path) -> None:
    (tmp_path / "tools" / "uv").write_text("#!/bin/sh\necho no such package >&2; exit 1\n")
    with ExitStack() as stack, pytest.raises(RunFailed, match="uv sync failed") as failed:
        opened(stack, "old", "main")
    assert "no such package" in failed.value.tail


def test_no_hook_of_the_repository_runs(root: Path, left: Path, tmp_path: Path) -> None:
    hook = root / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path / 'hooked'}\n")
    hook.chmod(0o755)
    with ExitStack() as stack:
        opened(stack, "old", "main")
    assert not (tmp_path / "hooked").exists()


def test_changes_that_no_commit_has_are_said_to_be_in_neither(
    root: Path, left: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "text").write_text("changed")
    with prepared(("old", "main"), "throughput", None, Console(width=200)):
        pass
    assert "this work tree has changes that no commit has; they are in no revision" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("todo", "error", "told"),
    [("refuse", SetupError, "VUS=-1 is not usable"), ("nothing", RunFailed, "main .* ended with exit code 0")],
)
def test_a_bench_that_leaves_no_bundle_is_told(
    todo: str,
    error: type[Exception],
    told: str,
    root: Path,
    left: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TODO", todo)
    with ExitStack() as stack:
        arms = opened(stack, "old", "main")
        with pytest.raises(error, match=told):
            arms[1].run(tmp_path / "results", 1, "a title", Console(quiet=True))


def test_an_interrupted_trial_leaves_no_process(
    root: Path, left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pid"
    monkeypatch.setenv("TODO", "hang")
    monkeypatch.setenv("PID_FILE", str(file))

    def check() -> None:
        if file.exists() and file.read_text():
            raise KeyboardInterrupt

    with ExitStack() as stack:
        (arm, _) = opened(stack, "old", "main")
        monkeypatch.setattr(arm.processes, "check", check)
        with pytest.raises(KeyboardInterrupt):
            arm.run(tmp_path / "results", 1, "a title", Console(quiet=True))
    deadline = time.monotonic() + 20
    while psutil.pid_exists(int(file.read_text())) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not psutil.pid_exists(int(file.read_text()))
