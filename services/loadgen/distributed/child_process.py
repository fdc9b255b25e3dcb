"""Child process of the supervisor, with messages over its standard input and output."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import structlog

from services.loadgen.messages import LIMIT, Message, decode, encode
from settings import patience

log = structlog.get_logger()


class Child:
    """A started process in a group of its own, so that Ctrl-C reaches the supervisor alone.

    It stays in the supervisor's session, by which whoever started that finds it.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        env: Mapping[str, str],
        take: Callable[[Message], None],
        lost: Callable[[str], None],
        *,
        cwd: Path,
    ) -> Self:
        """Start the process in `cwd` with `env` alone; `take` gets every message that it sends, in order.

        `lost` is told why when a message could not be taken; none is read after it.
        """
        process = await asyncio.create_subprocess_exec(
            *command,
            env=env,
            cwd=cwd,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LIMIT,
            process_group=0,
        )
        child = cls(process)
        child._reading = asyncio.create_task(child._read(take, lost))
        return child

    def send(self, event: str, **values: object) -> None:
        """Send an order; one to a process that has ended is dropped."""
        stdin = self._process.stdin
        if stdin is not None and not stdin.is_closing():
            stdin.write(encode({"event": event, **values}))

    async def ended(self) -> int:
        """The exit code, once the process has ended and its last message is taken."""
        code = await self._process.wait()
        if self._reading is not None:
            await self._reading
        return code

    async def stop(self) -> None:
        """End the process: first asked, and woken should it be stopped; then killed. Returns when it is gone."""
        for signs in ((signal.SIGTERM, signal.SIGCONT), (signal.SIGKILL,)):
            if self._process.returncode is not None:
                break
            for sign in signs:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, sign)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), patience.CHILD_S)
        await self.ended()

    async def _read(self, take: Callable[[Message], None], lost: Callable[[str], None]) -> None:
        stdout = self._process.stdout
        try:
            while stdout is not None and (line := await stdout.readline()):
                if (message := decode(line)) is not None:
                    take(message)
        except Exception as error:
            log.exception("message lost")
            lost(f"a message of process {self._process.pid} could not be taken: {type(error).__name__}: {error}")
