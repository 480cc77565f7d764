"""Which module reads which kind; versions of an API are read alike."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..objects import Neighbours
from ..replica import Replica
from . import (
    dynamo,
    inference_service,
    kaito,
    kueue,
    leader_worker_set,
    llm_inference_service,
    ray_service,
    vllm_runtime,
)
from .workloads import of_cron_job, of_job_set, of_pod, of_template

Replicas = Callable[[Mapping[str, Any], Neighbours], Iterable[Replica]]

KINDS: Mapping[tuple[str, str], Replicas] = {
    ("", "Pod"): of_pod,
    ("batch", "CronJob"): of_cron_job,
    ("jobset.x-k8s.io", "JobSet"): of_job_set,
    ("kueue.x-k8s.io", "Workload"): kueue.replicas,
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"): leader_worker_set.replicas,
    ("serving.kserve.io", "InferenceService"): inference_service.replicas,
    ("serving.kserve.io", "LLMInferenceService"): llm_inference_service.replicas,
    ("production-stack.vllm.ai", "VLLMRuntime"): vllm_runtime.replicas,
    ("ray.io", "RayService"): ray_service.replicas,
    ("nvidia.com", "DynamoGraphDeployment"): dynamo.replicas,
    ("kaito.sh", "Workspace"): kaito.replicas,
}


def replicas_of(object: Mapping[str, Any], at_hand: Neighbours) -> Iterable[Replica]:  # noqa: A002 - Kubernetes' word
    """What one replica of ``object`` consists of, for each kind of replica that it has.

    A kind that is not listed is read if it has a pod template where Deployments have it.

    Raises: UnreadableError.
    """
    version, kind = object.get("apiVersion"), object.get("kind")
    group, _, has_group = version.rpartition("/") if isinstance(version, str) else ("", "", "")
    reader = KINDS.get((group if has_group else "", str(kind)), of_template)
    return reader(object, at_hand)
