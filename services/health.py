"""Health check from inside a container: `python -m services.health URL | FILE [live]`.

Exit code 0: it is; 1: it is not, and one line says why. A URL is well when it answers 200. A file is written every
second by a service that listens nowhere (`HealthFile`): it tells readiness, or with `live` liveness alone.

Only light parts of the standard library are imported, because this runs every few seconds beside a measurement.
"""

from __future__ import annotations

import json
import os
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from settings.command_line import terminal

STALE_S: Final = 5.0
"""A service whose file is older has stopped: its event loop hangs, or it was killed."""

_NEVER: Final = 1e12
_TIMEOUT_S: Final = 2.5


class HealthFile:
    """A service's side: says how it is. Each write replaces the file as a whole, so a reader never sees half of one."""

    def __init__(self, path: Path) -> None:
        self._path: Final = path

    def write(self, why_not: str = "", *, note: str = "") -> None:
        """The service lives, and is ready unless `why_not` says why it is not; `note` is for people. Raises OSError."""
        scratch = self._path.with_suffix(".new")
        scratch.write_text(json.dumps({"at": time.time(), "why_not": why_not, "note": note}), encoding="utf-8")
        scratch.replace(self._path)

    def remove(self) -> None:
        """The service has ended."""
        self._path.unlink(missing_ok=True)


def ask_url(url: str) -> str:
    """Why the service at an http address is not well; empty when it is."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", parts.path or "/")
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
    except (OSError, HTTPException) as error:
        return f"{url}: {str(error) or type(error).__name__}"
    finally:
        connection.close()
    return "" if answer.status == 200 else f"{url} answered {answer.status}: {text.strip()}"


def ask_file(path: Path, *, live: bool = False, now: float | None = None) -> str:
    """Why the service that writes the file is not ready (with `live`: not alive); empty when it is."""
    try:
        at, why_not = _said(path)
    except FileNotFoundError:
        return f"{path}: not there, so the service has not begun or has ended"
    except OSError as error:
        return f"{path}: can not be read ({error.strerror})"
    except ValueError:
        return f"{path}: not what a service writes there, so nobody knows how it is"
    age = (time.time() if now is None else now) - at
    if age < -STALE_S:
        return f"{path}: written {-age:.0f} s in the future, so a clock was set back, or the service hangs"
    if age > STALE_S:
        return f"{path}: written {age:.0f} s ago, so the service hangs or was killed"
    return "" if live else why_not


def _said(path: Path) -> tuple[float, str]:
    """When the file was written, and why the service is not ready. Raises OSError, ValueError."""
    said: Any = json.loads(path.read_text(encoding="utf-8"))
    at, why_not = (said.get("at"), said.get("why_not")) if isinstance(said, dict) else (None, None)
    # Nothing true or false, and no NaN, which is older than nothing.
    if isinstance(at, bool) or not isinstance(at, int | float) or not abs(at) < _NEVER or not isinstance(why_not, str):
        raise ValueError(said)
    return float(at), why_not


def note(path: Path) -> str:
    """What a service that is well says for people; empty when it has nothing to say."""
    return str(json.loads(path.read_text(encoding="utf-8")).get("note", ""))


def _usable(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname) and urlsplit(url).port != 0
    except ValueError:
        return False


def main(arguments: list[str]) -> int:
    """Ask, and say it by the exit code."""
    match arguments:
        case [url] if url.startswith("http://") and _usable(url):
            trouble = ask_url(url)
        case [path] if path and "://" not in path:
            trouble = ask_file(Path(path))
            if not trouble and (said := note(Path(path))):
                print(said)
        case [path, "live"] if path and "://" not in path:
            trouble = ask_file(Path(path), live=True)
        case _:
            print("usage: python -m services.health URL | FILE [live]", file=sys.stderr)
            return os.EX_USAGE
    if trouble:
        print(trouble)
    return 1 if trouble else 0


if __name__ == "__main__":
    terminal.forgive()
    sys.exit(main(sys.argv[1:]))
