"""What is weighed of a workload: its pods, where Kueue would place them."""

from typing import Any

from admission.kueue.pod_sets import placed
from admission.kueue.question import questions

from .objects import CHECK, a_flavor, a_template, a_workload, assigned

L40S = a_flavor("l40s", {"nvidia.com/gpu.product": "NVIDIA-L40S"}, {"weighbridge.dev/gpu": "L40S"})
DEFAULT = a_flavor("default", {"pool": "general"})
FLAVORS = {"l40s": L40S, "default": DEFAULT}


def weighed(workload: dict[str, Any]) -> list[Any]:
    """The parts of a workload that asks one question."""
    (question,) = questions(workload, {CHECK})
    return placed(workload, question, FLAVORS)


def test_pod_is_placed_on_its_flavours_nodes() -> None:
    """Labels of all flavours come into the node selector, as Kueue will put them there; the GPU's flavour is told."""
    workload = a_workload("one")
    template = workload["spec"]["podSets"][0]["template"]
    template["spec"]["nodeSelector"] = {"zone": "a"}
    (part,) = weighed(workload)
    assert part.object["kind"] == "Pod"
    assert part.object["metadata"] == {"name": "one", "namespace": "team-a", "annotations": {}}
    assert part.object["spec"]["containers"] == template["spec"]["containers"]
    assert part.object["spec"]["nodeSelector"] == {
        "zone": "a",
        "pool": "general",
        "nvidia.com/gpu.product": "NVIDIA-L40S",
    }
    assert (part.flavor, part.gpu, part.pod_sets) == ("l40s", "L40S", ("main",))
    assert template["spec"]["nodeSelector"] == {"zone": "a"}


def test_flavour_that_is_not_known_is_only_named() -> None:
    """A flavour that was deleted meanwhile, or brings no labels, keeps nothing from being weighed."""
    (part,) = weighed(a_workload("one", flavor="a100"))
    assert part.object["spec"]["nodeSelector"] == {"pool": "general"}
    assert (part.flavor, part.gpu) == ("a100", None)


def test_leader_and_workers_are_weighed_together() -> None:
    """The pod sets of a LeaderWorkerSet's group are one replica of it again, as large as the group."""
    workload = a_workload("group")
    pod_sets = [
        {"name": "leader", "count": 1, "template": a_template("--tensor-parallel-size", "8")},
        {"name": "worker", "count": 3, "template": a_template()},
    ]
    workload["spec"]["podSets"] = pod_sets
    workload["status"]["admission"]["podSetAssignments"] = [assigned("l40s", "leader"), assigned("l40s", "worker")]
    (part,) = weighed(workload)
    assert part.object["kind"] == "LeaderWorkerSet"
    template = part.object["spec"]["leaderWorkerTemplate"]
    assert template["size"] == 4
    assert template["leaderTemplate"]["spec"]["containers"] == pod_sets[0]["template"]["spec"]["containers"]
    assert template["workerTemplate"]["spec"]["nodeSelector"]["nvidia.com/gpu.product"] == "NVIDIA-L40S"
    assert part.pod_sets == ("leader", "worker")


def test_group_without_a_leader_of_its_own_is_told_by_its_owner() -> None:
    """A LeaderWorkerSet that has one template is one pod set, of as many pods as the group has."""
    workload = a_workload("group")
    workload["metadata"]["ownerReferences"] = [{"kind": "LeaderWorkerSet", "name": "llama", "uid": "u"}]
    workload["spec"]["podSets"][0]["count"] = 2
    (part,) = weighed(workload)
    assert part.object["kind"] == "LeaderWorkerSet"
    assert part.object["spec"]["leaderWorkerTemplate"]["size"] == 2


def test_other_pod_sets_are_weighed_each_by_itself() -> None:
    """Those of other owners serve apart, each on its own flavour."""
    workload = a_workload("two")
    workload["spec"]["podSets"] = [{"name": name, "template": a_template()} for name in ("prefill", "decode")]
    workload["status"]["admission"]["podSetAssignments"] = [assigned("l40s", "prefill"), assigned("a100", "decode")]
    parts = weighed(workload)
    assert [(part.pod_sets, part.flavor) for part in parts] == [(("prefill",), "l40s"), (("decode",), "a100")]
