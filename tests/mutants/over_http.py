"""A fake target with one fault, some writes through its API, and what each level of proof over HTTP finds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import httpx

from bench.ends.errors import RunFailed
from bench.oracle.log.verify import verify_log
from metrics.records.verification import Verification
from services.loadgen.judge import read_back
from services.loadgen.judge.ledger import Ledger
from tests.fakes.todo_server import SCENE, FakeTodoServer, Fault

TODOS = SCENE
DELETED = 7
EVERY = 25


@dataclass
class Written:
    """What was acknowledged, as the load generator keeps it."""

    ledger: Ledger = field(default_factory=Ledger)

    def acknowledged(self) -> list[tuple[str, int]]:
        """Each stream with its highest acknowledged version."""
        active = [(todo.id, todo.version) for todo in self.ledger.todos.values()]
        return [*active, *self.ledger.retired]


@dataclass(frozen=True)
class Proofs:
    """What is found at each level, of the same target at the same moment; the reason where nothing is proven."""

    log: Verification | RunFailed
    without_applied: Verification | RunFailed
    read_back: read_back.Findings


async def proofs(fault: Fault, every: int = EVERY) -> Proofs:
    """Write to a fake with this fault, let it project, and prove it at each level."""
    async with FakeTodoServer(fault, every) as server:
        async with httpx.AsyncClient(base_url=server.base_url) as client:
            written = await write(client)
            async with asyncio.timeout(20):
                while server.waiting:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
        url, acknowledged = server.base_url, written.acknowledged()
        return Proofs(
            await asyncio.to_thread(at_log, url, acknowledged, applied=True),
            await asyncio.to_thread(at_log, url, acknowledged, applied=False),
            await asyncio.to_thread(read_again, url, written.ledger),
        )


def at_log(url: str, acknowledged: list[tuple[str, int]], *, applied: bool) -> Verification | RunFailed:
    """The proof, or why there is none, which makes a run `invalid`."""
    try:
        return verify_log(url, complete=True, applied=applied, acknowledged=acknowledged)
    except RunFailed as failure:
        return failure


async def write(client: httpx.AsyncClient) -> Written:
    """Create todos, update each twice, and delete some, one after another."""
    written = Written()
    ledger = written.ledger
    for number in range(TODOS):
        answer = (await client.post("/todos", json={"text": f"user {number}"})).json()
        ledger.created(answer["stream"], answer["version"], f"user {number}")
    for round in range(2):
        for number, id in enumerate(list(ledger.todos)):
            text = f"user {number} again {round}"
            answer = await client.put(f"/todos/{id}", json={"text": text})
            if answer.status_code == 200:
                ledger.updated(id, answer.json()["version"], text)
    for id in list(ledger.todos)[::DELETED]:
        answer = await client.delete(f"/todos/{id}")
        if answer.status_code == 204:
            ledger.begin(id)
            ledger.deleted(id, int(answer.headers["etag"].strip('"')))
            ledger.end(id)
    return written


def read_again(url: str, ledger: Ledger) -> read_back.Findings:
    """The load generator's own check, by single reads."""
    with httpx.Client(base_url=url) as client:

        def row(id: str) -> read_back.Row | None:
            answer = client.get(f"/todos/{id}")
            return None if answer.status_code == 404 else read_back.read_row(answer.json())

        return read_back.check(ledger.todos, None, lambda ids: {id: row(id) for id in ids}, ledger.retired)
