"""Call tracing of the running system: which of our files a write, a read and a projected event pass through.

API and projector run as by default, with Python's profiler on, which tells of every function that is entered.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bench.platforms.postgres.cluster import Cluster, free_port
from settings.children import PYTHON

WATCHED: Final = """
import os, runpy, sys, threading, time
entered, asked = set(), sys.argv[2]
def note(frame, event, _):
    if event == "call":
        entered.add(frame.f_code.co_filename)
def answer():
    while True:
        time.sleep(0.01)
        if os.path.exists(asked):
            files, root = list(entered), os.getcwd() + os.sep
            entered.clear()
            with open(asked + ".part", "w") as file:
                file.write("\\n".join(sorted(each[len(root):] for each in files if each.startswith(root))))
            os.replace(asked + ".part", asked + ".told")
            os.remove(asked)
threading.Thread(target=answer, daemon=True).start()
sys.setprofile(note)
sys.argv[:] = sys.argv[1:2]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
TIMES: Final = 5
NOTIFIED_S: Final = 0.1


class Watched:
    """A process of ours that tells which files it entered since it was asked last."""

    def __init__(self, tree: Path, module: str, folder: Path, environment: dict[str, str]) -> None:
        self._asked = folder / module
        self._process = subprocess.Popen(
            [sys.executable, "-c", WATCHED, module, str(self._asked)],
            cwd=tree,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=(folder / f"{module}.log").open("w"),
        )

    def files(self) -> set[str]:
        """Those that were entered since the last question."""
        told = self._asked.with_name(self._asked.name + ".told")
        self._asked.touch()
        _until(told.exists)
        found = set(told.read_text(encoding="utf-8").split())
        told.unlink()
        return {path for path in found if not path.startswith((".", "/"))}

    def end(self) -> None:
        """Ask it to end, and wait."""
        self._process.terminate()
        self._process.wait(30)


def ways(tree: Path) -> dict[str, list[str]]:
    """The files of a write and a read within the API, and of the write's event within the projector."""
    with Cluster.throwaway("test") as server, tempfile.TemporaryDirectory() as given:
        folder, url, port = Path(given), server.create_database("traced"), free_port()
        environment = PYTHON.environment({"DATABASE_URL": url, "API_PORT": str(port), "PROJECTOR_NAME": "traced"})
        migrate = [sys.executable, "-m", "migrations", "upgrade"]
        subprocess.run(migrate, cwd=tree, env=environment, check=True, stdout=subprocess.DEVNULL)
        api = Watched(tree, "services.api", folder, environment)
        projector = Watched(tree, "services.projector", folder, environment)
        try:
            return _followed(api, projector, f"http://127.0.0.1:{port}")
        finally:
            projector.end()
            api.end()


def _followed(api: Watched, projector: Watched, base: str) -> dict[str, list[str]]:
    """What is entered each time: by chance a heartbeat falls into one of the times, but not into all."""
    _until(lambda: _ready(base))
    id = _answer(base, "POST", "/todos", {"text": "milk"})["stream"]
    _until(lambda: _is_projected(base))
    seen = [_once(api, projector, base, f"/todos/{id}", f"text {n}") for n in range(TIMES)]
    return {way: sorted(set.intersection(*(each[way] for each in seen))) for way in ("write", "read", "event")}


def _once(api: Watched, projector: Watched, base: str, path: str, text: str) -> dict[str, set[str]]:
    api.files(), projector.files()
    _answer(base, "PUT", path, {"text": text})
    # Its notification follows the commit.
    time.sleep(NOTIFIED_S)
    write = api.files()
    _until(lambda: _is_projected(base))
    event = projector.files()
    api.files()
    _answer(base, "GET", path)
    return {"write": write, "event": event, "read": api.files()}


def _is_projected(base: str) -> bool:
    return bool(_answer(base, "GET", "/stats")["backlog"] == 0)


def _answer(base: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    asked = urllib.request.Request(base + path, data=data, headers=headers, method=method)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return json.load(answer)


def _ready(base: str) -> bool:
    try:
        return bool(_answer(base, "GET", "/readyz"))
    except OSError:
        return False


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the system that is watched does not answer")
        time.sleep(0.02)
