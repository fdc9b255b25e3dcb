"""`python -m bench.platforms.kubernetes.forward NAMESPACE TARGET LOCAL REMOTE`: a port of the cluster, here.

`kubectl port-forward` to a Service holds on to one pod and ends with it, so it is begun again and again.
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Final

from bench.ends import signals
from bench.platforms.kubernetes.kubectl import Kubectl

AGAIN_S: Final = 0.3


def main(namespace: str, target: str, local: str, remote: str) -> None:
    """Forward until told to end."""
    kubectl = Kubectl(namespace)
    line = kubectl.command("port-forward", "--address", "127.0.0.1", target, f"{local}:{remote}")
    while True:
        subprocess.run(line, env=dict(kubectl.variables), stdin=subprocess.DEVNULL, check=False)
        signals.check()
        time.sleep(AGAIN_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
