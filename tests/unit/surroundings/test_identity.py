"""As whom Postgres runs: whoever `initdb` finds in the account database, whatever of namespaces this machine allows."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bench import ROOT
from bench.ends.errors import SetupError
from bench.platforms.postgres import binaries
from bench.platforms.postgres.binaries import Identity, find_binaries, find_identity
from settings.children import PYTHON

ROOTS: bool = sys.platform == "linux" and os.geteuid() == 0
NAMESPACES: bool = ROOTS and subprocess.run(["unshare", "-m", "true"], check=False).returncode == 0
PROGRAM = """
import sys
from bench.ends.errors import SetupError
from bench.platforms.postgres.cluster import Cluster
try:
    with Cluster.throwaway("test") as cluster:
        cluster.execute("SELECT 1")
        print("served as", cluster.process.args[:4])
except SetupError as refusal:
    print(refusal)
    sys.exit(2)
"""
ACCOUNTS = {
    "without uid 1000": "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/false\n",
    "without uid 1000 and nobody": "root:x:0:0::/root:/bin/sh\nmail:x:8:8::/:/bin/false\n",
    "with postgres alone": "root:x:0:0::/root:/bin/sh\npostgres:x:26:26::/:/bin/false\n",
}


def cluster_with(accounts: str, folder: Path, *, path: str = "") -> subprocess.CompletedProcess[str]:
    """Start and stop a throw-away cluster where the account database is this text."""
    (folder / "passwd").write_text(accounts)
    (folder / "nsswitch.conf").write_text("passwd: files\n")
    binds = [f'mount --bind "{folder}/{name}" /etc/{name}' for name in ("passwd", "nsswitch.conf")]
    script = " && ".join([*binds, f'exec "{sys.executable}" -c "$PROGRAM"'])
    variables = {"PROGRAM": PROGRAM, "PATH": f"{path}{os.environ['PATH']}"}
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        cwd=ROOT,
        env=PYTHON.environment(variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.skipif(not NAMESPACES, reason="needs root and mount namespaces to change the account database")
@pytest.mark.parametrize("name", ACCOUNTS)
def test_a_cluster_starts_whoever_has_an_account(name: str, tmp_path: Path) -> None:
    done = cluster_with(ACCOUNTS[name], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "served as" in done.stdout


@pytest.mark.skipif(not NAMESPACES, reason="needs root and mount namespaces to change the account database")
def test_without_any_account_it_is_one_line(tmp_path: Path) -> None:
    done = cluster_with("root:x:0:0::/root:/bin/sh\n", tmp_path)
    assert (done.returncode, done.stderr) == (2, "")
    (line,) = done.stdout.splitlines()
    assert line.startswith("DATABASE_URL: not set, and ")
    assert "add one (useradd postgres)" in line


def refusing(folder: Path, script: str = "exit 1") -> Path:
    program = folder / "unshare"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return folder


@pytest.fixture
def open_to_all(monkeypatch: pytest.MonkeyPatch) -> str:
    """Binaries that every account can execute, as a server package has them."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not installed:
        pytest.skip("no Postgres is installed where every account can execute it")
    return str(installed[-1].parent)


@pytest.mark.skipif(not ROOTS, reason="only root takes another account")
@pytest.mark.parametrize("script", ["exit 1", "echo 'unshare failed: Operation not permitted' >&2; exit 1", "sleep 60"])
def test_where_namespaces_are_refused_root_drops_to_an_account(
    script: str, open_to_all: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{refusing(tmp_path, script)}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(binaries, "CHECK_S", 1.0)
    found = find_identity(binaries.Binaries("installed", Path(open_to_all)))
    names = {account.pw_name for account in pwd.getpwall()}
    expected = "postgres" if "postgres" in names else "nobody"
    assert found == Identity(uid=pwd.getpwnam(expected).pw_uid, gid=pwd.getpwnam(expected).pw_gid)


@pytest.mark.skipif(not ROOTS, reason="only root takes another account")
def test_without_unshare_root_drops_to_an_account(
    open_to_all: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_identity(binaries.Binaries("installed", Path(open_to_all))).uid is not None


def test_where_nothing_runs_it_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in binaries.PROGRAMS:
        shutil.copy("/bin/false", tmp_path / name)
    with pytest.raises(SetupError, match=r"^DATABASE_URL: not set, and .*initdb runs neither as this user") as refusal:
        find_identity(binaries.Binaries("broken", tmp_path))
    assert "\n" not in str(refusal.value)


def test_the_identity_that_is_found_can_make_a_cluster() -> None:
    found = find_binaries()
    identity = find_identity(found)
    assert (os.geteuid() == 0) == (identity != Identity())
    assert found.version.startswith("postgres (PostgreSQL)")


@pytest.mark.skipif(not ROOTS, reason="only root takes another account")
def test_initdb_is_asked_and_not_the_server(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.is_relative_to(Path(tempfile.gettempdir())) and folder != Path(tempfile.gettempdir()):
            folder.chmod(0o755)
    nobody = pwd.getpwnam("nobody").pw_uid
    for name, script in (("postgres", "exit 0"), ("initdb", f'[ "$(id -u)" = {nobody} ]')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    found = find_identity(binaries.Binaries("choosy", tmp_path))
    assert (found.prefix, found.uid) == ((), nobody)


def account(name: str, uid: int) -> pwd.struct_passwd:
    return pwd.struct_passwd((name, "x", uid, uid, "", "/", "/bin/false"))


@pytest.mark.parametrize(
    ("known", "as_root", "tried"),
    [
        (("postgres", 26), True, ["namespace 1000", 26, 65534, 1000]),
        (("postgres", 26), False, ["self", "namespace 1000"]),
        (None, True, ["namespace 8", 8]),
        (None, False, ["self", "namespace 8"]),
    ],
)
def test_the_least_of_the_accounts_is_tried_first(
    known: tuple[str, int] | None, as_root: bool, tried: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = [account("root", 0), account("mail", 8)]
    if known is not None:
        accounts += [account("me", 1000), account("nobody", 65534), account(*known)]
    monkeypatch.setattr(pwd, "getpwall", lambda: accounts)
    monkeypatch.setattr(pwd, "getpwnam", lambda name: {each.pw_name: each for each in accounts}[name])
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: {each.pw_uid: each for each in accounts}[uid])
    monkeypatch.setattr(os, "geteuid", lambda: 0 if as_root else 500)
    seen: list[object] = []

    def refuse(identity: Identity, _: binaries.Binaries) -> bool:
        namespace = next((word.partition("=")[2] for word in identity.prefix if word.startswith("--map-user")), None)
        seen.append(f"namespace {namespace}" if namespace else "self" if identity.uid is None else identity.uid)
        return False

    monkeypatch.setattr(binaries, "_runs", refuse)
    with pytest.raises(SetupError):
        find_identity(binaries.Binaries("any", Path("/nonexistent")))
    assert seen == tried
