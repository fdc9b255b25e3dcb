"""The name of a lease's holder, read from a projector's log."""

from __future__ import annotations

from bench.platforms.platform.holders import holder_in

STARTED = '{"event": "projector started", "projector": "%s"}'


def test_it_is_the_one_of_the_last_start() -> None:
    assert holder_in(f"warning: x\n{STARTED % 'a'}\n{STARTED % 'b'}\n") == "b"


def test_lines_that_are_cut_off_or_say_no_event_are_passed_over() -> None:
    cut = (STARTED % "b")[:-5]
    assert holder_in("{}\n" + STARTED % "a" + "\n" + cut) == "a"
    assert holder_in("") == ""
