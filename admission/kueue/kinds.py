"""The kinds of objects that the controller reads or writes."""

from dataclasses import dataclass
from typing import Self

from .cluster import Cluster, Kind
from .errors import ObjectNotFoundError
from .names import PARAMETERS_GROUP, PARAMETERS_KIND

GROUP = "kueue.x-k8s.io"
VERSIONS = ("v1beta2", "v1beta1")
"""The newest first; what the controller reads and writes is the same in both."""

LEASES = Kind(group="coordination.k8s.io", version="v1", kind="Lease", plural="leases", namespaced=True)
PARAMETERS = Kind(
    group=PARAMETERS_GROUP, version="v1alpha1", kind=PARAMETERS_KIND, plural="sizingchecks", namespaced=False
)


@dataclass(frozen=True, kw_only=True)
class KueueKinds:
    """Kueue's kinds in the one version that is used."""

    workloads: Kind
    checks: Kind
    flavors: Kind

    @classmethod
    def of(cls, version: str) -> Self:
        """Those of ``version``."""
        return cls(
            workloads=Kind(group=GROUP, version=version, kind="Workload", plural="workloads", namespaced=True),
            checks=Kind(
                group=GROUP, version=version, kind="AdmissionCheck", plural="admissionchecks", namespaced=False
            ),
            flavors=Kind(
                group=GROUP, version=version, kind="ResourceFlavor", plural="resourceflavors", namespaced=False
            ),
        )

    @classmethod
    async def served(cls, cluster: Cluster) -> Self:
        """Those of the newest version that the cluster serves.

        Raises: ObjectNotFoundError when it serves none: Kueue is not installed; ClusterAwayError.
        """
        for version in VERSIONS:
            kinds = cls.of(version)
            try:
                await cluster.list(kinds.checks)
            except ObjectNotFoundError:
                continue
            return kinds
        raise ObjectNotFoundError(
            f"the cluster serves {GROUP} in none of {', '.join(VERSIONS)}", hint="install Kueue first"
        )
