"""Results as flat tables for other programs: CSV, and Parquet where pyarrow is installed."""

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from schemas.errors import UnavailableError

from .columns import COLUMNS, Value
from .results_reader import in_order

ROWS_AT_ONCE = 10_000
"""Rows of one row group: some megabytes of memory."""


def _rows(results: Path) -> Iterator[list[Value]]:
    return ([column.read(line) for column in COLUMNS] for line in in_order(results))


def write_csv(results: Path, out: Path) -> None:
    """Writes RFC 4180 text in UTF-8 with a header; what is empty has no text.

    Raises: InvalidRequestError naming the line of ``results`` that is none.
    """
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.name for column in COLUMNS])
        writer.writerows(_rows(results))


def write_parquet(results: Path, out: Path) -> None:
    """Writes a Parquet file whose columns have their types, and their meaning as metadata.

    Raises: UnavailableError where pyarrow is missing; InvalidRequestError as ``write_csv``.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415 - likewise
    except ImportError:
        raise UnavailableError("Parquet needs pyarrow", hint="pip install 'weighbridge[parquet]'") from None
    types = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64()}
    schema = pa.schema(
        [pa.field(column.name, types[column.kind], metadata={"about": column.about}) for column in COLUMNS]
    )
    rows = _rows(results)
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        while chunk := list(islice(rows, ROWS_AT_ONCE)):
            arrays = [
                pa.array(values, field.type) for values, field in zip(zip(*chunk, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
