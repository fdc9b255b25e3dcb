"""`python -m bench.faults.relay HOST:PORT SOCKET [--seed N] [--listen HOST]`: the relay as a process, before a server.

It listens on a free port, of 127.0.0.1 unless told otherwise, which it tells whoever asks at its Unix socket. SIGTERM:
all passes again, and it ends once those that it serves have, so that they end in order.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from bench.faults.relay.control import controlled
from bench.faults.relay.relay import Relay
from bench.platforms.postgres.network import HOST, Network
from settings import patience


async def serve(url: str, control: Path, seed: int, host: str) -> None:
    """Until a signal to end. Raises OSError where it can not listen."""
    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    async with Relay.before(url, seed=seed, host=host) as relay, controlled(relay, control):
        await over.wait()
        relay.change(Network())
        try:
            async with asyncio.timeout(patience.SERVICE_S - patience.MARGIN_S):
                await relay.unused()
        except TimeoutError:
            return


def main() -> int:
    """Serve, and return the exit code."""
    parser = argparse.ArgumentParser(description="pass bytes between clients and a server, and do to them what is told")
    parser.add_argument("server", metavar="HOST:PORT")
    parser.add_argument("control", metavar="SOCKET", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--listen", metavar="HOST", default=HOST)
    told = parser.parse_args()
    # Its socket is for nobody else.
    os.umask(0o077)
    asyncio.run(serve(f"tcp://{told.server}", told.control, told.seed, told.listen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
