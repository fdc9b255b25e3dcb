"""Processes of a target: placeholders in their places, and no variable of this machine but those that all may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.platforms.local.kind import Others
from bench.platforms.targets.folder import Place
from bench.platforms.targets.processes import Address, Lines
from bench.preflight.settings import Settings
from tests.unit.targets.manifests import written


def test_every_placeholder_is_in_its_place(tmp_path: Path) -> None:
    settings = Settings.from_env({"TARGET": str(written(tmp_path))})
    place = Place(Path("/programs"), Path("/cwd"), "/python", "/node")
    lines = Lines(settings, place, Address("127.0.0.1", 8123), tmp_path / "data")
    api = lines.of(settings.target.api, {"PATH": "/bin"}, name="api", database="postgresql://u:p@127.0.0.1:1/x")
    assert api.command == ["/python", "api.py", "--port=8123"]
    assert api.environment == {"PATH": "/bin", "DATABASE_URL": "postgresql://u:p@127.0.0.1:1/x"}
    assert api.cwd == Path("/cwd")
    assert settings.target.projector is not None
    projector = lines.of(settings.target.projector, {}, name="projector-2-ab", number=2, database="x")
    assert projector.environment == {"DATABASE_URL": "x", "WHO": "projector-2-ab", "NUMBER": "2"}


def test_nothing_of_the_users_own_environment_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "PGPASSWORD", "NODE_OPTIONS", "PYTHONPATH", "INFLUX_TOKEN", "DATABASE_URL"):
        monkeypatch.setenv(name, "of the user")
    settings = Settings.from_env({"TARGET": str(written(tmp_path))})
    assert "of the user" not in Others(settings).environment().values()
