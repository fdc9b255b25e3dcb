"""Backend messages in any pieces: notifications are left out when asked for, and every other byte passes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bench.faults.relay.notifications import NEGOTIATION, Notifications

STARTUP = struct.pack("!II", 8, 196608)
KINDS = b"RSKZ12DCTENtA"

messages = some.lists(some.tuples(some.sampled_from(KINDS), some.binary(max_size=40)), max_size=30)
cuts = some.lists(some.integers(min_value=1, max_value=30), min_size=1, max_size=60)


def packed(kind: int, body: bytes) -> bytes:
    return struct.pack("!BI", kind, 4 + len(body)) + body


def pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    """The data in pieces of these sizes, again and again."""
    found: list[bytes] = []
    while data:
        size = sizes[len(found) % len(sizes)]
        found.append(data[:size])
        data = data[size:]
    return found


def opened() -> Notifications:
    made = Notifications()
    made.asked(STARTUP)
    return made


@given(messages, cuts)
def test_all_but_notifications_pass_however_they_are_cut(sent: list[tuple[int, bytes]], sizes: list[int]) -> None:
    made = opened()
    made.swallow = True
    passed = b"".join(made.passing(piece) for piece in pieces(b"".join(packed(*one) for one in sent), sizes))
    assert passed == b"".join(packed(*one) for one in sent if one[0] != ord("A"))
    assert made.swallowed == sum(kind == ord("A") for kind, _ in sent)
    assert made.readable


@given(messages, cuts)
def test_without_being_asked_every_byte_passes_at_once(sent: list[tuple[int, bytes]], sizes: list[int]) -> None:
    made = opened()
    for piece in pieces(b"".join(packed(*one) for one in sent), sizes):
        assert made.passing(piece) == piece
    assert made.swallowed == 0


@given(messages, cuts, some.lists(some.booleans(), min_size=1, max_size=20))
def test_whenever_it_is_asked_no_other_message_is_touched(
    sent: list[tuple[int, bytes]], sizes: list[int], asked: list[bool]
) -> None:
    made, passed = opened(), b""
    for number, piece in enumerate(pieces(b"".join(packed(*one) for one in sent), sizes)):
        made.swallow = asked[number % len(asked)]
        passed += made.passing(piece)
    left = parsed(passed)
    assert [one for one in left if one[0] != ord("A")] == [one for one in sent if one[0] != ord("A")]
    assert made.swallowed == len(sent) - len(left)


def parsed(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    while data:
        kind, length = struct.unpack_from("!BI", data)
        found.append((kind, data[5 : 1 + length]))
        data = data[1 + length :]
    return found


@pytest.mark.parametrize("codes", [(NEGOTIATION[0],), (NEGOTIATION[1],), NEGOTIATION])
def test_a_refusal_of_encryption_is_no_message(codes: tuple[int, ...]) -> None:
    made = Notifications()
    made.swallow = True
    for code in codes:
        for byte in struct.pack("!II", 8, code):
            made.asked(bytes([byte]))
        assert made.passing(b"N") == b"N"
    made.asked(STARTUP)
    assert made.passing(packed(ord("A"), b"x") + packed(ord("Z"), b"I")) == packed(ord("Z"), b"I")
    assert made.readable


def test_what_is_encrypted_passes_whole() -> None:
    made = Notifications()
    made.swallow = True
    made.asked(struct.pack("!II", 8, NEGOTIATION[0]))
    assert made.passing(b"S") == b"S"
    assert made.passing(packed(ord("A"), b"x")) == packed(ord("A"), b"x")
    assert not made.readable


@pytest.mark.parametrize("opening", [b"\x16\x03\x01", b"GET / HTTP/1.1"], ids=["TLS at once", "another protocol"])
def test_what_is_not_postgres_passes_whole(opening: bytes) -> None:
    made = Notifications()
    made.swallow = True
    made.asked(opening)
    assert made.passing(packed(ord("A"), b"x")) == packed(ord("A"), b"x")
    assert not made.readable


def test_a_length_that_can_not_be_ends_the_reading() -> None:
    for swallow in (True, False):
        made = opened()
        made.swallow = swallow
        data = b"A\0\0\0\1" + packed(ord("A"), b"x")
        assert made.passing(data) == data
        assert not made.readable
