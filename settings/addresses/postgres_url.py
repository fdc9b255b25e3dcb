"""Postgres connection URL (libpq's URI): read once for everybody, with the parameters that providers hand out.

What the driver can do is passed on; what it can not, and what only other clients know, is left out and told; a
protection that it can not give, and whatever is not known here, is refused. A `+` is a plus sign, as for libpq.
"""

from __future__ import annotations

import random
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote

from settings.environment import Environment, SettingError
from settings.hiding import is_secret

EXPECTED: Final = "postgresql://user:password@host:port/database"
PORT: Final = 5432

_URL: Final = re.compile(
    r"postgres(?:ql)?(?:\+\w+)?://(?P<place>[^/?]*)(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?", re.IGNORECASE
)
_HOST: Final = re.compile(r"(?:\[(?P<six>[^\[\]]+)\]|(?P<name>[^:\[\]]*))(?::(?P<port>\d+))?")
_YES: Final = ("1", "true", "on", "yes")

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
    "load_balance_hosts": ("disable", "random"),
}
_DRIVER: Final = (
    *("sslmode", "sslnegotiation", "sslcert", "sslkey", "sslpassword", "sslrootcert", "sslcrl", "passfile"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs", "krbsrvname", "gsslib"),
)
"""What asyncpg takes under the same name."""

_PLACE: Final = ("host", "port", "user", "password", "dbname", "database")

_SESSION: Final = (
    *("options", "search_path", "statement_timeout", "lock_timeout", "transaction_timeout", "idle_session_timeout"),
    *("idle_in_transaction_session_timeout", "work_mem", "default_transaction_read_only"),
)
"""Settings of the session, sent with the start-up packet because somebody asked for it."""

_OURS: Final = "STORE_TIMEOUT_MS says when a silent connection is given up"
_FOREIGN: Final = "a setting of another client"
_LEFT_OUT: Final[Mapping[str, str]] = {
    "channel_binding": "the driver has no channel binding; sslmode=verify-full makes sure of the server",
    **dict.fromkeys(
        ("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"), _OURS
    ),
    "gssencmode": "the driver has no GSS encryption",
    "gssdelegation": "the driver delegates no credentials",
    "sslcompression": "the driver never compresses",
    "sslsni": "the driver always tells the server's name",
    "sslcertmode": "the driver sends a certificate where it has one",
    "hostaddr": "the driver looks the host's name up",
    "fallback_application_name": "each process gives its own name",
    "client_encoding": "the driver speaks UTF-8",
    **dict.fromkeys(("min_protocol_version", "max_protocol_version"), "the driver speaks version 3.0"),
    **dict.fromkeys(
        ("connection_limit", "pool_timeout", "socket_timeout", "pgbouncer_pool_mode", "sslaccept", "sslidentity"),
        _FOREIGN,
    ),
    **dict.fromkeys(("supa", "uselibpqcompat", "prepared_statements", "prepareThreshold", "workaround"), _FOREIGN),
    **dict.fromkeys(("statement_cache_size", "prepared_statement_cache_size"), _FOREIGN),
}
_REFUSED: Final[Mapping[str, tuple[str, ...]]] = {"gssencmode": ("require",), "sslcertmode": ("require",)}
"""Values that ask for a protection which would not be there."""


@dataclass(frozen=True)
class PostgresUrl:
    """One database as the driver is told of it. `told` are parameters that were left out, each with the reason.

    `connect_timeout` is in seconds, None where the URL has none. `transaction_pooler`: the URL itself says that a
    pooler in transaction mode stands before the server (`pgbouncer=true`).
    """

    hosts: tuple[tuple[str, int], ...]
    database: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict)
    session: Mapping[str, str] = field(default_factory=dict)
    application_name: str | None = None
    connect_timeout: float | None = None
    transaction_pooler: bool = False
    balanced: bool = False
    told: tuple[str, ...] = ()

    @property
    def dsn(self) -> str:
        """The URL as asyncpg takes it, the password included."""
        login = ":".join(_quoted(part) for part in (self.user, self.password) if part is not None)
        hosts = random.sample(self.hosts, len(self.hosts)) if self.balanced else self.hosts
        # A socket's folder is no host of a URL, so then all of them are parameters.
        as_query = any(host.startswith(("/", "@")) for host, _ in hosts)
        parameters = {name: value for name, value in self.parameters.items() if value != "system"}
        if as_query:
            parameters |= {"host": ",".join(h for h, _ in hosts), "port": ",".join(str(port) for _, port in hosts)}
        place = "" if as_query else ",".join(f"{_bracketed(host)}:{port}" for host, port in hosts)
        query = "&".join(f"{name}={_quoted(value)}" for name, value in parameters.items())
        return (
            f"postgresql://{login}{'@' if login else ''}{place}/{_quoted(self.database)}{'?' if query else ''}{query}"
        )

    def arguments(self) -> dict[str, Any]:
        """What `asyncpg.connect` is given of it: `dsn`, and where asked for `timeout`, `ssl`, `server_settings`."""
        given: dict[str, Any] = {"dsn": self.dsn, "server_settings": dict(self.session)}
        if self.application_name is not None:
            given["server_settings"]["application_name"] = self.application_name
        if self.connect_timeout is not None:
            given["timeout"] = self.connect_timeout
        if self.parameters.get("sslrootcert") == "system":
            given["ssl"] = ssl.create_default_context()
        return given


