import json
from typing import Any

import pytest

from rules.ruleset import load_rule_set
from schemas.vocabulary import ENGINE_NAMES, KV_CACHE_DTYPES, WEIGHT_FORMATS
from sizing.catalog.generations import load_generations

from .test_commands import run

FIELDS = ["compute_capability", "architecture", "weight_format", "engine", "level", "effect", "rule", "source"]


def lines(*arguments: str) -> list[dict[str, Any]]:
    """What ``weighbridge support --json`` prints."""
    told = run("support", "--json", *arguments)
    assert told.exit_code == 0, told.output
    return [json.loads(line) for line in told.stdout.splitlines()]


def test_the_whole_matrix_has_a_line_for_every_cell() -> None:
    """Every generation x weight format and kv cache type x engine, and the silicon itself, each once."""
    told = lines()
    generations = len(load_generations())
    assert len(told) == generations * (len(WEIGHT_FORMATS) + len(KV_CACHE_DTYPES)) * (1 + len(ENGINE_NAMES))
    assert len({json.dumps(line) for line in told}) == len(told)
    assert {line["engine"] for line in told} == {"hardware", *ENGINE_NAMES}


def test_a_line_has_the_fields_of_the_contract() -> None:
    """The fields are named as documented, and the source is that of the rule which decided."""
    sources = {rule.id: rule.source for rule in load_rule_set().rules}
    for line in lines("--gpu", "RTX 3090"):
        fields = [name if name != "kv_cache_dtype" else "weight_format" for name in line]
        assert fields == FIELDS
        assert (line["compute_capability"], line["architecture"]) == ("8.6", "ampere")
        assert line["source"] == sources[line["rule"]]


@pytest.mark.parametrize(
    ("arguments", "level", "effect"),
    [
        (["--gpu", "RTX 3090", "--engine", "hardware", "--format", "fp8"], "unsupported", "none"),
        (["--gpu", "RTX 3090", "--engine", "vllm", "--format", "fp8"], "emulated", "memory+decode bandwidth"),
        (["--gpu", "RTX 4090", "--engine", "vllm", "--format", "fp8"], "native", "compute+memory"),
        (["--gpu", "RTX 4090", "--engine", "vllm", "--format", "nvfp4"], "emulated", "memory+decode bandwidth"),
        (["--gpu", "RTX 5090", "--engine", "vllm", "--format", "nvfp4"], "native", "compute+memory"),
        (["--compute-capability", "8.0", "--engine", "vllm", "--format", "kv-cache:fp8"], "emulated", "memory only"),
        (["--compute-capability", "10.0", "--engine", "sglang", "--format", "int8"], "unsupported", "none"),
        (
            ["--compute-capability", "gfx942", "--engine", "sglang", "--format", "mxfp4"],
            "native",
            "memory+decode bandwidth",
        ),
        (["--compute-capability", "7.0", "--engine", "vllm", "--format", "fp16"], "unsupported", "none"),
    ],
)
def test_options_combine_to_one_cell(arguments: list[str], level: str, effect: str) -> None:
    """A cell asked for by GPU or capability, engine and format says what is documented of it."""
    (line,) = lines(*arguments)
    assert (line["level"], line["effect"]) == (level, effect)


def test_an_older_release_has_a_matrix_of_its_own() -> None:
    """--engine-version asks about another release than the one the rules describe."""
    about = ["--compute-capability", "7.0", "--engine", "vllm", "--format", "fp16"]
    assert lines(*about, "--engine-version", "0.19.0")[0]["level"] == "native"
    assert lines(*about, "--engine-version", "0.20.0")[0]["level"] == "unsupported"


def test_gguf_stands_for_all_of_its_quantizations() -> None:
    """--format gguf gives a line for each of them."""
    told = lines("--gpu", "Tesla P40", "--engine", "llama.cpp", "--format", "gguf")
    assert [line["weight_format"] for line in told] == [name for name in WEIGHT_FORMATS if name.startswith("gguf:")]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--gpu", "RTX 9090"], "RTX 5090"),
        (["--compute-capability", "8.7"], "8.6"),
        (["--engine", "vlm"], "vllm"),
        (["--format", "awq"], "awq-int4"),
        (["--format", "kv-cache:fp9"], "fp8"),
        (["--gpu", "RTX 3090", "--compute-capability", "8.6"], "not both"),
        (["--engine-version", "0.19.0"], "--engine"),
        (["--engine", "hardware", "--engine-version", "0.19.0"], "--engine"),
        (["--engine", "vllm", "--engine-version", "-1"], "0.19.0"),
        (["--engine", "vllm", "--engine-version", "new"], "0.19.0"),
        (["--engine", "vllm", "--engine-version", "0.19.0.rc1"], "0.19.0"),
    ],
)
def test_what_is_unknown_is_refused_with_the_nearest(arguments: list[str], hint: str) -> None:
    """A name that means nothing ends with status 2 and says what could be meant."""
    told = run("support", *arguments)
    assert told.exit_code == 2
    assert told.output.startswith("error: ")
    assert hint in told.output.partition("hint: ")[2]


@pytest.mark.parametrize(
    ("arguments", "side", "top"),
    [
        ([], "10.3    blackwell", "fp32"),
        (["--gpu", "RTX 3090"], "awq-int4", "tensorrt-llm"),
        (["--engine", "vllm"], "gfx942  amd-cdna3", "fp32"),
        (["--format", "fp8"], "8.9     ada", "hardware"),
        (["--format", "gguf"], "8.9     ada", "hardware"),
        (["--compute-capability", "7.5"], "awq-int4", "7.5     turing without tensor cores"),
        (["--compute-capability", "7.5", "--engine", "vllm"], "7.5     turing without tensor cores", "fp32"),
    ],
)
def test_the_picture_has_two_sides(arguments: list[str], side: str, top: str) -> None:
    """One GPU: formats by engines; one engine: generations by formats; one format: generations by engines."""
    told = run("support", *arguments)
    assert told.exit_code == 0, told.output
    assert side in told.output
    assert top in told.output
    assert "✔ native" in told.output
    assert "…" not in told.output


@pytest.mark.parametrize("columns", ["80", "132"])
@pytest.mark.parametrize("arguments", [[], ["--gpu", "RTX 3090"], ["--format", "fp8"]])
def test_the_picture_fits_its_terminal(arguments: list[str], columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A narrow terminal gets more tables, none of them cut off."""
    monkeypatch.setenv("COLUMNS", columns)
    told = run("support", *arguments).output
    assert "…" not in told
    assert max(map(len, told.splitlines())) <= int(columns)


def test_the_picture_says_which_releases_it_is_about() -> None:
    """The release the rules describe is named, or the one that was asked about; the silicon has none."""
    assert "About vllm 0.33.0." in run("support", "--engine", "vllm").output
    asked = run("support", "--engine", "vllm", "--engine-version", "0.19.0", "--gpu", "Tesla T4").output
    assert "About vllm 0.19.0." in asked
    assert "About" not in run("support").output


def test_a_mark_is_read_without_colour() -> None:
    """Each level has a sign of its own, each effect a letter or a word."""
    told = run("support", "--gpu", "RTX 3090", "--format", "fp8").output
    assert "\x1b" not in told
    (row,) = [line for line in told.splitlines() if line.strip().startswith("fp8")]
    assert row.split() == ["fp8", "✘", "◐", "decode", "◐", "decode", "✘", "✘", "✘"]
