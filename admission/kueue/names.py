"""What is called how on the cluster, by Kueue and by us."""

from typing import Literal

from ..manifest.annotations import BYPASS, PREFIX

CONTROLLER_NAME = "weighbridge.dev/admission-check"
"""An AdmissionCheck that names it in ``spec.controllerName`` is ours."""

PARAMETERS_GROUP = "weighbridge.dev"
PARAMETERS_KIND = "SizingCheck"
"""The one kind of object that an AdmissionCheck of ours may name as its parameters."""

GPU_ANNOTATION = f"{PREFIX}gpu"
"""On a ResourceFlavor: its GPU type, where no label of its nodes tells."""

BYPASS_ANNOTATION = BYPASS
"""On an object: why it is to be let in whatever is found."""

DECISION_ANNOTATION = "weighbridge.dev/decision"
DECISION_ID_ANNOTATION = "weighbridge.dev/decision-id"
RECOMMENDED_ARGUMENTS_ANNOTATION = "weighbridge.dev/recommended-arguments"
"""What pods are annotated with where a check asks for it; none of them is read when an object is weighed."""

CheckState = Literal["Ready", "Retry", "Rejected"]
"""What a check may be answered with; ``Pending`` is what it is before."""
