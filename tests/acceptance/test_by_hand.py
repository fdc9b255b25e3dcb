"""`dev` and `ui`: a system for use by hand, until it is told to end."""

from __future__ import annotations

import asyncio
import re
import signal

import httpx

from tests.acceptance.bench_process import PATIENCE_S, Bench, bench


async def address(ran: Bench, before: str) -> str:
    """The address that it prints after these words."""
    assert ran.process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        while True:
            line = (await ran.process.stdout.readline()).decode()
            ran.said += line
            assert line, f"it ended and said: {ran.said}"
            if found := re.search(rf"{re.escape(before)}.*?(http://127\.0\.0\.1:\d+)", line):
                return found[1]


async def by_hand() -> None:
    """Use the system of `dev`."""
    async with bench("dev") as ran:
        base = await address(ran, "curl -i -X POST ")
        async with httpx.AsyncClient(base_url=base) as client:
            made = await client.post("/todos", json={"text": "hello"})
            assert made.status_code == 201
            path = f"/todos/{made.json()['stream']}"
            shown = await client.get(path, params={"at_least_version": 1, "wait": 5000})
            assert (shown.status_code, shown.json()["text"]) == (200, "hello")
        ran.send(signal.SIGINT)
        await ran.ended()
        assert ran.code == 130, ran.said
        assert "Traceback" not in ran.said
        assert await ran.nothing_left()


async def in_the_browser() -> None:
    """Open the page of `ui`, whatever its user told Locust."""
    told = {"LOCUST_RUN_TIME": "1s", "LOCUST_HEADLESS": "true", "LOCUST_MODE_MASTER": "true", "LOCUST_TAGS": "smoke"}
    async with bench("ui", **told) as ran:
        base = await address(ran, "Locust's web UI:")
        page = None
        async with httpx.AsyncClient(base_url=base) as client, asyncio.timeout(PATIENCE_S):
            while page is None:
                try:
                    page = await client.get("/")
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        assert page.status_code == 200
        assert "Locust" in page.text
        ran.send(signal.SIGTERM)
        await ran.ended()
        assert ran.code == 143, ran.said
        assert await ran.nothing_left()


async def test_the_system_and_the_web_interface_of_locust_run_until_they_are_told_to_end() -> None:
    await asyncio.gather(by_hand(), in_the_browser())
