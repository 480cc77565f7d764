"""Pods, and whatever has a pod template where Deployments have it."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..objects import Neighbours
from ..replica import PodTemplate, Replica, pod_template
from ..shapes import listing, mapping


def of_pod(object: Mapping[str, Any], at_hand: Neighbours) -> Iterable[Replica]:  # noqa: A002, ARG001 - as all kinds
    """A pod by itself."""
    spec = mapping(object.get("spec"), "spec")
    return [Replica(leader=PodTemplate(place="spec", spec=spec))]


def of_template(object: Mapping[str, Any], at_hand: Neighbours) -> Iterable[Replica]:  # noqa: A002, ARG001 - as above
    """Deployment, StatefulSet, ReplicaSet, DaemonSet, Job, and kinds of others that are put together like them."""
    spec = object.get("spec")
    template = spec.get("template") if isinstance(spec, Mapping) else None
    if not isinstance(template, Mapping):
        return []
    return [Replica(leader=pod_template(template, "spec.template"))]


def of_cron_job(object: Mapping[str, Any], at_hand: Neighbours) -> Iterable[Replica]:  # noqa: A002, ARG001 - as above
    """The pods of the jobs that a CronJob makes."""
    job = mapping(mapping(object.get("spec"), "spec").get("jobTemplate"), "spec.jobTemplate")
    spec = mapping(job.get("spec"), "spec.jobTemplate.spec")
    template = mapping(spec.get("template"), "spec.jobTemplate.spec.template")
    return [Replica(leader=pod_template(template, "spec.jobTemplate.spec.template"))]


def of_job_set(object: Mapping[str, Any], at_hand: Neighbours) -> Iterable[Replica]:  # noqa: A002, ARG001 - as above
    """The pods of each job of a JobSet."""
    jobs = listing(mapping(object.get("spec"), "spec").get("replicatedJobs"), "spec.replicatedJobs")
    for number, each in enumerate(jobs):
        place = f"spec.replicatedJobs[{number}].template"
        job = mapping(mapping(each, place).get("template"), place)
        template = mapping(mapping(job.get("spec"), f"{place}.spec").get("template"), f"{place}.spec.template")
        yield Replica(leader=pod_template(template, f"{place}.spec.template"))
