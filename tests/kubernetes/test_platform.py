"""A run in a cluster: the platform is chosen by its name, sets what a run sets, and brings the run's files here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from bench.bundle.folder import Bundle
from bench.ends.errors import SetupError
from bench.platforms import choice
from bench.platforms.kubernetes import generator, load, scale, secrets
from bench.platforms.kubernetes.kubectl import Kubectl, connect
from bench.platforms.kubernetes.load import Load
from bench.platforms.kubernetes.place import LOAD, overlay
from bench.platforms.platform import Kill, Pause, Start
from bench.preflight.settings import Settings
from bench.report.progress import Lines
from settings import SettingError
from tests.cluster import Cluster, as_role
from tests.fakes.kubectl import FakeKubectl
from tests.kubernetes.rendering import rendered

RUN = {"PLATFORM": "kubernetes", "PROJECTORS": "2", "VUS": "7", "DURATION": "3s", "LOADGEN_WORKERS": "3"}


def documents() -> str:
    """What kubectl prints of the folder: one object after another."""
    return "\n".join(json.dumps(document, indent=4) for document in rendered("overlays/load"))


@pytest.fixture
def own(kubectl: FakeKubectl) -> Load:
    """The component `load` as it is."""
    kubectl.answer("create --dry-run=client", documents())
    return Load.read(LOAD)


def test_it_is_chosen_by_its_name() -> None:
    told, where = choice.choose({"PLATFORM": "kubernetes"})
    assert told == {}
    assert where.startswith("in the cluster of kubectl's context")
    assert choice.changeable(Settings.from_env(RUN))


@pytest.mark.parametrize("value", ["kubernetes:/nowhere", "nomad", ":", "kubernetes:tests"])
def test_another_name_is_refused_with_what_it_may_be(value: str) -> None:
    with pytest.raises(SettingError, match=r"^PLATFORM=.* expected kubernetes, or kubernetes:FOLDER"):
        choice.choose({"PLATFORM": value})


@pytest.mark.parametrize("more", [{"BASE_URL": "http://127.0.0.1:1"}, {"TARGET": "crud"}])
def test_what_it_can_not_be_with_is_refused(more: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="PLATFORM"):
        Settings.from_env({"PLATFORM": "kubernetes", **more})


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("kind: Kustomization\n")
    assert overlay(f"kubernetes:{tmp_path}") == tmp_path.resolve()


def test_without_kubectl_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="kubectl: is not installed"):
        connect()


def test_a_folder_without_the_load_is_refused(kubectl: FakeKubectl) -> None:
    kubectl.answer("create --dry-run=client", json.dumps({"kind": "List", "items": []}))
    with pytest.raises(SetupError, match="renders no Jobs loadgen and loadgen-worker"):
        Load.read(LOAD)


def test_an_answer_that_is_no_json_is_told(kubectl: FakeKubectl) -> None:
    kubectl.answer("get pods", "Unable to connect")
    with pytest.raises(SetupError, match=r"kubectl get: an answer that can not be read: 'Unable to connect'"):
        Kubectl("tidemark").documents("get", "pods")


def test_the_pod_of_a_run_is_the_jobs_and_waits(own: Load) -> None:
    pod = own.pod()
    (job,) = [one for one in rendered("overlays/load") if one["metadata"]["name"] == "loadgen" and one["kind"] == "Job"]
    template = job["spec"]["template"]
    assert own.namespace == pod["metadata"]["namespace"] == "tidemark"
    # So that its Service and the policies take it.
    assert pod["metadata"]["labels"] == template["metadata"]["labels"]
    container = pod["spec"]["containers"][0]
    assert container["command"][0] == "sleep"
    assert {**container, "command": None} == {**template["spec"]["containers"][0], "command": None}
    workers = own.workers(5)["spec"]
    assert (workers["completions"], workers["parallelism"]) == (5, 5)


def test_what_a_run_tells_is_what_each_process_reads_and_no_secret() -> None:
    influx = {"INFLUX_URL": "http://i:1", "INFLUX_TOKEN": "t", "INFLUX_ORG": "o", "INFLUX_BUCKET": "b"}
    settings = Settings.from_env({**RUN, "HANDLER": "each", **influx})
    told = load.told(settings, "run-1")
    assert told["VUS"] == "7"
    assert told["LOADGEN_WORKERS"] == "3"
    assert told["RESULTS_DIR"] == "/results/run-1"
    assert not {"INFLUX_TOKEN", "BASE_URL", "HANDLER"} & set(told)
    assert "HANDLER=each" in scale.settings_of(settings, "projector")
    assert not [one for one in scale.settings_of(settings, "api") if one.startswith(("HANDLER", "VUS", "DATABASE_URL"))]


def test_secrets_are_made_once_and_never_on_a_command_line(
    kubectl: FakeKubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets.make(Kubectl("tidemark"), Console())
    created = [call for call in kubectl.calls if "create" in call]
    assert len(created) == 2
    kubectl.answer("get secret", "secret/there\n")
    secrets.make(Kubectl("tidemark"), Console())
    assert [call for call in kubectl.calls if "create" in call] == created
    passwords = secrets.passwords()["stringData"]
    assert all(len(value) == 48 and value.isalnum() for value in passwords.values())
    assert not any(value in call for value in passwords.values() for call in kubectl.calls)
    assert "was there, and stays" in capsys.readouterr().out


def test_a_run(kubectl: FakeKubectl, cluster: Cluster, tmp_path: Path) -> None:
    """From the name of the platform to the files of the run; API, pods and load generator are played."""
    kubectl.answer("create --dry-run=client", documents())
    kubectl.answer("python --version", "Python 3.13.0\n")
    results = kubectl.folder / "results"
    results.mkdir()
    (results / "samples.jsonl").write_text('{"t": 1}\n')
    (results / "loadgen.json").write_text('{"verdict": "converged"}')
    settings = Settings.from_env({**RUN, "DATABASE_URL": as_role("oracle", cluster.create())})
    bundle = Bundle.create(tmp_path / "r", "throughput", "parallel")
    with choice.running_system(settings, bundle.log, Lines(Console())) as system:
        assert system.platform.name == "kubernetes"
        assert [part.name for part in system.platform.parts()] == ["api-0", "projector-0", "projector-1"]
        assert system.platform.leaders().reason
        system.require("projector", Kill, Pause, Start)
        process = system.platform.start_loadgen(bundle.folder)
        assert process.popen.wait(60) == 0, process.log.read_text()
    assert json.loads((bundle.folder / "loadgen.json").read_text()) == {"verdict": "converged"}
    assert (bundle.folder / "samples.jsonl").read_text() == '{"t": 1}\n'
    sent = yaml.safe_load((bundle.log / "load.json").read_text())
    kinds = [f"{one['kind']} {one['metadata']['name']}" for one in sent["items"]]
    assert "Pod loadgen-run" in kinds
    assert "Job loadgen-worker-run" in kinds
    assert "Job loadgen" not in kinds
    calls = [call.removeprefix("--namespace tidemark ") for call in kubectl.calls]
    assert "scale deployment/projector --replicas=2" in calls
    assert any(call.startswith("set env deployment/projector --containers=projector ") for call in calls)
    assert any("env " in call and "VUS=7" in call and call.endswith("python -m services.loadgen") for call in calls)
    assert calls[-1].startswith("logs") or calls[-1].startswith("delete pod/loadgen-run")
    assert "projector started" in (bundle.log / "projector.log").read_text()
    bundle.close()


def test_a_run_that_failed_there_fails_here(kubectl: FakeKubectl, tmp_path: Path) -> None:
    (kubectl.folder / "results").mkdir()
    (kubectl.folder / "results" / "samples.jsonl").write_text("")
    kubectl.set(exit_code=1)
    assert generator.main("tidemark", "loadgen-run", str(tmp_path), "VUS=1") == 1
    kubectl.answer("tar --create", "no archive", code=1)
    assert generator.main("tidemark", "loadgen-run", str(tmp_path), "VUS=1") == generator.LOST
