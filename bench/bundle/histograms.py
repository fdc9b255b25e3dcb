"""HDR histograms of a bundle, read back from their files: microseconds by count."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hdrh.codec import HdrCookieException, HdrHistogramSettingsException, HdrLengthException
from hdrh.histogram import HdrHistogram

from metrics.reading import BadDocument

NAMES: Final = ("actions", "reads", "visibility", "projected")


@dataclass(frozen=True)
class Histogram:
    """Milliseconds of one kind of latency."""

    inner: Any

    @property
    def count(self) -> int:
        """How many samples it has."""
        return int(self.inner.get_total_count())

    @property
    def max(self) -> float:
        """The largest, in milliseconds."""
        return float(self.inner.get_max_value()) / 1000

    def at(self, quantile: float) -> float:
        """The value that this share of the samples does not exceed, in milliseconds."""
        return float(self.inner.get_value_at_percentile(quantile * 100)) / 1000

    def at_each(self, quantiles: Sequence[float]) -> list[float]:
        """The same for many of them, by one walk through the counts and not one for each."""
        percents = [quantile * 100 for quantile in quantiles]
        found = self.inner.get_percentile_to_value_dict(percents)
        return [float(found[percent]) / 1000 for percent in percents]

    def beyond(self, quantile: float) -> float:
        """How many samples lie above this share of them."""
        return round(self.count * (1 - quantile), 6)


def read_histograms(folder: Path) -> dict[str, Histogram]:
    """Those that there are, by name. Raises BadDocument for one that can not be read."""
    paths = {name: folder / f"{name}.hdr" for name in NAMES}
    return {name: _read(path) for name, path in paths.items() if path.exists()}


def _read(path: Path) -> Histogram:
    try:
        return Histogram(HdrHistogram.decode(path.read_bytes().strip()))
    except (ValueError, IndexError, zlib.error, HdrCookieException, HdrHistogramSettingsException, HdrLengthException):
        raise BadDocument(path, "is no HDR histogram in its text form") from None
    except OSError as error:
        raise BadDocument(path, f"can not be read: {error.strerror}", "give yourself the right to read it") from None
