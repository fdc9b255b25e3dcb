"""Progress display of a run: a live panel on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

BARS: Final = "▁▂▃▄▅▆▇█"
WIDTH: Final = 40
LINE_EVERY_S: Final = 5.0
PHASES: Final = ("warmup", "load", "hold", "convergence", "verification")
# Name in the sample, label, unit, decimals.
SHOWN: Final = (
    ("actions_per_s", "actions", "/s", 0),
    ("reads_per_s", "reads", "/s", 0),
    ("action_p99_ms", "action p99", "ms", 1),
    ("projection_lag", "projection lag", "todos", 0),
    ("backlog", "backlog", "events", 0),
    ("visibility_p50_ms", "visibility p50", "ms", 1),
)

Sample = Mapping[str, Any]


class Progress(Protocol):
    """Told what happens, step by step and second by second."""

    def step(self, text: str) -> None:
        """Something begins that takes a moment."""
        ...

    def samples(self, samples: Iterable[Sample]) -> None:
        """New samples of the load generator, oldest first; none is fine."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def progress(console: Console, title: str) -> Progress:
    """The panel for a terminal, lines for everything else."""
    return Screen(console, title) if console.is_terminal else Lines(console)


def sparkline(values: Iterable[float | None]) -> str:
    """The values as bars, scaled to the largest; unknown ones are blank."""
    known = list(values)
    top = max((value for value in known if value is not None), default=0)
    return "".join(" " if v is None else BARS[min(7, int(v / top * 7.999))] if top > 0 else BARS[0] for v in known)


def figure(value: float | None, unit: str, decimals: int) -> str:
    """A number with its unit, or a dash."""
    if value is None:
        return "–"
    return f"{value:,.{decimals}f}{'' if unit.startswith('/') else ' '}{unit}"


class Lines:
    """One line a step, and one every few seconds and at each change of phase."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._phase = ""
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def step(self, text: str) -> None:
        """Print the step."""
        self._console.print(Text(f"· {text}"), soft_wrap=True)

    def samples(self, samples: Iterable[Sample]) -> None:
        """Print the newest sample if it is time."""
        for sample in samples:
            if sample["phase"] != self._phase or sample["elapsed_s"] >= self._next:
                self._phase, self._next = sample["phase"], sample["elapsed_s"] + LINE_EVERY_S
                figures = ", ".join(f"{label} {figure(sample.get(k), u, d)}" for k, label, u, d in SHOWN)
                self._console.print(Text(f"{sample['elapsed_s']:6.0f} s  {self._phase:<12} {figures}"), soft_wrap=True)


class Screen:
    """A panel that is drawn again and again: the phases, the figures of now, and how they moved."""

    def __init__(self, console: Console, title: str) -> None:
        self._title = title
        self._began = time.monotonic()
        self._steps: deque[str] = deque(maxlen=1)
        self._history: deque[Sample] = deque(maxlen=WIDTH)
        self._phase = ""
        self._live = Live(console=console, get_renderable=self.__rich__, refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)

    def step(self, text: str) -> None:
        """Show the step below the figures."""
        self._steps.append(text)

    def samples(self, samples: Iterable[Sample]) -> None:
        """Take the samples into the figures."""
        for sample in samples:
            self._history.append(sample)
            self._phase = sample["phase"]
            self._steps.clear()

    def __rich__(self) -> RenderableType:
        step = Text(f"… {self._steps[-1]}" if self._steps else "", style="dim")
        parts: list[RenderableType] = [self._phases(), self._figures(), step] if self._history else [step]
        elapsed = f"{time.monotonic() - self._began:.0f} s"
        return Panel(Group(*parts), title=Text(self._title, style="bold"), subtitle=elapsed, width=86)

    def _phases(self) -> Text:
        line = Text()
        for phase in PHASES:
            line.append(f" {phase} ", style="reverse bold cyan" if phase == self._phase else "dim")
            line.append(" ")
        return line

    def _figures(self) -> Table:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        newest = self._history[-1]
        for key, label, unit, decimals in SHOWN:
            bars = sparkline(sample.get(key) for sample in self._history)
            table.add_row(label, Text(figure(newest.get(key), unit, decimals), justify="right"), Text(bars, "cyan"))
        return table
