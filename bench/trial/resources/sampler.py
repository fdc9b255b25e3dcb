"""Resource sampler: a thread that writes a line of `resources.jsonl` a second; no trouble of it is the run's."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TextIO

from bench.trial.resources.asked import Asked
from bench.trial.resources.neighbours import Taken, taken
from bench.trial.resources.processes import Snapshot, members, private_bytes, snapshot, spent_between, spent_each
from bench.trial.resources.section import kind
from bench.trial.resources.server import Told, tables_together, together
from metrics.records.sections.resources import Second, Table
from settings.hiding import hide

EVERY_S: Final = 1.0
LOOKS: Final = 4
"""At the backends, in that time."""
SLOWLY: Final = 5
"""Every so many seconds memory and sizes are looked at: they change slowly, and take longer to look at."""
END_S: Final = 5.0


@dataclass
class Moment:
    """What was seen at the end of a second: the machine, and what each server told."""

    machine: Snapshot
    servers: Sequence[Told] = ()

    @property
    def labels(self) -> dict[int, str]:
        """For whom each process of the servers worked."""
        return {pid: label for one in self.servers for pid, label in one.labels.items()}


class Sampler:
    """Samples from its start to `stop`. `leaders` gives the first process of each part; `bench` is this one's.

    `urls` are those of the servers whose counters are read too, one for each shard.
    """

    def __init__(self, path: Path, urls: Sequence[str], leaders: Callable[[], Mapping[str, int]], bench: int) -> None:
        self._path, self._urls, self._leaders, self._bench = path, urls, leaders, bench
        names = [f"shard {number}" for number in range(len(urls))] if len(urls) > 1 else [""] * len(urls)
        self._servers = list(map(Asked, urls, names))
        self._known: set[int] = set()
        self._over = threading.Event()
        self._ended = ""
        self._thread = threading.Thread(target=self._work, name="resources", daemon=True)

    @property
    def trouble(self) -> str:
        """Why something is lacking, the latest; without secrets."""
        return self._ended or "; ".join(one.trouble for one in self._servers if one.trouble)

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
            self._ended = f"sampling ended: {type(error).__name__}: {hide(str(error), *self._urls)}"

    async def _sample(self, file: TextIO) -> None:
        before, due = await self._moment(), time.monotonic()
        for number in itertools.count():
            if self._over.is_set():
                break
            due = max(due + EVERY_S, time.monotonic())
            for look in range(LOOKS, 0, -1):
                await asyncio.gather(*(one.look() for one in self._servers))
                await self._pause(due - (look - 1) * EVERY_S / LOOKS)
            after = await self._moment()
            leaders = self._leaders()
            self._known |= set(leaders.values())
            line = second(before, after, leaders, taken(before.machine, after.machine, self._known), self._bench)
            found = Second.from_dict({"t": time.time(), **line})
            if number % SLOWLY == 0:
                found = replace(found, memory_bytes=self._memory(after, leaders), tables=await self._tables())
            file.write(json.dumps(found.to_dict()) + "\n")
            file.flush()
            before = after
        for one in self._servers:
            one.close()

    def _memory(self, moment: Moment, leaders: Mapping[str, int]) -> dict[str, int]:
        parts = {**leaders, "bench": self._bench}
        trees = {part: members(moment.machine.processes, [pid]) for part, pid in leaders.items()}
        return {part: private_bytes(trees.get(part, {pid})) for part, pid in parts.items()}

    async def _tables(self) -> dict[str, Table]:
        return tables_together(await asyncio.gather(*(one.tables() for one in self._servers)))

    async def _pause(self, until: float) -> None:
        await asyncio.sleep(max(0.0, until - time.monotonic()))

    async def _moment(self) -> Moment:
        servers = await asyncio.gather(*(one.told() for one in self._servers))
        return Moment(await asyncio.to_thread(snapshot), servers)


def second(before: Moment, after: Moment, leaders: Mapping[str, int], others: Taken, bench: int) -> dict[str, Any]:
    """A line of `resources.jsonl` but for its time: what was spent between two moments, by part. Pure."""
    first, last = before.machine.processes, after.machine.processes
    seconds = after.machine.at - before.machine.at
    trees = {part: members(first, [pid]) | members(last, [pid]) for part, pid in leaders.items()}
    spent = {part: spent_between(first, last, tree) for part, tree in trees.items() if tree}
    itself = last.get(bench)
    if itself is not None:
        spent["bench"] = itself.own_s - (first[bench].own_s if bench in first else 0.0)
    servers = [one.counted(former, LOOKS + 1) for former, one in zip(before.servers, after.servers, strict=True)]
    of_servers = set().union(*(tree for part, tree in trees.items() if kind(part) == "postgres"))
    return {
        "seconds": round(seconds, 3),
        "cpu_percent": {part: _percent(cpu, seconds) for part, cpu in spent.items()},
        "postgres_cpu_percent": {
            name: _percent(cpu, seconds) for name, cpu in _by_label(before, after, of_servers).items()
        },
        "busy_share": others.share(others.work_s),
        "neighbours_share": others.share(others.processes_s),
        "steal_share": others.share(others.steal_s),
        "iowait_share": others.share(others.iowait_s),
        **together(servers).to_dict(),
        "shards": [one.to_dict() for one in servers] if len(servers) > 1 else [],
    }


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
