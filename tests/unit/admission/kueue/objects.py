"""Workloads as Kueue has them, and decisions that a test has taken beforehand."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from admission.context import Identity
from admission.manifest.reading import Surroundings
from schemas.decision import ContainerDecision, Decision, DecisionCode, Mode, Reason, SmallestChange
from schemas.recommendation import PerGpu

Object = dict[str, Any]

RESERVED_AT = "2026-08-01T10:00:00Z"
NAMESPACE = "team-a"
CHECK = "gpu-fit"

GIB = 2**30


def a_template(*arguments: str, annotations: Mapping[str, str] | None = None) -> Object:
    """A pod template with one container that serves a model on a GPU."""
    return {
        "metadata": {"annotations": dict(annotations or {})},
        "spec": {
            "containers": [
                {
                    "name": "vllm",
                    "image": "vllm/vllm-openai",
                    "args": ["--model", "Qwen/Qwen3-8B", *arguments],
                    "resources": {"limits": {"nvidia.com/gpu": "1"}},
                }
            ]
        },
    }


def pending(check: str = CHECK, since: str = RESERVED_AT, **more: object) -> Object:
    """A check as Kueue leaves it for its controller."""
    return {"name": check, "state": "Pending", "message": "", "lastTransitionTime": since, **more}


def condition(kind: str, status: str = "True") -> Object:
    """A condition of a workload."""
    return {"type": kind, "status": status, "reason": kind, "message": "", "lastTransitionTime": RESERVED_AT}


def assigned(flavor: str, pod_set: str = "main") -> Object:
    """What Kueue notes of the quota that a pod set has reserved."""
    return {"name": pod_set, "flavors": {"cpu": "default", "nvidia.com/gpu": flavor}, "count": 1}


def a_workload(name: str, *, flavor: str = "l40s", checks: list[Object] | None = None) -> Object:
    """A workload of one pod that has its quota and waits for our check."""
    return {
        "apiVersion": "kueue.x-k8s.io/v1beta2",
        "kind": "Workload",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"uid-{name}", "generation": 1},
        "spec": {"queueName": "gpus", "podSets": [{"name": "main", "count": 1, "template": a_template()}]},
        "status": {
            "conditions": [condition("QuotaReserved")],
            "admission": {"clusterQueue": "gpus", "podSetAssignments": [assigned(flavor)]},
            "admissionChecks": [pending()] if checks is None else checks,
        },
    }


def a_check(name: str = CHECK, *, parameters: str | None = None, controller: str | None = None) -> Object:
    """An AdmissionCheck of ours."""
    spec: Object = {"controllerName": controller or "weighbridge.dev/admission-check"}
    if parameters is not None:
        spec["parameters"] = {"apiGroup": "weighbridge.dev", "kind": "SizingCheck", "name": parameters}
    return {"metadata": {"name": name, "uid": f"uid-{name}", "generation": 1}, "spec": spec}


def a_flavor(name: str, labels: Mapping[str, str], annotations: Mapping[str, str] | None = None) -> Object:
    """A ResourceFlavor of nodes with ``labels``."""
    return {"metadata": {"name": name, "annotations": dict(annotations or {})}, "spec": {"nodeLabels": dict(labels)}}


def per_gpu(*, fits: bool) -> PerGpu:
    """Figures that hang together."""
    return PerGpu(
        total_bytes=20 * GIB,
        usable_bytes=(40 if fits else 16) * GIB,
        weights_bytes=16 * GIB,
        kv_cache_bytes=3 * GIB,
        activation_bytes=GIB,
        overhead_bytes=0,
        headroom_bytes=(20 if fits else -4) * GIB,
    )


_REASONS: Mapping[DecisionCode, Reason] = {
    "fit": "Fits",
    "fit_with_changes": "FitsWithChanges",
    "no_fit": "MemoryDoesNotFit",
    "unknown_model": "UnknownModel",
    "not_applicable": "NoModelServer",
    "invalid": "InvalidRequest",
    "unavailable": "ServiceUnavailable",
}


def a_decision(
    code: DecisionCode = "fit", *, allowed: bool = True, bypass: str | None = None, mode: Mode = "warn"
) -> Decision:
    """A decision with the smallest change where there is one."""
    change = SmallestChange(
        changes={"max_model_len": 8192},
        arguments=["--max-model-len 8192"],
        why="shorter sequences take less",
        verdict="fits",
        per_gpu=per_gpu(fits=True),
    )
    container = ContainerDecision(
        container="spec.podSets[main].template.spec.containers[vllm]",
        code=code,
        reason=_REASONS[code],
        message=f"it is {code}",
        change=change if code == "fit_with_changes" else None,
    )
    return Decision(
        decision_id="d" * 64,
        code=code,
        reason=_REASONS[code],
        message=f"it is {code}",
        containers=[container],
        mode=mode,
        allowed=allowed,
        bypass=bypass,
    )


class Scripted:
    """Decides as a test says, and remembers what it was asked."""

    def __init__(self, answer: Callable[[str], Decision] | None = None) -> None:
        self.answer = answer or (lambda _: a_decision())
        self.asked: list[tuple[Object, Surroundings, Identity, Mode]] = []
        self.gate: threading.Event | None = None
        """Where it is one, nothing is decided before it is set."""
        self._lock = threading.Lock()

    def __call__(
        self, value: Mapping[str, Any], surroundings: Surroundings, *, identity: Identity, mode: Mode
    ) -> Decision:
        """The decision that the test has for the object's name."""
        with self._lock:
            self.asked.append((dict(value), surroundings, identity, mode))
        if self.gate is not None:
            self.gate.wait(20)
        return self.answer(value["metadata"]["name"])

    @property
    def names(self) -> list[str]:
        """Names of the objects it was asked about."""
        return [value["metadata"]["name"] for value, *_ in self.asked]
