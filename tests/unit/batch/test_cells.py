"""What a catalogue comes to: which cells there are, in which order, and what each asks."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from batch.cells import cells, count
from batch.plan import Plan
from schemas.errors import InvalidRequestError
from schemas.parse import parse_request

from .catalogs import asked, planned, spelt

QWEN, OSS = "Qwen/Qwen3-8B", "openai/gpt-oss-20b"
RTX, H100 = "GeForce RTX 3090", "H100 SXM5 80GB"


def test_axes_are_multiplied_out(tmp_path: Path) -> None:
    """One cell for each combination, the last axis first."""
    catalog = {
        "models": [QWEN],
        "gpus": [RTX, {"gpu": H100, "count": [1, 2]}],
        "weight_formats": ["as-published", "fp8"],
        "kv_cache_dtypes": ["auto", "fp8"],
        "engines": ["vllm", {"name": "sglang", "version": "0.5.0"}],
        "max_model_lens": [4096, 8192],
        "concurrent_sequences": [1, 16],
    }
    told = asked(planned(tmp_path, catalog))
    assert len(told) == 3 * 2 * 2 * 2 * 2 * 2
    assert told[0] == (
        QWEN,
        {
            "alternatives": 0,
            "hardware": {"gpu": RTX, "count": 1},
            "kv_cache_dtype": "auto",
            "engine": {"name": "vllm"},
            "workload": {"max_model_len": 4096, "concurrent_sequences": 1},
        },
    )
    assert told[-1][1] == {
        "alternatives": 0,
        "hardware": {"gpu": H100, "count": 2},
        "weight_format": "fp8",
        "kv_cache_dtype": "fp8",
        "engine": {"name": "sglang", "version": "0.5.0"},
        "workload": {"max_model_len": 8192, "concurrent_sequences": 16},
    }
    for _, request in told:
        parse_request({"model": {"name": QWEN}, **request})


def test_catalogue_alone_is_every_gpu_once(tmp_path: Path) -> None:
    """Without axes a model is weighed as published, on one of each GPU type."""
    told = asked(planned(tmp_path, {"models": [QWEN]}))
    assert len({request["hardware"]["gpu"] for _, request in told}) == len(told) > 100
    assert all(set(request) == {"alternatives", "hardware"} for _, request in told)


def test_entry_has_its_own_axes_and_fields(tmp_path: Path) -> None:
    """What an entry says takes the place of the file's axes, and is laid over its fields."""
    catalog = {
        "gpus": [RTX],
        "weight_formats": ["bf16"],
        "request": {"workload": {"concurrent_sequences": 4}, "engine": {"enforce_eager": True}, "alternatives": 2},
        "engines": ["vllm"],
        "models": [
            QWEN,
            {
                "name": OSS,
                "label": "oss",
                "weight_formats": ["mxfp4"],
                "request": {"workload": {"max_model_len": 4096}, "parallelism": {"tensor_parallel_size": 1}},
            },
        ],
    }
    (_, plain), (label, own) = asked(planned(tmp_path, catalog))
    assert plain == {
        "alternatives": 2,
        "hardware": {"gpu": RTX, "count": 1},
        "weight_format": "bf16",
        "workload": {"concurrent_sequences": 4},
        "engine": {"enforce_eager": True, "name": "vllm"},
    }
    assert label == "oss"
    assert own["weight_format"] == "mxfp4"
    assert own["workload"] == {"concurrent_sequences": 4, "max_model_len": 4096}
    assert own["parallelism"] == {"tensor_parallel_size": 1}


@pytest.mark.parametrize(
    ("models", "numbers"),
    [
        ([QWEN, QWEN.lower(), "qwen3-8b"], 4),
        ([{"name": QWEN, "weight_formats": ["bf16"]}, QWEN], 4),
        ([QWEN, OSS, {"name": QWEN, "weight_formats": ["fp8", "fp8", "int8"]}], 4 + 4 + 2),
        ([QWEN, {"name": QWEN, "request": {"locale": "zh"}}], 8),
        ([{"config": {"a": 1}}, {"config": {"a": 1}, "label": "again"}], 4),
    ],
)
def test_identical_cells_are_asked_once(tmp_path: Path, models: list[Any], numbers: int) -> None:
    """However a model or a GPU is written, and in whichever entries: the same question stands there once."""
    catalog = {"models": models, "gpus": [RTX, "rtx 3090", H100, {"gpu": H100, "count": [1, 1]}]}
    told = planned(tmp_path, {**catalog, "weight_formats": ["bf16", "fp8"]})
    assert count(told) == numbers
    distinct = {json.dumps([cell.entry.model, cell.asked()], sort_keys=True) for cell in cells(told)}
    assert len(distinct) == numbers


def test_cells_of_one_model_stand_together(tmp_path: Path) -> None:
    """Entries of a model that are apart in the file are brought to its first, so that little has to be remembered."""
    told = planned(tmp_path, {"models": [QWEN, OSS, {"name": QWEN, "weight_formats": ["fp8"]}], "gpus": [RTX]})
    assert [label for label, _ in asked(told)] == [QWEN, QWEN, OSS]


def test_patterns_and_properties_choose(tmp_path: Path) -> None:
    """Models by pattern, GPUs by pattern, vendor, generation, memory and year; the rows are checked by hand."""
    ampere = [{"gpu": "*A100*", "architecture": "ampere", "min_memory_gib": 60, "count": 8}]
    told = planned(tmp_path, {"models": ["qwen/qwen3-?b"], "gpus": ampere})
    assert {label for label, _ in asked(told)} >= {"Qwen/Qwen3-4B", "Qwen/Qwen3-8B"}
    gpus = {request["hardware"]["gpu"] for _, request in asked(told)}
    assert gpus
    assert all("A100" in gpu and "80" in gpu for gpu in gpus)
    none = planned(tmp_path, {"models": [QWEN], "gpus": [{"vendor": ["amd"], "architecture": ["ampere"]}]})
    assert count(none) == 0


