"""Observation beside one run: the machine at each change of phase; with SAMPLE_RESOURCES, all else once a second."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import psutil

from bench.bundle.folder import Bundle
from bench.oracle.database import connect, run
from bench.platforms.platform import Leaders, System
from bench.preflight import usable
from bench.preflight.here import is_here
from bench.trial.resources import neighbours, section, server
from bench.trial.resources.asked import TROUBLES
from bench.trial.resources.neighbours import SHORTEST_S, Taken, taken
from bench.trial.resources.processes import Snapshot, snapshot
from bench.trial.resources.sampler import Sampler
from metrics.reading import BadDocument, read_lines
from metrics.records.result import Result
from metrics.records.sections.resources import Neighbours, Resources, Second
from settings.addresses import postgres_url
from settings.catalogue.observation import SAMPLE_RESOURCES

FILE: Final = "resources.jsonl"
UNMEASURED: Final = ("warmup", "verification", "")
MIXED: Final = "the server of DATABASE_URL may run on this machine, and its processes can not be told from others"
STARTED_WITHIN_S: Final = 2.0


@dataclass(frozen=True)
class Found:
    """The sections of a result, and what a reader must know before any figure."""

    resources: Resources
    neighbours: Neighbours

    def added_to(self, result: Result) -> Result:
        """The result with both, and with the doubt that follows."""
        doubts = [*result.doubts, *filter(None, [self.neighbours.doubt])]
        return replace(result, resources=self.resources, neighbours=self.neighbours, doubts=doubts)


class Beside:
    """From the start of the load generator to its end; a context manager, whose end ends the sampler."""

    def __init__(self, system: System, bundle: Bundle) -> None:
        self._system, self._path = system, bundle.folder / FILE
        self._server = _postmaster(system)
        self._seen: list[tuple[str, Snapshot]] = []
        self._leaders: set[int] = set()
        self._sampler: Sampler | None = None
        if system.settings.sample_resources:
            owners = [logins.owner for logins in system.shards]
            self._sampler = Sampler(self._path, owners, lambda: self._parts().parts, os.getpid())

    def __enter__(self) -> Self:
        if self._sampler is not None:
            self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._sampler is not None:
            self._sampler.stop()

    def look(self, samples: Sequence[Mapping[str, Any]]) -> None:
        """Take in new samples of the load generator: the machine is looked at where the phase changes."""
        for sample in samples[-1:]:
            self._enter(sample["phase"])

    def _enter(self, phase: str) -> None:
        if not self._seen or self._seen[-1][0] != phase:
            self._leaders |= set(self._parts().parts.values())
            self._seen.append((phase, snapshot()))

    def end(self) -> None:
        """The load generator has ended."""
        self._enter("")
        self.__exit__()

    def found(self, loadgen: Mapping[str, Any]) -> Found:
        """What came of it; `loadgen` is what the load generator told at its end."""
        told = neighbours.section(self._phases())
        if reason := self._reason():
            told = neighbours.steal_alone(told, reason)
        return Found(self._resources(loadgen), told)

    def _phases(self) -> dict[str, Taken]:
        found: dict[str, Taken] = {}
        for (phase, first), (_, last) in zip(self._seen, self._seen[1:], strict=False):
            if phase not in UNMEASURED and last.at - first.at >= SHORTEST_S:
                each = taken(first, last, self._leaders)
                found[phase] = found[phase] + each if phase in found else each
        return found

    def _resources(self, loadgen: Mapping[str, Any]) -> Resources:
        if self._sampler is None:
            return Resources(reason=f"{SAMPLE_RESOURCES.name}=false")
        try:
            seconds = [Second.from_dict(line) for line in read_lines(self._path, Second).records]
        except BadDocument as error:
            return Resources(reason=str(error))
        inside = section.within(seconds, loadgen.get("phases", []))
        throughput = loadgen.get("throughput") or {}
        settings = self._system.settings
        # Of another target nobody knows how many cores a process can use.
        projectors = [f"projector-{n + 1}" for n in range(settings.projectors)]
        single = [*["api"] * (settings.api_processes == 1), *projectors] if settings.target.ours else []
        rate, cores = throughput.get("actions_per_s", 0.0), usable.allowed()
        folded = section.fold(inside, rate, cores=cores, single=single, parts=self._kinds())
        reasons = "; ".join(filter(None, (folded.reason, self._sampler.trouble)))
        return Resources(**{**vars(folded), "reason": reasons})

    def _kinds(self) -> list[str]:
        """The parts that the system has at least, whether their processes can be seen from here or not."""
        settings = self._system.settings
        has = {"postgres": self._system.postgres is not None, "projector": settings.projectors > 0}
        return [kind for kind in section.PARTS if has.get(kind, True)]

    def _parts(self) -> Leaders:
        leaders = self._system.platform.leaders()
        if self._server is None or "postgres" in leaders.parts:
            return leaders
        return Leaders({"postgres": self._server, **leaders.parts}, leaders.reason)

    def _reason(self) -> str:
        """Resources the run's processes can not be told from others; empty where they can."""
        parts, url = self._parts(), self._system.database_url
        strange = url is not None and any(is_here(host) for host, _ in postgres_url.parse(url).hosts)
        return parts.reason or (MIXED if strange and "postgres" not in parts.parts else "")


def _postmaster(system: System) -> int | None:
    """The first process of a server that the run has not started, where it is one of this machine's, else None."""
    url = system.database_url
    if url is None:
        return None

    async def ask() -> int | None:
        connection = await connect(url)
        try:
            backend, started = await server.postmaster(connection)
            # While the connection is open its backend lives, and behind it is the postmaster.
            return postmaster_of(backend, started)
        finally:
            await connection.close()

    with suppress(*TROUBLES):
        return run(ask())
    return None


def postmaster_of(backend: int, started: float) -> int | None:
    """The parent of a backend that has the number here: the moment of the start tells it from any other process."""
    with suppress(psutil.Error):
        for process in psutil.Process(backend).parents():
            if abs(process.create_time() - started) < STARTED_WITHIN_S:
                return process.pid
    return None
