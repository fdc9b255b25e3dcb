"""The stack's .env: made from .env.example with fresh random secrets, or completed with those that are missing."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from bench.ends.errors import SetupError
from bench.platforms.compose.compose import SECRETS


def read(path: Path) -> dict[str, str]:
    """The variables of a .env file, empty if there is none. References (`${OTHER}`) are left to Compose.

    Raises SetupError for a file that can not be read.
    """
    return {name: value or "" for name, value in dotenv_values(stream=StringIO(_text(path)), interpolate=False).items()}


def _text(path: Path) -> str:
    """The file as it is, its line ends too; without the byte order mark, which Task does not take."""
    try:
        return path.read_bytes().decode("utf-8-sig") if path.exists() else ""
    except UnicodeDecodeError as error:
        raise SetupError(str(path), f"byte {error.start} is no UTF-8", "save it as UTF-8") from error
    except OSError as error:
        raise SetupError(str(path), f"can not be read: {error.strerror}", "move it away, and run `task up`") from error


def missing(path: Path, variables: Mapping[str, str]) -> list[str]:
    """The secrets that neither the file nor the environment sets."""
    known = read(path)
    return [name for name in SECRETS if not known.get(name) and not variables.get(name)]


def complete(path: Path, example: Path, names: Iterable[str], *, cores: int) -> None:
    """Give the named secrets random values in the file; a new file starts as a copy of the example.

    Only its owner can read it, and no moment shows half of it. `cores` bounds each container in a new file.
    """
    new = not path.exists()
    text = _text(example if new else path)
    end = "\r\n" if "\r\n" in text else "\n"
    values = {name: secrets.token_hex(16) for name in names}
    if new:
        text = re.sub(r"^#STACK_CPUS=\S+$", f"STACK_CPUS={cores}", text, flags=re.MULTILINE)
    for name, value in values.items():
        text, found = re.subn(rf"^{name}=[ \t]*(?=\r?$)", f"{name}={value}", text, flags=re.MULTILINE)
        if not found:
            text = f"{text.rstrip()}{end}{name}={value}{end}"
    scratch = path.with_suffix(".new")
    scratch.touch(mode=0o600)
    scratch.write_bytes(text.encode())
    os.replace(scratch, path)