def test_exclusions_need_all_they_name(tmp_path: Path) -> None:
    """A filter leaves out cells that match everything in it; several leave out what any matches."""
    catalog = {
        "models": [QWEN, OSS],
        "gpus": [RTX, H100],
        "weight_formats": ["as-published", "fp8"],
        "exclude": [{"model": "*oss*", "weight_format": "fp8"}, {"gpu": "*3090", "weight_format": "as-published"}],
    }
    told = planned(tmp_path, catalog)
    words = [
        f"{cell.entry.label.split('/')[0]} {word}" for cell, word in zip(cells(told), spelt(cells(told)), strict=True)
    ]
    assert words == [
        f"Qwen {RTX}x1:fp8",
        f"Qwen {H100}x1:as-published",
        f"Qwen {H100}x1:fp8",
        f"openai {H100}x1:as-published",
    ]
    assert [cell.number for cell in cells(told)] == [0, 1, 2, 3]


def test_only_narrows_every_axis(tmp_path: Path) -> None:
    """In the file and at the prompt, both together."""
    catalog = {
        "models": [QWEN, OSS],
        "gpus": [RTX, H100],
        "weight_formats": ["bf16", "fp8"],
        "engines": ["vllm", "sglang"],
        "kv_cache_dtypes": ["auto", "fp8"],
        "only": {"engine": "vllm", "kv_cache_dtype": "auto"},
    }
    told = planned(tmp_path, catalog, model=["qwen*"], gpu=["H100*"], weight_format=["fp8"])
    ((label, request),) = asked(told)
    assert label == QWEN
    assert request["hardware"]["gpu"] == H100
    assert (request["engine"], request["kv_cache_dtype"]) == ({"name": "vllm"}, "auto")


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"nam": "x"}, "nam: there is no such field"),
        ({"name": "x", "path": "y"}, "give exactly one of"),
        ({"label": "nothing"}, "give exactly one of"),
        ({"config": "missing.json"}, "No such file"),
        ({"config": "list.json"}, "no JSON object"),
        ({"name": "x", "request": {"model": {"name": "y"}}}, "request.model"),
        (7, "model: Input should be"),
        ({"config": {"a": [[[]]] * 10 and json.loads("[" * 40 + "]" * 40)}}, "nested more than"),
    ],
)
def test_entry_at_fault_is_one_cell_with_its_error(tmp_path: Path, entry: object, told: str) -> None:
    """What is wrong with one model ends nothing, and is found among the results."""
    (tmp_path / "list.json").write_text("[]")
    catalog = planned(tmp_path, {"models": [QWEN, entry, OSS], "gpus": [RTX]})
    faulty = [cell for cell in cells(catalog) if cell.error is not None]
    assert count(catalog) == 3
    assert len(faulty) == 1
    assert faulty[0].error is not None
    assert told in faulty[0].error.message
    assert faulty[0].error.code == "invalid_request"
    assert faulty[0].asked() == {}


def test_what_nobody_knows_is_asked_all_the_same(tmp_path: Path) -> None:
    """A name that is in no catalogue of ours may be in the worker's, which says so if it is not."""
    ((label, request),) = asked(planned(tmp_path, {"models": ["nobody/nothing*"], "gpus": ["nonsense 9000"]}))
    assert label == "nobody/nothing*"
    assert request["hardware"]["gpu"] == "nonsense 9000"


def test_models_are_given_in_every_way(tmp_path: Path) -> None:
    """By name, size, path, repository and config, the last from a file beside the catalogue."""
    (tmp_path / "own.json").write_text('{"model_type": "llama"}')
    models: list[Any] = [
        {"num_parameters": 8_000_000_000},
        {"path": "qwen"},
        {"repo": "org/name", "revision": "main"},
        {"config": "own.json", "quantization_config": {"quant_method": "fp8"}},
    ]
    entries = planned(tmp_path, {"models": models, "gpus": [RTX]}).entries
    assert [entry.model for entry in entries] == [
        {"num_parameters": 8_000_000_000},
        {"path": "qwen"},
        {"repo": "org/name", "revision": "main"},
        {"config": {"model_type": "llama"}, "quantization_config": {"quant_method": "fp8"}},
    ]
    assert [entry.label for entry in entries] == ["8000000000", "qwen", "org/name", "own.json"]


def test_fields_of_every_request_cannot_name_the_model(tmp_path: Path) -> None:
    """What is another in each cell is refused for the whole file."""
    with pytest.raises(InvalidRequestError, match=r"request\.request_id"):
        planned(tmp_path, {"models": [QWEN], "request": {"request_id": "same"}})


def test_plan_comes_back_from_its_file(tmp_path: Path) -> None:
    """A resumed batch has the same cells."""
    told = planned(tmp_path, {"models": ["Qwen/*", {"nam": 1}], "gpus": [RTX], "exclude": [{"gpu": "x*"}]})
    assert Plan.model_validate_json(told.model_dump_json()) == told


def test_ten_thousand_models_are_expanded_one_at_a_time(tmp_path: Path) -> None:
    """The first cells of a million are there at once, and entries share what they have in common."""
    models = [{"num_parameters": number} for number in range(1, 10_001)]
    told = planned(tmp_path, {"models": models, "weight_formats": ["bf16"]})
    assert len(told.axes) == 1
    assert len(list(islice(cells(told), 10))) == 10
