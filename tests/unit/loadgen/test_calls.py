"""A write is entered as what its answer says: acknowledged, refused, or lost, which is told and never guessed."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import unquote

import pytest

from services.loadgen.judge.ledger import Counts
from services.loadgen.settings import Settings
from services.loadgen.workload.calls import TodoCalls
from services.loadgen.workload.http.session import Answer
from services.loadgen.workload.run import Run

LOST = Answer(0, 0.1, error=ConnectionResetError("reset"))
WRITTEN = Answer(200, 0.1, b'{"stream": "t", "version": 2, "position": 9}')
CREATED = Answer(201, 0.1, b'{"stream": "t", "version": 1}')


class Session:
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[Any, ...]] = []

    def request(self, *request: Any) -> Answer:
        """The next answer."""
        self.asked.append(request)
        return self._answers.pop(0)


def calls(*answers: Answer, **settings: Any) -> tuple[TodoCalls, Run, Session]:
    run, session = Run(Settings(**settings), Counts()), Session(CREATED, *answers)
    made = TodoCalls(session, run, "user 1")  # type: ignore[arg-type]
    assert made.create(0.0) == "t"
    return made, run, session


@pytest.mark.parametrize(
    ("answer", "became"),
    [
        (WRITTEN, "acknowledged"),
        (Answer(404, 0.1, b"{}"), "rejected"),
        (Answer(409, 0.1), "rejected"),
        (LOST, "lost"),
        (Answer(503, 0.1, b"{}"), "lost"),
        (Answer(200, 0.1, b'{"stream": "t"'), "lost"),
        (Answer(200, 0.1, b'{"stream": "t"}'), "lost"),
        (Answer(200, 0.1, b'{"stream": "t", "version": "two"}'), "lost"),
        (Answer(200, 0.1), "lost"),
    ],
    ids=str,
)
@pytest.mark.parametrize("operation", ["update", "delete"])
def test_a_write_becomes_what_its_answer_says(operation: str, answer: Answer, became: str) -> None:
    made, run, _ = calls(answer)
    getattr(made, operation)("t", 0.0)
    ledger, added = run.ledger, {"acknowledged": 1}.get(became, 0)
    assert ledger.acknowledged[operation] == added  # type: ignore[index]
    assert ledger.lost[operation] == (became == "lost")  # type: ignore[index]
    assert (ledger.entered, ledger.in_flight) == (1 + added, 0)
    assert len(ledger.retired) == (operation == "delete" and became == "acknowledged")
    if became == "rejected":
        assert ledger.todos["t"].delete_refused == (operation == "delete")
    if became == "lost":
        assert ledger.todos["t"].version == 1
        assert ledger.todos["t"].maybe_deleted == (operation == "delete")


@pytest.mark.parametrize("answer", [LOST, Answer(201, 0.1, b'{"version": 1}'), Answer(201, 0.1, b"")], ids=str)
def test_a_create_without_an_id_is_lost(answer: Answer) -> None:
    made, run, _ = calls(answer)
    assert made.create(0.0) is None
    assert (run.ledger.lost["create"], run.ledger.acknowledged["create"]) == (1, 1)


def test_a_delete_without_a_document_tells_its_version_in_the_tag() -> None:
    made, run, _ = calls(Answer(204, 0.1, headers=[(b"ETag", b'W/"2"')]))
    made.delete("t", 0.0)
    assert list(run.ledger.retired) == [("t", 2)]


def test_a_write_whose_user_is_killed_meanwhile_is_lost() -> None:
    made, run, session = calls()

    def killed(*_: Any) -> Answer:
        raise GeneratorExit

    session.request = killed  # type: ignore[method-assign]
    with pytest.raises(GeneratorExit):
        made.update("t", 0.0)
    assert (run.ledger.lost["update"], run.ledger.in_flight) == (1, 0)


def test_every_request_has_a_name_that_begins_with_the_runs() -> None:
    made, _, session = calls(WRITTEN, Answer(404, 0.1), run_id="r")
    made.update("t", 0.0)
    made.read_one("t", 0.0)
    assert session.asked == [
        ("POST", "/todos", b'{"text":"user 1 writes 1"}', "r:user-1.1"),
        ("PUT", "/todos/t", b'{"text":"user 1 writes 2"}', "r:user-1.2"),
        ("GET", "/todos/t", None, "r:user-1.3"),
    ]


@pytest.mark.parametrize(
    ("answer", "errors"),
    [(Answer(200, 0.1, b'{"todos": [], "next": null}'), 0), (Answer(200, 0.1, b"<html>"), 1), (LOST, 1)],
    ids=str,
)
def test_a_read_is_an_answer_if_it_is_a_document(answer: Answer, errors: int) -> None:
    made, run, _ = calls(answer)
    run.enter(next(phase for phase in run.phases if phase.measured), 1)
    made.read_list(None, 0.0)
    assert (run.recorder.errors, run.recorder.answered["read"]) == (errors, 1 - errors)


STRANGE = "a b/ü?#\r\nX-Evil: 1 %41\U0001f600"
"""A legal id of a target, which as it stands would break the request line, the header block or the encoding."""


@pytest.mark.parametrize("ask", ["update", "delete", "read_one", "read_list"])
def test_an_id_is_data_in_every_request(ask: str) -> None:
    made, _, session = calls(Answer(404, 0.1))
    getattr(made, ask)(STRANGE, 0.0)
    path = session.asked[-1][1]
    assert path.isascii()
    assert path.isprintable()
    assert not set(" #") & set(path)
    encoded = path.rpartition("after=" if ask == "read_list" else "/")[2]
    assert unquote(encoded) == STRANGE


@pytest.mark.parametrize(
    ("ask", "answer", "why"),
    [
        (
            "update",
            Answer(200, 0.1, b'{"id": 7}'),
            'PUT /todos/t answered 200 {"id": 7}; expected 200 with {"version"}',
        ),
        ("update", Answer(422, 0.1, b"no"), 'PUT /todos/t answered 422 no; expected 200 with {"version"}'),
        ("update", Answer(302, 0.1), 'PUT /todos/t answered 302; expected 200 with {"version"}'),
        ("delete", Answer(204, 0.1), "DELETE /todos/t answered 204; expected 204 with an ETag"),
        ("read_one", Answer(200, 0.1, b"<html>"), "GET /todos/t answered 200 <html>; expected 200 with a document"),
        ("read_list", Answer(404, 0.1, b""), "GET /todos?limit=50&after=t answered 404; expected 200"),
    ],
)
def test_an_answer_outside_the_contract_ends_the_run_with_the_call(ask: str, answer: Answer, why: str) -> None:
    made, run, _ = calls(answer)
    getattr(made, ask)("t", 0.0)
    assert run.halted.is_set()
    assert run.halt_reason.startswith(why), run.halt_reason


@pytest.mark.parametrize(
    "answer", [LOST, Answer(500, 0.1), Answer(503, 0.1, b"{}"), Answer(404, 0.1), WRITTEN], ids=str
)
def test_a_server_that_is_not_well_or_refuses_by_the_rules_ends_nothing(answer: Answer) -> None:
    made, run, _ = calls(answer)
    made.update("t", 0.0)
    assert not run.halted.is_set()


def test_the_reason_of_many_failures_names_the_call_and_what_was_expected() -> None:
    made, run, _ = calls(Answer(500, 0.1), LOST, Answer(500, 0.1))
    for _ in range(3):
        made.update("t", 0.0)
    assert run.endpoints.causes.most() == 'PUT /todos/{id}: status 500, expected 200 with {"version"}'


def test_a_server_that_is_overloaded_is_told_from_one_without_a_store() -> None:
    made, run, _ = calls(Answer(503, 0.1, b'{"title": "Overloaded", "status": 503}'), Answer(503, 0.1, b"\xff"))
    made.update("t", 0.0)
    assert run.endpoints.causes.most().startswith("PUT /todos/{id}: status 503 (Overloaded), expected")
    made.update("t", 0.0)


def test_what_is_told_of_an_answer_is_bounded_and_printable() -> None:
    made, run, _ = calls(Answer(200, 0.1, b"\x1b[2J" + b"x" * 1_000_000))
    made.update("t" * 10_000, 0.0)
    assert len(run.halt_reason) < 500
    assert run.halt_reason.isprintable()


def test_the_last_acknowledged_write_counts_from_when_it_was_sent() -> None:
    made, run, session = calls(WRITTEN, Answer(404, 0.1))
    before, answer, sent = run.ledger.written_at, session.request, list[float]()

    def request(*asked: Any) -> Answer:
        sent.append(time.time())
        time.sleep(0.002)
        return answer(*asked)

    session.request = request  # type: ignore[method-assign]
    made.update("t", 0.0)
    written = run.ledger.written_at
    made.update("t", 0.0)
    assert before is not None
    assert written is not None
    assert before <= written <= sent[0], "not when its answer came, for its commit was before that"
    assert written == run.ledger.written_at, "what was refused has left nothing"


def test_a_target_without_drain_is_never_asked_to() -> None:
    for capabilities, asked in (((), []), (("drain",), [("POST", "/drain")])):
        made, _, session = calls(Answer(202, 0.1), capabilities=capabilities)
        session.asked.clear()
        made.drain()
        assert session.asked == asked
