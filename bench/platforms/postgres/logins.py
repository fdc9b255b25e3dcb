"""Database logins of a run: each process with the address of its own role, so that none can do what is another's."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit, urlunsplit

ROLES: Final = ("api", "projector", "operator", "oracle")


def variable(role: str) -> str:
    """Where `python -m migrations roles` finds the role's password."""
    return f"TIDEMARK_{role.upper()}_PASSWORD"


@dataclass(frozen=True)
class Logins:
    """Addresses of one database. `owner` migrates it; the bench itself reads as `oracle`. `passwords`: by variable."""

    owner: str
    api: str
    projector: str
    operator: str
    oracle: str
    passwords: Mapping[str, str]

    @classmethod
    def given(cls, url: str) -> Self:
        """One address for all, as somebody gave it."""
        return cls(url, url, url, url, url, passwords={})

    @classmethod
    def made(cls, owner: str, passwords: Mapping[str, str] | None = None) -> Self:
        """The roles of a server of our own, each with a fresh random password, or with those of another shard."""
        passwords = passwords or {variable(role): secrets.token_hex(16) for role in ROLES}
        by_role = {role: as_role(owner, role, passwords[variable(role)]) for role in ROLES}
        return cls(owner=owner, passwords=passwords, **by_role)


def addresses(urls: Sequence[str]) -> dict[str, str]:
    """How a process of ours is told where its shards are, in their order."""
    return {"DATABASE_URL": urls[0]} if len(urls) == 1 else {"DATABASE_URLS": " ".join(urls)}


def as_role(url: str, role: str, password: str) -> str:
    """The address of the same database for another login."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"tidemark_{role}:{password}@{place}"))