def parse(url: str) -> PostgresUrl:
    """Read a URL. Raises ValueError, whose text begins with "expected" and shows nothing of the URL but a name."""
    parts = _URL.fullmatch(url)
    if parts is None:
        raise ValueError(f"expected {EXPECTED}")
    # An @ so late ends a password with a / or ? in it: its pieces would be taken for a host, a database, a parameter.
    if "@" in (parts["database"] or "") + (parts["query"] or ""):
        raise ValueError(f"expected {EXPECTED}, with each of @ / ? # & % in a part of it percent-encoded")
    login, _, place = parts["place"].rpartition("@")
    user, colon, password = login.partition(":")
    given = _query(parts["query"] or "")
    database = unquote(parts["database"] or "") or given.get("dbname") or given.get("database")
    if not database:
        raise ValueError(f"expected {EXPECTED}")
    return PostgresUrl(
        hosts=_hosts(place, given),
        database=database,
        user=unquote(user) or given.get("user"),
        password=unquote(password) if colon else given.get("password"),
        parameters={name: value for name, value in given.items() if name in _DRIVER},
        session={name: value for name, value in given.items() if name in _SESSION},
        application_name=given.get("application_name"),
        connect_timeout=_connect_timeout(given.get("connect_timeout")),
        transaction_pooler=given.get("pgbouncer", "").lower() in _YES,
        balanced=given.get("load_balance_hosts") == "random",
        told=tuple(f"{name} is left out: {_LEFT_OUT[name]}" for name in given if name in _LEFT_OUT),
    )


def read(env: Environment, name: str) -> str | None:
    """The address in a variable, None when unset. Raises SettingError, which shows nothing of it."""
    url = env.optional(name)
    if url is None:
        return None
    try:
        parse(url)
    except ValueError as error:
        raise SettingError(name, "…", str(error).removeprefix("expected ")) from None
    return url


def required(env: Environment, name: str) -> str:
    """The address in a variable. Raises SettingError, also when it is unset."""
    env.text(name, expected=EXPECTED)
    return read(env, name) or ""


def _query(query: str) -> dict[str, str]:
    """The parameters that have a value; of one that is there twice, the last."""
    given: dict[str, str] = {}
    for number, pair in enumerate(filter(None, query.split("&")), 1):
        name, equals, value = pair.partition("=")
        name = unquote(name)
        # What is not known may be a piece of a password with such a sign in it.
        told = f"{name!r}" if _known(name) or (equals and not any(map(is_secret, given))) else f"number {number}"
        if not equals:
            raise ValueError(f"expected {EXPECTED}, and parameters as name=value: {told} has no value")
        if not _known(name):
            raise ValueError(f"expected {EXPECTED}, and no parameter {told}, which is not known here")
        if value:
            given[name] = _checked(name, unquote(value))
    if given.get("sslrootcert") == "system" and given.setdefault("sslmode", "verify-full") != "verify-full":
        raise ValueError(f"expected {EXPECTED}, and sslmode=verify-full with sslrootcert=system")
    return given


def _known(name: str) -> bool:
    others = ("application_name", "connect_timeout", "load_balance_hosts", "pgbouncer")
    return name in (*_DRIVER, *_PLACE, *_SESSION, *others) or name in _LEFT_OUT


def _checked(name: str, value: str) -> str:
    allowed = _CHOICES.get(name)
    if allowed is not None and value not in allowed:
        raise ValueError(f"expected {EXPECTED}, and as {name} one of {', '.join(allowed)}")
    if value in _REFUSED.get(name, ()):
        raise ValueError(f"expected {EXPECTED}, and not {name}={value}: {_LEFT_OUT[name]}")
    return value


def _hosts(place: str, given: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    """Hosts with their ports; none: the driver's own default, which is a socket of this machine."""
    names = place or given.get("host", "")
    found = [_host(name, in_query=not place) for name in names.split(",")] if names else []
    ports = [_port(port) for port in given.get("port", "").split(",") if port]
    if len(ports) not in (0, 1, len(found)):
        raise ValueError(f"expected {EXPECTED}, and as many ports as hosts, or one for all")
    every = ports if len(ports) == len(found) else (ports or [PORT]) * len(found)
    return tuple((host, own or other) for (host, own), other in zip(found, every, strict=True))


def _host(text: str, *, in_query: bool) -> tuple[str, int | None]:
    if in_query and text.startswith(("/", "@")):
        return text, None
    match = _HOST.fullmatch(text)
    if match is None:
        raise ValueError(f"expected {EXPECTED}")
    host = match["six"] or match["name"] or "localhost"
    return host if in_query else unquote(host), _port(match["port"]) if match["port"] else None


def _port(text: str) -> int:
    if not re.fullmatch(r"\d{1,5}", text) or not 0 < int(text) < 65536:
        raise ValueError(f"expected {EXPECTED}, with a port from 1 to 65535")
    return int(text)


def _connect_timeout(text: str | None) -> float | None:
    """libpq's: whole seconds, 0 or less for no limit of its own."""
    if text is None:
        return None
    if not re.fullmatch(r"-?\d{1,6}", text):
        raise ValueError(f"expected {EXPECTED}, and as connect_timeout whole seconds")
    return float(text) if int(text) > 0 else None


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else _quoted(host)
