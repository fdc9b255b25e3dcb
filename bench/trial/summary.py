"""The table at the end of a run, for a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bench.report import staleness
from bench.report.observer import FILE
from bench.report.words import WORDS, after, measured, milliseconds, took, whole, worked_off
from bench.trial.resources.section import shares
from metrics.reading import read_optional
from metrics.records.fault import Injected
from metrics.records.result import Percentiles, Result, Visibility
from metrics.records.sections.target import UNSEEN
from settings.tracing import traced


def show(console: Console, result: Result, folder: Path, missing: Mapping[str, str] = MappingProxyType({})) -> None:
    """Print verdict, numbers (only those of a sound run), where the bundle is, and which of its files are missing."""
    good = result.sound
    console.print()
    verdict = Text(f" {WORDS[result.verdict].upper()} ", style="bold white on green" if good else "bold white on red")
    console.print(verdict, Text(measured(result)))
    for doubt in result.doubts:
        console.print(Text(f"doubt   {doubt}", style="bold yellow"), soft_wrap=True)
    if good:
        console.print(_table(result))
    else:
        console.print(escape(result.why), highlight=False, soft_wrap=True)
    _show_fault(console, folder / "fault.json")
    for label, name in (("report", "report.html"), ("result", "result.json")):
        if name not in missing:
            console.print(Text(f"{label}  {folder / name}"), soft_wrap=True)
    for name, reason in missing.items():
        console.print(Text(f"missing {folder / name}: {reason}", style="bold red"), soft_wrap=True)
    _show_observer(console, folder / FILE)


def _show_fault(console: Console, path: Path) -> None:
    """The fault that was injected, and how work went on."""
    fault = read_optional(path, Injected)
    if fault is not None:
        console.print(Text(f"fault   {fault.what}{after(fault)}"), soft_wrap=True)


def _show_observer(console: Console, path: Path) -> None:
    """Where InfluxDB was told: the dashboard with this run, and what was lost on the way."""
    if not path.exists():
        return
    told = json.loads(path.read_text(encoding="utf-8"))
    console.print(Text(f"watch   {told['dashboard']}"), soft_wrap=True)
    if told["trouble"]:
        console.print(Text(f"note    {whole(told['dropped'])} points dropped: {told['trouble']}"), soft_wrap=True)


def _table(result: Result) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    t, c, k = result.throughput, result.convergence, result.correctness
    table.add_row("actions", f"{whole(t.actions_per_s)} /s", _percentiles(result.latency_ms.actions))
    table.add_row("reads", f"{whole(t.reads_per_s)} /s", _percentiles(result.latency_ms.reads))
    table.add_row(
        "write to visible", f"{whole(result.visibility_ms.samples)} samples", _percentiles(result.visibility_ms)
    )
    for number, sentence in enumerate(staleness.sentences(result.staleness)):
        table.add_row("" if number else "staleness", "", sentence)
    if told := staleness.waterfall(result.waterfall_ms):
        table.add_row("its stages", "p50", told)
    table.add_row("backlog", f"p50 {whole(result.backlog.p50)}", f"max {whole(result.backlog.max)} events")
    lag = result.projection_lag
    table.add_row("projection lag", f"p50 {whole(lag.p50)}", f"max {whole(lag.max)}, final {whole(lag.final)} todos")
    table.add_row("convergence", took(c), worked_off(c))
    proof = f"{whole(k.acknowledged_checked)} acknowledged writes read back"
    if k.events_checked:
        proof = f"{whole(k.events_checked)} events folded again, {proof}"
    table.add_row("faults", Text(str(k.faults), style="bold green"), proof)
    if result.proof != "store":
        table.add_row("proof", result.proof, f"can not see {UNSEEN[result.proof]}")
    table.add_row("errors", whole(t.errors), f"{whole(t.rejected)} refused by the rules")
    if (used := result.resources) is not None and used.busy_share is not None:
        table.add_row("why", f"{used.busy_share:.0%} busy", used.bounded_by or shares(used))
    if (cost := result.generator.cpu_us_per_request) is not None:
        table.add_row("generator", f"{cost:.0f} µs", "of CPU a request")
    for warning in result.warnings:
        table.add_row("note", "database", warning)
    if (shards := result.settings.get("SHARDS", 1)) != 1:
        table.add_row("shards", str(shards), "whole stores, each stream in one of them")
    latency = result.settings.get("HANDLER_LATENCY_MS", 0)
    table.add_row("handler latency", f"{latency} ms", "artificial, an event")
    if (handler := result.settings.get("HANDLER", "set")) != "set":
        table.add_row("handler", handler, "a function for each event")
    if (models := result.settings.get("READ_MODELS", "todos")) != "todos":
        table.add_row("read models", models, "kept in the same transactions")
    if traced(result.settings):
        table.add_row("note", "traced", "the API and the projectors exported spans while they were measured")
    if result.generator.saturated:
        table.add_row(
            "note", "saturated", "the load generator set the pace: throughput is a lower bound of the server's"
        )
    return table


def _percentiles(p: Percentiles | Visibility) -> str:
    if not p.max:
        return "–"
    values = (("p50", p.p50), ("p95", p.p95), ("p99", p.p99), ("max", p.max))
    return "  ".join(f"{name} {milliseconds(value)}" for name, value in values) + " ms"
