"""Flat tables of results, opened in the programs that people open them in."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet
import pytest

from batch.cells import cells
from batch.columns import COLUMNS
from batch.tables import write_csv, write_parquet

from .answers import decoded, results_file
from .catalogs import planned

CATALOG: dict[str, Any] = {
    "models": [
        "Qwen/Qwen3-8B",
        "openai/gpt-oss-20b",
        "nobody/nothing",
        {"num_parameters": 8_000_000_000, "label": 'a,"b'},
    ],
    "gpus": ["GeForce RTX 3090", {"gpu": "H100 SXM5 80GB", "count": 2}, "nonsense 9000"],
    "weight_formats": ["bf16", "awq-int4"],
    "max_model_lens": [8192],
}
DOCUMENT = Path(__file__).parents[3] / "docs" / "batch.md"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results with every kind of answer, in an order of their own."""
    folder = tmp_path_factory.mktemp("results")
    in_order = list(cells(planned(folder, CATALOG)))
    return results_file(folder / "results.jsonl", in_order[1::2] + in_order[::2])


@pytest.fixture(scope="module")
def parquet(results: Path) -> Path:
    """The same as a Parquet file."""
    out = results.with_suffix(".parquet")
    write_parquet(results, out)
    return out


def test_figures_are_those_of_the_answers(results: Path, parquet: Path) -> None:
    """Bytes, verdicts, names and errors, row by row and in the order of cells."""
    lines = sorted(decoded(results), key=lambda line: int(line["cell"]))
    rows = pyarrow.parquet.read_table(parquet).to_pylist()
    assert [row["cell"] for row in rows] == [line["cell"] for line in lines]
    for row, line in zip(rows, lines, strict=True):
        answer, asked = line["answer"], line["request"]
        assert row["model"] == line["model"]
        assert json.loads(row["request"]) == asked
        if answer["status"] == "error":
            assert row["verdict"] == "error"
            assert (row["error_code"], row["error_message"]) == (answer["error"]["code"], answer["error"]["message"])
            assert (row["gpu"], row["gpu_count"]) == (asked["hardware"]["gpu"], asked["hardware"]["count"])
            assert row["total_bytes"] is None
            continue
        assert row["verdict"] == answer["verdict"]
        assert {name: row[name] for name in answer["per_gpu"]} == answer["per_gpu"]
        assert (row["low_bytes"], row["high_bytes"]) == tuple(answer["range"].values())
        assert row["weight_format"] == answer["model"]["weight_format"]
        assert (row["gpu"], row["gpu_count"]) == (answer["deployment"]["gpu"], answer["deployment"]["gpu_count"])
        assert row["rules_version"] == answer["versions"]["rules"]
        assert row["findings"].split(";") == [finding["rule"] for finding in answer["findings"]] or [""]
        assert row["max_concurrency"] == (answer["kv_cache"] or {}).get("max_concurrency")
        assert row["error_code"] is None
    architectures = {row["gpu"]: row["gpu_architecture"] for row in rows}
    assert architectures == {"GeForce RTX 3090": "ampere", "H100 SXM5 80GB": "hopper", "nonsense 9000": None}


def test_parquet_has_its_types_and_says_what_columns_mean(parquet: Path) -> None:
    """Integers stay integers where some are missing."""
    schema = pyarrow.parquet.read_schema(parquet)
    assert schema.names == [column.name for column in COLUMNS]
    assert [str(field.type) for field in schema] == [column.kind.replace("float64", "double") for column in COLUMNS]
    assert [field.metadata[b"about"].decode() for field in schema] == [column.about for column in COLUMNS]


FITTING = "SELECT count(*) FROM '{}' WHERE verdict = 'fits' AND headroom_bytes > 0"


def test_pandas_polars_and_duckdb_read_the_same(results: Path, parquet: Path, tmp_path: Path) -> None:
    """From Parquet and from CSV."""
    out = tmp_path / "results.csv"
    write_csv(results, out)
    fitting = sum(line["answer"].get("verdict") == "fits" for line in decoded(results))
    assert fitting > 0
    frame, lazy = pd.read_parquet(parquet), pl.read_parquet(parquet)
    assert len(frame[frame["verdict"] == "fits"]) == fitting
    assert lazy.filter(pl.col("verdict") == "fits").height == fitting
    assert lazy.schema["total_bytes"] == pl.Int64
    for path in (parquet, out):
        with duckdb.connect() as connection:
            assert connection.execute(FITTING.format(path)).fetchall() == [(fitting,)]
    assert len(pd.read_csv(out)) == len(frame)
    columns = ["model", "gpu", "total_bytes", "error_message"]
    assert pl.read_csv(out)[columns].equals(lazy[columns])


def test_documentation_has_every_column() -> None:
    """docs/batch.md lists names, types and meanings as they are."""
    text = DOCUMENT.read_text()
    rows = [f"| `{column.name}` | {column.kind} | {column.about} |" for column in COLUMNS]
    assert [row for row in rows if row not in text] == []
