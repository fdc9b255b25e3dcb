"""The server of the API: uvicorn, as one process or as several.

Beside Postgres and a client on the same processors it served a third more writes than Granian, which hands each request
from a thread to another and back (ADR 0015).
"""

from __future__ import annotations

import math
import signal
from functools import partial
from typing import Any, Final, cast

import structlog
import uvicorn
from uvicorn.supervisors import Multiprocess

from services.api.serving.bounds import most_connections
from services.api.serving.protocol import Connection
from services.api.settings import Settings
from services.logs import hide_secrets
from settings import patience

GRACE_S: Final = round(patience.REQUEST_S)
"""How long requests under way may take after SIGTERM."""

STARTS_S: Final = 30
"""How long a worker process may take until it answers its supervisor, also while it starts on a busy machine.

After uvicorn's own five seconds it was killed before it could serve, again and again.
"""

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
    patience_s, most = settings.client_timeout, most_connections(settings.pool_size)
    config = uvicorn.Config(
        application,
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.processes,
        # Called as a class is.
        http=cast(Any, partial(Connection, patience_s=patience_s, most=most)),
        loop="uvloop",
        lifespan="on",
        ws="none",
        interface="asgi3",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=_LOGS,
        log_level=settings.log_level,
        # A connection bounds itself; this one comes later.
        timeout_keep_alive=math.ceil(patience_s) + 1,
        timeout_graceful_shutdown=GRACE_S,
        timeout_worker_healthcheck=STARTS_S,
    )
    if settings.processes > 1:
        Multiprocess(config, sockets=[config.bind_socket()]).run()
        return
    # When it has ended because of a signal, the server raises it again for whoever was there before.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    uvicorn.Server(config).run()
