"""Where the store is: the URL that everybody is given (see `settings.addresses.postgres_url`)."""

from __future__ import annotations

from settings.addresses.postgres_url import EXPECTED, PostgresUrl
from settings.addresses.postgres_url import parse as parse_url

__all__ = ["EXPECTED", "PostgresUrl", "parse_url"]
