"""Catalogue files, in both formats, as people write them and as they get them wrong."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from batch.catalog_file import MAX_BYTES, read_catalog_file
from schemas.catalog_file import CatalogFile
from schemas.errors import InvalidRequestError
from schemas.export import schemas

YAML = """
weight_formats: [bf16, fp8]
max_model_lens: [8192]
gpus:
  - H100 SXM5 80GB
  - {gpu: "RTX *", count: [1, 2]}
request: {workload: {concurrent_sequences: 4}}
models:
  - Qwen/Qwen3-8B
  - {name: openai/gpt-oss-20b, weight_formats: [mxfp4]}
"""
LINES = """
{"weight_formats": ["bf16", "fp8"], "max_model_lens": [8192], "request": {"workload": {"concurrent_sequences": 4}}, \
"gpus": ["H100 SXM5 80GB", {"gpu": "RTX *", "count": [1, 2]}]}

"Qwen/Qwen3-8B"
{"name": "openai/gpt-oss-20b", "weight_formats": ["mxfp4"]}
"""


def read(folder: Path, text: str, name: str = "catalog.yaml") -> CatalogFile:
    """What ``text`` says as a file of that name."""
    path = folder / name
    path.write_text(text)
    return read_catalog_file(path)


def test_both_formats_say_the_same(tmp_path: Path) -> None:
    """YAML, and JSON Lines whose first line is the settings."""
    assert read(tmp_path, YAML) == read(tmp_path, LINES, "catalog.jsonl")


def test_lines_need_no_settings(tmp_path: Path) -> None:
    """A first line that names a model is a model."""
    assert read(tmp_path, '{"name": "a"}\n"b"\n', "c.ndjson").models == [{"name": "a"}, "b"]


def test_one_value_may_stand_for_a_list_of_patterns_or_counts(tmp_path: Path) -> None:
    """As people write filters and counts."""
    catalog = read(tmp_path, "models: [a]\nonly: {gpu: 'H*'}\ngpus: [{gpu: x, count: 2}]")
    assert catalog.only.gpu == ["H*"]
    assert catalog.gpus is not None
    assert catalog.gpus[0].count == [2]


@pytest.mark.parametrize(
    ("text", "told", "hint"),
    [
        ("models: [a]\ngpu: [x]", "gpu: there is no such field", "did you mean gpus?"),
        ("models: [a]\ngpus: [{gpus: x}]", "gpus.0.gpus: there is no such field", "did you mean gpu?"),
        ("models: [a]\nexclude: [{modle: x}]", "exclude.0.modle: there is no such field", "did you mean model?"),
        ("gpus: [x]", "models: this field is required", "add it"),
        ("models: [a]\nmax_model_lens: [8k]", "max_model_lens.0: Input should be a valid integer", None),
        ("- a", "catalogue: Input should be a valid dictionary", None),
        ("models: [a", "not YAML", "docs/batch.md"),
        ("models: [!!python/object/apply:os.getcwd []]", "not YAML", "docs/batch.md"),
        ("a: " + "[" * 100_000, "not YAML", "docs/batch.md"),
        ("models: ['\\ud800", "not YAML", "docs/batch.md"),
    ],
)
def test_faults_are_told_by_field(tmp_path: Path, text: str, told: str, hint: str | None) -> None:
    """What is wrong with the whole file names the field and, where there is one, the fix."""
    with pytest.raises(InvalidRequestError) as caught:
        read(tmp_path, text)
    assert told in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")


def test_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    """By file and number, before anything is asked."""
    with pytest.raises(InvalidRequestError, match=r"c\.jsonl:2: "):
        read(tmp_path, '"a"\n{"name": \n', "c.jsonl")


def test_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Missing, no text, or far too long."""
    with pytest.raises(InvalidRequestError, match="No such file"):
        read_catalog_file(tmp_path / "missing.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidRequestError, match="not UTF-8"):
        read_catalog_file(tmp_path / "binary.yaml")
    with (tmp_path / "long.yaml").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InvalidRequestError, match="longer than"):
        read_catalog_file(tmp_path / "long.yaml")


def test_schema_takes_what_the_reader_takes() -> None:
    """The exported schema has the short forms too."""
    validator = Draft202012Validator(schemas()["catalog.schema.json"])
    short = {"models": ["a", {"name": "b"}], "gpus": ["x", {"gpu": "y", "count": 2}], "engines": ["vllm"]}
    assert validator.is_valid({**short, "only": {"gpu": "H*"}})
    assert not validator.is_valid({**short, "gpu": ["x"]})
    assert not validator.is_valid({"gpus": ["x"]})
