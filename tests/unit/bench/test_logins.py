"""The logins of a run: the roles that the migrations make, each with its own address."""

from __future__ import annotations

from bench.platforms.postgres.logins import ROLES, Logins, variable
from eventstore.connection import planner
from migrations.roles.apply import VARIABLES
from settings.addresses.postgres_url import parse

OWNER = "postgresql://tidemark:pw@127.0.0.1:5432/tidemark"


def test_the_bench_knows_the_roles_that_there_are() -> None:
    # Nobody of a run sets the number of projectors by the backlog.
    beside = {"tidemark_scaler": variable("scaler")}
    assert {f"tidemark_{role}": variable(role) for role in ROLES} | beside == VARIABLES
    assert list(VARIABLES) == list(planner.ROLES)


def test_each_process_has_an_address_of_its_own() -> None:
    logins = Logins.made(OWNER)
    found = {role: parse(getattr(logins, role)) for role in ROLES}
    assert {role: url.user for role, url in found.items()} == {role: f"tidemark_{role}" for role in ROLES}
    assert {role: url.password for role, url in found.items()} == {
        role: logins.passwords[variable(role)] for role in ROLES
    }
    assert len({url.password for url in found.values()}) == len(ROLES)
    assert {(url.hosts, url.database) for url in found.values()} == {((("127.0.0.1", 5432),), "tidemark")}


def test_an_address_that_was_given_is_everybodys() -> None:
    given = Logins.given(OWNER)
    assert {given.owner, given.api, given.projector, given.operator, given.oracle} == {OWNER}
    assert given.passwords == {}
