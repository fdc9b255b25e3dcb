"""Command lines: one that can not be used is refused in one line, like a setting, with exit code 2."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final, NoReturn

REFUSED: Final = 2


def a_folder(text: str) -> Path:
    """An argument that names a folder. Empty, as an unset variable leaves it, it does not mean the working folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("expected a folder, and it is empty")
    return Path(text)


class Parser(argparse.ArgumentParser):
    """argparse without its usage text before a complaint: `--help` has it for who asks."""

    def error(self, message: str) -> NoReturn:
        """End the process: the complaint on standard error, and where to read more."""
        print(" ".join(f"{message}; see {self.prog} --help".split()), file=sys.stderr)
        sys.exit(REFUSED)
