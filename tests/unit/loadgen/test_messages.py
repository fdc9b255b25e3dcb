"""The line between the supervisor and its children."""

from __future__ import annotations

import pytest

from services.loadgen.messages import decode, encode


def test_a_message_is_one_line_and_comes_back() -> None:
    message = {"event": "sample", "text": "line\nbreak", "value": 1.5}
    line = encode(message)
    assert line.count(b"\n") == 1
    assert decode(line) == message


@pytest.mark.parametrize("line", [b"Type  Name  # reqs\n", b"{not json}\n", b'{"no": "event"}\n', b"[1]\n", b"\n"])
def test_chatter_is_no_message(line: bytes) -> None:
    assert decode(line) is None
