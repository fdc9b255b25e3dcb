"""Every line of a service's log is JSON, also what asyncio says of an error that nobody asked for."""

from __future__ import annotations

import json
import subprocess
import sys

UNASKED = """
import asyncio, gc, structlog
from services.logs import set_up

async def fail():
    raise RuntimeError("nobody asked")

async def main():
    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task
    gc.collect()

set_up("info", "projector")
structlog.get_logger().info("begun")
asyncio.run(main())
"""


def test_an_error_that_nobody_asked_for_is_one_line_with_its_traceback_in_a_field() -> None:
    done = subprocess.run([sys.executable, "-c", UNASKED], capture_output=True, text=True, check=True)
    begun, error = (json.loads(line) for line in done.stderr.splitlines())
    assert (begun["event"], begun["service"]) == ("begun", "projector")
    assert (error["service"], error["level"]) == ("projector", "error")
    assert "nobody asked" in error["exception"]
    assert "Traceback" in error["exception"]
