"""Clocks that are set while a process runs: libfaketime, preloaded into it, reads how far off it is to be from a file.

Only the time of day is off (CLOCK_REALTIME). Durations are not, as on a machine whose clock is set: nothing of ours is
in the process, which has no setting for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench import ROOT
from bench.platforms.platform import Part
from bench.trial.fault import NotApplicable
from settings.catalogue.projection import HEALTH_FILE, MOMENTS_FILE

LIBRARY: Final = "faketime/libfaketime.so.1"
PLACES: Final = (
    *(Path("/usr/lib"), Path("/usr/lib64"), Path("/usr/local/lib")),
    ROOT / ".tools" / "libfaketime" / "usr" / "lib",
)
"""Where distributions install it, and where it may be unpacked beside the project's other tools."""
READ_EVERY_S: Final = 1


def library() -> Path:
    """Where libfaketime is. Raises NotApplicable."""
    for place in PLACES:
        for found in (place / LIBRARY, *sorted(place.glob(f"*/{LIBRARY}"))):
            if found.is_file():
                return found
    raise NotApplicable(
        "libfaketime",
        "is not on this machine: it sets the clock of a process",
        "install it (apt-get install libfaketime, dnf install libfaketime)",
    )


class Clock:
    """The clock of one part: `settings` are what it has to be started with."""

    def __init__(self, part: Part, folder: Path, preloaded: Path) -> None:
        self.part = part
        self._offset = folder / f"{part.name}.offset"
        self.health: Final = folder / f"{part.name}.health"
        self._preloaded = preloaded
        self.set(0)

    def set(self, off_s: int) -> None:
        """Let it be so many seconds ahead (behind, where negative) of the machine's; soon, and not at once."""
        scratch = self._offset.with_suffix(".new")
        scratch.write_text(f"{off_s:+d}", encoding="ascii")
        scratch.replace(self._offset)

    @property
    def settings(self) -> Mapping[str, str]:
        """A projector tells its time in a health file, and keeps no moments, which would be of another clock."""
        told = {HEALTH_FILE.name: str(self.health), MOMENTS_FILE.name: ""}
        return {
            "LD_PRELOAD": str(self._preloaded),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_CACHE_DURATION": str(READ_EVERY_S),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Else each process would leave shared memory behind when it is killed.
            "FAKETIME_DISABLE_SHM": "1",
            **(told if self.part.kind == "projector" else {}),
        }
