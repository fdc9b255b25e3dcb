"""No name and no prose has a word that the house retired; a word that stays means one thing."""

from __future__ import annotations

import pytest

from tests.architecture.house.tree import texts
from tests.architecture.house.words import in_words, offences


def test_no_file_has_a_retired_word() -> None:
    found = [offence for path, text in texts().items() for offence in offences(path, text)]
    assert found == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("services/loadgen/distributed/crew.py", ""),
        ("services/loadgen/distributed/master.py", "class Crew:\n    pass"),
        ("services/loadgen/distributed/master.py", "self._hands = {}"),
        ("services/loadgen/distributed/master.py", '"""The master keeps the books of what workers do."""'),
        ("services/loadgen/distributed/phases.py", "self._link = Link(run)"),
        ("services/loadgen/http_client.py", "class WireError(Exception):"),
        ("services/loadgen/measure/saturation.py", "VITALS = 1"),
        ("services/api/routes/stats.py", "facts = await read_facts(database)"),
        ("services/api/reading/batch_loader.py", "class Together(Generic[K, V]):"),
        ("eventstore/append/group_commit.py", "class Coalescer:"),
        ("services/gc_policy.py", "def tune_collector() -> None:"),
        ("projection/ordering/stream_locks.py", "class Drain(Parallel):"),
        ("docs/operation/README.md", "`--once` drains and exits"),
        ("projection/strategy.py", "Probe = Callable[[str], Awaitable[None]]"),
        ("bench/perf/rows/append.py", 'limit="pgbench",'),
        ("README.md", "| | tidemark | the limit | × |"),
        ("bench/perf/lab.py", "def driver(self, module: str):"),
        ("eventstore/connection/rate_limit.py", "class Pace:"),
        ("services/loadgen/measure/recorder.py", "def next_window(self) -> None:"),
    ],
)
def test_a_retired_word_is_found(path: str, text: str) -> None:
    assert list(offences(path, text))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("docs/architecture.md", "made by hand; `POST /drain` wakes them; the visibility probe reads"),
        ("services/api/routes/drain.py", "class Drain:"),
        ("services/loadgen/distributed/supervisor_link.py", "class SupervisorLink:"),
        ("grafana/board.py", "def _link(tag: str) -> dict[str, Any]:"),
        ("services/gc_policy.py", '"""Python\'s garbage collector."""'),
        ("projection/ordering/stream_leases.py", "for leases in self._leases_in_hand():"),
        ("docs/decisions/0014-workers-do-the-master-keeps-the-books.md", "the master keeps the books"),
    ],
)
def test_a_word_in_its_one_meaning_passes(path: str, text: str) -> None:
    assert list(offences(path, text)) == []


def test_names_are_read_in_words() -> None:
    assert in_words("_WireError visibility_probe read-back") == " wire error visibility probe read back"
