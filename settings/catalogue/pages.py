"""Settings as people and Compose read them, written from the catalogue: `.env.example`, README's table, compose.yaml.

Each function is pure: a text comes in where only a part of it is ours, and the whole text comes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, get_args

from settings import catalogue
from settings.catalogue.kinds import Reader, Setting, StackSecret

HEAD: Final = """\
# Copy to .env, or set in the environment. What is commented out shows the default. `task up` makes .env by itself.
# A comment stands on a line of its own, above its setting: after an empty value Task and Compose take it for the value.
# A value with `#`, `$`, quotes or spaces goes in single quotes. `task docs` writes this file from settings/catalogue.
"""

_TABLE: Final = re.compile(r"^\| variable \| default \| meaning \|\n(?:\|.*\n)+", re.MULTILINE)
_TELEMETRY: Final = re.compile(r"^x-telemetry: &telemetry\n(?:  .*\n)+", re.MULTILINE)


def example() -> str:
    """`.env.example`: every setting with a line above it that says what it is."""
    parts = []
    for subject in catalogue.SUBJECTS:
        lines = [line for setting in catalogue.of(subject) if setting.shown for line in _lines(setting)]
        parts.append("\n".join([f"# {subject.HEADING}", *lines]))
    return HEAD + "".join(f"\n{part}\n" for part in parts)


def _lines(setting: Setting) -> Iterator[str]:
    value = setting.written if setting.example is None else setting.example
    yield f"# {_told(setting)}"
    yield f"{setting.name}=" if isinstance(setting, StackSecret) else f"#{setting.name}={value}"


def _told(setting: Setting) -> str:
    words = re.findall(r"[\w-]+", setting.allowed)
    allowed = "" if all(word in setting.meaning for word in words) else f" ({setting.allowed})"
    return f"{setting.meaning}{allowed}{f'; unset: {setting.unset}' if setting.unset else ''}"


def readme(text: str) -> str:
    """README.md with its table of the settings that matter most."""
    rows = [
        f"| `{setting.name}` | {_default(setting)} | {setting.meaning} |"
        for setting in catalogue.every()
        if setting.lead
    ]
    table = "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows, ""])
    return _TABLE.sub(lambda _: table, text)


def _default(setting: Setting) -> str:
    return setting.unset or (f"`{setting.written}`" if setting.written else "unset")


def compose(text: str) -> str:
    """compose.yaml, each service of ours with the variables that it passes on: named without a value."""
    telemetry = _telemetry()
    block = "".join(["x-telemetry: &telemetry\n", *(f"  {name}:\n" for name in telemetry)])
    text = _TELEMETRY.sub(lambda _: block, text)
    for service in get_args(Reader):
        passed = [setting.name for setting in catalogue.every() if setting.passes_the_stack(service)]
        text = _with_environment(text, service, [name for name in passed if name not in telemetry])
    return text


def _telemetry() -> list[str]:
    """What every traced process is given alike."""
    named = [setting for setting in catalogue.every() if setting.name.startswith("OTEL_")]
    return [setting.name for setting in named if setting.passes_the_stack("api")]


def _with_environment(text: str, service: str, names: Sequence[str]) -> str:
    """The text with just these names without a value in the service's environment, where the first of them stood."""
    before = rf"^  {service}:\n(?:(?!  \S).*\n)*?    environment:\n"
    found = re.search(rf"{before}(?P<block>(?:      .*\n)+)", text, re.MULTILINE)
    if found is None:
        return text
    lines = found["block"].splitlines(keepends=True)
    bare = [bool(re.fullmatch(r"      [A-Z][A-Z0-9_]*:\n", line)) for line in lines]
    at = bare.index(True) if True in bare else len(lines)
    kept = [line for line, is_bare in zip(lines, bare, strict=True) if not is_bare]
    block = [*kept[:at], *(f"      {name}:\n" for name in names), *kept[at:]]
    return text[: found.start("block")] + "".join(block) + text[found.end("block") :]
