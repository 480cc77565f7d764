"""What is weighed of a workload: its pods, where Kueue would place them."""

import copy
from typing import Any

from admission.kueue.pod_sets import gpus_of, placed
from admission.kueue.question import questions
from admission.manifest.read import read
from admission.manifest.reading import Surroundings

from .objects import CHECK, a_flavor, a_template, a_workload, assigned

L40S = a_flavor("l40s", {"nvidia.com/gpu.product": "NVIDIA-L40S"})
POOL = a_flavor("pool", {"pool": "inference"}, {"weighbridge.dev/gpu": "H100 SXM5 80GB"})
DEFAULT = a_flavor("default", {"zone": "b"})
FLAVORS = {"l40s": L40S, "pool": POOL, "default": DEFAULT}


def weighed(workload: dict[str, Any]) -> Any:  # noqa: ANN401 - an object of the cluster
    """What is weighed of a workload that asks one question."""
    (question,) = questions(workload, {CHECK})
    return placed(workload, question, FLAVORS)


def test_pods_are_placed_on_their_flavours_nodes() -> None:
    """Labels of all flavours come into the node selector, as Kueue will put them there, and nothing else changes."""
    workload = a_workload("one")
    workload["spec"]["podSets"][0]["template"]["spec"]["nodeSelector"] = {"arch": "amd64"}
    before = copy.deepcopy(workload)
    spec = weighed(workload)["spec"]["podSets"][0]["template"]["spec"]
    assert spec.pop("nodeSelector") == {"arch": "amd64", "zone": "b", "nvidia.com/gpu.product": "NVIDIA-L40S"}
    before_spec = before["spec"]["podSets"][0]["template"]["spec"]
    assert spec == {key: value for key, value in before_spec.items() if key != "nodeSelector"}
    assert workload == before


def test_each_pod_set_is_placed_by_itself() -> None:
    """Pod sets on several flavours have the labels of their own alone; one that is gone brings none."""
    workload = a_workload("two")
    workload["spec"]["podSets"] = [{"name": name, "template": a_template()} for name in ("prefill", "decode")]
    workload["status"]["admission"]["podSetAssignments"] = [assigned("l40s", "prefill"), assigned("gone", "decode")]
    told = [each["template"]["spec"]["nodeSelector"] for each in weighed(workload)["spec"]["podSets"]]
    assert told == [{"zone": "b", "nvidia.com/gpu.product": "NVIDIA-L40S"}, {"zone": "b"}]


def test_gpu_is_read_of_the_flavour() -> None:
    """By the label of its nodes, or by the annotation of the flavour where no label tells."""
    for flavor, gpu in (("l40s", "L40S"), ("pool", "H100")):
        reading = read(weighed(a_workload("one", flavor=flavor)), Surroundings(flavors=gpus_of(FLAVORS)))
        (server,) = reading.servers
        assert server.request["model"] == {"name": "Qwen/Qwen3-8B"}
        assert gpu in server.request["hardware"]["gpu"]
        assert server.container.startswith("spec.podSets[main]")


def test_reason_to_bypass_stands_in_the_template() -> None:
    """Kueue gives a workload none of its owner's annotations, so the pods' own is heard."""
    workload = a_workload("one")
    workload["spec"]["podSets"][0]["template"] = a_template(annotations={"weighbridge.dev/bypass": "a trial run"})
    assert read(weighed(workload), Surroundings()).bypass == "a trial run"
