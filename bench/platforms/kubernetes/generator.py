"""`python -m bench.platforms.kubernetes.generator NAMESPACE POD FOLDER NAME=VALUE …`: one run of the load generator.

It runs in the pod by `kubectl exec`; its samples come here while they are made, all of its files when it has ended.
The exit code is the load generator's: 0 converged, 1 any other verdict, 2 a setting that it refuses.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

from bench.platforms.kubernetes.kubectl import Kubectl
from bench.platforms.kubernetes.load import FOLDER
from settings.command_line import terminal

SAMPLES: Final = "samples.jsonl"
LOST: Final = 3
"""The run has ended, and its files could not be had."""


def main(namespace: str, pod: str, folder: str, *told: str) -> int:
    """Run it, and bring its files into `folder`."""
    kubectl, here = Kubectl(namespace), Path(folder)
    there = f"{FOLDER}/{here.name}"
    environment = dict(kubectl.variables)
    follow = ["tail", "--lines=+1", "--follow=name", "--retry", "--sleep-interval=0.2", f"{there}/{SAMPLES}"]
    with (here / SAMPLES).open("wb") as samples:
        following = subprocess.Popen(
            kubectl.command("exec", pod, "--", *follow),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=samples,
            stderr=subprocess.DEVNULL,
        )
        try:
            command = kubectl.command("exec", pod, "--", "env", *told, "python", "-m", "services.loadgen")
            code = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
        finally:
            following.terminate()
            following.wait()
    return code if code == 2 or _bring(kubectl, pod, there, here) else LOST


def _bring(kubectl: Kubectl, pod: str, there: str, here: Path) -> bool:
    """Unpack the run's files over what came before. False, with a line that says why, where they are not whole."""
    command = kubectl.command("exec", pod, "--", "tar", "--create", "--directory", there, ".")
    with subprocess.Popen(
        command, env=dict(kubectl.variables), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as packing:
        assert packing.stdout is not None
        try:
            with tarfile.open(fileobj=packing.stdout, mode="r|") as archive:
                archive.extractall(here, filter="data")
        except (tarfile.TarError, OSError) as error:
            print(f"the files of the run could not be had from pod {pod}: {error}", file=sys.stderr)
            return False
    return packing.returncode == 0


if __name__ == "__main__":
    terminal.forgive()
    sys.exit(main(*sys.argv[1:]))
