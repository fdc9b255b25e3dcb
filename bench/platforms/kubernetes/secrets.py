"""`task kubernetes:secrets`: the namespace, and Secrets of random values where there are none. Any number of times.

A password stands in an address, so it is of letters and digits alone.
"""

from __future__ import annotations

import json
import secrets
import tempfile
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from bench import ROOT
from bench.platforms.kubernetes.kubectl import Kubectl
from bench.platforms.postgres.logins import ROLES, variable

NAMESPACE: Final = ROOT / "deploy" / "kubernetes" / "base" / "namespace.yaml"
SCALER: Final = "scaler"
OWNER: Final = "tidemark-owner"
PASSWORDS: Final = "tidemark-passwords"
BYTES: Final = 24


def make(kubectl: Kubectl, console: Console) -> None:
    """Make what is missing, and say what was made; a Secret that is there stays as it is. Raises SetupError."""
    kubectl.run("apply", "--filename", str(NAMESPACE))
    for secret in (owner(), passwords()):
        name = secret["metadata"]["name"]
        there = kubectl.run("get", "secret", name, "--ignore-not-found", "--output", "name").strip()
        if not there:
            _create(kubectl, secret)
        console.print(f"Secret {name}: {'was there, and stays' if there else 'made'}")


def owner() -> dict[str, Any]:
    """The login of the tables' owner, in the form that CloudNativePG takes for a new database."""
    return _secret(OWNER, "kubernetes.io/basic-auth", {"username": "tidemark", "password": secrets.token_hex(BYTES)})


def passwords() -> dict[str, Any]:
    """A password for each role, by the names under which the migration finds them."""
    return _secret(PASSWORDS, "Opaque", {variable(role): secrets.token_hex(BYTES) for role in (*ROLES, SCALER)})


def _secret(name: str, kind: str, values: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "labels": {"app.kubernetes.io/part-of": "tidemark"}}
    return {"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": metadata, "stringData": values}


def _create(kubectl: Kubectl, secret: dict[str, Any]) -> None:
    """By a file that is its owner's alone, and gone then: a command line is for everybody to see."""
    with tempfile.TemporaryDirectory(prefix="tidemark-secret-") as folder:
        file = Path(folder) / "secret.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(secret), encoding="utf-8")
        kubectl.run("create", "--filename", str(file))
