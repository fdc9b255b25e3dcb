"""Trials as a strategy might have given them."""

from __future__ import annotations

from typing import Any, cast

from metrics.records.answers.ordering import Interleaving, Load, Outcome, Stall, Trial, Writer


def load(**change: Any) -> Load:
    found: dict[str, Any] = {
        **{"appends": 1000, "late": 20, "rolled_back": 20, "appends_per_s": 200.0},
        **{"append_p50_ms": 2.0, "append_p99_ms": 9.0, "lag_p50_ms": 4.0, "lag_p99_ms": 12.0},
        **{"seen": 1000, "lost": 0, "doubled": 0, **change},
    }
    return cast(Load, found)


def stall(**change: Any) -> Stall:
    found: dict[str, Any] = {
        **{"appends": 300, "appends_per_s": 150.0, "writers_s": 0.02, "follower_s": 0.03},
        **{"seen": 300, "lost": 0, "doubled": 0, **change},
    }
    return cast(Stall, found)


def interleaved(first: Writer, second: Writer, outcome: Outcome = "seen") -> Interleaving:
    return {"first": first, "second": second, "outcome": outcome, "waited": False}


def trial(number: int = 1, **change: Any) -> Trial:
    found: dict[str, Any] = {
        **{"round": number, "load": load(), "stalled_writer": stall(), "foreign_transaction": stall()},
        "interleavings": [
            *(interleaved("protocol", "protocol"), interleaved("protocol", "plain")),
            *(interleaved("plain", "protocol"), interleaved("plain", "plain")),
        ],
        **{"order": "kept", "lost_share": 0.0, **change},
    }
    return cast(Trial, found)
