"""Logs of the services: JSON lines on standard error, with time, level, service and whatever the caller binds."""

from __future__ import annotations

import logging
import os
import sys

import structlog
from structlog.typing import EventDict, WrappedLogger


def set_up(level: str, service: str) -> None:
    """Configure structlog for this process; `level` is debug, info, warning or error.

    Where RUN_ID names the run that the process was started for, every line carries it.
    """
    run_id = os.environ.get("RUN_ID", "").strip()
    kept = {"service": service, **({"run_id": run_id} if run_id else {})}

    def keep(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {**kept, **event}

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            keep,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
