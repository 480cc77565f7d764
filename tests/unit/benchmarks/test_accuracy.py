import json
from functools import cache

from benchmarks.accuracy import PAGE, Report, as_json, as_page, of, report, score
from benchmarks.records import MEASURED, FigureName, read_records


@cache
def _found() -> Report:
    return report(read_records(MEASURED))


def _meets(figure: FigureName, median: float, p90: float, *, engine: str = "vllm", left_out: bool = False) -> bool:
    found = score(of(_found(), engine, figure, left_out=left_out))
    assert found is not None
    return found.median <= median and found.p90 <= p90


def test_the_page_has_not_drifted() -> None:
    """docs/accuracy.md says what the code computes; else run python -m benchmarks.accuracy --write."""
    assert PAGE.read_text(encoding="utf-8") == as_page(_found())


def test_sixteen_bit_weights() -> None:
    """Weights in 16 bit: 0.3 % in the middle, 1.5 % for nine in ten."""
    assert _meets("weights, 16-bit", 0.003, 0.015)


def test_quantized_weights() -> None:
    """Quantized weights: 1 % in the middle, 4 % for nine in ten."""
    assert _meets("weights, quantized", 0.01, 0.04)


def test_kv_bytes_are_exact() -> None:
    """Bytes of a token, or of a sequence of a hybrid model, are met within what two printed decimals allow."""
    assert _meets("kv bytes per token or sequence", 0.0005, 0.005)


def test_llama_cpp_logs_what_is_computed() -> None:
    """Weights of llama-quantize's files and cells of the kv cache are met to the last printed decimal.

    The two files of Gemma 4 are not its: embeddings in other types, layers that carry keys they do not use.
    """
    by_llama_quantize = [
        one for one in of(_found(), "llama.cpp", "weights, quantized") if not one.model.startswith("Gemma-4-E")
    ]
    assert len(by_llama_quantize) == 3
    assert all(abs(one.error) < 0.0001 for one in by_llama_quantize)
    assert _meets("kv bytes per token or sequence", 0.0001, 0.0001, engine="llama.cpp")


def test_compute_buffers() -> None:
    """llama.cpp's compute buffer, on one device or the first of several: 10 % in the middle, 30 % for nine in ten."""
    assert _meets("compute buffer", 0.1, 0.3, engine="llama.cpp")
    assert len(of(_found(), "llama.cpp", "compute buffer")) >= 13


def test_pools_of_models_left_out() -> None:
    """The pool of models the fit never saw: 2 % in the middle, 6 % for nine in ten."""
    assert _meets("kv pool", 0.02, 0.06, left_out=True)


def test_nothing_that_failed_for_memory_is_called_fits() -> None:
    """A wrong fits is the worst mistake: of the starts that failed, none is called so."""
    failed = [one for one in _found().outcomes if not one.started]
    assert len(failed) >= 10
    assert not [one.model for one in failed if one.verdict == "fits"]


def test_few_that_started_are_refused() -> None:
    """At most 3 % of the deployments that started are called does_not_fit."""
    started = [one for one in _found().outcomes if one.started]
    assert sum(one.verdict == "does_not_fit" for one in started) <= 0.03 * len(started)


def test_machines_read_the_same() -> None:
    """The JSON holds every comparison that the page is made of."""
    value = json.loads(as_json(_found()))
    assert sum(len(each["comparisons"]) for each in value["figures"]) == len(_found().comparisons)
    assert value["records"] == _found().records
