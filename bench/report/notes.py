"""What bends the numbers of a run, or stands beside them: the lines under its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.preflight.description import durable
from bench.report.words import after, whole
from metrics.records.fault import Injected
from metrics.records.result import Result
from settings.tracing import traced


def notes(result: Result, postgres: Mapping[str, Any], fault: Injected | None, cut: str) -> list[dict[str, Any]]:
    """Each with its text, and whether it warns. `cut` says what the samples lack."""
    settings = result.settings
    found = [{"text": f"handler latency {settings.get('HANDLER_LATENCY_MS', 0)} ms an event", "warns": False}]
    found[0]["warns"] = bool(settings.get("HANDLER_LATENCY_MS"))
    if (shards := settings.get("SHARDS", 1)) != 1:
        found.append({"text": f"{shards} shards: whole stores, each stream in one of them", "warns": False})
    return [*found, *_warnings(*_texts(result, postgres), *result.warnings, *_struck(fault), cut)]


def _texts(result: Result, postgres: Mapping[str, Any]) -> list[str]:
    settings, texts = result.settings, []
    if (handler := settings.get("HANDLER", "set")) != "set":
        texts.append(f"handler {handler}: a function for each event")
    if (models := settings.get("READ_MODELS", "todos")) != "todos":
        texts.append(f"read models {models}, kept in the same transactions")
    if postgres and not durable(postgres):
        texts.append("not durable: fsync or synchronous_commit is off")
    if traced(settings):
        texts.append("traced: the API and the projectors exported spans while they were measured")
    if settings.get("LOG_LEVEL") == "debug":
        texts.append("LOG_LEVEL=debug: the services logged all that they did")
    if result.generator.saturated:
        texts.append("the load generator was saturated: its throughput is a lower bound of the server's")
    if dropped := result.generator.dropped_points:
        texts.append(f"{whole(dropped)} points never reached InfluxDB; this bundle has them")
    return texts


def _struck(fault: Injected | None) -> list[str]:
    return [] if fault is None else [f"in the load phase {fault.what}{after(fault)}"]


def _warnings(*texts: str) -> list[dict[str, Any]]:
    return [{"text": text, "warns": True} for text in texts if text]
