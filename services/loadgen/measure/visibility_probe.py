"""Visibility probe, a process of its own: updates a few todos and polls each until the version shows.

Orders come on standard input (`write`, `rest`, `hold`, `quiet`, `finish`), events go to standard output (`ready`,
`visibility`, `seen`, `quiet`, `report`).
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from random import Random
from typing import Any

import aiohttp

from services.loadgen.contract import OutsideContract
from services.loadgen.measure.visibility import VisibilityProbe
from services.loadgen.messages import decode, send
from services.loadgen.settings import Settings

REQUEST_WITHIN_S = 10.0
CONNECTIONS = 8
"""Readers in turn, each with connections of its own: all on one of two API processes by chance once in 128 runs."""


class LostAnswer(aiohttp.ClientError):
    """A connection broke before the answer of a write."""


async def send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Client middleware against the silent retry of a PUT: a write that was sent again would be two events.

    The client sends again after the errors of a broken connection; as another error it is let through.
    """
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        if request.method in ("GET", "HEAD"):
            raise
        raise LostAnswer(str(error)) from error


async def _orders(reader: asyncio.StreamReader, probe: VisibilityProbe) -> None:
    async with asyncio.TaskGroup() as group:
        writing: asyncio.Task[None] | None = None
        seeing: asyncio.Task[None] | None = None
        while line := await reader.readline():
            match (decode(line) or {}).get("event"):
                case "write" if writing is None:
                    probe.count()
                    writing = group.create_task(probe.write())
                case "rest":
                    probe.rest()
                    seeing = group.create_task(_see_counted(probe))
                case "hold":
                    probe.hold()
                case "quiet":
                    probe.rest()
                    if writing is not None:
                        writing.cancel()
                    await probe.settle()
                    send({"event": "quiet", **probe.acknowledged()})
                case "finish":
                    send({"event": "report", **probe.report()})
                    break
        for task in (writing, seeing):
            if task is not None:
                task.cancel()


async def _see_counted(probe: VisibilityProbe) -> None:
    await probe.see_counted()
    send({"event": "seen"})


async def _tell(probe: VisibilityProbe) -> None:
    while True:
        await asyncio.sleep(1)
        send({"event": "visibility", **probe.next_interval()})


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def main(settings: Settings) -> None:
    """Seed, then follow the orders until `finish` or the end of standard input."""
    reader = await _standard_input()
    async with AsyncExitStack() as opened:
        sessions = [await opened.enter_async_context(_session(settings.base_url)) for _ in range(1 + CONNECTIONS)]
        random = Random(f"{settings.seed}/probe")
        probe = VisibilityProbe(sessions[0], sessions[1:], random, waits=settings.offers("wait"))
        seeds = len(await probe.seed())
        send({"event": "ready", "seeds": seeds, "visible": await probe.wait_visible()})
        await _first_of(_orders(reader, probe), probe.watch(), _tell(probe), probe.fail())


def _session(base_url: str) -> aiohttp.ClientSession:
    """A session with connections of its own."""
    timeout = aiohttp.ClientTimeout(total=REQUEST_WITHIN_S)
    connector = aiohttp.TCPConnector(limit=0)
    return aiohttp.ClientSession(base_url, timeout=timeout, connector=connector, middlewares=(send_once,))


async def _first_of(*work: Coroutine[Any, Any, None]) -> None:
    """Do all until one of them has ended; raises its error, so that none dies unseen."""
    tasks = [asyncio.create_task(one) for one in work]
    ended, running = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for task in ended:
        task.result()


def _why(error: BaseException) -> str:
    """An answer outside the contract is told as it is, also out of a group of errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) if isinstance(error, OutsideContract) else f"the probe failed: {type(error).__name__}: {error}"


if __name__ == "__main__":
    try:
        asyncio.run(main(Settings.from_env(os.environ)))
    except Exception as error:
        send({"event": "failed", "why": _why(error)})
        raise
