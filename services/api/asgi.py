"""What each worker process of the server loads."""

from __future__ import annotations

import os

from litestar.types import ASGIApp

from services import gc_policy, telemetry
from services.api.app import create_asgi
from services.api.settings import Settings
from services.logs import set_up


def application() -> ASGIApp:
    """The application, set up from the environment, which `__main__` has checked."""
    settings = Settings.from_env(os.environ)
    set_up(settings.log_level, "api")
    made = create_asgi(settings, telemetry.start(os.environ, "api"))
    gc_policy.run_rarely()
    return made
