"""The projector of the fake target: it is there, says who it is, and ends on SIGTERM."""

from __future__ import annotations

import os
import signal

if __name__ == "__main__":
    print("projector", os.environ["NUMBER"], os.environ["NAME"], flush=True)
    signal.sigwait({signal.SIGTERM})
