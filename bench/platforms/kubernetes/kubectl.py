"""`kubectl` in one namespace: asked within a time, its answers read as JSON, its refusals told in one line."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any, Final

from bench import ROOT
from bench.ends.bounded import NoAnswer, ask
from bench.ends.errors import SetupError
from settings.children import KUBECTL

ANSWER_S: Final = 60.0
"""How long a question may take; who waits for something in the cluster says by `within_s` how long."""
NAME: Final = "kubectl"


class Kubectl:
    """The user's own `kubectl`, with his context and his rights. `namespace` None: that of each manifest."""

    def __init__(self, namespace: str | None = None) -> None:
        self.namespace: Final = namespace
        self.variables: Final[Mapping[str, str]] = KUBECTL.environment()

    def command(self, *arguments: str) -> list[str]:
        """The command line, for whoever starts it."""
        return [NAME, *([] if self.namespace is None else ["--namespace", self.namespace]), *arguments]

    def call(self, *arguments: str, within_s: float = ANSWER_S) -> subprocess.CompletedProcess[str]:
        """Run it to its end; what it prints is kept. Raises SetupError where it does not end in time."""
        try:
            return ask(self.command(*arguments), self.variables, cwd=ROOT, within_s=within_s)
        except NoAnswer as silence:
            raise SetupError(f"kubectl {arguments[0]}", str(silence), "see whether the cluster answers") from None

    def run(self, *arguments: str, within_s: float = ANSWER_S) -> str:
        """What it prints. Raises SetupError with its last line of complaint where it fails."""
        done = self.call(*arguments, within_s=within_s)
        if done.returncode != 0:
            raise SetupError(
                f"kubectl {arguments[0]}", complaint(done.stderr), f"see `{_shown(self.command(*arguments))}`"
            )
        return done.stdout

    def documents(self, *arguments: str) -> list[dict[str, Any]]:
        """The objects that it prints as JSON, one after another or in a list. Raises SetupError."""
        text = self.run(*arguments, "--output", "json").strip()
        found: list[dict[str, Any]] = []
        try:
            while text:
                document, end = json.JSONDecoder().raw_decode(text)
                found += document["items"] if document["kind"].endswith("List") else [document]
                text = text[end:].lstrip()
        except (ValueError, KeyError, TypeError):
            said = f"an answer that can not be read: {text[:80]!r}"
            raise SetupError(f"kubectl {arguments[0]}", said, "see whether this is the real kubectl") from None
        return found


def connect(namespace: str | None = None) -> Kubectl:
    """The user's kubectl. Raises SetupError where there is none, or no cluster answers."""
    if shutil.which(NAME) is None:
        raise SetupError(NAME, "is not installed", "install it, or unset PLATFORM")
    kubectl = Kubectl(namespace)
    kubectl.run("get", "--raw", "/readyz")
    return kubectl


def complaint(text: str) -> str:
    """The line of an output that says what is wrong: the last one that is not empty."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines or ["no reason given"])[-1]


def _shown(line: list[str]) -> str:
    """As much of a command line as a person needs to find it again."""
    return " ".join(line[:6])
