"""The open loop past capacity: what is due, what is left out, and what each answer counts as."""

from __future__ import annotations

from time import perf_counter
from typing import cast

from bench.perf.programs.connection import parsed, written
from bench.perf.programs.overload import Caller, Overload

TODO = b"todo-" + b"0" * 32
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"


class Connected:
    """A connection that keeps what it was asked, and has one answer."""

    def __init__(self, due: float = 0.0, path: bytes = b"/todos", *answer: bytes) -> None:
        self.asked: list[tuple[bytes, bytes]] = []
        self.due, self.path = due, path
        self.received = b""
        self.parts = list(answer)

    def send(self, _: float, method: bytes, path: bytes) -> None:
        """Keep it."""
        self.asked.append((method, path))

    def receive(self) -> bytes:
        """The next part of the answer; nothing at its end."""
        return self.parts.pop(0) if self.parts else b""


def overload(free: int) -> tuple[Overload, Connected]:
    made, connected = Overload(counted=0.0), Connected()
    made.free.extend([cast(Caller, connected)] * free)
    return made, connected


def answered(made: Overload, due: float, status: int, path: bytes, body: bytes) -> None:
    answer = b"HTTP/1.1 %d Told\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)
    assert made.take(cast(Caller, Connected(due, path, answer)))


def test_without_a_free_connection_a_request_is_left_out() -> None:
    made, connected = overload(2)
    for _ in range(5):
        made.arrive(perf_counter())
    assert (len(connected.asked), made.under_way, made.left_out) == (2, 2, 3)


def test_answers_count_by_their_kind_and_before_the_counted_time_not_at_all() -> None:
    made, _ = overload(0)
    made.under_way = 5
    now = made.counted = perf_counter()
    answered(made, now - 1, 201, b"/todos", b'{"stream":"%b"}' % TODO)
    answered(made, now, 201, b"/todos", b'{"stream":"%b"}' % TODO)
    answered(made, now, 503, b"/todos", b"")
    answered(made, now, 500, b"/todos", b"")
    assert (len(made.served), len(made.refused), made.failed, made.acknowledged, made.under_way) == (1, 1, 1, 2, 1)


def test_a_todo_whose_request_was_refused_may_be_chosen_again() -> None:
    made, _ = overload(0)
    answered(made, 0.0, 503, b"/todos", b"")
    assert made.actions.next() == (b"POST", b"/todos")
    answered(made, 0.0, 503, b"/todos/" + TODO, b"")
    paths = {made.actions.next()[1] for _ in range(50)}
    assert paths == {b"/todos", b"/todos/" + TODO}


def test_a_connection_is_free_when_its_answer_is_whole_and_gone_at_its_end() -> None:
    made, _ = overload(0)
    made.under_way = 1
    caller = cast(Caller, Connected(0.0, b"/todos", BUSY[:20], BUSY[20:]))
    assert made.take(caller)
    assert (made.free, made.under_way) == ([], 1)
    assert made.take(caller)
    assert (made.free, made.under_way, len(made.refused)) == ([caller], 0, 1)
    assert not made.take(caller)


def test_an_answer_is_known_when_it_is_whole() -> None:
    assert parsed(BUSY[:-1]) is None
    assert parsed(BUSY[:20]) is None
    assert parsed(BUSY + b"HTTP") == (503, b"busy", b"HTTP")
    assert parsed(b"HTTP/1.1 204 No Content\r\netag: 1\r\n\r\n") == (204, b"", b"")


def test_a_request_has_a_body_where_it_writes_a_text() -> None:
    assert written(b"DELETE", b"/todos/a").endswith(b"\r\n\r\n")
    assert b"Content-Length: " in written(b"PUT", b"/todos/a")
