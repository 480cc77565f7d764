"""What an AdmissionCheck of ours is told: the object it names as its parameters, and whether it can be served."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.decision import Mode

from .errors import WrongParametersError
from .names import CONTROLLER_NAME, PARAMETERS_GROUP, PARAMETERS_KIND

Object = Mapping[str, Any]

ACTIVE = "Active"
"""The condition without which Kueue stops every queue that names the check."""


class Parameters(BaseModel):
    """How the workloads of one check are answered; the names are those of the object on the cluster."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    mode: Mode
    annotate: bool
    """Whether pods carry what was decided, and the arguments that were recommended."""


def is_ours(check: Object) -> bool:
    """Whether an AdmissionCheck names this controller."""
    return (check.get("spec") or {}).get("controllerName") == CONTROLLER_NAME


def parameters_of(check: Object, told: Mapping[str, Object], default: Parameters) -> Parameters:
    """What ``check`` is told by the parameters it names, of those on the cluster, laid over ``default``.

    Raises: WrongParametersError.
    """
    reference = (check.get("spec") or {}).get("parameters")
    if reference is None:
        return default
    if (reference.get("apiGroup"), reference.get("kind")) != (PARAMETERS_GROUP, PARAMETERS_KIND):
        raise WrongParametersError(
            f"parameters are a {PARAMETERS_KIND} of {PARAMETERS_GROUP}, "
            f"not a {reference.get('kind')} of {reference.get('apiGroup')}",
            reason="ParametersOfAnotherKind",
        )
    found = told.get(reference["name"])
    if found is None:
        raise WrongParametersError(f"there is no {PARAMETERS_KIND} {reference['name']}", reason="ParametersNotFound")
    try:
        return Parameters.model_validate({**default.model_dump(), **(found.get("spec") or {})})
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        field = ".".join(map(str, ("spec", *fault["loc"])))
        raise WrongParametersError(
            f"{PARAMETERS_KIND} {reference['name']}: {field}: {fault['msg']}", reason="ParametersInvalid"
        ) from None


def told_active(check: Object, fault: WrongParametersError | None, now: str) -> Sequence[Object] | None:
    """The conditions of ``check`` with whether it can be served; None where they say so already."""
    conditions = (check.get("status") or {}).get("conditions") or []
    before: Object = next((each for each in conditions if each["type"] == ACTIVE), {})
    wanted = {
        "type": ACTIVE,
        "status": "False" if fault else "True",
        "reason": fault.reason if fault else "Active",
        "message": fault.message if fault else "deployments are weighed as they are admitted",
        "observedGeneration": check["metadata"].get("generation", 0),
        "lastTransitionTime": now,
    }
    if before.get("status") == wanted["status"]:
        # It tells since when it is so, not when it was last said.
        wanted["lastTransitionTime"] = before["lastTransitionTime"]
    if before == wanted:
        return None
    return [*(each for each in conditions if each["type"] != ACTIVE), wanted]
