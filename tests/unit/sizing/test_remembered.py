"""What is remembered of models."""

import gc
from weakref import ref

from schemas.parse import parse_request
from sizing.catalog.catalog import load_catalog
from sizing.estimate_request import estimate
from sizing.families import read_model
from sizing.model import Model
from sizing.plain_modules import plain_modules
from sizing.remembered import MOST_RESULTS, of_each_model
from tests.unit.sizing.test_config import LLAMA


def test_model_of_a_request_is_forgotten_with_it() -> None:
    """Nothing keeps a model that came as a config once its request is gone, so that a worker does not grow."""
    request = parse_request({"model": {"config": LLAMA}, "hardware": {"gpu": "RTX 4090"}, "weight_format": "nvfp4"})
    found = estimate(request, load_catalog())
    model = found.deployment.model
    assert model is not None
    assert plain_modules(model, found.deployment.storage)
    left = ref(model)
    del found, model, request
    gc.collect()
    assert left() is None


def test_a_question_is_answered_once() -> None:
    """The same question about the same model gets the result that was there; another model has its own."""
    asked: list[tuple[Model, int]] = []

    @of_each_model
    def answer(model: Model, number: int) -> int:
        asked.append((model, number))
        return number + 1

    one, other = read_model(LLAMA), read_model(LLAMA)
    assert [answer(one, 1), answer(one, 1), answer(other, 1), answer(one, 2)] == [2, 2, 2, 3]
    assert asked == [(one, 1), (other, 1), (one, 2)]


def test_as_many_questions_as_anyone_likes_take_bounded_memory() -> None:
    """Once too many results of one model are kept, all are forgotten and found again when asked for."""
    asked: list[int] = []

    @of_each_model
    def answer(_model: Model, number: int) -> int:
        asked.append(number)
        return number

    model = read_model(LLAMA)
    for number in range(MOST_RESULTS + 1):
        answer(model, number)
    answer(model, MOST_RESULTS)
    answer(model, 0)
    assert asked == [*range(MOST_RESULTS + 1), 0]
