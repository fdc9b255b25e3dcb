"""InfluxDB connection settings: the settings `INFLUX_*`, and the address of Grafana.

INFLUX_URL decides: the others alone ask for nothing, since a stack's `.env` has its token whether or not a run uses it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlencode

from settings import UNSET, Environment
from settings.catalogue import influx

GRAFANA_URL: Final = influx.GRAFANA_URL.read(UNSET)
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
        url, grafana_url = influx.INFLUX_URL.optional(env), influx.GRAFANA_URL.read(env)
        if url is None:
            return None
        token, org, bucket = (setting.read(env) for setting in influx.NEEDED)
        return cls(url, token, org, bucket, grafana_url)

    def dashboard(self, run: str, started_at: float, ended_at: float) -> str:
        """The address of the dashboard with this run and its time range; times are seconds since the epoch."""
        around = {"from": round((started_at - _MARGIN_S) * 1000), "to": round((ended_at + _MARGIN_S) * 1000)}
        return f"{self.grafana_url}/d/{DASHBOARD}?{urlencode({**around, 'var-run': run})}"
