"""An environment in which every tool that a run starts inside is told something else by its user."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from settings.children import PROXIES

NOBODY: Final = "http://127.0.0.1:9"
VARIABLES: Final = {
    **dict.fromkeys((name for name in PROXIES if not name.lower().startswith("no")), NOBODY),
    **{"PGSSLMODE": "require", "PGTARGETSESSIONATTRS": "standby", "PGSERVICE": "none", "PGAPPNAME": "me"},
    **{"PGOPTIONS": "-c default_transaction_read_only=on", "PGDATABASE": "none", "PGUSER": "none", "PGPORT": "1"},
    **{"PGHOST": "127.0.0.9", "PGPASSWORD": "none", "PGPASSFILE": "/nonexistent", "PGGSSLIB": "none"},
    **{"PGSSLNEGOTIATION": "direct", "PGSSLROOTCERT": "/nonexistent", "PGDATA": "/nonexistent", "PGTZ": "Mars"},
    **{"LOCUST_RUN_TIME": "1s", "LOCUST_TAGS": "smoke", "LOCUST_MODE_MASTER": "true", "LOCUST_HEADLESS": "false"},
    **{"LOCUST_HOST": NOBODY, "LOCUST_USERS": "1", "LOCUST_EXCLUDE_TAGS": "a", "LOCUST_USER_CLASSES": "None"},
    **{"GIT_DIR": "/nonexistent", "GIT_WORK_TREE": "/", "GIT_INDEX_FILE": "/nonexistent", "GIT_TRACE": "1"},
    **{"PYTHONOPTIMIZE": "2", "PYTHONDEVMODE": "1", "PYTHONHASHSEED": "1", "PYTHONASYNCIODEBUG": "1"},
    **{"MALLOC_ARENA_MAX": "1", "LD_PRELOAD": "/nonexistent/preload.so", "GEVENT_RESOLVER": "none"},
    **{"PROMETHEUS_MULTIPROC_DIR": "/nonexistent", "LITESTAR_DEBUG": "1", "UVICORN_WORKERS": "9"},
    **{"WEB_CONCURRENCY": "9", "INFLUXDB_V2_URL": NOBODY, "TZ": "Mars/Olympus", "LC_ALL": "none", "LANG": "none"},
    **{"HEALTH_FILE": "/nonexistent/health", "PROJECTOR_NAME": "me", "API_HOST": "127.0.0.9", "RUN_ID": "me"},
}
LOCUST: Final = "run-time = 1s\ntags = smoke\nheadless = false\nmaster = true\n"


def home(folder: Path) -> Path:
    """A home with a user's settings for Locust, Git and Postgres, none of which a run can use."""
    (folder / ".postgresql").mkdir(parents=True)
    for name in ("root.crt", "postgresql.crt", "postgresql.key"):
        (folder / ".postgresql" / name).write_text("no certificate")
    (folder / ".pgpass").write_text("*:*:*:*:wrong\n")
    (folder / ".pg_service.conf").write_text("[none]\nhost=127.0.0.9\n")
    (folder / ".gitconfig").write_text("[core\n")
    (folder / ".locust.conf").write_text(LOCUST)
    return folder


def project(folder: Path) -> Path:
    """A working folder with a user's settings for Locust."""
    folder.mkdir(parents=True)
    (folder / "locust.conf").write_text(LOCUST)
    (folder / "pyproject.toml").write_text('[tool.locust]\nrun-time = "1s"\ntags = ["smoke"]\n')
    return folder
