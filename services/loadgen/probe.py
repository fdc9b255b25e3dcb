"""The visibility probe, a process of its own: how long until an acknowledged write can be read?

It updates todos of its own at a modest random rate and polls each one until the version shows. Orders come on
standard input (`write`, `quiet`, `finish`), events go to standard output (`ready`, `visibility`, `quiet`, `report`).
"""

from __future__ import annotations

import asyncio
import os
import sys
from random import Random

import aiohttp

from services.loadgen.messages import decode, send
from services.loadgen.settings import Settings
from services.loadgen.visibility import Probe

REQUEST_WITHIN_S = 10.0


async def _orders(reader: asyncio.StreamReader, probe: Probe) -> None:
    writing: asyncio.Task[None] | None = None
    while line := await reader.readline():
        match (decode(line) or {}).get("event"):
            case "write" if writing is None:
                writing = asyncio.create_task(probe.write())
            case "quiet":
                if writing is not None:
                    writing.cancel()
                await probe.settle()
                send({"event": "quiet", **probe.acknowledged()})
            case "finish":
                send({"event": "report", **probe.report()})
                return


async def _tell(probe: Probe) -> None:
    while True:
        await asyncio.sleep(1)
        send({"event": "visibility", **probe.next_window()})


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def main(settings: Settings) -> None:
    """Seed, then follow the orders until `finish` or the end of standard input."""
    reader = await _standard_input()
    timeout = aiohttp.ClientTimeout(total=REQUEST_WITHIN_S)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(settings.base_url, timeout=timeout, connector=connector) as session:
        # A PUT is sent again without a word when the connection breaks, and would be two events. There is no public
        # switch; the client of aiohttp's own test utilities sets the same attribute.
        session._retry_connection = False
        probe = Probe(session, Random(f"{settings.seed}/probe"))
        seeds = len(await probe.seed())
        send({"event": "ready", "seeds": seeds, "visible": await probe.wait_visible()})
        background = [asyncio.create_task(probe.watch()), asyncio.create_task(_tell(probe))]
        await _orders(reader, probe)
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(Settings.from_env(os.environ)))
