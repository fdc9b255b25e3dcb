"""The read models that projectors keep and operator commands undo, all in the same transactions."""

from __future__ import annotations

from typing import Final

from projection.read_model import ReadModels
from todo.read_models.todos import READ_MODEL as TODOS

READ_MODELS: Final[ReadModels] = (TODOS,)
