"""What stands around a measured system and acts on it, though it is no setting of it: by name, as a bundle tells it."""

from __future__ import annotations

from bench.compare.loaded import Loaded
from settings.catalogue.influx import INFLUX_URL
from settings.catalogue.load import BASE_URL
from settings.catalogue.observation import LOG_LEVEL
from settings.tracing import traced

TOLD = "influx.json"


def surroundings(trial: Loaded) -> dict[str, object]:
    """Each by its name; what an older bundle does not tell is what a run has unless it is asked for."""
    settings = trial.result.settings
    return {
        "tracing": "on" if traced(settings) else "off",
        LOG_LEVEL.name: settings.get(LOG_LEVEL.name) or LOG_LEVEL.default,
        "InfluxDB": "told" if settings.get(INFLUX_URL.name) or (trial.folder / TOLD).exists() else "none",
        "nice": trial.machine.get("nice", 0),
        "system": "started for the run" if settings.get(BASE_URL.name) == "embedded" else "at BASE_URL",
        "database": _database(str(trial.postgres.get("source"))),
        "TLS to the database": "on" if trial.postgres.get("tls") else "off",
    }


def unlike(one: Loaded, other: Loaded) -> list[str]:
    """The names in which two differ, each with both values."""
    first, second = surroundings(one), surroundings(other)
    return [f"{name}: {first[name]} and {second[name]}" for name in first if first[name] != second[name]]


def _database(source: str) -> str:
    if source == "DATABASE_URL":
        return "of DATABASE_URL"
    return "the stack's" if source.startswith("the stack") else "throw-away"
