"""Settings, machine, server and versions of a run, and the commands that repeat it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Final

from bench.report.words import revision, setting_text, settings_told, whole
from metrics.records.result import Result
from metrics.records.sections.target import NOT_CHECKED
from settings import Environment, catalogue
from settings.catalogue.kinds.setting import Setting
from settings.catalogue.load import TARGET
from settings.catalogue.projection import STRATEGY
from settings.environment import SettingError
from settings.hiding import is_secret
from settings.scenarios import reader

OF_THE_MODE: Final = ("SERIAL_PROJECTION", "STRATEGY")
"""Told by the command, and by the strategy where it is not the mode's own."""


def groups(result: Result, documents: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Tables of names and values; those of the load generator only where the run is sound."""
    versions, postgres = documents["versions"], documents["postgres"]
    settings = settings_told(result.settings)
    machine = [(name.replace("_", " "), str(value)) for name, value in documents["machine"].items()]
    built = [("revision", revision(versions)), ("python", str(versions.get("python", "–")))]
    built += list(versions.get("packages", {}).items())
    told = [("version", str(postgres.get("version", "–"))), ("from", str(postgres.get("source", "–")))]
    # A target may have none.
    server = told if postgres or result.proof == "store" else []
    server += [("TLS", "on" if postgres.get("tls") else "off")] if "tls" in postgres else []
    server += [*postgres.get("environment", {}).items(), *postgres.get("settings", {}).items()]
    target = _target(result, documents)
    tables = [
        ("Target", target),
        ("Settings", settings),
        ("Machine", machine),
        ("Postgres", server),
        ("Versions", built),
    ]
    tables.append(("Load generator", _generator(result) if result.sound else []))
    return [{"title": title, "rows": rows} for title, rows in tables if rows]


def _target(result: Result, documents: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was measured, and what its manifest says of it; no more than its name of what somebody else runs."""
    target, told, built = result.target, documents.get("target") or {}, documents["versions"].get("target") or {}
    rows = [("name", target["name"]), ("version", target["version"] or "not told"), ("class", target["class"])]
    rows += [("offers", ", ".join(target["capabilities"]) or "the required calls")]
    rows += [(name, str(told[name])) for name in ("title", "language", "store", "homepage") if name in told]
    rows += [("durable", durability(told))] if "durable" in told else []
    rows += [("to know", text) for text in told.get("know", [])]
    rows += [("lock", str(built["lock"]))] if "lock" in built else []
    return [*rows, *built.get("packages", {}).items()]


def durability(told: Mapping[str, Any]) -> str:
    """What a target says of its durability, and whether somebody looked. An older document does not tell that."""
    return f"{told['durable']} ({NOT_CHECKED})" if told.get("durable_checked") is False else str(told["durable"])


def _generator(result: Result) -> list[tuple[str, str]]:
    generator = result.generator
    cost = generator.cpu_us_per_request
    return [
        ("CPU of the generator", f"{generator.cpu_percent:.0f} % of one core"),
        ("CPU by request", f"{whole(cost)} µs" if cost else "not told"),
        ("requests begun", f"{generator.achieved_rate:,.0f} /s"),
        ("target rate", "closed loop" if generator.target_rate is None else f"{generator.target_rate:,.0f} /s"),
        ("saturated", "yes" if generator.saturated else "no"),
        ("points that InfluxDB never got", whole(generator.dropped_points)),
    ]


def commands(result: Result, versions: Mapping[str, Any]) -> list[str]:
    """What repeats the run: the revision, and the command with every setting that is not the scenario's, or default."""
    told = {name: setting_text(value) for name, value in result.settings.items() if value is not None}
    own = of_scenario(result.scenario)
    defaults = {setting.name: setting for setting in catalogue.every()}
    chosen = {
        name: text
        for name, text in told.items()
        if name in defaults and name not in OF_THE_MODE and text != "embedded" and not same(defaults[name], text, own)
    }
    ours = result.settings.get(TARGET.name, TARGET.default) == TARGET.default
    ordered = result.strategy and ours
    variables = {STRATEGY.name: result.strategy, **chosen} if ordered else chosen
    spelled = [f"{name}={given(name, text)}" for name, text in variables.items()]
    run = f"python -m bench run {shlex.quote(result.scenario)} --mode {result.mode}"
    found = versions.get("revision")
    checkout = [f"git checkout {shlex.quote(found)}"] if found else []
    return [*checkout, " ".join([*spelled, ".tools/bin/uv run", run])]


def of_scenario(name: str) -> Mapping[str, str]:
    """What a scenario that is shipped sets; of one's own, which may be another by now, nothing."""
    return reader.load(name).settings if name in reader.names() else {}


def same(setting: Setting, text: str, own: Mapping[str, str]) -> bool:
    """Whether it is what comes without being given, however it is spelled: `0` and `0s` are one duration."""
    default = own.get(setting.name, setting.written)
    if text == default or not default:
        return text == default
    try:
        first, other = (setting.read(Environment({setting.name: value})) for value in (text, default))
    except SettingError:
        return False
    return bool(first == other)


def given(name: str, text: str) -> str:
    """A value for a shell; a secret is whoever's it is to give again."""
    return "…" if is_secret(name) else shlex.quote(text)
