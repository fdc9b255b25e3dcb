"""The OpenAPI document is exact: schemathesis plays it against the real API, with data that it allows and forbids.

No 5xx, no status, content type or document beside those that are documented, what is allowed is taken, what is
forbidden refused, and no refusal leaves an event. The examples are the same each time.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.api.http.openapi import NOT_BLANK
from tests.integration.api.server import ROOT, ApiServer, api_environment
from todo.commands import check_text
from todo.errors import InvalidText

PATIENCE_S = 240
OPERATIONS = 11


@pytest.fixture(scope="module")
def played(api: ApiServer, projector: None, folder: Path) -> tuple[int, str, dict[str, Any]]:
    """Exit code, words and report of schemathesis."""
    report = folder / "schemathesis.json"
    base = str(api.client.base_url).rstrip("/")
    config = Path(__file__).with_name("schemathesis.toml")
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("st")), "--config-file", str(config)),
            *("run", f"{base}/schema", "--no-color", "--report-json-path", str(report)),
        ],
        # It leaves what it found where it is started.
        cwd=folder,
        env={**api_environment("", 1), "API": base, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    return done.returncode, done.stdout + done.stderr, json.loads(report.read_text()) if report.exists() else {}


def test_every_answer_is_documented_and_no_refusal_leaves_an_event(played: tuple[int, str, dict[str, Any]]) -> None:
    code, said, _ = played
    assert code == 0, said


def test_every_operation_was_played_in_every_phase(played: tuple[int, str, dict[str, Any]]) -> None:
    _, said, report = played
    assert report["operations"]["tested"] == OPERATIONS, said


@pytest.mark.parametrize(
    "text",
    ["", " ", "\t\n\x0b\x0c\r", "\x1c\x1d\x1e\x1f\x85\xa0", "\u2028\u3000", "a\0", "\0", " a ", "a\n", "\u200b", "𝄞"],
)
def test_the_documents_pattern_of_a_text_is_the_rule_for_it(text: str) -> None:
    try:
        check_text(text)
        taken = True
    except InvalidText:
        taken = False
    assert bool(re.search(NOT_BLANK, text)) is taken
