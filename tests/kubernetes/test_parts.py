"""A pod as a part: stopped, killed and started by its Deployment's number, frozen by a signal from within."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from bench.ends.errors import SetupError
from bench.ends.guardian import Guardian
from bench.platforms.kubernetes import scale, signals
from bench.platforms.kubernetes.kubectl import Kubectl
from bench.platforms.kubernetes.parts import PodPart
from bench.platforms.platform import Kill, Pause, Start
from tests.fakes.kubectl import FakeKubectl


@pytest.fixture
def part(kubectl: FakeKubectl) -> Iterator[PodPart]:
    """The second projector."""
    with Guardian() as guardian:
        yield PodPart(Kubectl("tidemark"), "projector", "projector-1", guardian=guardian)


def said(kubectl: FakeKubectl, *words: str) -> list[str]:
    """The calls that begin with one of these, without their namespace."""
    calls = [call.removeprefix("--namespace tidemark ") for call in kubectl.calls]
    return [call for call in calls if call.startswith(words)]


def test_it_has_the_powers(part: PodPart) -> None:
    assert isinstance(part, Start)
    assert isinstance(part, Kill)
    assert isinstance(part, Pause)
    assert part.holder == "projector-1-holder"


def test_a_killed_pod_goes_by_a_signal_and_nobody_starts_another(kubectl: FakeKubectl, part: PodPart) -> None:
    part.kill()
    assert kubectl.pods["projector"] == ["projector-0"]
    scaled, sent = said(kubectl, "scale"), said(kubectl, "exec")
    assert scaled == ["scale deployment/projector --replicas=1"]
    assert sent[0].startswith("exec projector-1 --container projector -- python -c")
    assert sent[0].endswith(f"services.projector {int(signal.SIGKILL)}")
    assert said(kubectl, "annotate") == [
        "annotate pod projector-1 controller.kubernetes.io/pod-deletion-cost=-2147483647 --overwrite"
    ]


def test_it_is_started_as_a_new_pod(kubectl: FakeKubectl, part: PodPart) -> None:
    part.stop()
    assert said(kubectl, "exec") == []
    part.start()
    assert kubectl.pods["projector"] == ["projector-0", part.name]
    assert part.name not in ("projector-0", "projector-1")
    assert part.holder == f"{part.name}-holder"


def test_a_frozen_pod_goes_on_whatever_becomes_of_the_bench(kubectl: FakeKubectl) -> None:
    with Guardian() as guardian:
        PodPart(Kubectl("tidemark"), "projector", "projector-0", guardian=guardian).pause()
    numbers = [int(call.rpartition(" ")[2]) for call in said(kubectl, "exec")]
    assert numbers == [signal.SIGSTOP, signal.SIGCONT]


def test_who_went_on_is_left_alone(kubectl: FakeKubectl) -> None:
    with Guardian() as guardian:
        part = PodPart(Kubectl("tidemark"), "projector", "projector-0", guardian=guardian)
        part.pause()
        part.resume()
    numbers = [int(call.rpartition(" ")[2]) for call in said(kubectl, "exec")]
    assert numbers == [signal.SIGSTOP, signal.SIGCONT]


def test_a_refusal_is_told_in_a_line(kubectl: FakeKubectl, part: PodPart) -> None:
    kubectl.answer("scale", code=1, err="note\nError from server (Forbidden): you may not\n")
    with pytest.raises(SetupError, match=r"^kubectl scale: Error from server \(Forbidden\): you may not; see `kubectl"):
        part.stop()


def test_what_an_autoscaler_sets_is_not_set_by_a_run(kubectl: FakeKubectl) -> None:
    scale.require_unscaled(Kubectl("tidemark"))
    kubectl.set(autoscaled=True)
    with pytest.raises(SetupError, match=r"keda-hpa-projector.*paused-replicas"):
        scale.require_unscaled(Kubectl("tidemark"))


SLEEPS = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("up", flush=True)
time.sleep(600)
"""


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_signal_reaches_a_module_and_what_it_has_started(tmp_path: Path) -> None:
    """What a container's own Python does there is done here, to a module that nobody else has."""
    name = f"asleep_{uuid4().hex}"
    (tmp_path / f"{name}.py").write_text(SLEEPS)
    command = [sys.executable, "-m", name]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
        assert len(family) == 2
        assert send(name, signal.SIGSTOP) == 0
        until(lambda: all(one.status() == psutil.STATUS_STOPPED for one in family))
        assert send(name, signal.SIGCONT) == 0
        until(lambda: all(one.status() != psutil.STATUS_STOPPED for one in family))
        assert send(name, signal.SIGKILL) == 0
        psutil.wait_procs(family, timeout=30)
    assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family)
    assert send(name, signal.SIGKILL) == 3


def send(module: str, number: signal.Signals) -> int:
    command = [sys.executable, "-c", signals.SEND, module, str(number.value)]
    return subprocess.run(command, check=False, timeout=60).returncode
