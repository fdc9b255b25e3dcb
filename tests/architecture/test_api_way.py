"""What is drawn is what runs: nothing answers ahead of Litestar, with or without tracing."""

from __future__ import annotations

import pytest
from litestar import Litestar

from services.api.app import create_asgi
from services.api.settings import Settings
from services.tracing import Tracing

SETTINGS = Settings(database_url="postgresql://nobody@127.0.0.1/none")


@pytest.mark.parametrize("traced", [False, True])
async def test_the_server_runs_litestar_inside_of_the_access_log(traced: bool) -> None:
    tracing = Tracing("api") if traced else None
    assert type(create_asgi(SETTINGS, tracing).app) is Litestar
    if tracing:
        tracing.close()
