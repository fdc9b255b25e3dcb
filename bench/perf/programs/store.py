"""`python -m bench.perf.programs.store FILE`: a throw-away Postgres on this host's loopback, until SIGTERM or SIGINT.

The address of an empty database of it is in FILE as soon as it can be reached. It syncs, as any durable one.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from bench.oracle.database import closed
from bench.platforms.postgres.cluster import Cluster
from metrics.files import write_whole

ENDING = (signal.SIGINT, signal.SIGTERM)


def main(file: Path) -> None:
    """Serve."""
    os.umask(0o077)
    with Cluster.throwaway("durable") as cluster:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        write_whole(file, closed(cluster.create_database("tidemark")))
        signal.sigwait(ENDING)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
