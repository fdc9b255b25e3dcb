"""SIGINT, SIGTERM and SIGHUP as an exception, raised once, and never where something is being started or ended.

`Interrupted` says which signal it was. A second signal changes nothing: the end under way is bounded by itself.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Timer, main_thread
from types import FrameType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

ENDING: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)  # Windows has no SIGHUP.
AGAIN_S: Final = 0.01


class Interrupted(KeyboardInterrupt):
    """This process was told to end. `code` is the exit code by which shells tell the signal."""

    def __init__(self, number: int) -> None:
        self.signal: Final = signal.Signals(number)
        self.code: Final = 128 + number
        super().__init__(f"interrupted by {self.signal.name}")


class _State:
    """The first signal of this process, how often it was put off, and whether somebody took it."""

    def __init__(self) -> None:
        self.first: int | None = None
        self.holders = 0
        self.taken = False


_state = _State()


@contextmanager
def caught() -> Iterator[None]:
    """Turn the three signals into `Interrupted` until the end of the block.

    SIGHUP stays ignored under nohup. Once one of them came, they are ignored for good; after the block none is raised.
    """
    global _state  # noqa: PLW0603
    _state = _State()
    ignored = [number for number in ENDING if number not in (signal.SIGINT, signal.SIGTERM) and _ignored(number)]
    before = {number: signal.signal(number, _receive) for number in ENDING if number not in ignored}
    otherwise = sys.unraisablehook
    sys.unraisablehook = partial(_raise_again, otherwise)
    try:
        yield
    finally:
        sys.unraisablehook = otherwise
        # After a signal this process has little to do but to end, which a further one may not break off either.
        for number, handler in before.items():
            signal.signal(number, handler if _state.first is None else signal.SIG_IGN)
        _state = _State()


@contextmanager
def held() -> Iterator[None]:
    """Put off all signals until the next `check` after the block: what is begun in it is brought to its end."""
    state = _state
    state.holders += 1
    try:
        yield
    finally:
        state.holders -= 1


def check() -> None:
    """Raise Interrupted if a signal came that nobody has taken yet."""
    if _state.first is not None and not _state.taken and _state.holders == 0:
        raise Interrupted(_state.first)


def waits() -> bool:
    """Whether a signal came that nobody has taken, and that the innermost `held` alone puts off."""
    return _state.first is not None and not _state.taken and _state.holders == 1


def take(end: Interrupted) -> Interrupted:
    """The end is being seen to: from now on no signal raises."""
    _state.taken = True
    return end


def _ignored(number: int) -> bool:
    return signal.getsignal(number) is signal.SIG_IGN


def _receive(number: int, _: FrameType | None) -> None:
    if _state.first is None:
        _state.first = number
        if _state.holders == 0:
            raise Interrupted(number)


def _raise_again(otherwise: Callable[[UnraisableHookArgs], None], found: UnraisableHookArgs) -> None:
    """Have a signal come anew that came within a finalizer or a weak reference's callback, out of which nothing raises.

    Python would print its traceback, and the signal would be lost.
    """
    if not isinstance(found.exc_value, Interrupted):
        otherwise(found)
        return
    state, number = _state, found.exc_value.signal
    state.first = None

    def again() -> None:
        if _state is not state or state.first is not None:
            return
        if (main := main_thread().ident) is not None and hasattr(signal, "pthread_kill"):
            # Sent to that thread, it ends what waits there.
            signal.pthread_kill(main, number)
        else:
            signal.raise_signal(number)

    timer = Timer(AGAIN_S, again)
    timer.daemon = True
    timer.start()
