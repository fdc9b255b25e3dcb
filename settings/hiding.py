"""Redaction of secrets in text: logins and parameters of addresses, Authorization headers, and values that are known.

Whatever is printed, logged or written into a result goes through here. Where it is not clear where a secret ends, more
is hidden and not less: a login is everything up to the last `@`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final
from urllib.parse import quote, unquote

MASK: Final = "***"

_NAME: Final = re.compile(r"TOKEN|PASS|SECRET|KEY|HEADERS|CONNINFO", re.IGNORECASE)
_PARAMETER: Final = re.compile(r"pass|pwd|token|secret|api_?key|credential", re.IGNORECASE)
_PAIR: Final = re.compile(
    r"""(?P<name>[\w%.-]+)(?P<equals>['"]\s*:\s*|\s*=\s*)(?P<value>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*"|[^&\s]*)"""
)
_ADDRESS: Final = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*://)(?P<rest>\S*)")
_PLACE: Final = re.compile(r"(?:(?:\[[^\]]*\]|[^:,\[\]]*)(?::\d{1,5})?(?:,|$))*")
_HEADER: Final = re.compile(r"""(authorization['"]?\s*[:=]\s*['"]?(?:\w+\s+)?)[^\s'"]+""", re.IGNORECASE)
_EXAMPLE: Final = "user:password@host:port/"
"""What a refusal shows as the form of an address."""
_SHORTEST: Final = 3
"""A known secret that is shorter is hidden in its address alone: elsewhere it would hide half of the text."""


def is_secret(name: str) -> bool:
    """True for the name of a setting whose value is never shown."""
    return bool(_NAME.search(name))


def hide(text: str, *addresses: str) -> str:
    """The text without secrets. Those of the addresses given are found in every form in which an error may tell them.

    An address given is one as a whole, with blanks or without a scheme, malformed or not.
    """
    for secret in sorted({form for address in addresses for form in _secrets(address)}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _PAIR.sub(_pair, text)
    text = _ADDRESS.sub(_address, text)
    return _HEADER.sub(rf"\1{MASK}", text)


def shown(name: str, value: str) -> str:
    """The value of a setting as it may be shown."""
    if is_secret(name):
        return MASK if value else ""
    return hide(value, value) if "@" in value or "=" in value or "://" in value else value


def hider(variables: Mapping[str, str]) -> Callable[[str], str]:
    """`hide` for a process with these variables: it knows their addresses, and the values of secret ones."""
    given = [value for name, value in variables.items() if "://" in value and not is_secret(name)]
    # One setting may have several.
    addresses = [*given, *(word for value in given for word in value.split() if word != value)]
    values = [value for name, value in variables.items() if is_secret(name) and "PASSFILE" not in name]
    known = sorted({form for value in values for form in _forms(value)}, key=len, reverse=True)

    def hide_known(text: str) -> str:
        for secret in known:
            text = text.replace(secret, MASK)
        return hide(text, *addresses)

    return hide_known


def _pair(found: re.Match[str]) -> str:
    secret = _PARAMETER.search(unquote(found["name"])) and found["value"]
    return f"{found['name']}{found['equals']}{MASK}" if secret else found[0]


def _address(found: re.Match[str]) -> str:
    rest = found["rest"]
    if rest.startswith(_EXAMPLE):
        return found[0]
    if "@" in rest:
        return f"{found['scheme']}{MASK}@{rest.rpartition('@')[2]}"
    place = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if _PLACE.fullmatch(place):
        return found[0]
    # A user and a password, and no host.
    return f"{found['scheme']}{rest.partition(':')[0]}:{MASK}"


def _secrets(address: str) -> Iterator[str]:
    rest = address.partition("://")[2] or address
    for pair in _PAIR.finditer(rest):
        if _PARAMETER.search(unquote(pair["name"])):
            yield from _forms(rest[pair.start("value") :].partition("&")[0])
            yield from _forms(pair["value"])
    login, at, _ = rest.rpartition("@")
    if at:
        if ":" in login:
            yield login
        yield from _forms(login.partition(":")[2])


def _forms(secret: str) -> Iterator[str]:
    """As it was given, decoded, encoded, and as Python shows it."""
    for form in {secret, unquote(secret)}:
        for said in (form, quote(form, safe=""), repr(form)[1:-1], ascii(form)[1:-1]):
            if len(said) >= _SHORTEST:
                yield said
