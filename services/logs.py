"""Structured logs of the services: JSON lines on standard error, with time, level, service and what a caller binds."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from settings import Environment
from settings.catalogue.load import RUN_ID
from settings.hiding import hider


@cache
def _hider() -> Callable[[str], str]:
    return hider(os.environ)


def hide_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A processor that leaves no secret of this process's variables in any text, tracebacks included."""
    hide = _hider()
    return {name: hide(value) if isinstance(value, str) else value for name, value in event.items()}


def set_up(level: str, service: str) -> None:
    """Configure structlog for this process; `level` is debug, info, warning or error.

    Where RUN_ID names the run that the process was started for, every line carries it.
    """
    run_id = RUN_ID.optional(Environment(os.environ))
    kept = {"service": service, **({"run_id": run_id} if run_id else {})}

    def keep(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {**kept, **event}

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secrets,
        keep,
    ]
    _take_in_asyncio(shared)
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _take_in_asyncio(shared: Sequence[Processor]) -> None:
    """What asyncio says of a task whose error nobody asked for is a line like all others, its traceback in a field."""
    handler = logging.StreamHandler(sys.stderr)
    renderer = structlog.processors.JSONRenderer()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    logger = logging.getLogger("asyncio")
    logger.handlers = [handler]
    logger.propagate = False
