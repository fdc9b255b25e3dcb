"""Reset with another list of read models: forget by the old and the new list, then record the new one.

From before the first step to after the recount, the record says so, and no projector works, by whichever list. Broken
off, it stays so until a `reset --all` has come to its end. With the list of the record it is an ordinary reset, beside
projectors.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

import asyncpg
from sqlalchemy import text

from eventstore.connection.statement import Statement
from projection.leases.cursors import CURSOR
from projection.operator.reset import Reset, reset
from projection.operator.steps import Steps
from projection.read_model import ReadModel, ReadModels
from projection.registry import read_models as registered
from projection.registry.read_models import OtherReadModels, Recorded
from settings import SettingError

Load = Callable[[Sequence[str]], ReadModels]

LOCK: Final = "SELECT read_models, becoming FROM kept_read_models WHERE projection = $1 FOR UPDATE"

# A projector reads the list after it has registered. So whoever is not found here, when the list that becomes
# is committed, finds that one; and who is found, finds it at his next heartbeat, and waits.
AT_WORK: Final = """
SELECT coalesce(array_agg(holder ORDER BY holder), '{}') FROM projectors
 WHERE alive_until > clock_timestamp() AND waiting IS NULL
"""

LOOK_S: Final = 0.2

BEGIN: Final = Statement(
    text("""
INSERT INTO kept_read_models (projection, read_models, becoming) VALUES (:projection, '{}', :read_models ::text[])
ON CONFLICT (projection) DO UPDATE SET becoming = excluded.becoming
""")
)
BACK: Final = "UPDATE kept_read_models SET becoming = $3 WHERE projection = $1 AND becoming = $2"

END: Final = Statement(
    text("""
UPDATE kept_read_models SET read_models = becoming, becoming = NULL
 WHERE projection = :projection AND becoming = :read_models ::text[]
""")
)


async def reset_all(steps: Steps, names: Sequence[str], load: Load, *, after: str = "", total: int = 0) -> Reset:
    """Reset all streams, after which the store is projected by the read models `names`.

    With a new list, waits until no projector is at work. Raises OtherReadModels, with nothing changed, where they do
    not stop, or where a read model of the old list can not be loaded: its rows would stay as they are.
    """
    former = await steps.run(lambda connection: _record(connection, names))
    if not former.refusal(names):
        return await reset(steps, None, after=after, total=total)
    steps.models = [*steps.models, *_only(former.read_models, names, load)]
    # What is new has seen none of the events that the audit has.
    steps.unseen = {model.name for model in _only(names, former.read_models, load)} if former.read_models else set()
    if refusal := await steps.run(lambda connection: _begin(connection, names, after)):
        raise OtherReadModels(refusal)
    steps.relisting = True
    await _stopped(steps, names, former)
    done = await reset(steps, None, after=after, total=total)
    if not await steps.run(lambda connection: _end(connection, names)):
        raise OtherReadModels(f"READ_MODELS={','.join(names)}: another `reset --all` has brought in another list since")
    return done


def _only(names: Sequence[str], others: Sequence[str], load: Load) -> ReadModels:
    """The read models of `names` that are not among the others."""
    found: list[ReadModel] = []
    for name in dict.fromkeys(names):
        if name in others:
            continue
        try:
            found += load([name])
        except SettingError as error:
            raise OtherReadModels(
                f"{error}: the store is projected by it, and its rows would stay; let PYTHONPATH lead to it, or, if its"
                f" tables are gone: UPDATE kept_read_models SET read_models = array_remove(read_models, '{name}')"
            ) from error
    return found


async def _stopped(steps: Steps, names: Sequence[str], former: Recorded) -> None:
    """Wait until no projector is at work. Raises OtherReadModels, with the list as it was, where one stays."""
    until = time.monotonic() + steps.patience_s
    while holders := await steps.run(lambda connection: connection.fetchval(AT_WORK)):
        told = ", ".join(holders)
        if time.monotonic() > until:
            await steps.run(lambda connection: connection.execute(BACK, CURSOR, list(names), former.becoming))
            raise OtherReadModels(f"READ_MODELS={','.join(names)}: projectors are at work by another list: stop {told}")
        steps.progress(f"waiting for projectors to stop: {told}")
        await asyncio.sleep(LOOK_S)


async def _record(connection: asyncpg.Connection, names: Sequence[str]) -> Recorded:
    """The list of the store; a store where nothing is projected takes this one."""
    await connection.execute(
        registered.RECORD.sql, *registered.RECORD.arguments({"projection": CURSOR, "read_models": list(names)})
    )
    return await _lock(connection) or Recorded(())


async def _lock(connection: asyncpg.Connection) -> Recorded | None:
    row = await connection.fetchrow(LOCK, CURSOR)
    return row and Recorded(tuple(row["read_models"]), row["becoming"] and tuple(row["becoming"]))


async def _begin(connection: asyncpg.Connection, names: Sequence[str], after: str) -> str:
    """Let the list become this one, so that nobody begins to work. Returns why it must not."""
    found = await _lock(connection)
    told = ",".join(names)
    if after and (found is None or set(found.becoming or ()) != set(names)):
        return f"READ_MODELS={told}: a reset with a new list begins with the first stream: leave --after out"
    await connection.execute(BEGIN.sql, *BEGIN.arguments({"projection": CURSOR, "read_models": list(names)}))
    return ""


async def _end(connection: asyncpg.Connection, names: Sequence[str]) -> bool:
    """Record the list. False where it is no longer this one that is brought in."""
    await connection.execute(END.sql, *END.arguments({"projection": CURSOR, "read_models": list(names)}))
    found = await _lock(connection)
    return found is not None and not found.refusal(names)
