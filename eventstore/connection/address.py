"""Where the store is: the URL that everybody is given (see `settings.postgres_url`)."""

from __future__ import annotations

from settings.postgres_url import EXPECTED, PostgresUrl
from settings.postgres_url import parse as parse_url

__all__ = ["EXPECTED", "PostgresUrl", "parse_url"]
