"""The server of the API: uvicorn, as one process or as several.

Beside Postgres and a client on the same processors it served a third more writes than Granian, which hands each request
from a thread to another and back (ADR 0015).
"""

from __future__ import annotations

import signal
from typing import Any, Final

import structlog
import uvicorn
from uvicorn.supervisors import Multiprocess

from services.api.serving.protocol import Connection
from services.api.settings import Settings
from services.logs import hide_secrets
from settings import patience

GRACE_S: Final = round(patience.REQUEST_S)
"""How long requests under way may take after SIGTERM."""

KEEP_ALIVE_S: Final = 75
"""How long an idle connection is kept."""

_LOGS: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.JSONRenderer(),
            "foreign_pre_chain": [
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                hide_secrets,
            ],
        },
    },
    "handlers": {"stderr": {"formatter": "json", "class": "logging.StreamHandler", "stream": "ext://sys.stderr"}},
    "loggers": {"uvicorn": {"handlers": ["stderr"], "propagate": False}},
}


APPLICATION: Final = "services.api.asgi:application"


def serve(settings: Settings, application: str = APPLICATION) -> None:
    """Serve until SIGTERM or SIGINT, and let requests under way finish. A worker process that dies is replaced."""
    config = uvicorn.Config(
        application,
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.processes,
        http=Connection,
        loop="uvloop",
        lifespan="on",
        ws="none",
        interface="asgi3",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=_LOGS,
        log_level=settings.log_level,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    if settings.processes > 1:
        Multiprocess(config, sockets=[config.bind_socket()]).run()
        return
    # When it has ended because of a signal, the server raises it again for whoever was there before.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    uvicorn.Server(config).run()
