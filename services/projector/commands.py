"""Operator commands on the command line: their arguments, what they print, how they end."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from eventstore.connection.database import Database
from eventstore.connection.wakeup import NOTIFY
from eventstore.errors import InvalidEvent, StoreError, StoreUnavailable, TimeLimit
from eventstore.shards.hash_slots import Place, Shards, places
from projection.operator.positions import Positions, positions
from projection.operator.rebuild import NotRebuilt, OtherRebuild, Rebuild, Rebuilt
from projection.operator.recount import Recounted, recount
from projection.operator.refusals import UnknownStream
from projection.operator.relist import reset_all
from projection.operator.reset import Reset, reset
from projection.operator.skip import Skipped, skip
from projection.operator.steps import Steps
from projection.operator.unblock import Unblocked, unblock
from projection.registry import read_models as registered
from projection.registry.read_models import OtherReadModels
from projection.stats import read_stats
from services.projector import read_models
from services.projector.endings import SIGNALLED, Ending
from settings import SettingError

ALONE: Final = Place()
PATIENCE_S: Final = 60.0
STATEMENT_S: Final = (5.0, 30.0)
"""How long a connection waits for one answer, at least and at most: longer than a step waits for a lock."""

ENDED_BY: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Done = Unblocked | Skipped | Reset | Recounted | Positions | Rebuilt


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    commands = parser.add_subparsers(dest="command", title="operator commands")
    unblocking = commands.add_parser("unblock", help="try again, with all attempts")
    resetting = commands.add_parser("reset", help="project again from the first event; works in steps")
    skipping = commands.add_parser("skip", help="pass over the event that is blocked: it is never applied")
    positioning = commands.add_parser(
        "positions",
        help="after a restore: go on above the newest event, with the cursor within the log",
    )
    recounting = commands.add_parser("recount", help="hold all counters against the tables, and mend them")
    rebuilding = commands.add_parser("rebuild", help="make read models again beside the live ones, then switch")
    rebuilding.add_argument("read_models", nargs="*", metavar="READ_MODEL", help="of READ_MODELS (default: all)")
    rebuilding.add_argument("--mend", action="store_true", help="switch although live rows differ from the log")
    rebuilding.add_argument("--restart", action="store_true", help="begin again, in place of going on")
    rebuilding.add_argument(
        "--pause", type=_seconds, default=0.0, metavar="SECONDS", help="rest so long after each piece (default: 0)"
    )
    for one in (unblocking, resetting):
        which = one.add_mutually_exclusive_group(required=True)
        which.add_argument("stream", nargs="?", metavar="STREAM")
        which.add_argument("--all", action="store_true", help="all streams")
    resetting.add_argument("--after", default="", metavar="STREAM", help="with --all: go on after this stream")
    skipping.add_argument("stream", metavar="STREAM")
    skipping.add_argument("--version", type=int, metavar="N", help="only if it is this version that is blocked")
    for one in (unblocking, resetting, skipping, recounting, positioning, rebuilding):
        one.add_argument("--json", action="store_true", help="what was done as JSON, a line for each shard")
        one.add_argument(
            "--shard",
            type=int,
            metavar="NUMBER",
            help="of several shards this one alone, from 0 on (default: a stream's own; else all, one after another)",
        )
        one.add_argument(
            "--timeout",
            type=_seconds,
            default=PATIENCE_S,
            metavar="SECONDS",
            help=f"give up when there was no progress for so long (default: {PATIENCE_S:g})",
        )


def check(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """End with a usage error where options do not go together."""
    if arguments.command == "reset" and arguments.after and not arguments.all:
        parser.error("--after goes with --all")


def concerned(arguments: argparse.Namespace, shards: int) -> list[Place]:
    """The shards on which a command is carried out, one after another. Raises SettingError."""
    every = places(shards)
    stream, number, after = (getattr(arguments, name, None) for name in ("stream", "shard", "after"))
    if number is not None and not 0 <= number < shards:
        raise SettingError("--shard", str(number), f"a number from 0 to {shards - 1}")
    if stream is not None:
        own = Shards(every).of(stream)
        if number not in (None, own.number):
            raise SettingError("--shard", str(number), f"{own.number}, where the stream lies, or no value")
        return [own]
    if after and shards > 1 and number is None:
        raise SettingError("--after", after, "no value without --shard: a stream lies in one of several shards")
    return every if number is None else [every[number]]


def _seconds(given: str) -> float:
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{given!r} is not a number of seconds between 0 and 86400")
    return seconds


def statement_timeout(arguments: argparse.Namespace) -> float:
    """How long a command's connection waits for one answer, in seconds."""
    least, most = STATEMENT_S
    return max(least, min(most, float(arguments.timeout)))


