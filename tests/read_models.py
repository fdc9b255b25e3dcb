"""The read models as tests take them: the one of the default run, and both that are shipped."""

from __future__ import annotations

from typing import Final

from projection.read_model import ReadModels
from services.projector.read_models import load

READ_MODELS: Final[ReadModels] = load(("todos",))
BOTH_NAMES: Final = ("todos", "activity")
BOTH: Final[ReadModels] = load(BOTH_NAMES)
