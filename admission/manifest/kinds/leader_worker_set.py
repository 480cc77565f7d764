"""LeaderWorkerSet: groups of pods, one of which leads."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..objects import Neighbours
from ..replica import Replica, pod_template
from ..shapes import count, mapping


def replicas(object: Mapping[str, Any], at_hand: Neighbours) -> Iterable[Replica]:  # noqa: A002, ARG001 - as all kinds
    """One group; without a template of its own the leader is like its workers."""
    place = "spec.leaderWorkerTemplate"
    group = mapping(mapping(object.get("spec"), "spec").get("leaderWorkerTemplate"), place)
    size = count(group.get("size"), f"{place}.size")
    workers = pod_template(
        mapping(group.get("workerTemplate"), f"{place}.workerTemplate"),
        f"{place}.workerTemplate",
        pods=max(size - 1, 0) if group.get("leaderTemplate") else size,
    )
    # Source: LeaderWorkerSet documentation, environment variables.
    variables = {"LWS_GROUP_SIZE": str(size)}
    if not group.get("leaderTemplate"):
        return [Replica(leader=workers, variables=variables)]
    leader = pod_template(mapping(group["leaderTemplate"], f"{place}.leaderTemplate"), f"{place}.leaderTemplate")
    return [Replica(leader=leader, followers=[workers], variables=variables)]
