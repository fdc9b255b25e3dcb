"""The API of the fake target: the in-memory server at PORT, until SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import Any

from tests.fakes.broken import broken
from tests.fakes.todo_server import FakeTodoServer

ORPHAN = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
"""


async def main() -> None:
    fault: Any = os.environ.get("FAULT", "none")
    rule = os.environ.get("BROKEN")
    server = broken(rule) if rule else FakeTodoServer(fault=fault)
    server.port = int(os.environ["PORT"])
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    print(f"fake target, {len(os.environ)} variables", *sorted(os.environ), flush=True)
    async with server:
        await over.wait()


if __name__ == "__main__":
    # Who belongs to nobody any more, neither by its session nor by its parents, must be gone with it all the same.
    subprocess.run([sys.executable, "-c", ORPHAN], check=True)
    asyncio.run(main())
