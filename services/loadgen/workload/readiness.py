"""Readiness and baseline: is the server there, has it nothing left to project, and what are its counts?"""

from __future__ import annotations

import time
from contextlib import suppress

from services.loadgen.contract import shown
from services.loadgen.http_client import Answer, HttpClient, HttpError
from services.loadgen.judge.convergence import Judgement
from services.loadgen.judge.stats import BadStats, Stats, parse_stats

READY_WITHIN_S = 2.0
QUIET_WITHIN_S = 10.0
_PAUSE_S = 0.1


class NotReady(Exception):
    """There is no usable server at the base URL; the message is one clear line."""


class NotQuiet(Exception):
    """The server has work left from before, so that nothing could be told apart; carries the verdict."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__(judgement.why)
        self.judgement = judgement


def wait_ready(base_url: str, within_s: float = READY_WITHIN_S) -> None:
    """Return once GET /readyz answers 200. Raises NotReady with what it said last."""
    http = HttpClient(base_url, timeout_s=within_s)
    deadline = time.monotonic() + within_s
    while True:
        said = _ask(http)
        if not said:
            http.close()
            return
        if time.monotonic() >= deadline:
            raise NotReady(f"BASE_URL={base_url}: no server is ready there ({said}); start one, or correct BASE_URL")
        time.sleep(_PAUSE_S)


def take_baseline(base_url: str, within_s: float = QUIET_WITHIN_S, *, drains: bool = True) -> Stats:
    """The statistics of a server with nothing left to project; it is asked to `/drain` where it `drains`.

    Raises NotQuiet, at once when something is blocked, or NotReady when it stops answering.
    """
    http = HttpClient(base_url)
    deadline = time.monotonic() + within_s
    try:
        while True:
            stats = parse_stats(http.get("/stats"))
            if stats.backlog == 0:
                return stats
            if stats.stuck or time.monotonic() >= deadline:
                raise NotQuiet(_unquiet(stats, within_s))
            if drains:
                http.call("POST", "/drain")
            time.sleep(_PAUSE_S)
    except (HttpError, BadStats) as error:
        raise NotReady(f"BASE_URL={base_url}: no usable statistics ({error})") from error
    finally:
        http.close()


def _ask(http: HttpClient) -> str:
    try:
        answer = http.call("GET", "/readyz")
    except HttpError as error:
        return str(error)
    if answer.status == 200:
        return ""
    return f"GET /readyz answered {answer.status}" + (f": {detail}" if (detail := _detail(answer)) else "")


def _detail(answer: Answer) -> str:
    """The detail of a problem document; empty where it is none."""
    with suppress(HttpError):
        if isinstance(answer.document, dict) and (detail := answer.document.get("detail")):
            return shown(detail)
    return ""


def _unquiet(stats: Stats, within_s: float) -> Judgement:
    if stats.blocked_streams:
        return Judgement("blocked", f"before the run: {stats.blocked_streams} blocked; first {stats.blocked_because}")
    return Judgement(
        "invalid",
        f"before the run a backlog of {stats.backlog} did not drain within {within_s:.0f} s: is a projector running?",
    )
