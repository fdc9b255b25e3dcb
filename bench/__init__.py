"""The bench: starts a system and its load, judges it by an oracle, and reports. It imports no service."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
"""The checkout: where every command is started."""
