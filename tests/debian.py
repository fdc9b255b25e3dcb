"""Programs that tests need and no wheel brings: from Debian's packages, unpacked once into `.tools`."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
TOOLS: Final = ROOT / ".tools"
_APT_WITHIN_S: Final = 120


class Missing(AssertionError):
    """There is no program to test with; the message says what to do."""


def fetched(folder: str, *packages: str) -> Path:
    """The folder into which the packages were unpacked: no root is needed, and no service is started.

    Raises Missing; a test that needs them then fails, it is never passed over.
    """
    kept = TOOLS / folder
    if not kept.exists():
        TOOLS.mkdir(exist_ok=True)
        with (TOOLS / f"{folder}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                _fetch(kept, packages)
    return kept


def _fetch(kept: Path, packages: tuple[str, ...]) -> None:
    try:
        with tempfile.TemporaryDirectory(dir=TOOLS) as scratch:
            if not _download(scratch, packages) and os.geteuid() == 0:
                _run(["apt-get", "update"], scratch)
                _download(scratch, packages)
            unpacked = Path(scratch) / "unpacked"
            for package in packages:
                (file,) = Path(scratch).glob(f"{package}_*.deb")
                _run(["dpkg-deb", "--extract", str(file), str(unpacked)], scratch).check_returncode()
            # Others than root run what is in it.
            unpacked.chmod(0o755)
            unpacked.rename(kept)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise Missing(f"{packages[0]} could not be fetched: apt-get install {packages[0]}") from error


def _download(folder: str, packages: tuple[str, ...]) -> bool:
    return _run(["apt-get", "download", *packages], folder).returncode == 0


def _run(command: list[str], folder: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, cwd=folder, capture_output=True, timeout=_APT_WITHIN_S, check=False)


def on_path(name: str) -> Path | None:
    """The program, if the machine has it."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    return Path(found) if found else None
