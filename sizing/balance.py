"""How evenly pipeline stages are filled."""

from .deployment import Deployment
from .model import Model
from .weights import placement_of, weights_per_stage


def excess_percent(deployment: Deployment, model: Model) -> int:
    """How many percent more weights the fullest pipeline stage holds than the mean of them."""
    if deployment.split.pipeline_parallel_size == 1:
        return 0
    held = [sum(stage.values()) for stage in weights_per_stage(model, placement_of(deployment))]
    return max(held) * len(held) * 100 // max(sum(held), 1) - 100
