"""The phases of a run against a small server: what was left to project is counted once all writes have landed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from services.loadgen.distributed.phases import PhaseRunner
from services.loadgen.judge.ledger import Counts
from services.loadgen.judge.todo import Todo, todo_to_json
from services.loadgen.settings import Settings
from services.loadgen.workload.run import Run

IN_THE_AIR = 7


@dataclass
class Server:
    """Statistics of one todo, whose events are projected when somebody asks for it."""

    events: int = 1
    projected: int = 1

    def answer(self, method: str, path: str) -> Any:
        if method == "POST":
            self.projected = self.events
        if path.startswith("/stats"):
            return self._stats()
        todo = {"id": "t", "version": self.projected, "text": f"text {self.projected}"}
        return {"todos": [todo], "next": None} if "?" in path else todo

    def _stats(self) -> dict[str, Any]:
        counts = {"totalTodos": 1, "activeTodos": 1, "totalEventsProjected": self.projected}
        moments = {"lastEventAt": "2026-01-01T00:00:00Z", "lastProjectedAt": "2026-01-01T00:00:02Z"}
        places = {"lastEventInStore": self.events, "lastProjectedEvent": self.projected, "eventIdLag": 0}
        nothing = {"oldestUnprojectedAgeMs": 0, "blockedStreams": 0, "blocked": [], "serialProjection": False}
        rest = {"eventCount": self.events, "backlog": self.events - self.projected, "strategies": [], "projectors": []}
        return {**counts, **moments, **places, **nothing, **rest}


@dataclass
class Supervisor:
    """A link whose probe has writes in the air: they land while it is asked to be quiet."""

    server: Server
    unheld: str = ""
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)

    def send(self, event: str, **values: Any) -> None:
        self.sent[event] = values

    def probe_writes(self) -> dict[str, Any]:
        self.server.events += IN_THE_AIR
        todo = Todo("t")
        for version in range(1, self.server.events + 1):
            todo.acknowledge(version, f"text {version}")
        return {"todos": [todo_to_json(todo)], "lost": 0}


@contextmanager
def serving(server: Server) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(server.answer(self.command, self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            """Silent."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=listening.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_port}"
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def test_what_lands_while_the_probe_falls_silent_is_left_to_project() -> None:
    """It is projected within the time of the convergence, so it is one of its events, or the speed is too low."""
    server = Server()
    with serving(server) as address:
        settings = replace(Settings(), base_url=address, warmup_s=0.0, duration_s=0.01, hold_s=0.0)
        supervisor, ended = Supervisor(server), list[bool]()
        run = Run(settings, Counts(1, 1, 1))
        PhaseRunner(run, supervisor, lambda: ended.append(True)).run()  # type: ignore[arg-type]
    result = supervisor.sent["result"]
    assert (result["verdict"], ended) == ("invalid", [True]), result["why"]
    assert result["convergence"]["events"] == IN_THE_AIR
    assert result["convergence"]["time_s"] == 2.0
    assert result["correctness"] == {**result["correctness"], "acknowledged_checked": 8, "acknowledged_missing": 0}
