"""Bounds of a connection: bytes, moments, files. How long a caller is waited for is API_CLIENT_TIMEOUT_MS."""

from __future__ import annotations

import resource
import sys
from typing import Final

MAX_LINE: Final = 8 * 1024
"""Bytes of a request line: method, path and query."""

MAX_HEAD: Final = 64 * 1024
"""Bytes of a request line with its headers."""

MAX_CHUNKED: Final = 256 * 1024
"""Bytes of a request that comes in chunks, with all that stands between them and after the last."""

MAX_HELD: Final = 64 * 1024
"""Bytes that a caller may send ahead before its connection is read no further."""

REFUSAL_S: Final = 1.0
"""How long the application may take to refuse a body in chunks that is too long, before the connection does it."""

LINGER_S: Final = 1.0
"""How long the rest of a body in chunks is read past after its answer."""

LAST_S: Final = 0.3
"""How long a connection that idles is kept when the process ends, for a request that is on its way."""

OWN_FILES: Final = 40
"""Open files of a process that are no connections, those to the store left out: modules, logs, the listening socket."""


def most_connections(pool_size: int) -> int:
    """How many callers one process serves: the open files that it may have (`ulimit -n`), less those of its own."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return sys.maxsize
    return max(1, files - OWN_FILES - pool_size)
