"""The stack's .env: made from .env.example with fresh random secrets, or completed with those that are missing."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.containers.compose import SECRETS


def read(path: Path) -> dict[str, str]:
    """The variables of a .env file, empty if there is none. What quotes or references mean is Compose's affair."""
    if not path.exists():
        return {}
    pairs = re.findall(r"^([A-Za-z_]\w*)=(.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: re.sub(r"\s+#.*", "", value).strip() for name, value in pairs}


def missing(path: Path, variables: Mapping[str, str]) -> list[str]:
    """The secrets that neither the file nor the environment sets."""
    known = read(path)
    return [name for name in SECRETS if not known.get(name) and not variables.get(name)]


def complete(path: Path, example: Path, names: Iterable[str], *, cores: int) -> None:
    """Give the named secrets random values in the file; a new file starts as a copy of the example.

    Only its owner can read it, and no moment shows half of it. `cores` bounds each container in a new file.
    """
    new = not path.exists()
    text = (example if new else path).read_text(encoding="utf-8")
    values = {name: secrets.token_hex(16) for name in names}
    if new:
        text = re.sub(r"^#STACK_CPUS=\S+$", f"STACK_CPUS={cores}", text, flags=re.MULTILINE)
    for name, value in values.items():
        text, found = re.subn(rf"^{name}=\s*$", f"{name}={value}", text, flags=re.MULTILINE)
        if not found:
            text = f"{text.rstrip()}\n{name}={value}\n"
    scratch = path.with_suffix(".new")
    scratch.touch(mode=0o600)
    scratch.write_text(text, encoding="utf-8")
    os.replace(scratch, path)
