"""The calls of the Todo contract as a user makes them: timed, recorded, and entered in the ledger."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from locust.contrib.fasthttp import FastHttpSession

from services.loadgen.judge.stats import BadStats, Stats, parse_stats
from services.loadgen.measure.causes import reason
from services.loadgen.measure.recorder import Kind, Outcome
from services.loadgen.workload.run import Run
from settings.scenarios.document import Operation

LIST_LIMIT = 50


@dataclass(frozen=True)
class Reply:
    """An answer, or the lack of one (`outcome` error, `document` None)."""

    outcome: Outcome
    document: Any = None
    version: int = 0


class TodoCalls:
    """The calls of one user. `due` is the moment of `time.perf_counter` that a latency counts from."""

    def __init__(self, client: FastHttpSession, run: Run, author: str, random: Random) -> None:
        self._client = client
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
        with self._client.request("POST", "/drain", name="POST /drain", catch_response=True):
            pass

    def _headers(self) -> dict[str, str] | None:
        """A name for the request in the server's log, where the run has a name; it begins with that."""
        if self._run.settings.run_id is None:
            return None
        self._called += 1
        return {"X-Request-Id": f"{self._run.settings.run_id}:{self._author.replace(' ', '-')}.{self._called}"}

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
        headers = self._headers()
        with self._client.request(
            method, path, name=label, json=body, headers=headers, catch_response=True
        ) as response:
            seconds = time.perf_counter() - due
            reply = _read(kind, response)
            self._run.recorder.request(kind, reply.outcome, seconds, measured=measured)
            status = response.status_code
            why = reason(status, response.error) if reply.outcome == "error" else ""
            self._run.endpoints.note(label, reply.outcome, seconds, status, why)
            if reply.outcome == "error":
                response.failure(why)
            else:
                response.success()
        return reply


def _read(kind: Kind, response: Any) -> Reply:
    status = response.status_code
    if kind == "read" and status == 404:
        return Reply("ok")
    if 400 <= status < 500:
        return Reply("rejected")
    if not 200 <= status < 300:
        return Reply("error")
    try:
        document = json.loads(response.content) if response.content else None
        version = _version(document, response.headers) if kind == "action" else 0
    except (KeyError, TypeError, ValueError):
        return Reply("error")
    return Reply("ok", document, version)


def _version(document: Any, headers: Any) -> int:
    if document is not None:
        return int(document["version"])
    return int(headers["ETag"].removeprefix("W/").strip('"'))
