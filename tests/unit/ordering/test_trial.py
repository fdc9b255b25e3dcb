"""What ends a trial: an error of the store is its failure, whatever else is a defect."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from bench.answers.ordering import trial
from bench.answers.ordering.strategies import watermark
from bench.answers.ordering.trial import Terms, measure
from bench.ends.errors import RunFailed

TERMS = Terms(seconds=0.5, writers=2, stall_s=0.1, seed=1)
GONE = OSError("the server is gone")
DEFECT = ZeroDivisionError("division by zero")


async def ended_by(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    async def connect(*_: Any, **__: Any) -> asyncpg.Connection:
        raise error

    monkeypatch.setattr(trial, "connect", connect)
    await measure("", "", watermark.STRATEGY, TERMS, 1)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (GONE, "OSError: the server is gone"),
        (asyncpg.UndefinedTableError("no such table"), "UndefinedTableError: no such table"),
        (ExceptionGroup("tasks", [GONE, asyncpg.InterfaceError("closed")]), "OSError: the server is gone"),
        (ExceptionGroup("tasks", [ExceptionGroup("theirs", [GONE])]), "OSError: the server is gone"),
    ],
)
async def test_an_error_of_the_store_is_a_failed_run(
    error: Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RunFailed) as failed:
        await ended_by(error, monkeypatch)
    assert str(failed.value) == told


@pytest.mark.parametrize("errors", [[DEFECT], [GONE, DEFECT], [ExceptionGroup("theirs", [GONE, DEFECT])]])
async def test_a_defect_of_any_task_is_raised(errors: list[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ExceptionGroup) as raised:
        await ended_by(ExceptionGroup("tasks", errors), monkeypatch)
    assert raised.value.subgroup(ZeroDivisionError) is not None
    with pytest.raises(ZeroDivisionError):
        await ended_by(DEFECT, monkeypatch)
