"""A real InfluxQL engine for tests: Debian's InfluxDB 1.6, found on PATH or fetched once into `.tools`."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
KEPT: Final = ROOT / ".tools" / "influxdb"
_APT_WITHIN_S: Final = 120


class NoInfluxd(AssertionError):
    """There is no engine to test with; the message says what to do."""


def influxd() -> Path:
    """The program. Raises NoInfluxd; a test that needs it then fails, it is never passed over."""
    if found := shutil.which("influxd"):
        return Path(found)
    program = KEPT / "usr" / "bin" / "influxd"
    if not program.exists():
        KEPT.parent.mkdir(exist_ok=True)
        with (KEPT.parent / "influxdb.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not program.exists():
                _fetch()
    return program


def _fetch() -> None:
    """Unpack Debian's package into `KEPT`: no root is needed, and no service is started."""
    try:
        with tempfile.TemporaryDirectory(dir=KEPT.parent) as scratch:
            if not _download(scratch) and os.geteuid() == 0:
                _run(["apt-get", "update"], scratch)
                _download(scratch)
            (package,) = Path(scratch).glob("influxdb_*.deb")
            unpacked = Path(scratch) / "unpacked"
            _run(["dpkg-deb", "--extract", str(package), str(unpacked)], scratch).check_returncode()
            unpacked.rename(KEPT)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise NoInfluxd("influxd 1.x is not on PATH and could not be fetched: apt-get install influxdb") from error


def _download(folder: str) -> bool:
    return _run(["apt-get", "download", "influxdb"], folder).returncode == 0


def _run(command: list[str], folder: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, cwd=folder, capture_output=True, timeout=_APT_WITHIN_S, check=False)
