"""A GPU that others use too, or that the engine itself uses beside its budget."""

from decimal import ROUND_DOWN, Decimal

from . import engine
from .deployment import Deployment, EngineSettings
from .estimate import OutsideBudget

STEP = Decimal("0.01")
"""A utilization is adapted in hundredths."""


def beside_others(
    settings: EngineSettings, gpu_memory_bytes: int, free_bytes: int | None, *, may_adapt: bool
) -> EngineSettings:
    """The settings with which the engine plans with no more than is free, if its utilization may be adapted."""
    if free_bytes is None or not may_adapt or engine.usable_bytes(settings, gpu_memory_bytes) <= free_bytes:
        return settings
    fraction = (Decimal(free_bytes) / gpu_memory_bytes).quantize(STEP, ROUND_DOWN)
    return settings._replace(gpu_memory_utilization=float(max(fraction, STEP)))


def fitting_utilization_percent(deployment: Deployment, outside: OutsideBudget) -> int:
    """The largest utilization, in hundredths, that leaves room for the high end of what lives outside the budget."""
    return max(deployment.gpu_memory_bytes - outside.high_bytes, 0) * 100 // deployment.gpu_memory_bytes


def refuses_to_start(deployment: Deployment) -> bool:
    """Whether the engine finds less free memory than it would plan with, at which vLLM ends.

    Source: vLLM, request_memory in vllm/v1/worker/utils.py.
    """
    return engine.usable_bytes(deployment.engine, deployment.gpu_memory_bytes) > deployment.free_bytes
