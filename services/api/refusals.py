"""What the API itself refuses, before or after the domain and the store have their say.

Refusal
├── MalformedRequest       a header, a parameter or the body can not be read
├── UnsupportedMediaType   the body is declared to be something else than JSON
├── NotProjectedYet        the awaited version did not come in time
└── NotReady               the process can not serve; the message says why
"""

from __future__ import annotations


class Refusal(Exception):
    """Any refusal by the API itself. Nothing was written."""


class MalformedRequest(Refusal):
    """A header, a parameter or the body can not be read."""


class UnsupportedMediaType(Refusal):
    """The body is declared to be something else than JSON."""


class NotProjectedYet(Refusal):
    """The projection did not reach the awaited version in time."""


class NotReady(Refusal):
    """The process can not serve requests now."""
