"""Mistakes that only several shards can have, planted in everything on two of them."""

from __future__ import annotations

from typing import Any, Final

from tests.kubernetes.mistakes import Documents, Mistake, container, the, variable
from tests.kubernetes.rendering import SHARDED

SECOND: Final = "tidemark-db-shard-1"
POOLER: Final = "tidemark-pooler-shard-1"


def addresses(documents: Documents) -> Any:
    """The ConfigMap that says where the shards are."""
    return the(documents, "ConfigMap", "database")["data"]


def trigger(documents: Documents) -> Any:
    """The one that asks the second store."""
    return the(documents, "ScaledObject", "projector")["spec"]["triggers"][1]["metadata"]


def pinned(documents: Documents, shards: str) -> None:
    """As an overlay would pin all projectors."""
    container(documents, "projector")["env"].append({"name": "PROJECTOR_SHARDS", "value": shards})


def one_address(documents: Documents) -> None:
    addresses(documents)["at-1"] = addresses(documents)["at"]


def two_poolers_one_server(documents: Documents) -> None:
    the(documents, "Pooler", POOLER)["spec"]["cluster"]["name"] = "tidemark-db"


def other_order(documents: Documents) -> None:
    value = variable(documents, "api", "DATABASE_URLS")["value"]
    variable(documents, "api", "DATABASE_URLS")["value"] = " ".join(reversed(value.split()))


def half_migrated(documents: Documents) -> None:
    container(documents, "migrate", "Job")["env"].remove(variable(documents, "migrate", "DATABASE_URLS", "Job"))


def unlike_servers(documents: Documents) -> None:
    the(documents, "Cluster", SECOND)["spec"]["postgresql"]["parameters"]["synchronous_commit"] = "off"


def no_server(documents: Documents) -> None:
    addresses(documents)["at-1"] = "tidemark-db-shard-2-rw:5432/tidemark?sslmode=require"


def pinned_nowhere(documents: Documents) -> None:
    pinned(documents, "2")


def pinned_to_one(documents: Documents) -> None:
    pinned(documents, "1")


def one_to_listen_at(documents: Documents) -> None:
    container(documents, "projector")["env"].append(
        {"name": "LISTEN_URL", "value": "postgresql://u:w@tidemark-db-rw/d"}
    )


def no_trigger(documents: Documents) -> None:
    the(documents, "ScaledObject", "projector")["spec"]["triggers"].pop()


def one_store_twice(documents: Documents) -> None:
    trigger(documents)["host"] = "tidemark-db-rw.tidemark.svc"


def other_query(documents: Documents) -> None:
    trigger(documents)["query"] = "SELECT sum(events - projected)::float8 FROM tallies"


def half_an_oracle(documents: Documents) -> None:
    data = addresses(documents)
    data["second"] = data.pop("at-1")
    for name, kind in (("api", "Deployment"), ("projector", "Deployment"), ("migrate", "Job")):
        source = variable(documents, name, "DATABASE_AT_1", kind)["valueFrom"]["configMapKeyRef"]
        source["key"] = source["key"].replace("at-1", "second")


def closed_server(documents: Documents) -> None:
    the(documents, "NetworkPolicy", "database")["spec"]["podSelector"]["matchExpressions"][0]["values"].remove(SECOND)


def closed_to_its_pooler(documents: Documents) -> None:
    peers = the(documents, "NetworkPolicy", "database")["spec"]["ingress"][0]["from"]
    peers.remove({"podSelector": {"matchLabels": {"cnpg.io/poolerName": POOLER}}})


SHARDS: Final = (
    Mistake("two shards with one address", one_address, "shards.stores", SHARDED),
    Mistake("two shards whose poolers are before one server", two_poolers_one_server, "shards.stores", SHARDED),
    Mistake("an API with the shards in another order", other_order, "shards.stores", SHARDED),
    Mistake("a migration of one shard alone", half_migrated, "shards.stores", SHARDED),
    Mistake("a shard whose server keeps less", unlike_servers, "shards.alike", SHARDED),
    Mistake("a shard whose server is not there", no_server, "scaling.stores", SHARDED),
    Mistake("a projector pinned to a shard that is not there", pinned_nowhere, "application.settings", SHARDED),
    Mistake("a shard that no projector serves", pinned_to_one, "shards.projected", SHARDED),
    Mistake("one address to listen at for two shards", one_to_listen_at, "application.settings", SHARDED),
    Mistake("no trigger for a shard", no_trigger, "shards.triggers", SHARDED),
    Mistake("two triggers for one shard", one_store_twice, "shards.triggers", SHARDED),
    Mistake("another query for a shard", other_query, "shards.triggers", SHARDED),
    Mistake("an oracle that lacks a store", half_an_oracle, "shards.oracle", SHARDED),
    Mistake("a shard's server that lets nobody in", closed_server, "policies.servers", SHARDED),
    Mistake("a shard's server that does not let its pooler in", closed_to_its_pooler, "policies.servers", SHARDED),
)
