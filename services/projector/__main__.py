"""`python -m services.projector`: project events until told to stop, or `--once` until nothing is left.

With `--once`, what another projector has in hand is waited for: it is done when that one has done it, or taken over
when its lease ends. The exit code is 0 when all is projected, 1 when something is blocked, 2 for a bad setting.

Operator commands: `unblock STREAM | --all`, `skip STREAM`, `reset STREAM | --all`. The exit code is 1 when there is
no such stream, or nothing of it to act on.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Final

import asyncpg
import structlog
import uvloop

from eventstore.database import Database
from eventstore.errors import StoreUnavailable
from eventstore.wakeup import NOTIFY
from services import collector, telemetry
from services.logs import set_up
from services.projector import operator
from services.projector.settings import Settings
from services.projector.worker import OnBatch, Worker, ignore_batch
from settings import SettingError

if TYPE_CHECKING:
    from services.tracing import Tracing

CONNECTIONS: Final = 4
"""One for the step, one for the heartbeat, and room for both to be replaced."""

# The claim must run along its index, however the planner's statistics may stand: see `tests/plans`.
PLANNER: Final = {"enable_seqscan": "off", "enable_bitmapscan": "off", "enable_sort": "off"}

JOB_TIMEOUT_S: Final = 600.0
# A rebuild begins with tables that are known to be empty and ends with full ones, so each batch is planned anew: a plan
# made at the start and kept read all of the todos in every later batch, at a tenth of the speed.
JOB: Final = {"work_mem": "64MB", "plan_cache_mode": "force_custom_plan"}

log = structlog.get_logger()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m services.projector", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--once", action="store_true", help="drain, then exit: 0 all projected, 1 something is blocked")
    commands = parser.add_subparsers(dest="command")
    for name, help_text in (("unblock", "try again"), ("reset", "project again from the first event")):
        command = commands.add_parser(name, help=help_text)
        which = command.add_mutually_exclusive_group(required=True)
        which.add_argument("stream", nargs="?")
        which.add_argument("--all", action="store_true")
    commands.add_parser("skip", help="pass over the next event of a stream").add_argument("stream")
    return parser.parse_args()


def _database(settings: Settings, *, once: bool) -> Database:
    name = f"projector {settings.name}"[:63]
    if not once:
        return Database(settings.database_url, pool_size=CONNECTIONS, application_name=name, server_settings=PLANNER)
    return Database(
        settings.database_url,
        pool_size=CONNECTIONS,
        application_name=name,
        server_settings={**PLANNER, **JOB},
        timeout=JOB_TIMEOUT_S,
    )


async def _work(settings: Settings, *, once: bool) -> int:
    settings = settings.for_a_job() if once else settings
    async with _database(settings, once=once) as database:
        tracing = telemetry.start(os.environ, "projector")
        worker = Worker(settings, database, once=once, on_batch=_traced(tracing, settings))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, worker.stop)
        collector.run_rarely()
        log.info("projector started", mode=settings.mode, projector=settings.name)
        await worker.run()
        if tracing is not None:
            await asyncio.to_thread(tracing.close)
        log.info("projector stopped", projector=settings.name)
        return 1 if once and await operator.anything_blocked(database) else 0


def _traced(tracing: Tracing | None, settings: Settings) -> OnBatch:
    """A span for each step that projected something."""
    if tracing is None:
        return ignore_batch
    kept = {"projector.mode": settings.mode, "projector.name": settings.name}
    return lambda seconds, events: tracing.took("projection batch", seconds, {**kept, "projection.events": events})


async def _operate(settings: Settings, arguments: argparse.Namespace) -> int:
    async with Database(settings.database_url, pool_size=1, application_name="projector operator") as database:
        try:
            match arguments.command:
                case "unblock":
                    print(f"unblocked {await operator.unblock(database, arguments.stream)}")
                case "skip":
                    await operator.skip(database, arguments.stream)
                case "reset":
                    await operator.reset(database, arguments.stream)
        except operator.UnknownStream as error:
            print(error, file=sys.stderr)
            return 1
        await database.fetch(NOTIFY)
    return 0


def main() -> int:
    """Run one projector or one operator command. Returns the exit code; 2 is a setting that can not be used."""
    arguments = _arguments()
    try:
        settings = Settings.from_env(os.environ)
        telemetry.wanted(os.environ)
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2
    set_up(settings.log_level, "projector")
    job = _operate(settings, arguments) if arguments.command else _work(settings, once=arguments.once)
    try:
        return uvloop.run(job)
    except StoreUnavailable as error:
        print(f"DATABASE_URL: {error}", file=sys.stderr)
        return 2
    except asyncpg.UndefinedTableError as error:
        print(f"DATABASE_URL: {error}: run `python -m migrations upgrade`", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
