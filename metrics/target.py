"""Where InfluxDB is and how it lets us in: the settings `INFLUX_*`, and the address of Grafana.

INFLUX_URL decides: the others alone ask for nothing, since a stack's `.env` has its token whether or not a run uses it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlencode, urlsplit

from settings import Environment, SettingError
from settings.hiding import hide

NAMES: Final = ("INFLUX_URL", "INFLUX_TOKEN", "INFLUX_ORG", "INFLUX_BUCKET")
GRAFANA_URL: Final = "http://localhost:3000"
DASHBOARD: Final = "projection-consistency"
_MARGIN_S: Final = 5.0


@dataclass(frozen=True)
class Target:
    """An InfluxDB with a bucket, and the Grafana that shows it. The token is not part of its text."""

    url: str
    token: str = field(repr=False)
    org: str
    bucket: str
    grafana_url: str = GRAFANA_URL

    @classmethod
    def from_env(cls, env: Environment) -> Self | None:
        """None without INFLUX_URL; with it, the other three are needed. Raises SettingError naming the one."""
        if env.optional("INFLUX_URL") is None:
            return None
        url, token, org, bucket = (env.text(name, expected="a value, since INFLUX_URL is set") for name in NAMES)
        grafana_url = _address("GRAFANA_URL", env.text("GRAFANA_URL", GRAFANA_URL))
        return cls(_address("INFLUX_URL", url), token, org, bucket, grafana_url)

    def dashboard(self, run: str, started_at: float, ended_at: float) -> str:
        """The address of the dashboard with this run and its time range; times are seconds since the epoch."""
        around = {"from": round((started_at - _MARGIN_S) * 1000), "to": round((ended_at + _MARGIN_S) * 1000)}
        return f"{self.grafana_url}/d/{DASHBOARD}?{urlencode({**around, 'var-run': run})}"


def _address(name: str, value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        usable = usable and "@" not in parts.netloc and not parts.query and not parts.fragment
    except ValueError:
        usable = False
    if not usable:
        raise SettingError(
            name,
            re.sub(r"[?#].*", "", hide(value, value)),
            "an address such as http://127.0.0.1:8086, without a password or a query",
        )
    return value.rstrip("/")
