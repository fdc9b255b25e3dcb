"""Resource sampler: a thread that writes a line of `resources.jsonl` a second; no trouble of it is the run's."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TextIO

import asyncpg

from bench.oracle.database import connect
from bench.trial.resources import server
from bench.trial.resources.neighbours import Taken, taken
from bench.trial.resources.processes import Snapshot, members, private_bytes, snapshot, spent_between, spent_each
from bench.trial.resources.server import Counters
from metrics.records.sections.resources import Second, Table
from settings.hiding import hide

EVERY_S: Final = 1.0
LOOKS: Final = 4
"""At the backends, in that time."""
SLOWLY: Final = 5
"""Every so many seconds memory and sizes are looked at: they change slowly, and take longer to look at."""
ANSWER_S: Final = 2.0
END_S: Final = 5.0
NAME: Final = "bench-resources"
TROUBLES: Final = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    TimeoutError,
    ValueError,
)
HIDDEN: Final = "its login may not see what other sessions do (pg_read_all_stats)"


@dataclass
class Moment:
    """What was seen at the end of a second; `counters` None where Postgres gave no answer."""

    machine: Snapshot
    counters: Counters | None
    labels: Mapping[int, str] = field(default_factory=dict)


class Sampler:
    """Samples from its start to `stop`. `leaders` gives the first process of each part; `bench` is this one's.

    `url` is a server's whose counters are read too; None: there is none.
    """

    def __init__(self, path: Path, url: str | None, leaders: Callable[[], Mapping[str, int]], bench: int) -> None:
        self._path, self._url, self._leaders, self._bench = path, url, leaders, bench
        self._known: set[int] = set()
        self._over = threading.Event()
        self._connection: asyncpg.Connection | None = None
        self._labels: dict[int, str] = {}
        self._waits: Counter[str] = Counter()
        self._looks = 0
        self.trouble = ""
        """Resources something is lacking, the latest; without secrets."""
        self._thread = threading.Thread(target=self._work, name="resources", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End within a moment; who hangs is left behind, and holds nothing that the run needs."""
        self._over.set()
        self._thread.join(END_S)

    def _work(self) -> None:
        try:
            with self._path.open("w", encoding="utf-8") as file:
                asyncio.run(self._sample(file))
        except Exception as error:
            self.trouble = f"sampling ended: {type(error).__name__}: {hide(str(error), *filter(None, [self._url]))}"

    async def _sample(self, file: TextIO) -> None:
        before, due = await self._moment(), time.monotonic()
        for number in itertools.count():
            if self._over.is_set():
                break
            due = max(due + EVERY_S, time.monotonic())
            for look in range(LOOKS, 0, -1):
                await self._ask(self._look)
                await self._pause(due - (look - 1) * EVERY_S / LOOKS)
            after = await self._moment()
            leaders = self._leaders()
            self._known |= set(leaders.values())
            line = second(before, after, leaders, taken(before.machine, after.machine, self._known), self._bench)
            line |= {"looks": self._looks, "waits": dict(self._waits)}
            found = Second.from_dict({"t": time.time(), **line})
            if number % SLOWLY == 0:
                found = replace(found, memory_bytes=self._memory(after, leaders), tables=await self._tables())
            file.write(json.dumps(found.to_dict()) + "\n")
            file.flush()
            before, self._looks, self._waits = after, 0, Counter()
        if self._connection is not None:
            self._connection.terminate()

    def _memory(self, moment: Moment, leaders: Mapping[str, int]) -> dict[str, int]:
        parts = {**leaders, "bench": self._bench}
        trees = {part: members(moment.machine.processes, [pid]) for part, pid in leaders.items()}
        return {part: private_bytes(trees.get(part, {pid})) for part, pid in parts.items()}

    async def _tables(self) -> dict[str, Table]:
        found: dict[str, Table] | None = await self._ask(server.tables)
        return found or {}

    async def _pause(self, until: float) -> None:
        await asyncio.sleep(max(0.0, until - time.monotonic()))

    async def _moment(self) -> Moment:
        counted = await self._ask(self._count)
        machine = await asyncio.to_thread(snapshot)
        return Moment(machine, counted, dict(self._labels))

    async def _ask(self, question: Callable[[asyncpg.Connection], Any]) -> Any:
        """Ask Postgres; None without an answer, and then by a new connection the next time."""
        if self._url is None:
            return None
        try:
            async with asyncio.timeout(ANSWER_S):
                if self._connection is None:
                    self._connection = await connect(self._url, application_name=NAME)
                return await question(self._connection)
        except TROUBLES as error:
            self.trouble = f"Postgres was not asked: {hide(str(error), self._url) or type(error).__name__}"
            if self._connection is not None:
                self._connection.terminate()
                self._connection = None
            return None

    async def _look(self, connection: asyncpg.Connection) -> None:
        rows = await server.activity(connection)
        self._labels = {row["pid"]: server.label(row) for row in rows} | {connection.get_server_pid(): "bench"}
        self._waits += server.waits(rows)
        self._looks += 1
        if any(row["backend_type"] is None for row in rows):
            self.trouble = HIDDEN

    async def _count(self, connection: asyncpg.Connection) -> Counters:
        return await server.counters(connection)


def second(before: Moment, after: Moment, leaders: Mapping[str, int], others: Taken, bench: int) -> dict[str, Any]:
    """A line of `resources.jsonl` but for its time and its waits: what was spent between two moments, by part. Pure."""
    first, last = before.machine.processes, after.machine.processes
    seconds = after.machine.at - before.machine.at
    trees = {part: members(first, [pid]) | members(last, [pid]) for part, pid in leaders.items()}
    spent = {part: spent_between(first, last, tree) for part, tree in trees.items() if tree}
    itself = last.get(bench)
    if itself is not None:
        spent["bench"] = itself.own_s - (first[bench].own_s if bench in first else 0.0)
    counts = after.counters.since(before.counters) if after.counters and before.counters else {}
    if "commits" in counts:
        counts["commits"] = max(0, counts["commits"] - LOOKS - 1)  # this sampler's own
    return {
        "seconds": round(seconds, 3),
        "cpu_percent": {part: _percent(cpu, seconds) for part, cpu in spent.items()},
        "postgres_cpu_percent": {
            name: _percent(cpu, seconds) for name, cpu in _by_label(before, after, trees.get("postgres", set())).items()
        },
        "busy_share": others.share(others.work_s),
        "neighbours_share": others.share(others.processes_s),
        "steal_share": others.share(others.steal_s),
        "iowait_share": others.share(others.iowait_s),
        **{name: counts.get(name) for name in COUNTED},
        "dead_tuples": dict(after.counters.dead) if after.counters else {},
    }


COUNTED: Final = ("events", "commits", "rollbacks", "wal_bytes", "tuples", "blocks_hit", "blocks_read", "checkpoints")


def _by_label(before: Moment, after: Moment, tree: set[int]) -> dict[str, float]:
    """CPU of the server's processes by their labels; nothing where its numbers of them are none of this machine."""
    labels = {**before.labels, **after.labels}
    if not tree & labels.keys():
        return {}
    each = spent_each(before.machine.processes, after.machine.processes)
    found: defaultdict[str, float] = defaultdict(float)
    for pid in tree & each.keys():
        found[labels.get(pid, "postmaster")] += each[pid]
    return dict(found)


def _percent(cpu_s: float, seconds: float) -> float:
    return round(100 * max(0.0, cpu_s) / seconds, 1) if seconds > 0 else 0.0
