"""`python -m services.projector.check`: judge STRATEGY, HANDLER and READ_MODELS by their modules, without a database.

The exit code is 0 where a projector could be made of them, or 2, with one line that names the setting.
"""

from __future__ import annotations

import os
import sys
from typing import cast

from services.projector import read_models, strategies
from services.projector.endings import Ending
from settings import Environment, SettingError
from settings import strategies as named
from settings.catalogue.projection import HANDLER, READ_MODELS, HandlerKind
from settings.command_line import terminal
from settings.hiding import hider


def main() -> int:
    """Load each. Returns the exit code."""
    env = Environment(os.environ)
    try:
        strategies.maker(named.read(env))
        read_models.applied_by(cast(HandlerKind, HANDLER.read(env)), READ_MODELS.read(env))
    except SettingError as error:
        print(hider(os.environ)(str(error)), file=sys.stderr)
        return Ending.REFUSED
    return Ending.DONE


if __name__ == "__main__":
    terminal.forgive()
    sys.exit(main())
