"""``weighbridge check`` and ``weighbridge slurm check`` as a person runs them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from schemas.decision import Decision

POD = """
apiVersion: v1
kind: Pod
metadata: {name: "%(name)s", annotations: %(annotations)s}
spec:
  nodeSelector: {nvidia.com/gpu.product: NVIDIA-A10}
  containers:
    - name: vllm
      command: [vllm, serve, "%(model)s", --max-model-len, "8192"]
      resources: {limits: {nvidia.com/gpu: 1}}
"""


def pod(name: str, model: str, annotations: str = "{}") -> str:
    """A manifest of a pod that serves ``model`` on one A10."""
    return POD % {"name": name, "model": model, "annotations": annotations}


def run(*arguments: str, given: str | None = None) -> Result:
    """The outcome of ``weighbridge`` with these arguments."""
    return CliRunner().invoke(main, arguments, input=given)


SMALL, LARGE = pod("small", "Qwen/Qwen3-0.6B"), pod("large", "Qwen/Qwen3-32B")
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: words}\n"


@pytest.mark.parametrize(
    ("manifests", "status"),
    [
        (SMALL, 0),
        (CONFIG_MAP, 0),
        (LARGE, 1),
        (f"{SMALL}---{LARGE}", 1),
        (pod("unknown", "nobody/nothing"), 1),
        (pod("bypassed", "Qwen/Qwen3-32B", "{weighbridge.dev/bypass: drill}"), 0),
        ("- a\n- b\n", 2),
        ("a: [", 2),
    ],
)
def test_exit_status_says_whether_all_may_be_let_in(manifests: str, status: int) -> None:
    """0 where all may, 1 where some may not, 2 where a file holds no objects."""
    told = run("check", "-f", "-", given=manifests)
    assert told.exit_code == status, told.output


def test_warn_lets_everything_in() -> None:
    """The status is that of a cluster in the mode."""
    assert run("check", "-f", "-", "--mode", "warn", given=LARGE).exit_code == 0


def test_table_names_what_is_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Object, container and reason of each server stand in it; the rest is counted."""
    monkeypatch.setenv("COLUMNS", "200")
    told = run("check", "-f", "-", given=f"{SMALL}---{LARGE}---\n{CONFIG_MAP}")
    for words in ("Pod/small", "Pod/large", "spec.containers[vllm]", "✔ Fits", "1 of 3 objects serve no model"):
        assert words in told.stdout
    assert "63." in told.stdout


def test_table_says_what_was_taken_for_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the object leaves open stands under what was found."""
    monkeypatch.setenv("COLUMNS", "200")
    told = run("check", "-f", "-", given=SMALL.replace("nvidia.com/gpu: 1}", "nvidia.com/gpu: 2}"))
    assert "1 of 2 GPUs are used" in told.stdout


def test_objects_of_all_files_refer_to_each_other(tmp_path: Path) -> None:
    """A model named in a ConfigMap of another file is found, and lists are taken apart."""
    (tmp_path / "map.yaml").write_text(
        "kind: ConfigMap\nmetadata: {name: m}\ndata: {serve.yaml: 'model: Qwen/Qwen3-0.6B'}\n"
    )
    listed = {
        "kind": "List",
        "items": [
            {
                "kind": "Pod",
                "spec": {
                    "volumes": [{"name": "v", "configMap": {"name": "m"}}],
                    "containers": [
                        {
                            "name": "c",
                            "command": ["vllm", "serve", "--config", "/etc/v/serve.yaml"],
                            "volumeMounts": [{"name": "v", "mountPath": "/etc/v"}],
                            "resources": {"limits": {"nvidia.com/gpu": 1}},
                        }
                    ],
                },
            }
        ],
    }
    (tmp_path / "pod.json").write_text(json.dumps(listed))
    files = ["-f", str(tmp_path / "pod.json"), "-f", str(tmp_path / "map.yaml")]
    told = run("check", *files, "--gpu", "L4", "--json")
    assert told.exit_code == 0, told.output
    first, second = map(Decision.model_validate_json, told.stdout.splitlines())
    assert (first.code, second.code) == ("fit", "not_applicable")


@pytest.mark.parametrize(
    ("script", "status", "reason"),
    [
        ("#SBATCH --gres=gpu:l4:1\nvllm serve Qwen/Qwen3-0.6B --max-model-len 8192\n", 0, "Fits"),
        ("#SBATCH --gres=gpu:l4:1\nvllm serve Qwen/Qwen3-32B --max-model-len 8192\n", 1, "FitsWithChanges"),
        ("#SBATCH --gres=gpu:l4:1\nvllm serve /scratch/model\n", 1, "ModelIsPath"),
        ("#SBATCH --gres=gpu:l4:1\nsrun train\n", 0, "NoModelServer"),
    ],
)
def test_slurm_check_says_why_in_one_line(script: str, status: int, reason: str) -> None:
    """Status and line are for a submit wrapper."""
    told = run("slurm", "check", given=script)
    assert told.exit_code == status, told.output
    assert told.stdout.startswith(f"{reason}: ")
    assert told.stdout.count("\n") == 1


def test_slurm_check_lets_in_what_is_bypassed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason given is kept in the decision."""
    monkeypatch.setenv("WEIGHBRIDGE_JOB_BYPASS", "drill")
    told = run("slurm", "check", "--json", given="#SBATCH --gres=gpu:l4:1\nvllm serve Qwen/Qwen3-32B\n")
    decision = Decision.model_validate_json(told.stdout)
    assert (told.exit_code, decision.bypass, decision.reason) == (0, "drill", "Bypassed")


def test_slurm_check_refuses_what_is_no_text(tmp_path: Path) -> None:
    """A script that is no UTF-8 is bad input."""
    (tmp_path / "job").write_bytes(b"\xff\xfe")
    assert run("slurm", "check", str(tmp_path / "job")).exit_code == 2


def test_check_ends_on_yaml_that_holds_itself() -> None:
    """An alias of what it stands in is bad input, and no endless loop."""
    told = run("check", "-f", "-", given="kind: Pod\nspec: &s {containers: [*s]}\n")
    assert told.exit_code == 2, told.output
