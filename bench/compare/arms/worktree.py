"""A Git worktree of one commit with an environment of its own, for as long as it is needed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import ROOT
from bench.ends.bounded import NoAnswer, ask
from bench.ends.errors import RunFailed, SetupError
from metrics.records.result import METHOD, SCHEMA
from settings.children import GIT, INSTALLER, PYTHON

GIT_S: Final = 60.0
INSTALL_S: Final = 900.0
UV: Final = INSTALLER.also("UV_*", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
"""uv, which installs in the user's way."""

ASKED: Final = "from metrics.records import result; print(result.SCHEMA, getattr(result, 'METHOD', '1'))"
"""Results of before methods were named are of the first one."""

PREFIX: Final = "tidemark-revisions-"
"""Of the temporary folders that hold the worktrees of a comparison, by which they are known as ours."""


@dataclass(frozen=True)
class Worktree:
    """A checked out commit, ready to run by its own Python."""

    folder: Path

    @property
    def python(self) -> Path:
        """The Python of its environment."""
        return self.folder / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def commit(root: Path, revision: str) -> str:
    """The commit that a revision names. Raises SetupError for one that the repository at `root` does not have."""
    if not (root / ".git").exists():
        raise SetupError("--revision", f"{root} is no Git repository", "compare in a clone")
    try:
        return _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except RunFailed:
        raise SetupError(
            "--revision", f"{revision!r} is no revision of this repository", "say a commit, a branch or a tag"
        ) from None


def dirty(root: Path) -> bool:
    """Whether the work tree at `root` has changes that no commit has."""
    return bool(_git(root, "status", "--porcelain", "--untracked-files=no"))


@contextmanager
def made(root: Path, commit: str, folder: Path) -> Iterator[Worktree]:
    """Check the commit out into `folder` and install what it locks; the worktree is gone at the end.

    Raises SetupError without uv or for a revision whose results are of another schema or method than ours, RunFailed.
    No other worktree of the repository is touched.
    """
    uv = _uv()
    _forget_killed(root)
    try:
        _git(root, "worktree", "add", "--detach", "--quiet", str(folder), commit)
        tree = Worktree(folder)
        told = UV.environment({"UV_PROJECT_ENVIRONMENT": str(folder / ".venv")})
        _call("uv sync", [uv, "sync", "--quiet", "--locked", "--python", sys.executable], told, folder, INSTALL_S)
        _refuse_unlike(tree, commit)
        yield tree
    finally:
        _remove(root, folder)


def _refuse_unlike(tree: Worktree, commit: str) -> None:
    told = _call("the revision's Python", [str(tree.python), "-c", ASKED], PYTHON.environment(), tree.folder, GIT_S)
    for name, theirs, ours in zip(("schema", "method"), told.split(), (SCHEMA, METHOD), strict=True):
        if theirs != str(ours):
            problem = f"its results are of {name} {theirs}, and ours are of {ours}"
            raise SetupError(commit[:10], problem, "compare revisions that measure and write the same")


def _remove(root: Path, folder: Path) -> None:
    """Remove the folder, and what Git knows of it; where it was never a worktree, that is nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(RunFailed):
        _git(root, "worktree", "remove", "--force", str(folder))


def _forget_killed(root: Path) -> None:
    """Forget worktrees of ours whose folder is gone: of a bench that was killed. `prune` would forget others' too."""
    for line in _git(root, "worktree", "list", "--porcelain").splitlines():
        folder = Path(line.removeprefix("worktree "))
        if line.startswith("worktree ") and folder.parent.name.startswith(PREFIX) and not folder.exists():
            _remove(root, folder)


def _uv() -> str:
    found = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
    if not Path(found).is_file():
        raise SetupError("uv", "is not there, and installs the revisions", "put it on PATH or into .tools")
    return found


def _git(root: Path, *arguments: str) -> str:
    """Git about the repository at `root` and no other. Named outright, it is taken whoever owns it; no hooks run."""
    tree = [f"--git-dir={root / '.git'}", f"--work-tree={root}", "-c", "core.fsmonitor=false"]
    command = ["git", "-C", str(root), *tree, "-c", "core.hooksPath=/dev/null", *arguments]
    return _call(f"git {arguments[0]}", command, GIT.environment(), root, GIT_S)


def _call(name: str, command: list[str], environment: dict[str, str], folder: Path, within_s: float) -> str:
    try:
        done = ask(command, environment, within_s=within_s, cwd=folder)
    except NoAnswer as silence:
        raise RunFailed(f"{name}: {silence}") from None
    if done.returncode != 0:
        raise RunFailed(f"{name} failed", (done.stderr or done.stdout)[-2000:])
    return done.stdout.strip()
