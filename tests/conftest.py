"""What every test may ask for."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster import Cluster
from tests.scheduling import ByScope, scope, spread

# What the tests themselves ask and start is on this machine, whatever servers and proxies its user has.
for name in [name for name in os.environ if name.startswith(("PG", "LOCUST_", "GIT_", "OTEL_"))]:
    del os.environ[name]
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"


# Compiled once: the workers, who start with this environment, and the processes of their tests import the same.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What is imported and collected stays to the end: nothing of it is garbage, and each look through it takes a while.
gc.disable()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The run's Postgres; one for each worker of pytest-xdist."""
    with Cluster.throwaway() as running:
        yield running


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """For workers, who are given them in this order."""
    if hasattr(config, "workerinput"):
        scopes: dict[str, list[pytest.Item]] = {}
        for item in items:
            scopes.setdefault(scope(item.nodeid), []).append(item)
        items[:] = spread(scopes)


def pytest_collection_finish() -> None:
    """From now on there is garbage; what was made so far is not looked through."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByScope | None:
    """What `--dist loadfile` means here."""
    return ByScope(config, log) if config.getoption("dist", None) == "loadfile" else None
