"""The open loop past capacity: what is due, what is left out, and what each answer counts as."""

from __future__ import annotations

from time import perf_counter
from typing import cast

from bench.perf.programs.connection import parsed, written
from bench.perf.programs.overload import Caller, Overload

TODO = b"todo-" + b"0" * 32


class Sending:
    """A connection that keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, bytes]] = []

    def send(self, _: float, method: bytes, path: bytes) -> None:
        """Keep it."""
        self.asked.append((method, path))


def overload(free: int) -> tuple[Overload, Sending]:
    made, sending = Overload(counted=0.0), Sending()
    made.free.extend([cast(Caller, sending)] * free)
    return made, sending


def test_without_a_free_connection_a_request_is_left_out() -> None:
    made, sending = overload(2)
    for _ in range(5):
        made.arrive(perf_counter())
    assert (len(sending.asked), made.under_way, made.left_out) == (2, 2, 3)


def test_answers_count_by_their_kind_and_before_the_counted_time_not_at_all() -> None:
    made, _ = overload(0)
    made.under_way = 5
    now = made.counted = perf_counter()
    made.answered(now - 1, 201, b"/todos", b'{"stream":"%b"}' % TODO)
    made.answered(now, 201, b"/todos", b'{"stream":"%b"}' % TODO)
    made.answered(now, 503, b"/todos", b"")
    made.answered(now, 500, b"/todos", b"")
    assert (len(made.served), len(made.refused), made.failed, made.acknowledged, made.under_way) == (1, 1, 1, 2, 1)


def test_a_todo_whose_request_was_refused_may_be_chosen_again() -> None:
    made, _ = overload(0)
    made.answered(0.0, 503, b"/todos", b"")
    assert made.actions.next() == (b"POST", b"/todos")
    made.answered(0.0, 503, b"/todos/" + TODO, b"")
    paths = {made.actions.next()[1] for _ in range(50)}
    assert paths == {b"/todos", b"/todos/" + TODO}


def test_an_answer_is_known_when_it_is_whole() -> None:
    answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"
    assert parsed(answer[:-1]) is None
    assert parsed(answer[:20]) is None
    assert parsed(answer + b"HTTP") == (503, b"busy", b"HTTP")
    assert parsed(b"HTTP/1.1 204 No Content\r\netag: 1\r\n\r\n") == (204, b"", b"")


def test_a_request_has_a_body_where_it_writes_a_text() -> None:
    assert written(b"DELETE", b"/todos/a").endswith(b"\r\n\r\n")
    assert b"Content-Length: " in written(b"PUT", b"/todos/a")
