"""An ordering strategy of somebody else's: one file in a folder of theirs, run by its dotted path."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from projection.statement.handler import SetHandler
from projection.strategy import Tools
from services.projector import read_models
from services.projector.settings import Settings
from tests.acceptance.test_doors import shown
from tests.integration.projector.process import Ended, projector, run
from tests.integration.projector.stage import CREATED, POISON, UPDATED, Stage, life, until

ONE_BY_ONE: Final = '''"""One stream at a time, by a lease."""

from projection.leases.failure import blames_an_event, fail_stream, reason_of
from projection.leases.streams import PostgresLeases
from projection.pauses import BUSY_S
from projection.statement.shapes import STREAM_LEASES
from projection.strategy import Step

SERIAL = False
COSTLY_HANDLER = False
LEASES = True


class OneByOne:
    def __init__(self, tools):
        self.tools = tools
        self.settings = tools.settings
        self.leases = PostgresLeases(tools.database, tools.slot)
        self.batch = tools.handler.batches(tools.database, STREAM_LEASES)
        self.in_hand = []

    async def prepare(self):
        self.in_hand = []

    async def step(self):
        self.in_hand = await self.leases.claim(self.settings.name, limit=1, ttl=self.settings.lease)
        for lease in self.in_hand:
            try:
                done = await self.batch(streams=[lease.stream], epochs=[lease.epoch], uptos=[lease.version],
                                        holder=self.settings.name, slot=self.tools.slot, others=0)
            except Exception as error:
                if not blames_an_event(error):
                    raise
                await fail_stream(self.tools.database, lease, error=reason_of(error), most=1, others=0)
                return Step(more=True)
            for trouble in done.troubled:
                if trouble.busy:  # An append is under way: no fault of the event's.
                    await self.leases.release([lease])
                    return Step(wait=BUSY_S)
                await fail_stream(self.tools.database, lease, error=trouble.reason, most=1, others=0)
            return Step(done.events, more=True)
        return Step(quiet=True)

    async def renew(self):
        await self.leases.renew(self.in_hand, ttl=self.settings.lease)

    async def release(self):
        await self.leases.release(self.in_hand)

    async def exhausted(self):
        return True


MAKE = OneByOne
'''

REFUSED: Final = "STRATEGY='theirs.one_by_one' is not usable: expected"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Somebody's folder, beside no file of ours."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "one_by_one.py").write_text(ONE_BY_ONE)
    return tmp_path


async def run_it(stage: Stage, folder: Path, **variables: str) -> Ended:
    return await run(stage.url, "--once", **{"STRATEGY": "theirs.one_by_one", "PYTHONPATH": str(folder), **variables})


async def test_a_job_runs_to_the_end_by_it(stage: Stage, folder: Path) -> None:
    for number in range(3):
        await stage.append(f"todo-{number}", *life("a", "b", deleted=number == 2))

    ended = await run_it(stage, folder)

    assert ended.code == 0, ended.err
    await stage.assert_right()
    [worker] = (await stage.stats()).projectors
    assert (worker.strategy, worker.mode, worker.batches, worker.claims) == ("theirs.one_by_one", "parallel", 3, 3)


async def test_a_projector_that_stays_works_by_it_beside_the_default(stage: Stage, folder: Path) -> None:
    told = {"STRATEGY": "theirs.one_by_one", "PYTHONPATH": str(folder)}
    async with projector(stage, folder / "theirs.log", **told), projector(stage, folder / "ours.log"):
        for number in range(5):
            await stage.append(f"todo-{number}", CREATED)
            await stage.append(f"todo-{number}", UPDATED)
        await until(stage.projected, "all to be projected")
    await stage.assert_right()
    assert {one.strategy for one in (await stage.stats()).projectors} == {"theirs.one_by_one", "stream-leases"}


async def test_what_it_can_not_apply_waits_for_an_operator(stage: Stage, folder: Path) -> None:
    await stage.append("bad", POISON)
    await stage.append("good", CREATED)

    assert (await run_it(stage, folder)).code == 1

    assert [one.stream for one in (await stage.stats()).blocked] == ["bad"]
    assert await stage.versions_projected() == {"good": 1}


REFUSES: Final = """
CREATE FUNCTION refuse_bad() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN IF NEW.id = 'bad' THEN RAISE EXCEPTION 'no bad ones'; END IF; RETURN NEW; END $$
"""
EACH_OF_BOTH: Final = pytest.mark.parametrize("text", [ONE_BY_ONE, shown("An ordering strategy")], ids=["ours", "page"])


@EACH_OF_BOTH
async def test_what_spoils_a_whole_statement_waits_for_an_operator_alone(stage: Stage, folder: Path, text: str) -> None:
    (folder / "theirs" / "one_by_one.py").write_text(text)
    for stream in ("good", "bad", "fine"):
        await stage.append(stream, CREATED)
    await stage.sql(REFUSES)
    await stage.sql("CREATE TRIGGER bad BEFORE INSERT ON todos FOR EACH ROW EXECUTE FUNCTION refuse_bad()")

    try:
        ended = await run_it(stage, folder)
    finally:
        await stage.sql("DROP FUNCTION refuse_bad CASCADE")

    assert ended.code == 1, ended.err
    assert [(one.stream, "no bad ones" in str(one.error)) for one in (await stage.stats()).blocked] == [("bad", True)]
    assert await stage.versions_projected() == {"good": 1, "fine": 1}


@EACH_OF_BOTH
async def test_it_holds_nothing_before_it_was_prepared(stage: Stage, folder: Path, text: str) -> None:
    namespace: dict[str, Any] = {}
    exec(compile(text, "one_by_one.py", "exec"), namespace)
    settings = Settings(stage.url)
    made = namespace["MAKE"](Tools(stage.database, settings, 0, SetHandler(read_models.load(settings.read_models))))
    await made.renew()
    await made.release()


@pytest.mark.parametrize(
    ("changed", "variables", "why"),
    [
        (
            ("SERIAL = False", ""),
            {},
            f"{REFUSED} a strategy, which says SERIAL",
        ),
        (
            ("MAKE = OneByOne", ""),
            {},
            f"{REFUSED} a strategy, which says in MAKE",
        ),
        (("", ""), {"STRATEGY": "theirs.no_such"}, "STRATEGY='theirs.no_such' is not usable: expected one of"),
        (("class OneByOne:", "import no_such_library\n\n\nclass OneByOne:"), {}, "no_such_library"),
        (("class OneByOne:", "raise RuntimeError('no disk')\n\n\nclass OneByOne:"), {}, "RuntimeError: no disk"),
        (("self.tools = tools", "raise KeyError('no key')"), {}, "a strategy that can be made (KeyError: 'no key')"),
        (("class OneByOne:", "class OneByOne(:"), {}, f"{REFUSED} a module that can be imported (SyntaxError"),
        (("", ""), {"SERIAL_PROJECTION": "true"}, "global-order in serial mode"),
        (("", ""), {"HANDLER_LATENCY_MS": "5"}, "a handler that costs time needs a lease"),
    ],
    ids=[
        *("no constant", "not made", "not there", "not importable", "raises", "can not be made", "not Python"),
        *("of the other mode", "of no such handler"),
    ],
)
async def test_what_is_no_strategy_is_refused_by_name(
    stage: Stage, folder: Path, changed: tuple[str, str], variables: dict[str, str], why: str
) -> None:
    (folder / "theirs" / "one_by_one.py").write_text(ONE_BY_ONE.replace(*changed))
    ended = await run_it(stage, folder, **variables)
    assert ended.code == 2, ended.err
    assert why in ended.err
    assert "Traceback" not in ended.err
    assert (await stage.stats()).projectors == []


@pytest.mark.parametrize(
    ("package", "module", "why"),
    [
        ("raise RuntimeError('no disk')", "", "in a package that can be imported (RuntimeError: no disk)"),
        ("", "def apply(:", "a module that can be imported (SyntaxError: "),
        ("", "READ_MODEL = 5", "a module with a projection.read_model.ReadModel as READ_MODEL"),
    ],
)
async def test_what_is_no_read_model_is_refused_by_name(
    stage: Stage, folder: Path, package: str, module: str, why: str
) -> None:
    (folder / "broken").mkdir()
    (folder / "broken" / "__init__.py").write_text(package)
    (folder / "broken" / "lengths.py").write_text(module)
    told = {"READ_MODELS": "todos,broken.lengths", "HANDLER": "each", "PYTHONPATH": str(folder)}
    ended = await run(stage.url, "--once", **told)
    assert (ended.code, ended.err.count("\n")) == (2, 1), ended.err
    assert ended.err.startswith("READ_MODELS='broken.lengths' is not usable: expected a module ")
    assert why in ended.err
