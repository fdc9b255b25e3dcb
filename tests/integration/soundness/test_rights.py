"""Each process is asked for the rights that it has by `python -m migrations roles`, and for no fewer."""

from __future__ import annotations

import asyncpg
import pytest

from eventstore.soundness.check import Check
from eventstore.soundness.rights import API, OPERATOR, PROJECTOR, Rights, merged, one_by_one
from tests.cluster import Cluster, as_role
from todo.read_models.todos import READ_MODEL

NEEDED = {"api": merged(API, READ_MODEL.read), "projector": merged(PROJECTOR, READ_MODEL.project), "operator": OPERATOR}


@pytest.mark.parametrize(("role", "rights"), NEEDED.items(), ids=NEEDED.keys())
async def test_a_right_that_is_taken_away_is_named(cluster: Cluster, role: str, rights: Rights) -> None:
    async with cluster.database() as url:
        owner = await asyncpg.connect(url)
        process = await asyncpg.connect(as_role(role, url))
        check = Check(rights)
        try:
            assert await check.findings(process) == ()
            for object, column, privilege in one_by_one(rights):
                kind = "FUNCTION " if "(" in object else "SEQUENCE " if object.endswith("_seq") else ""
                part = f"{privilege}{f' ({column})' if column else ''}"
                await owner.execute(f"REVOKE {part} ON {kind}{object} FROM tidemark_{role}")
                named = [str(finding) for finding in await check.findings(process) if finding.check == "rights"]
                assert len(named) == 1, (object, privilege)
                assert f"{part} on {object};" in named[0]
                await owner.execute(f"GRANT {part} ON {kind}{object} TO tidemark_{role}")
            assert await check.findings(process) == ()
        finally:
            await process.close()
            await owner.close()


SCHEMA = (
    "REVOKE USAGE ON SCHEMA public FROM PUBLIC, tidemark_api",
    "GRANT USAGE ON SCHEMA public TO PUBLIC, tidemark_api",
    "the role tidemark_api lacks USAGE on schema public; e.g. GRANT USAGE ON SCHEMA public TO tidemark_api",
)
ROWS = (
    "ALTER TABLE streams ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE streams DISABLE ROW LEVEL SECURITY",
    "row-level security hides rows of streams from the role tidemark_api; ALTER TABLE … DISABLE ROW LEVEL SECURITY",
)


@pytest.mark.parametrize(("act", "undo", "said"), [SCHEMA, ROWS], ids=["schema", "rows"])
async def test_what_stands_before_all_rights_is_named(cluster: Cluster, act: str, undo: str, said: str) -> None:
    async with cluster.database() as url:
        owner = await asyncpg.connect(url)
        process = await asyncpg.connect(as_role("api", url))
        check = Check(NEEDED["api"])
        try:
            await owner.execute(act)
            assert [str(finding) for finding in await check.findings(process)] == [said]
            await owner.execute(undo)
            assert await check.findings(process) == ()
        finally:
            await process.close()
            await owner.close()
