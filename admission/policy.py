"""Who is let in: by what was found, the mode, and what is to become of what nobody could find out."""

from schemas.decision import ContainerDecision, DecisionCode, Reason

from .context import Context

WORST_LAST: tuple[DecisionCode, ...] = (
    "not_applicable",
    "fit",
    "unknown_model",
    "unavailable",
    "fit_with_changes",
    "no_fit",
    "invalid",
)
"""Codes, from what worries nobody on."""

NOT_KNOWN: frozenset[Reason] = frozenset(
    {
        "ModelNotNamed",
        "ModelIsPath",
        "UnknownModel",
        "GpuTypeNotNamed",
        "UnknownGpu",
        "ReferenceNotAtHand",
        "KindNotSupported",
    }
)
"""Reasons that tell of what we do not know, not of a fault in the object."""


def lets_in(found: ContainerDecision, context: Context) -> bool:
    """Whether ``found`` is no obstacle by the policy of ``context``."""
    if context.mode != "enforce" or found.code in ("fit", "not_applicable"):
        return True
    if found.code == "unavailable":
        return context.fail_open
    if found.code == "unknown_model" or found.reason in NOT_KNOWN:
        return context.allow_unknown
    return False


def worst(containers: list[ContainerDecision], context: Context) -> ContainerDecision:
    """What decides: an obstacle before what is none, then the worst code, then the first."""
    return max(containers, key=lambda found: (not lets_in(found, context), WORST_LAST.index(found.code)))
