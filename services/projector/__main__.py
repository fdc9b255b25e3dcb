"""`python -m services.projector`: project events until told to stop, or `--once` until nothing is left.

With `--once`, what another projector has in hand is waited for: it is done when that one has done it, or taken over
when its lease ends.

Operator commands: `unblock STREAM | --all`, `skip STREAM`, `reset STREAM | --all`, `rebuild`, `recount`, `positions`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import asyncpg
import structlog
import uvloop

from eventstore.connection.database import Database
from eventstore.connection.planner import JOB, PLANNER, PROJECTOR
from eventstore.errors import StoreUnavailable, TimeLimit
from eventstore.soundness.findings import MAKE, MIGRATE
from projection.blocked import blocked
from projection.hooks import no_hook
from projection.registry.read_models import OtherReadModels
from services import gc_policy, telemetry
from services.address_notes import require_place
from services.logs import set_up
from services.projector import commands, endings, read_models, strategies
from services.projector.endings import SIGNALLED, Ending
from services.projector.files.health import HealthWriter
from services.projector.files.moments import Moments
from services.projector.patience import DoesNotFit
from services.projector.preconditions import needed
from services.projector.process import opening
from services.projector.process.fleet import Fleet, served
from services.projector.settings import Settings
from services.projector.worker import OnBatch, Worker, ignore_batch
from settings import Environment, SettingError
from settings.catalogue.database import addresses, variable
from settings.command_line import terminal
from settings.command_line.arguments import Parser
from settings.hiding import hider

if TYPE_CHECKING:
    from services.tracing import Tracing

CONNECTIONS: Final = 4
"""One for the step, one for the heartbeat, and room for both to be replaced."""

JOB_TIMEOUT_S: Final = 600.0

log = structlog.get_logger()


def _arguments() -> argparse.Namespace:
    parser = Parser(
        prog="python -m services.projector",
        description=__doc__,
        epilog=endings.table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--once", action="store_true", help="run to the end, then exit")
    commands.declare(parser)
    arguments = parser.parse_args()
    commands.check(parser, arguments)
    return arguments


def _database(settings: Settings, url: str, *, once: bool) -> Database:
    name = f"projector {settings.name}"[:63]
    return Database(
        url,
        pool_size=CONNECTIONS,
        application_name=name,
        planner=JOB if once else PROJECTOR,
        bounds=replace(settings.bounds, statement=JOB_TIMEOUT_S) if once else settings.bounds,
    )


async def _work(settings: Settings, *, once: bool) -> int:
    settings = settings.for_a_job() if once else settings
    async with AsyncExitStack() as opened:
        places = served(settings)
        databases = [_database(settings, url, once=once) for url, _ in places]
        every = [(database, place) for database, (_, place) in zip(databases, places, strict=True)]
        listen = await opening.opened(every, opened, listen_url=settings.listen_url, once=once)
        tracing = telemetry.start(os.environ, "projector")
        alone = len(databases) == 1
        moments = [Moments(place) if settings.moments_file else None for _, place in places]
        healths = [HealthWriter(settings.health_file if alone else None, settings.lease) for _ in databases]
        fleet = Fleet(
            [
                (
                    Worker(
                        settings,
                        database,
                        once=once,
                        hook=watch.hook if watch else no_hook,
                        on_batch=_traced(tracing, settings),
                        listen=url,
                        check=needed(settings, place),
                        watch=watch,
                        health=health,
                    ),
                    place,
                )
                for (database, place), url, health, watch in zip(every, listen, healths, moments, strict=True)
            ],
            None if alone else HealthWriter(settings.health_file, settings.lease, of=healths),
        )
        told = _stopped_by_signals(fleet)
        gc_policy.run_rarely()
        log.info(
            "projector started",
            mode=settings.mode,
            strategy=settings.strategy,
            handler=settings.handler,
            read_models=",".join(settings.read_models),
            projector=settings.name,
            **({} if alone else {"shards": [place.number for _, place in places]}),
        )
        try:
            await fleet.run()
        finally:
            for watch in moments:
                if watch and settings.moments_file:
                    watch.write(settings.moments_file, settings.name)
        if tracing is not None:
            await asyncio.to_thread(tracing.close)
        log.info("projector stopped", projector=settings.name)
        if once and told:
            return SIGNALLED + told[0]
        return max([await _ending_of_a_job(database) for database in databases]) if once else Ending.DONE


async def _ending_of_a_job(database: Database) -> Ending:
    """What a job has come to: all is done but what waits for an operator, which is named."""
    waiting = await blocked(database)
    for event in waiting:
        log.warning("blocked: an operator has to unblock, skip or reset the stream", **event)
    return Ending.BLOCKED if waiting else Ending.DONE


def _stopped_by_signals(fleet: Fleet) -> list[signal.Signals]:
    """Let the workers end at a signal; returns where the signals will be noted."""
    came: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        came.append(number)
        fleet.stop()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    return came


def _traced(tracing: Tracing | None, settings: Settings) -> OnBatch:
    """A span for each step that projected something."""
    if tracing is None:
        return ignore_batch
    kept = {"projector.mode": settings.mode, "projector.strategy": settings.strategy, "projector.name": settings.name}
    return lambda seconds, events: tracing.took("projection batch", seconds, {**kept, "projection.events": events})


async def _operate(settings: Settings, arguments: argparse.Namespace) -> int:
    bounds = replace(settings.bounds, statement=commands.statement_timeout(arguments))
    urls, ending = settings.database_urls, int(Ending.DONE)
    for place in commands.concerned(arguments, len(urls)):
        try:
            async with Database(
                urls[place.number],
                pool_size=1,
                application_name="projector operator",
                bounds=bounds,
                planner=JOB if arguments.command == "rebuild" else PLANNER,
            ) as database:
                await require_place(database, place)
                code = await commands.operate(database, settings.read_models, arguments, place)
        except StoreUnavailable as error:
            if place.shards == 1:
                raise
            code = _refused(commands.not_reached(arguments, place, error))
        ending = max(ending, code)
        if code not in (Ending.DONE, Ending.BLOCKED):
            break
    return ending


def main() -> int:
    """Run one projector or one operator command. Returns the exit code (`endings`)."""
    arguments = _arguments()
    try:
        settings = Settings.from_env(os.environ, job=arguments.once)
        read_models.applied_by(settings.handler, settings.read_models)
        strategies.maker(settings.strategy)
        telemetry.wanted(os.environ)
    except SettingError as error:
        return _refused(str(error))
    set_up(settings.log_level, "projector")
    job = _operate(settings, arguments) if arguments.command else _work(settings, once=arguments.once)
    try:
        return uvloop.run(job)
    except KeyboardInterrupt:
        return SIGNALLED + signal.SIGINT
    except Exception as error:
        return _ended_by(error)


def _ended_by(error: Exception) -> int:
    """Say in one line what ended the process. Returns the exit code."""
    match error:
        case TimeLimit() | DoesNotFit():
            print(error, file=sys.stderr)
            return Ending.TIME_LIMIT
        case SettingError() | OtherReadModels():
            return _refused(str(error))
        case StoreUnavailable():
            return _refused(f"{_address()}: {error}")
        case asyncpg.UndefinedTableError() | asyncpg.UndefinedColumnError():
            return _refused(f"{_address()}: {error}: {MIGRATE}, or make {MAKE}")
        case asyncpg.InsufficientPrivilegeError():
            return _refused(f"{_address()}: {error}: this role lacks a right that its work needs")
    log.critical("ended by a defect", error=f"{type(error).__name__}: {error}", exc_info=error)
    return Ending.DEFECT


def _address() -> str:
    """The variable that leads to the database."""
    return variable(len(addresses(Environment(os.environ))))


def _refused(why: str) -> int:
    print(hider(os.environ)(why), file=sys.stderr)
    return Ending.REFUSED


if __name__ == "__main__":
    terminal.forgive()
    sys.exit(main())
