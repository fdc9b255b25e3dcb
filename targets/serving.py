"""The start of a program of ours: a bad setting ends it with exit code 2 and one line, before anything is served."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

from services.api.serving.server import serve
from services.api.settings import Settings
from settings import SettingError


def start(read: Callable[[Mapping[str, str]], tuple[Settings, object]], application: str) -> int:
    """Serve an application by its dotted name until told to stop. `read` gives the API's settings, and its own."""
    try:
        settings, _ = read(os.environ)
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2
    serve(settings, application)
    return 0
