"""Causes of failed requests: counted by kind, and the most frequent one in words, with a remedy where one is known."""

from __future__ import annotations

import errno
import os
from collections import Counter
from typing import Final

MOST: Final = 50
"""Different reasons that are counted; the rest is one."""
LONGEST: Final = 160
OTHER: Final = "something else"
UNUSABLE: Final = 300
"""From this status on an answer is no success; one below that failed has no document."""

REMEDIES: Final = {
    errno.EMFILE: "raise `ulimit -n`, or lower VUS",
    errno.ENFILE: "raise fs.file-max, or lower VUS",
    errno.EADDRNOTAVAIL: "no local port was free: widen net.ipv4.ip_local_port_range, or lower VUS",
    errno.ENOBUFS: "the machine has no memory for sockets: lower VUS",
    errno.ENOMEM: "the machine has no memory left: lower VUS",
}

KINDS: Final = (
    (os.strerror(errno.ECONNREFUSED), "refused"),
    (os.strerror(errno.ECONNRESET), "reset"),
    (os.strerror(errno.EPIPE), "reset"),
    ("timed out", "timed out"),
    ("closed before the end", "cut off"),
)
"""What an error says, and what became of the connection by it."""


class Causes:
    """Counts reasons."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def note(self, reason: str) -> None:
        """One more request failed for this reason."""
        known = reason in self._counts or len(self._counts) < MOST
        self._counts[reason if known else OTHER] += 1

    def most(self) -> str:
        """The most frequent reason and its remedy, empty when nothing failed."""
        return next((with_remedy(reason) for reason, _ in self._counts.most_common(1)), "")


def with_remedy(said: str) -> str:
    """An error's text, and what to do where it is one of the known ones."""
    remedy = next((text for number, text in REMEDIES.items() if os.strerror(number) in said), "")
    return f"{said}; {remedy}" if remedy else said


def reason(status: int, error: object) -> str:
    """Why one request failed: the status that it was answered with, or what became of its connection."""
    if status:
        return f"status {status}"
    return " ".join(f"{error}".split())[:LONGEST] if error else "no answer"


def kind(status: int, said: str) -> str:
    """A failed request in a word: its HTTP status, or by what its error said what became of its connection."""
    if status:
        return str(status) if status >= UNUSABLE else "malformed"
    return next((word for text, word in KINDS if text in said), "no answer")
