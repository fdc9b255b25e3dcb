"""Why requests failed, and what became of a greenlet that did: both are told."""

from __future__ import annotations

import errno
import os

import gevent
import pytest

from services.loadgen.judge.convergence import LoadHealth, validity
from services.loadgen.measure.causes import LONGEST, MOST, OTHER, Causes, reason
from services.loadgen.measure.endpoints import Endpoints
from services.loadgen.workload.greenlets import start


class Halted:
    """A run that remembers why it was ended."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def halt(self, why: str) -> None:
        self.reasons.append(why)


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EMFILE, "raise `ulimit -n`, or lower VUS"),
        (errno.EADDRNOTAVAIL, "no local port was free: widen net.ipv4.ip_local_port_range, or lower VUS"),
        (errno.ENOMEM, "the machine has no memory left: lower VUS"),
    ],
)
def test_the_most_frequent_reason_is_told_with_its_remedy(number: int, remedy: str) -> None:
    causes = Causes()
    causes.note(reason(503, None))
    for _ in range(2):
        causes.note(reason(0, OSError(number, os.strerror(number))))
    assert causes.most() == f"[Errno {number}] {os.strerror(number)}; {remedy}"


def test_reasons_are_bounded_in_length_and_number() -> None:
    causes = Causes()
    for number in range(3 * MOST):
        causes.note(f"reason {number}")
    assert causes.most() == OTHER
    assert len(reason(0, "x" * 1000)) == LONGEST
    assert reason(0, "two\nlines") == "two lines"
    assert reason(0, None) == "no answer"
    assert reason(500, "anything") == "status 500"
    assert Causes().most() == ""


def test_a_verdict_of_failed_requests_names_their_cause() -> None:
    endpoints = Endpoints()
    endpoints.note("GET /todos", "error", 0.1, 0, "cut off")
    endpoints.note("GET /todos", "ok", 0.1, 200)
    endpoints.next_interval(1.0)
    health = LoadHealth(answered=100, errors=96, failed_because=endpoints.causes.most())
    found = validity(health)
    assert found is not None
    assert found.why == "96 of 196 requests of the load phase failed, most often: cut off"


def test_a_greenlet_that_dies_ends_the_run_with_its_error() -> None:
    def broken() -> None:
        raise ValueError("planted")

    run = Halted()
    gevent.joinall([start(run, "the sampler", broken), start(run, "the clock", lambda: None)])
    gevent.sleep(0)
    assert run.reasons == ["the sampler of the load generator failed: ValueError: planted"]
