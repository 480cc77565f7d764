"""Which of the alternatives asks the least of who deploys."""

from itertools import permutations

from admission.smallest_change import smallest_change

from .scales import alternative

EASIEST_FIRST = [
    alternative({"engine": {"gpu_memory_utilization": 0.8}}),
    alternative({"parallelism": {"tensor_parallel_size": 2, "pipeline_parallel_size": 1}}),
    alternative({"kv_cache_dtype": "fp8"}),
    alternative({"workload": {"max_model_len": 4096}}),
    alternative({"hardware": {"count": 2}}),
    alternative({"weight_format": "fp8"}),
    alternative({"hardware": {"gpu": "H100 SXM5 80GB", "count": 1}}),
    alternative({"engine": {"name": "llama.cpp"}}),
]
"""Arguments before GPUs, GPUs before another checkpoint, that before another kind of node, what is unheard of last."""


def test_the_order_that_is_stated_holds_for_each_pair() -> None:
    """Whichever way round two alternatives come, the easier one is named."""
    for first, second in permutations(EASIEST_FIRST, 2):
        easier = min(first, second, key=EASIEST_FIRST.index)
        change = smallest_change([first, second])
        assert change is not None
        assert change.changes == easier.changes


def test_two_changes_are_as_hard_as_the_harder_one() -> None:
    """A shorter sequence beside another format asks for more than more GPUs alone."""
    both = alternative({"workload": {"max_model_len": 4096}, "weight_format": "fp8"})
    change = smallest_change([both, alternative({"hardware": {"count": 2}})])
    assert change is not None
    assert change.changes == {"hardware": {"count": 2}}


def test_what_fits_goes_before_what_is_tight() -> None:
    """Of two lengths the one that fits is named, though it comes second."""
    tight = alternative({"workload": {"max_model_len": 8192}}, verdict="tight")
    change = smallest_change([tight, alternative({"workload": {"max_model_len": 4096}})])
    assert change is not None
    assert change.changes == {"workload": {"max_model_len": 4096}}


def test_without_alternatives_there_is_none() -> None:
    """Nothing is made up."""
    assert smallest_change([]) is None
