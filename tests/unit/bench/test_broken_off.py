"""A signal breaks off what waits for Postgres, and never raises inside the loop, half-way through the driver's code."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from bench.ends import signals
from bench.ends.signals import Interrupted
from bench.oracle.database import close, run


def test_a_signal_cancels_the_work_and_is_raised_when_the_loop_has_ended() -> None:
    seen: list[type[BaseException]] = []

    async def waits() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(600)
        except BaseException as error:
            seen.append(type(error))
            raise

    with signals.caught(), pytest.raises(Interrupted):
        run(waits())
    assert seen == [asyncio.CancelledError]


def test_a_signal_in_the_last_moment_is_raised_after_the_work() -> None:
    async def quick() -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        return 1

    with signals.caught(), pytest.raises(Interrupted):
        run(quick())


def test_whoever_puts_signals_off_gets_the_result() -> None:
    async def quick() -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.2)
        return 1

    with signals.caught():
        with signals.held():
            assert run(quick()) == 1
        with pytest.raises(Interrupted):
            signals.check()


def test_an_error_of_the_work_is_its_own() -> None:
    async def fails() -> None:
        raise ValueError("planted")

    with signals.caught(), pytest.raises(ValueError, match="planted"):
        run(fails())


class Open:
    """An async generator that closing the loop ends; a signal comes at the beginning of its end."""

    def __init__(self) -> None:
        self.ended = False
        self._kept: AsyncIterator[int]

    async def begun(self) -> int:
        self._kept = self._generator()
        return await anext(self._kept)

    async def _generator(self) -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.01)
            self.ended = True


def test_a_signal_while_the_loop_is_closed_is_raised_when_it_is() -> None:
    found = Open()
    with signals.caught(), pytest.raises(Interrupted):
        run(found.begun())
    assert found.ended


def test_a_signal_while_a_loop_that_stayed_is_closed_is_raised_at_the_next_look() -> None:
    found = Open()
    with signals.caught():
        runner = asyncio.Runner()
        assert runner.run(found.begun()) == 1
        close(runner)
        assert found.ended
        with pytest.raises(Interrupted):
            signals.check()
