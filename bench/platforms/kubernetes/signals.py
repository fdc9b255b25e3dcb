"""Signals to the process of a container, from within: a shared process namespace has it under a number of its own."""

from __future__ import annotations

import signal
from typing import Final

from bench.platforms.kubernetes.kubectl import Kubectl

SEND: Final = """
import os, sys
module, number = sys.argv[1].encode(), int(sys.argv[2])
parents, lines = {}, {}
for entry in os.listdir("/proc"):
    if entry.isdigit() and int(entry) not in (1, os.getpid()):
        try:
            lines[int(entry)] = open(f"/proc/{entry}/cmdline", "rb").read().split(b"\\0")
            parents[int(entry)] = int(open(f"/proc/{entry}/stat").read().rpartition(")")[2].split()[1])
        except OSError:
            continue
hit = {pid for pid, line in lines.items() if line[1:3] == [b"-m", module]}
while more := {pid for pid, parent in parents.items() if parent in hit} - hit:
    hit |= more
for pid in hit:
    os.kill(pid, number)
sys.exit(0 if hit else 3)
"""
"""Carried out by the container's own Python: `python -m MODULE` and all that it has started get the signal."""


def command(kubectl: Kubectl, pod: str, container: str, number: signal.Signals) -> list[str]:
    """The command line that sends it. Its exit code is 3 where there is no such process."""
    program = ["python", "-c", SEND, f"services.{container}", str(number.value)]
    return kubectl.command("exec", pod, "--container", container, "--", *program)


def send(kubectl: Kubectl, pod: str, container: str, number: signal.Signals) -> None:
    """Send it, and return when it is sent. Raises SetupError."""
    kubectl.run(*command(kubectl, pod, container, number)[len(kubectl.command()) :])
