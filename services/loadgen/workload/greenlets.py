"""Greenlets that can not die unseen: one that fails ends the run with its error.

What a dead greenlet measured would be missing, and nobody would know.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

import gevent

from services.loadgen.measure.causes import with_remedy

log = logging.getLogger(__name__)


class Halting(Protocol):
    """A run that can be ended early."""

    def halt(self, why: str) -> None:
        """End it; the first reason stays."""
        ...


def start(run: Halting, what: str, act: Callable[..., object], *arguments: object) -> Any:
    """Start a greenlet that does `act`; `what` names it where it fails."""
    greenlet = gevent.spawn(act, *arguments)
    greenlet.link_exception(lambda failed: run.halt(failure(what, failed.exception, failed.exc_info)))
    return greenlet


def failure(what: str, error: BaseException, trace: Any = True) -> str:
    """One line about what failed; the traceback goes to the log."""
    log.error("%s failed", what, exc_info=trace)
    return with_remedy(f"{what} of the load generator failed: {type(error).__name__}: {error}")
