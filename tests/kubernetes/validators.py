"""Others' word on a rendering: the schemas of Kubernetes, strictly, and Checkov's rules on what a pod may do."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import kubernetes_validate
import yaml

from tests.kubernetes.rendering import Document

VERSION: Final = "1.34"
"""The version whose schemas hold."""
CUSTOM: Final = ("keda.sh/", "postgresql.cnpg.io/", "monitoring.coreos.com/")
"""Kinds of other projects, which have no schema there: `rules.scaling` knows their fields."""
CHECKOV: Final = "checkov==3.3.30"
PASSED_OVER: Final = {
    "CKV_K8S_11": "a limit of CPU is left out: throttling would be measured as latency",
    "CKV_K8S_15": "a version is pinned, so what a node has is what it would pull",
    "CKV_K8S_35": "secrets are read from variables, as everywhere in this project; none is in an image or a log",
    "CKV_K8S_43": "images are pinned by version; a digest is known to who has built them",
    "CKV_K8S_8": "a Job that runs once is watched by its deadline",
    "CKV_K8S_9": "a Job that runs once is asked by nobody whether it is ready",
}


def schema(documents: list[Document]) -> list[str]:
    """Complaints of `kubernetes-validate --strict`; a warning is one, too."""
    known = [document for document in documents if not document["apiVersion"].startswith(CUSTOM)]
    judged = ((document, _judged(json.dumps(document, sort_keys=True))) for document in known)
    return [f"{document['kind']} {document['metadata']['name']}: {said}" for document, said in judged if said]


@cache
def _judged(document: str) -> str:
    """The first complaint of one document, which most renderings share."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            kubernetes_validate.validate(json.loads(document), VERSION, strict=True)
        except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError, Warning) as error:
            return (str(error) or type(error).__name__).splitlines()[0]
    return ""


def checkov(renderings: Mapping[str, list[Document]]) -> dict[str, list[str]]:
    """Failed checks of Checkov by rendering, in one call, in an environment of its own; it downloads nothing."""
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / f"{number}.yaml" for number, name in enumerate(renderings)}
        for name, file in files.items():
            file.write_text(yaml.safe_dump_all(renderings[name]))
        command = [
            os.environ["UV"],
            "tool",
            "run",
            "--from",
            CHECKOV,
            "checkov",
            "--skip-download",
            "--quiet",
            "--compact",
        ]
        command += ["--framework", "kubernetes", "--output", "json", "--skip-check", ",".join(PASSED_OVER)]
        done = subprocess.run([*command, "--directory", folder], capture_output=True, text=True, check=False)
        assert done.stdout.strip().startswith(("{", "[")), done.stderr
        told = json.loads(done.stdout)
        failed = told.get("results", {}).get("failed_checks", []) if isinstance(told, dict) else []
        by_file: dict[str, list[str]] = {}
        for one in failed:
            said = f"{one['resource']}: {one['check_id']} {one['check_name']}"
            by_file.setdefault(Path(one["file_path"]).name, []).append(said)
        return {name: by_file.get(file.name, []) for name, file in files.items()}
