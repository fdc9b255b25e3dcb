"""The stack of containers: its secrets, its ports and its share of the machine."""

from __future__ import annotations

from typing import Final

from settings.catalogue.kinds import Choice, StackSecret, Text

HEADING: Final = "The stack (compose.yaml). Its secrets; `task up` fills empty ones with random values."

POSTGRES_PASSWORD: Final = StackSecret(
    "POSTGRES_PASSWORD",
    "password of the tables' owner, who migrates them and makes the roles",
    readers=("stack",),
    lasting=True,
)
TIDEMARK_API_PASSWORD: Final = StackSecret(
    "TIDEMARK_API_PASSWORD",
    "password of the API's role; the roles are made by `task roles`, too",
    readers=("roles", "stack"),
)
TIDEMARK_PROJECTOR_PASSWORD: Final = StackSecret(
    "TIDEMARK_PROJECTOR_PASSWORD", "password of the projectors' role", readers=("roles", "stack")
)
TIDEMARK_OPERATOR_PASSWORD: Final = StackSecret(
    "TIDEMARK_OPERATOR_PASSWORD", "password of the operator's role", readers=("roles", "stack")
)
TIDEMARK_ORACLE_PASSWORD: Final = StackSecret(
    "TIDEMARK_ORACLE_PASSWORD", "password of the oracle's role, which only reads", readers=("roles", "stack")
)
TIDEMARK_SCALER_PASSWORD: Final = StackSecret(
    "TIDEMARK_SCALER_PASSWORD",
    "password of the role that counts the backlog, for whoever sets the number of projectors by it",
    readers=("roles", "stack"),
)
INFLUX_PASSWORD: Final = StackSecret(
    "INFLUX_PASSWORD", "password of InfluxDB's web page", readers=("stack",), lasting=True
)
GRAFANA_PASSWORD: Final = StackSecret(
    "GRAFANA_PASSWORD", "password of Grafana's admin, to edit", readers=("stack",), lasting=True
)

STACK_API_PORT: Final = Text(
    "STACK_API_PORT",
    "the API's port of 127.0.0.1, or a range such as 8000-8009 for several API containers",
    "8000",
    readers=("stack",),
)
STACK_POSTGRES_PORT: Final = Text("STACK_POSTGRES_PORT", "Postgres's port of 127.0.0.1", "5432", readers=("stack",))
STACK_POSTGRES_2_PORT: Final = Text(
    "STACK_POSTGRES_2_PORT", "the second shard's Postgres's port of 127.0.0.1", "5433", readers=("stack",)
)
STACK_INFLUX_PORT: Final = Text("STACK_INFLUX_PORT", "InfluxDB's port of 127.0.0.1", "8086", readers=("stack",))
STACK_GRAFANA_PORT: Final = Text("STACK_GRAFANA_PORT", "Grafana's port of 127.0.0.1", "3000", readers=("stack",))
STACK_CPUS: Final = Text(
    "STACK_CPUS", "how many cores one container may use, at most those that its engine has", "2", readers=("stack",)
)
STACK_POOLER: Final = Choice(
    "STACK_POOLER",
    "the mode of a PgBouncer between API, projectors and Postgres (profile `pooler`)",
    None,
    ("session", "transaction"),
    readers=("stack",),
    unset="they reach Postgres directly",
)
