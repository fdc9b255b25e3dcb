"""HTTP calls of the Todo contract: each is timed, recorded, and a write is entered in the ledger."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from locust.exception import CatchResponseError

from services.loadgen.judge.stats import BadStats, Stats, parse_stats
from services.loadgen.measure.causes import reason
from services.loadgen.measure.recorder import Kind, Outcome
from services.loadgen.workload.http_session import Answer, HttpSession
from services.loadgen.workload.run import Run
from settings.scenarios.document import Operation

LIST_LIMIT = 50
Report = Callable[..., None]
"""Locust's event `request`, for its own statistics."""


@dataclass(frozen=True)
class Reply:
    """An answer, or the lack of one (`outcome` error, `document` None)."""

    outcome: Outcome
    document: Any = None
    version: int = 0


class TodoCalls:
    """The calls of one user. `due` is the moment of `time.perf_counter` that a latency counts from."""

    def __init__(self, session: HttpSession, run: Run, author: str, random: Random, report: Report) -> None:
        self._session = session
        self._report = report
        self._run = run
        self._author = author
        self._random = random
        self._written = 0
        self._called = 0

    def create(self, due: float) -> str | None:
        """Create a todo; its id, None when that was not acknowledged."""
        ledger, text = self._run.ledger, self._text()
        reply = self._write("create", None, text, lambda: self._send("POST", "/todos", "POST /todos", due, text))
        if reply.outcome != "ok":
            return None
        ledger.created(reply.document["stream"], reply.version, text)
        return str(reply.document["stream"])

    def update(self, id: str, due: float) -> None:
        """Give a todo a new text."""
        text = self._text()
        reply = self._write("update", id, text, lambda: self._send("PUT", f"/todos/{id}", "PUT /todos/{id}", due, text))
        if reply.outcome == "ok":
            self._run.ledger.updated(id, reply.version, text)

    def delete(self, id: str, due: float) -> None:
        """Delete a todo."""
        reply = self._write("delete", id, "", lambda: self._send("DELETE", f"/todos/{id}", "DELETE /todos/{id}", due))
        if reply.outcome == "ok":
            self._run.ledger.deleted(id, reply.version)

    def read_one(self, id: str, due: float) -> None:
        """Read a todo. One that is not projected yet, or not any more, is an answer too."""
        self._call("read", "GET", f"/todos/{id}", "GET /todos/{id}", due)

    def read_list(self, after: str | None, due: float) -> None:
        """Read a page of todos from somewhere in the middle."""
        start = f"&after={after}" if after else ""
        self._call("read", "GET", f"/todos?limit={LIST_LIMIT}{start}", "GET /todos", due)

    def read_stats(self, due: float) -> Stats | None:
        """Read the statistics; None when no usable answer came."""
        reply = self._call("read", "GET", "/stats", "GET /stats", due)
        try:
            return parse_stats(reply.document) if reply.outcome == "ok" else None
        except BadStats:
            return None

    def drain(self) -> None:
        """Ask the projectors to wake up."""
        answer = self._session.request("POST", "/drain")
        self._tell("POST", "POST /drain", answer, "" if 200 <= answer.status < 300 else _why(answer))

    def _request_id(self) -> str | None:
        """A name for the request in the server's log, where the run has a name; it begins with that."""
        if self._run.settings.run_id is None:
            return None
        self._called += 1
        return f"{self._run.settings.run_id}:{self._author.replace(' ', '-')}.{self._called}"

    def _text(self) -> str:
        self._written += 1
        return f"{self._author} writes {self._written}"

    def _write(self, operation: Operation, id: str | None, text: str, send: Callable[[], Reply]) -> Reply:
        ledger = self._run.ledger
        ledger.in_flight += 1
        answered = False
        try:
            reply = send()
            answered = reply.outcome != "error"
            return reply
        finally:
            # A greenlet killed while it waits passes here too: its write may have been committed.
            ledger.in_flight -= 1
            if not answered:
                ledger.unanswered(operation, id, text)

    def _send(self, method: str, path: str, label: str, due: float, text: str | None = None) -> Reply:
        return self._call("action", method, path, label, due, None if text is None else {"text": text})

    def _call(self, kind: Kind, method: str, path: str, label: str, due: float, body: Any = None) -> Reply:
        measured = self._run.phase.measured
        content = None if body is None else json.dumps(body).encode()
        answer = self._session.request(method, path, content, self._request_id())
        seconds = time.perf_counter() - due
        reply = _read(kind, answer)
        why = _why(answer) if reply.outcome == "error" else ""
        self._run.recorder.request(kind, reply.outcome, seconds, measured=measured)
        self._run.endpoints.note(label, reply.outcome, seconds, answer.status, why)
        self._tell(method, label, answer, why)
        return reply

    def _tell(self, method: str, label: str, answer: Answer, why: str) -> None:
        """Locust's own statistics, which its page shows."""
        self._report(
            request_type=method,
            name=label,
            response_time=answer.seconds * 1000,
            response_length=len(answer.content),
            response=None,
            context={},
            exception=CatchResponseError(why) if why else None,
        )


def _why(answer: Answer) -> str:
    return reason(answer.status, answer.error)


def _read(kind: Kind, answer: Answer) -> Reply:
    if kind == "read" and answer.status == 404:
        return Reply("ok")
    if 400 <= answer.status < 500:
        return Reply("rejected")
    if not 200 <= answer.status < 300:
        return Reply("error")
    try:
        document = json.loads(answer.content) if answer.content else None
        version = _version(document, answer.headers) if kind == "action" else 0
    except (KeyError, TypeError, ValueError):
        return Reply("error")
    return Reply("ok", document, version)


def _version(document: Any, headers: Any) -> int:
    if document is not None:
        return int(document["version"])
    return int(headers["ETag"].removeprefix("W/").strip('"'))
