"""Strategies and read models that come with us are refused by no projector, so that a run need not ask one before."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from bench.platforms import preparation
from bench.preflight.settings import Settings
from services.projector import read_models, strategies
from settings import plugins
from settings.catalogue.projection import READ_MODELS, HandlerKind
from settings.strategies import offered


@pytest.mark.parametrize("handler", get_args(HandlerKind))
def test_each_handler_can_have_all_read_models(handler: HandlerKind) -> None:
    names = plugins.offered(READ_MODELS.package)
    assert [model.name for model in read_models.applied_by(handler, names)] == list(names)


@pytest.mark.parametrize("strategy", offered())
def test_each_strategy_can_be_made(strategy: str) -> None:
    assert callable(strategies.maker(strategy))


def test_a_projector_is_asked_for_somebodys_own_modules_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Asked(Exception):
        pass

    def ask(*_: object, **__: object) -> None:
        raise Asked

    monkeypatch.setattr(preparation, "ask", ask)
    settings = Settings.from_env({}, scenario="throughput", mode=None)
    preparation.require_modules(settings)
    with pytest.raises(Asked):
        preparation.require_modules(replace(settings, read_models=("todos", "mine.own")))
