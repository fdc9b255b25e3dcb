"""Messages between the supervisor and its children: one JSON object a line, over standard input and output."""

from __future__ import annotations

import json
import sys
from typing import Any

Message = dict[str, Any]

LIMIT = 2**26


def encode(message: Message) -> bytes:
    """One line, newline included."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message | None:
    """The message of a line; None for a line that is none, such as a library's chatter."""
    if not line.startswith(b"{"):
        return None
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) and "event" in message else None


def send(message: Message) -> None:
    """Write a message to standard output, at once."""
    sys.stdout.buffer.write(encode(message))
    sys.stdout.buffer.flush()
