"""Strip what is private from a document: addresses, paths of files, and the names of this host and this user.

Each is replaced by a word in angle brackets, in keys and in values, at any depth. Where it is not clear where one ends,
more goes and not less. Loopback stays, and so do routes of HTTP.
"""

from __future__ import annotations

import getpass
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

ADDRESS: Final = "<address>"
PATH: Final = "<path>"
NAME: Final = "<name>"

_ORDINARY: Final = frozenset(
    ("root", "localhost", "localdomain", "user", "runner", "postgres", "nobody", "ubuntu", "debian", "admin")
)
"""Names that tell nobody and nothing."""
_SHORTEST: Final = 3
"""A shorter name is part of too many words."""

_TOPS: Final = (
    *("app", "build", "builds", "data", "dev", "etc", "home", "media", "mnt", "opt", "private", "proc", "root", "run"),
    *("srv", "sys", "tmp", "usr", "var", "work", "workspace", "Applications", "Library", "Users", "Volumes"),
)
"""Folders at the top of a file system; a route of HTTP begins with none of them and goes on."""

_LOOPBACK: Final = r"(?:[^\s/@]*@)?(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?:[:/?#]|\b)"
_URL: Final = re.compile(rf"\b[A-Za-z][\w+.-]*://(?!{_LOOPBACK})\S+")
_MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBERS: Final = re.compile(r"(?<![\w.])(?!127\.)\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
_REST: Final = r"""[^\s'"<>|,;)\]}]"""


def stripper() -> Callable[[str], str]:
    """What strips a text. It knows this machine's folders, its name, and who runs it."""
    tops = "|".join(sorted({re.escape(top) for top in (*_TOPS, *_here())}, key=len, reverse=True))
    paths = re.compile(rf"(?<![\w.:/])(?:/(?:{tops})/{_REST}+|~/{_REST}+)|(?<!\w)[A-Za-z]:\\{_REST}+|\bfile://{_REST}+")
    names = [re.escape(name) for name in _names()]
    named = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(names)})(?![A-Za-z0-9])", re.IGNORECASE) if names else None

    def strip(text: str) -> str:
        text = paths.sub(PATH, text)
        for pattern in (_URL, _MAIL, _NUMBERS):
            text = pattern.sub(ADDRESS, text)
        return named.sub(NAME, text) if named else text

    return strip


def stripped(document: Any, strip: Callable[[str], str]) -> Any:
    """The document with every text in it stripped."""
    if isinstance(document, str):
        return strip(document)
    if isinstance(document, dict):
        return {strip(key): stripped(value, strip) for key, value in document.items()}
    return [stripped(each, strip) for each in document] if isinstance(document, list | tuple) else document


def _here() -> Iterator[str]:
    with suppress(OSError):
        yield from (path.name for path in Path("/").iterdir() if path.is_dir())


def _names() -> set[str]:
    """This host and this user, as texts may tell them."""
    found = set()
    with suppress(OSError):
        found |= {socket.gethostname(), socket.gethostname().partition(".")[0]}
    with suppress(OSError, KeyError):
        found.add(getpass.getuser())
    with suppress(RuntimeError):
        found.add(Path.home().name)
    return {name for name in found if len(name) >= _SHORTEST and name.lower() not in _ORDINARY}
