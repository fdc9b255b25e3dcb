"""Strip what is private from a document: addresses, paths of files, and the names of this host and this user.

Each is replaced by a word in angle brackets, in keys and in values, at any depth. Where it is not clear where one ends,
more goes and not less. Loopback stays, and so do routes of HTTP that the contract has.
"""

from __future__ import annotations

import getpass
import re
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any, Final

ADDRESS: Final = "<address>"
PATH: Final = "<path>"
NAME: Final = "<name>"

_ORDINARY: Final = frozenset(
    (
        *("root", "localhost", "localdomain", "user", "runner", "postgres", "nobody", "ubuntu", "debian", "admin"),
        *(
            "localhost.localdomain",
            "database",
            "server",
            "api",
            "projector",
            "loadgen",
            "influxdb",
            "given",
            "embedded",
        ),
    )
)
"""Names that tell nobody and nothing."""
_SHORTEST: Final = 3
"""A shorter name is part of too many words."""

_ROUTES: Final = ("todos", "events", "stats")
"""Where a route of HTTP begins; every other absolute path of two parts is one of files."""

_LOOPBACK: Final = r"(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?![\w@-]|\.[\w-]|:[^\s/]*@)"
_URL: Final = re.compile(rf"\b[A-Za-z][\w+.-]*://(?!{_LOOPBACK})\S+")
_LOGIN: Final = re.compile(r"""[^\s/@:'"(]+:[^\s/@]+@[^\s'"]+""")
_MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBERS: Final = re.compile(r"(?<![\w.])(?!127\.)\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)")
_SIX: Final = re.compile(
    r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,8}(?:[0-9A-Fa-f]{1,4}|\d{1,3}(?:\.\d{1,3}){3})?(?:%[\w.-]+)?"
)
_LABEL: Final = r"[^\W_](?:[\w-]*\w)?"
_HOST: Final = rf"{_LABEL}(?:\.{_LABEL})*"
_TOPS: Final = (
    *("arpa", "cloud", "com", "corp", "edu", "example", "gov", "home", "internal", "intranet", "invalid", "io", "lan"),
    *("local", "localdomain", "mil", "net", "org", "private", "test"),
)
"""Ends by which a name with dots is that of a host, and not of a module or a file."""
_FILES: Final = "py|pyi|ts|tsx|js|mjs|cjs|json|toml|sql|md|log|html|rs|go|java"
"""Ends by which a name with a number behind it is a line of a file."""
_HOSTS: Final = (
    re.compile(
        rf"(?<![\w.-])(?=[\w.-]*[A-Za-z])(?![\w.-]*\.(?:{_FILES}):)(?:{_HOST}(?=:\d{{4,5}}(?![\w.]))|{_LABEL}(?:\.{_LABEL})+(?=:\d{{2,5}}\b))"
    ),
    re.compile(
        r"(?:\b(?:host(?:addr|[ -]?name)?|server(?: at)?|address|ENOTFOUND|EAI_AGAIN|lookup)\b[ =:]*)"
        rf"(?:[\"'“‘«`](?P<quoted>[^\"'”’»`\s]+)[\"'”’»`]|(?<==)(?P<given>[^\s,;)\"']+)|(?<=[A-Z] )(?P<bare>{_HOST}))"
    ),
    re.compile(rf"(?<![\w.-])(?P<dotted>{_LABEL}(?:\.{_LABEL})*\.(?:{'|'.join(_TOPS)}))(?![\w-]|\.\w)", re.IGNORECASE),
    re.compile(r"\b(?:user|password|dbname|PGHOST|PGUSER|PGPASSWORD)=(?P<value>'[^']*'|[^\s,;)]+)"),
)
_REST: Final = r"""[^\s'"<>|,;)\]}]"""
_PATHS: Final = re.compile(
    rf"(?<![\w./])(?:/|(?<!:)//+)(?!(?:{'|'.join(_ROUTES)})/)[^\s/'\"<>|,;)\]}}{{]+/{_REST}+"
    rf"|(?<![\w./])~[\w.-]*/{_REST}+|(?<!\w)[A-Za-z]:(?:\\|/(?!/)){_REST}+|\\\\[\w.-]+\\{_REST}+|\bfile:/+{_REST}+"
)


def stripper(addresses: Iterable[str] = ()) -> Callable[[str], str]:
    """What strips a text. It knows this machine's name, who runs it, and the hosts of `addresses`."""
    names = [re.escape(name) for name in sorted(_names() | _hosts(addresses), key=len, reverse=True)]
    named = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(names)})(?![A-Za-z0-9])", re.IGNORECASE) if names else None

    def strip(text: str) -> str:
        text = _PATHS.sub(PATH, text)
        for pattern in (_URL, _LOGIN, _MAIL):
            text = pattern.sub(ADDRESS, text)
        text = _NUMBERS.sub(ADDRESS, _SIX.sub(_six, text))
        for pattern in _HOSTS:
            text = pattern.sub(_host, text)
        return named.sub(NAME, text) if named else text

    return strip


def _six(found: re.Match[str]) -> str:
    """An IPv6 address, and not a time or a word with colons."""
    try:
        address = IPv6Address(found[0])
    except ValueError:
        return found[0]
    loopback = (address.ipv4_mapped or address).is_loopback
    return found[0] if loopback or address.is_unspecified else ADDRESS


def _host(found: re.Match[str]) -> str:
    """The match with its host gone; loopback and names that every machine has stay."""
    name = next((part for part in found.groups() if part), found[0])
    bare = name.strip("[]'").lower()
    local = bare in _ORDINARY or bare == "::1" or (bare.startswith("127.") and bare.replace(".", "").isdigit())
    return found[0] if local or name == ADDRESS else found[0].replace(name, ADDRESS)


def _hosts(addresses: Iterable[str]) -> set[str]:
    """The hosts of addresses, each of several in one, however they are masked."""
    parts = (part for address in addresses for part in address.partition("://")[2].partition("/")[0].split(","))
    hosts = {re.sub(r":\d*$", "", part.rpartition("@")[2]).strip("[]").lower() for part in parts}
    # A first part that is a plain word, as `events`, is a word of texts and of records, too.
    short = {part for host in hosts if re.search(r"[a-z].*[\d-]", part := host.partition(".")[0])}
    return {host for host in hosts | short if _tells(host) and not host.startswith("127.") and host != "::1"}


def stripped(document: Any, strip: Callable[[str], str]) -> Any:
    """The document with every text in it stripped."""
    if isinstance(document, str):
        return strip(document)
    if isinstance(document, dict):
        return {strip(key): stripped(value, strip) for key, value in document.items()}
    return [stripped(each, strip) for each in document] if isinstance(document, list | tuple) else document


def _names() -> set[str]:
    """This host and this user, as texts may tell them."""
    found = set()
    with suppress(OSError):
        found |= {socket.gethostname(), socket.gethostname().partition(".")[0]}
    with suppress(OSError, KeyError):
        found.add(getpass.getuser())
    with suppress(RuntimeError):
        found.add(Path.home().name)
    return {name for name in found if _tells(name)}


def _tells(name: str) -> bool:
    return len(name) >= _SHORTEST and name.lower() not in _ORDINARY
