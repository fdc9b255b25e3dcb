"""HTTP calls of the Todo contract: each is timed, recorded, and a write is entered in the ledger."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from services.loadgen.contract import CREATED, DELETED, REFUSALS, UNWELL, UPDATED, OutsideContract, Written, shown
from services.loadgen.judge.stats import BadStats, Stats, parse_stats
from services.loadgen.measure.causes import reason
from services.loadgen.measure.recorder import Kind, Outcome
from services.loadgen.paths import page_path, todo_path
from services.loadgen.workload.http.session import Answer, HttpSession
from services.loadgen.workload.plan import Phase
from services.loadgen.workload.run import Run
from settings.scenarios.document import Operation

LIST_LIMIT: Final = 50


@dataclass(frozen=True)
class Endpoint:
    """What a call asks for; `label` names it in results, `expected` says what it is answered with."""

    kind: Kind
    method: str
    label: str
    expected: str


CREATE: Final = Endpoint("action", "POST", "POST /todos", CREATED)
UPDATE: Final = Endpoint("action", "PUT", "PUT /todos/{id}", UPDATED)
DELETE: Final = Endpoint("action", "DELETE", "DELETE /todos/{id}", DELETED)
READ_ONE: Final = Endpoint("read", "GET", "GET /todos/{id}", "200 with a document, or 404")
READ_LIST: Final = Endpoint("read", "GET", "GET /todos", "200 with a document")
READ_STATS: Final = Endpoint("read", "GET", "GET /stats", "200 with a document")


class Document(msgspec.Struct):
    """Any JSON object: it is checked from end to end, and nothing is made of it."""


class Problem(msgspec.Struct):
    """What is told of an RFC 9457 problem."""

    title: str = ""


_written: Final = msgspec.json.Decoder(Written)
_problem: Final = msgspec.json.Decoder(Problem)
_document: Final = msgspec.json.Decoder(Document)


class TodoCalls:
    """The calls of one user. `due` is the moment of `time.perf_counter` that a latency counts from.

    `phase` is the one in which a request was due, to which it counts whenever it is served; None: the run's own.
    """

    def __init__(self, session: HttpSession, run: Run, author: str) -> None:
        self._session = session
        self._run = run
        self._author = author
        self._written = 0
        self._called = 0
        run_id = run.settings.run_id
        self._ids = None if run_id is None else f"{run_id}:{author.replace(' ', '-')}."

    def create(self, due: float, phase: Phase | None = None) -> str | None:
        """Create a todo; its id, None when that was not acknowledged."""
        text = self._text()
        written = self._write("create", CREATE, None, text, due, phase)
        return None if written is None else written.stream

    def update(self, id: str, due: float, phase: Phase | None = None) -> None:
        """Give a todo a new text."""
        self._write("update", UPDATE, id, self._text(), due, phase)

    def delete(self, id: str, due: float, phase: Phase | None = None) -> None:
        """Delete a todo."""
        self._write("delete", DELETE, id, "", due, phase)

    def read_one(self, id: str, due: float, phase: Phase | None = None) -> None:
        """Read a todo. One that is not projected yet, or not any more, is an answer too."""
        self._read(READ_ONE, todo_path(id), due, phase)

    def read_list(self, after: str | None, due: float, phase: Phase | None = None) -> None:
        """Read a page of todos from somewhere in the middle."""
        self._read(READ_LIST, page_path(LIST_LIMIT, after), due, phase)

    def read_stats(self, due: float, phase: Phase | None = None) -> bytes | None:
        """Read the statistics; None when no usable answer came."""
        return self._read(READ_STATS, "/stats", due, phase)

    def see_stats(self, due: float) -> Stats | None:
        """The same, understood."""
        content = self.read_stats(due)
        try:
            return None if content is None else parse_stats(msgspec.json.decode(content))
        except BadStats:
            return None

    def drain(self) -> None:
        """Ask the projectors to wake up, where the target has that."""
        if not self._run.settings.offers("drain"):
            return
        answer = self._session.request("POST", "/drain")
        self._tell("POST", "POST /drain", answer, "" if 200 <= answer.status < 300 else _why(answer))

    def _text(self) -> str:
        self._written += 1
        return f"{self._author} writes {self._written}"

    def _write(
        self, operation: Operation, endpoint: Endpoint, id: str | None, text: str, due: float, phase: Phase | None
    ) -> Written | None:
        """Send a write; what it was acknowledged with, None where it was refused or its answer is lost."""
        ledger = self._run.ledger
        path = "/todos" if id is None else todo_path(id)
        content = None if operation == "delete" else msgspec.json.encode({"text": text})
        ledger.begin(id)
        answered = False
        try:
            measured, sent_at = (phase or self._run.phase).measured, time.time()
            answer = self._send(endpoint.method, path, content)
            seconds = time.perf_counter() - due
            outcome, written = _acknowledged(answer, create=id is None)
            answered = outcome != "error"
            if written is not None:
                ledger.sent(sent_at)
                self._enter(operation, id or written.stream, written.version, text)
            elif answered:
                ledger.refused(operation, id)
        finally:
            # A greenlet killed while it waits passes here too: its write may have been committed.
            if not answered:
                ledger.unanswered(operation, id, text)
            ledger.end(id)
        self._record(endpoint, path, outcome, seconds, answer, measured=measured)
        return written

    def _enter(self, operation: Operation, id: str, version: int, text: str) -> None:
        ledger = self._run.ledger
        if operation == "create":
            ledger.created(id, version, text)
        elif operation == "update":
            ledger.updated(id, version, text)
        else:
            ledger.deleted(id, version)

    def _read(self, endpoint: Endpoint, path: str, due: float, phase: Phase | None) -> bytes | None:
        """Send a read; the document, None where there is none."""
        measured = (phase or self._run.phase).measured
        answer = self._send(endpoint.method, path, None)
        seconds = time.perf_counter() - due
        outcome = _shown(answer, may_be_gone=endpoint is READ_ONE)
        self._record(endpoint, path, outcome, seconds, answer, measured=measured)
        return answer.content if answer.status == 200 and outcome == "ok" else None

    def _send(self, method: str, path: str, content: bytes | None) -> Answer:
        """With a name for the server's log, where the run has one; it begins with the run's."""
        self._called += 1
        name = None if self._ids is None else f"{self._ids}{self._called}"
        return self._session.request(method, path, content, name)

    def _record(
        self, endpoint: Endpoint, path: str, outcome: Outcome, seconds: float, answer: Answer, *, measured: bool
    ) -> None:
        why = _why(answer) if outcome == "error" else ""
        self._run.recorder.request(endpoint.kind, outcome, seconds, measured=measured)
        cause = f"{endpoint.label}: {why}{_title(answer)}, expected {endpoint.expected}" if why else ""
        self._run.endpoints.note(endpoint.label, outcome, seconds, answer.status, cause)
        self._tell(endpoint.method, endpoint.label, answer, why)
        if outcome == "error" and 0 < answer.status < UNWELL:
            came = OutsideContract(endpoint.method, path, answer.status, answer.content, endpoint.expected)
            self._run.refuse(str(came))

    def _tell(self, method: str, label: str, answer: Answer, why: str) -> None:
        self._run.locust.note(method, label, answer.seconds, len(answer.content), why)


def _why(answer: Answer) -> str:
    return reason(answer.status, answer.error)


def _title(answer: Answer) -> str:
    """What a server that is not well says of itself: one that is overloaded is told from one without a store."""
    if answer.status < UNWELL:
        return ""
    problem = _decoded(_problem, answer.content)
    return "" if problem is None or not problem.title else f" ({shown(problem.title)})"


def _shown(answer: Answer, *, may_be_gone: bool) -> Outcome:
    if answer.status == 404 and may_be_gone:
        return "ok"
    if not 200 <= answer.status < 300:
        return "error"
    return "error" if _decoded(_document, answer.content) is None else "ok"


def _acknowledged(answer: Answer, *, create: bool) -> tuple[Outcome, Written | None]:
    if answer.status in REFUSALS:
        return "rejected", None
    if not 200 <= answer.status < 300:
        return "error", None
    written = _decoded(_written, answer.content) if answer.content else _by_tag(answer)
    if written is None or (create and not written.stream):
        return "error", None
    return "ok", written


def _by_tag(answer: Answer) -> Written | None:
    """The version of an answer without a document stands in its ETag."""
    tag = (answer.header(b"etag") or "").removeprefix("W/").strip('"')
    return Written(int(tag)) if tag.isdecimal() else None


def _decoded(decoder: Any, content: bytes) -> Any:
    try:
        return decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
