"""List of the shipped scenarios, for `python -m bench run --list`, and a scenario as an argument."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table
from rich.text import Text

from settings import SettingError
from settings.scenarios import reader


def a_scenario(text: str) -> str:
    """An argument that names a scenario, read once to its end so that a bad one is refused by its argument."""
    try:
        reader.load(text)
    except SettingError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def show(console: Console) -> None:
    """Print every scenario with its users, how long it loads, and what it is."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("scenario", "VUS", "DURATION", "what it does"):
        table.add_column(column)
    for scenario in map(reader.load, reader.names()):
        users, duration = (scenario.settings.get(name, "") for name in ("VUS", "DURATION"))
        table.add_row(scenario.name, users, duration, Text(scenario.description))
    console.print(table)
    console.print(Text("One of your own: python -m bench run PATH.toml"), soft_wrap=True)
