"""Command lines: one that can not be used is refused in one line, like a setting, with exit code 2."""

from __future__ import annotations

import argparse
import sys
from typing import Final, NoReturn

REFUSED: Final = 2


class Parser(argparse.ArgumentParser):
    """argparse without its usage text before a complaint: `--help` has it for who asks."""

    def error(self, message: str) -> NoReturn:
        """End the process: the complaint on standard error, and where to read more."""
        print(" ".join(f"{message}; see {self.prog} --help".split()), file=sys.stderr)
        sys.exit(REFUSED)
