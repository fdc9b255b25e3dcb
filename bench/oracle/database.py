"""Connections of the bench itself to Postgres: its oracle shares no code with the store."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary, WeakSet

import asyncpg

from bench.ends import signals
from settings.addresses.postgres_url import parse
from settings.children import LIBPQ

TIMEOUT_S: Final = 10.0
ATTEMPTS: Final = 20
CLOSED: Final = "?sslmode=disable&target_session_attrs=any&gsslib=gssapi"
SHOWN: Final = ("PGSSLMODE", "PGSSLNEGOTIATION", "PGTARGETSESSIONATTRS")

LOOK_S: Final = 0.05
"""How soon a signal breaks off what waits for Postgres."""

T = TypeVar("T")
_open: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakSet[asyncpg.Connection]] = WeakKeyDictionary()
"""Those of each loop: none but its own thread may touch a connection."""


def closed(url: str) -> str:
    """A throw-away database's address with all that a client would else take from PG* variables and ~/.postgresql."""
    return f"{url}{CLOSED}"


async def connect(url: str, *, application_name: str = "bench", **settings: str) -> asyncpg.Connection:
    """A connection, for the caller to close; `settings` are the session's. Raises ValueError, the driver's errors.

    What the address leaves out comes from libpq's variables and files, as it does for `psql`; a closed one leaves
    nothing out. How TLS is negotiated is no part of it, as not every client knows the word. Nothing is prepared that
    outlives a transaction, so it may lead through a pooler.
    """
    negotiation = {"direct_tls": False} if url.endswith(CLOSED) else {}
    told = parse(url).arguments()
    told["server_settings"] = {"application_name": application_name, **told["server_settings"]}
    connection = await asyncpg.connect(**{"timeout": TIMEOUT_S, **negotiation, **told}, statement_cache_size=0)
    _open.setdefault(asyncio.get_running_loop(), WeakSet()).add(connection)
    try:
        if settings:
            await _set(connection, settings)
    except BaseException:
        connection.terminate()
        raise
    return connection


async def _set(connection: asyncpg.Connection, settings: Mapping[str, str]) -> None:
    """All in one statement; again where a time limit of the database's own ended it, for that may be one of them."""
    each = ", ".join(f"set_config(${number}, ${number + 1}, false)" for number in range(1, 2 * len(settings), 2))
    pairs = [word for pair in settings.items() for word in pair]
    for _ in range(ATTEMPTS):
        with suppress(asyncpg.QueryCanceledError):
            await connection.execute(f"SELECT {each}", *pairs)
            return
    await connection.execute(f"SELECT {each}", *pairs)


class BrokenOff(Exception):
    """A signal came, and what was under way has ended."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` for work with connections. What interrupts it breaks them off first.

    Else the orderly end of a transaction would wait for a server that does not answer, and no signal would help.
    Making and closing the loop is part of what no signal raises in.
    """
    if not _in_main_thread():
        with asyncio.Runner() as runner:
            return runner.run(work)
    with _looked_for_beside(), asyncio.Runner() as runner:
        return runner.run(_unless_signalled(work))


def run_by(runner: asyncio.Runner, work: Coroutine[Any, Any, T]) -> T:
    """The same by a loop that stays. Raises Interrupted.

    A signal does not raise inside the loop, where it may hit the driver's own code half-way and end the process: it is
    looked for beside the work.
    """
    if not _in_main_thread():
        return runner.run(work)
    with _looked_for_beside():
        return runner.run(_unless_signalled(work))


def close(runner: asyncio.Runner) -> None:
    """Close a loop that stayed, to its end: a signal raises at the next look for one."""
    if not _in_main_thread():
        runner.close()
        return
    with signals.held():
        runner.close()


@contextmanager
def _looked_for_beside() -> Iterator[None]:
    """Hold signals, and look for them at the end. Raises Interrupted."""
    try:
        with signals.held():
            yield
    except BrokenOff:
        signals.check()
        raise
    signals.check()


def _in_main_thread() -> bool:
    """Signals are handled there alone."""
    return threading.current_thread() is threading.main_thread()


async def _unless_signalled(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=LOOK_S))[0]:
            if signals.waits():
                raise BrokenOff
        return task.result()
    finally:
        if not task.done():
            await _break_off(task)


async def _break_off(task: asyncio.Future[Any]) -> None:
    """Whoever was under way now fails, and nobody waits for it."""
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    for connection in list(_open.get(asyncio.get_running_loop(), ())):
        connection.terminate()
    task.cancel()
    await asyncio.wait({task}, timeout=TIMEOUT_S)


def ambient(url: str) -> dict[str, str]:
    """The libpq variables of the environment that say what the address leaves out; values may be hidden."""
    if url.endswith(CLOSED):
        return {}
    address = parse(url)
    said = {"database", *(name.replace("_", "") for name in address.parameters)}
    said |= {"host", "port"} if address.hosts else set()
    said |= {"user"} if address.user else set()
    said |= {"password", "passfile"} if address.password else set()
    acting = [name for name in LIBPQ if os.environ.get(name) and name.removeprefix("PG").lower() not in said]
    return {name: os.environ[name] if name in SHOWN else "set" for name in acting}
