"""Final read: every acknowledged todo through the public API, in pages or one by one, on several connections."""

from __future__ import annotations

from collections.abc import Mapping

from gevent.pool import Pool

from services.loadgen.contract import TODO, OutsideContract
from services.loadgen.http_client import HttpClient, HttpError
from services.loadgen.judge.ledger import Ledger
from services.loadgen.judge.read_back import Findings, Row, check, read_row, sweep, sweep_is_cheaper
from services.loadgen.paths import todo_path

_LANES = 8


def verify(base_url: str, ledger: Ledger) -> Findings:
    """Check every acknowledged write of the ledger. Raises HttpError when the state could not be read."""
    http = HttpClient(base_url)
    try:
        cheaper = sweep_is_cheaper(ledger.expected_active, len(ledger.todos) + len(ledger.retired))
        pages = sweep(http.get) if cheaper else None
        return check(ledger.todos, pages, lambda ids: _look_up(base_url, ids), ledger.retired)
    except OutsideContract as error:
        raise HttpError(str(error)) from error
    finally:
        http.close()


def _look_up(base_url: str, ids: list[str]) -> Mapping[str, Row | None]:
    shares = [ids[lane::_LANES] for lane in range(_LANES)]
    found: dict[str, Row | None] = {}
    for rows in Pool(_LANES).imap_unordered(lambda share: _read_each(base_url, share), shares):
        found.update(rows)
    return found


def _read_each(base_url: str, ids: list[str]) -> dict[str, Row | None]:
    http = HttpClient(base_url)
    try:
        return {id: _read_one(http, id) for id in ids}
    finally:
        http.close()


def _read_one(http: HttpClient, id: str) -> Row | None:
    answer = http.call("GET", todo_path(id))
    if answer.status == 404:
        return None
    if answer.status != 200:
        raise answer.outside(TODO)
    try:
        return read_row(answer.document)
    except (KeyError, TypeError):
        raise answer.outside(TODO) from None
