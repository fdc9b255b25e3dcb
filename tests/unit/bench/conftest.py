"""Tests of the bench within the process of the tests."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from bench.ends import signals


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """A process that was interrupted hears no further signal; this one goes on."""
    before = {number: signal.getsignal(number) for number in signals.ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
