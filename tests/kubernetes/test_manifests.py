"""Everything under deploy/kubernetes renders, is what the schemas say, and keeps our own rules."""

from __future__ import annotations

import re
import tomllib
from typing import Final

import pytest

from bench import ROOT
from tests.kubernetes.manifests import at, containers, of_kind, variables
from tests.kubernetes.rendering import COMPONENTS, EVERYTHING, NAMES, SHARDED, WHOLES, rendered
from tests.kubernetes.rules import ALL, WHOLE, findings
from tests.kubernetes.validators import CUSTOM, schema

PROMISED: Final = {"keda", "cnpg", "pooler", "monitoring", "network-policy", "load", "shards-2"}


def test_the_components_are_there() -> None:
    assert set(COMPONENTS) >= PROMISED
    base = {f"{one['kind']} {one['metadata']['name']}" for one in rendered("base")}
    assert base >= {"Deployment api", "Service api", "Deployment projector", "Job migrate", "PodDisruptionBudget api"}


@pytest.mark.parametrize("name", NAMES)
def test_a_rendering_keeps_the_rules_and_the_schemas(name: str) -> None:
    documents = rendered(name)
    assert findings(documents, ALL) == []
    assert schema(documents) == []


@pytest.mark.parametrize("name", WHOLES)
def test_all_of_it_keeps_also_the_rules_about_who_reaches_whom(name: str) -> None:
    assert findings(rendered(name), WHOLE) == []


def test_every_kind_is_looked_at_by_a_schema_or_by_our_own_list() -> None:
    kinds = {
        one["apiVersion"].partition("/")[0] for one in rendered(EVERYTHING) if one["apiVersion"].startswith(CUSTOM)
    }
    assert kinds == {prefix.rstrip("/") for prefix in CUSTOM}


def test_our_images_have_the_projects_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    images = {str(container["image"]) for _, container in containers(rendered(EVERYTHING))}
    assert images == {f"tidemark-{name}:{version}" for name in ("api", "projector", "migrate", "loadgen")}


def test_with_a_pooler_services_go_through_it_and_projectors_listen_past_it() -> None:
    documents = rendered(EVERYTHING)
    told = {one["name"]: variables(documents, one) for _, one in containers(documents)}
    login = "postgresql://tidemark_{}:secret@{}:5432/tidemark?sslmode=require"
    for name in ("api", "projector"):
        assert told[name]["DATABASE_URL"] == login.format(name, "tidemark-pooler")
    assert told["projector"]["LISTEN_URL"] == login.format("projector", "tidemark-db-rw")
    assert told["migrate"]["DATABASE_URL"] == "postgresql://secret:secret@tidemark-db-rw:5432/tidemark?sslmode=require"


def test_on_two_shards_each_program_knows_both_and_projectors_go_past_the_poolers() -> None:
    documents = rendered(SHARDED)
    told = {one["name"]: variables(documents, one) for _, one in containers(documents)}
    login = "postgresql://{}:secret@{}:5432/tidemark?sslmode=require"
    wanted = {
        "api": ("tidemark_api", "tidemark-pooler", "tidemark-pooler-shard-1"),
        "projector": ("tidemark_projector", "tidemark-db-rw", "tidemark-db-shard-1-rw"),
        "migrate": ("secret", "tidemark-db-rw", "tidemark-db-shard-1-rw"),
    }
    for name, (role, *hosts) in wanted.items():
        assert told[name]["DATABASE_URLS"].split() == [login.format(role, host) for host in hosts]
    assert not {"LISTEN_AT", "LISTEN_URL", "PROJECTOR_SHARDS"} & set(told["projector"])


def test_the_alerts_are_those_of_the_handbook() -> None:
    page = (ROOT / "docs" / "operation" / "README.md").read_text()
    told = re.findall(r"^\| `([^`]*tidemark_[^`]*)` \|", page, flags=re.MULTILINE)
    (rule,) = of_kind(rendered("components/monitoring"), "PrometheusRule")
    assert [each["expr"] for each in at(rule, "spec.groups")[0]["rules"]] == told
