"""How evenly pipeline stages are filled."""

from .deployment import Deployment
from .model import Model
from .weights import Placement, weights_per_stage


def excess_percent(deployment: Deployment, model: Model) -> int:
    """How many percent more weights the fullest pipeline stage holds than the mean of them."""
    if deployment.split.pipeline_parallel_size == 1:
        return 0
    placement = Placement(
        storage=deployment.storage,
        sizes=deployment.split,
        vocabulary_padding=deployment.engine.vocabulary_padding,
    )
    held = [sum(stage.values()) for stage in weights_per_stage(model, placement)]
    return max(held) * len(held) * 100 // max(sum(held), 1) - 100
