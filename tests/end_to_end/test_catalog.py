"""The catalogue that is shipped as an example, sized as its first lines and the README say."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_example_is_sized_and_drawn(tmp_path: Path) -> None:
    """Twenty models on ten GPUs: a recommendation in all cells that an engine would start to load, and one file."""
    results, report = tmp_path / "results.jsonl", tmp_path / "report.html"
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "cli.main", "batch", "examples/catalog.yaml"),
            *("--local", "--results", str(results), "--report", str(report)),
        ],
        cwd=ROOT,
        env={**os.environ, "WEIGHBRIDGE_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    # Groups of 128 columns that eight ranks cannot divide: an engine refuses these, and a cell says so.
    errors = [line for line in lines if line["answer"]["status"] == "error"]
    assert len(errors) < 10
    assert {line["answer"]["error"]["field"] for line in errors} == {"parallelism.tensor_parallel_size"}
    assert {line["request"]["hardware"]["count"] for line in errors} == {8}
    assert {line["request"].get("weight_format") for line in errors} <= {None, "fp8", "awq-int4"}
    assert len({line["model"] for line in lines}) == 20
    assert len({tuple(line["request"]["hardware"].items()) for line in lines}) == 10
    assert len(lines) == 18 * 10 * 3 + 2 * 10
    assert {line["answer"].get("verdict") for line in lines} >= {"fits", "does_not_fit"}
    assert list(tmp_path.glob("*.html")) == [report]
    assert "http" not in {word.partition(":")[0] for word in report.read_text().split('src="')[1:]}
