"""Who does not answer, too late, or with something else than HTTP: bounded, and told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bench.oracle.conformance.check import check
from bench.platforms.postgres.cluster import free_port
from metrics.records.answers.conformance import Checked

TIMEOUT_S = 0.2
PASSIVE = ("unavailable-503", "body-413")
"""What a connection that is cut does not break."""


async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Take the request, and say nothing."""
    await asyncio.sleep(60)


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say something that is no HTTP."""
    await reader.read(1000)
    writer.write(b"220 mail.example ESMTP\r\n" * 3)
    writer.close()


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begin an answer that has no end, a little at a time."""
    await reader.read(1000)
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\n \r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


@asynccontextmanager
async def serving(handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]) -> AsyncIterator[str]:
    """A server whose every connection is handled so."""
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handle(reader, writer)  # type: ignore[misc]
        except (asyncio.CancelledError, ConnectionError):
            return
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()


async def asked(base_url: str) -> Checked:
    return await asyncio.to_thread(check, base_url, ["events"], patience_s=0.2, timeout_s=TIMEOUT_S)


@pytest.mark.parametrize("handle", [silent, garbage, endless])
async def test_no_answer_breaks_the_rules_and_ends(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object],
) -> None:
    async with serving(handle) as base_url:
        found = await asked(base_url)
    assert not found["held"]
    assert found["rules"][0]["rule"] == "ready-200"
    assert found["rules"][0]["state"] == "broken"
    assert not [one for one in found["rules"] if one["state"] == "held" and one["rule"] not in PASSIVE]


async def test_nobody_there_is_told_without_asking_for_ever() -> None:
    found = await asked(f"http://127.0.0.1:{free_port()}")
    assert not found["held"]
    assert "no answer" in found["rules"][0]["came"]
    assert any("nobody answers there any more" in one["came"] for one in found["rules"])
