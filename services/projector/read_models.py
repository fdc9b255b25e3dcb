"""The read models that projectors keep and operator commands undo, all in the same transactions (`READ_MODELS`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from projection.read_model import ReadModel, ReadModels
from projection.statement.each.handler import EachHandler
from projection.statement.handler import Handler, SetHandler
from services.projector.settings import Settings
from settings import SettingError, plugins
from settings.catalogue.projection import HANDLER, READ_MODELS, HandlerKind

ATTRIBUTE: Final = "READ_MODEL"
"""What a module of a read model calls it."""


def load(names: Sequence[str]) -> ReadModels:
    """The read models of these names. Raises SettingError that names READ_MODELS."""
    return tuple(_load(name) for name in names)


def _load(name: str) -> ReadModel:
    model = getattr(plugins.load(READ_MODELS.name, READ_MODELS.package, name), ATTRIBUTE, None)
    if not isinstance(model, ReadModel):
        raise SettingError(READ_MODELS.name, name, f"a module with a projection.read_model.ReadModel as {ATTRIBUTE}")
    return model


def applied_by(handler: HandlerKind, names: Sequence[str]) -> ReadModels:
    """The read models of these names. Raises SettingError where one has not the form that HANDLER says."""
    models = load(names)
    lacking = [model.name for model in models if not (model.apply if handler == "each" else model.effect)]
    if lacking:
        other, form = ("set", "apply") if handler == "each" else ("each", "effect")
        expected = f"{other}: read model {' and '.join(lacking)} has no `{form}`"
        raise SettingError(HANDLER.name, handler, expected)
    return models


def handler(settings: Settings) -> Handler:
    """How events take effect. Raises SettingError as `applied_by`."""
    models = applied_by(settings.handler, settings.read_models)
    if settings.handler == "each":
        return EachHandler(models, pause=settings.lease)
    return SetHandler(models)