async def operate(database: Database, names: Sequence[str], arguments: argparse.Namespace, place: Place = ALONE) -> int:
    """Carry out a command on the read models of these names, say how far it is on stderr and what it did on stdout.

    `place`: on which shard that is, where there are several.

    Returns the exit code.
    """
    if place.shards > 1:
        _say(f"{arguments.command} on {place}")
    steps = Steps(database, read_models.load(names), patience_s=arguments.timeout, say=_say)
    work = asyncio.ensure_future(_carry_out(database, steps, names, arguments))
    signals = _cancelled_by_signals(work)
    try:
        done = await work
    except asyncio.CancelledError:
        if not signals:
            raise
        _say(f"{arguments.command} was interrupted by {signals[0].name}. {_to_go_on(steps, arguments, place)}")
        return SIGNALLED + signals[0]
    except (UnknownStream, InvalidEvent, OtherReadModels, NotRebuilt, SettingError, OtherRebuild) as error:
        return _refused(error)
    except StoreUnavailable as error:
        _say(
            f"{arguments.command} gave up after {arguments.timeout:g} s: {error}. {_to_go_on(steps, arguments, place)}"
        )
        return Ending.TIME_LIMIT if isinstance(error, TimeLimit) else Ending.AWAY
    finally:
        for number in ENDED_BY:
            # Between two shards a signal ends the process.
            asyncio.get_running_loop().remove_signal_handler(number)
    named = {"shard": place.number} if place.shards > 1 else {}
    print(json.dumps({**_document(arguments.command, done), **named}) if arguments.json else str(done), flush=True)
    return Ending.BLOCKED if _left(done) else Ending.DONE


def _refused(error: Exception) -> Ending:
    """Say what there is nothing to be done about, or not so."""
    _say(f"there is no such stream: {error}" if isinstance(error, InvalidEvent) else str(error))
    match error:
        case UnknownStream() | InvalidEvent():
            return Ending.BLOCKED
        case OtherRebuild():
            return Ending.AWAY
    return Ending.REFUSED


def _left(done: Done) -> bool:
    """True when something is left to an operator's judgement."""
    return (isinstance(done, Positions) and bool(done.still)) or (isinstance(done, Rebuilt) and not done.switched)


async def _carry_out(database: Database, steps: Steps, names: Sequence[str], arguments: argparse.Namespace) -> Done:
    done: Done
    resets_all = arguments.command == "reset" and arguments.all
    if not resets_all and arguments.command != "positions":
        await registered.require(database, names)
    match arguments.command:
        case "unblock":
            done = await unblock(steps, arguments.stream)
        case "skip":
            done = await skip(steps, arguments.stream, arguments.version)
        case "positions":
            done = await positions(steps)
        case "recount":
            return await recount(steps, log=True)
        case "rebuild":
            return await _rebuild(steps, names, arguments)
        case _ if resets_all:
            total = await _streams(database)
            done = await reset_all(steps, names, read_models.load, after=arguments.after, total=total)
        case _:
            done = await reset(steps, arguments.stream)
    # What was done is done; the projectors find it without the hint, but later.
    with contextlib.suppress(StoreError):
        await database.fetch(NOTIFY)
    return done


async def _rebuild(steps: Steps, names: Sequence[str], arguments: argparse.Namespace) -> Rebuilt:
    if unknown := [name for name in arguments.read_models if name not in names]:
        raise SettingError("READ_MODELS", ",".join(names), f"a list with {unknown[0]!r}, which is to be rebuilt")
    chosen = read_models.load([name for name in names if name in (arguments.read_models or names)])
    holder = f"rebuild of {socket.gethostname()}, process {os.getpid()}"
    return await Rebuild(
        steps, chosen, holder, restart=arguments.restart, mend=arguments.mend, pause_s=arguments.pause
    ).run()


async def _streams(database: Database) -> int:
    """How many there are, for the progress alone: 0 where that can not be had now."""
    with contextlib.suppress(StoreUnavailable):
        return (await read_stats(database)).streams
    return 0


def _cancelled_by_signals(work: asyncio.Future[Done]) -> list[signal.Signals]:
    """Cancel the work at a signal; returns where the signals will be noted."""
    came: list[signal.Signals] = []

    def cancel(number: signal.Signals) -> None:
        came.append(number)
        work.cancel()

    for number in ENDED_BY:
        asyncio.get_running_loop().add_signal_handler(number, cancel, number)
    return came


def not_reached(arguments: argparse.Namespace, place: Place, error: StoreUnavailable) -> str:
    """Why a command has ended before one of several shards, and how to go on."""
    return f"{arguments.command}: {place} can not be reached: {error}. Run it again{_from(place)}"


def _to_go_on(steps: Steps, arguments: argparse.Namespace, place: Place) -> str:
    return _on_one(steps, arguments) + (f"; of several shards{_from(place)}" if place.shards > 1 else "")


def _from(place: Place) -> str:
    rest = f", and then each after it (up to --shard {place.shards - 1})" if place.number < place.shards - 1 else ""
    return f" with --shard {place.number}{rest}"


def _on_one(steps: Steps, arguments: argparse.Namespace) -> str:
    if arguments.command == "rebuild":
        return "The live read models are as they were: run it again to go on, or with --restart to begin again"
    if steps.relisting:
        return "Projectors wait until it has come to its end: run it again with the same READ_MODELS"
    if not steps.place:
        return "Nothing is left half done: run it again"
    return f"What was done stays: go on with `{arguments.command} --all --after {steps.place}`, or run it again"


def _document(command: str, done: Done) -> dict[str, Any]:
    told = asdict(done)
    return {"command": command, **told, **told.pop("rows", {}), "said": str(done)}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
