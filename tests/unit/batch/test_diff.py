"""What changed between two results."""

import json
from pathlib import Path
from typing import Any

from batch.cells import cells
from batch.diff import Difference, compare

from .answers import results_file
from .catalogs import planned

CATALOG: dict[str, Any] = {
    "models": ["Qwen/Qwen3-8B", "nobody/nothing"],
    "gpus": ["GeForce RTX 3090", "H100 SXM5 80GB"],
    "weight_formats": ["bf16", "fp8"],
}


def test_changes_are_found_cell_by_cell(tmp_path: Path) -> None:
    """A verdict, a figure, an error that became another: by hand in a copy, whose cells stand in another order."""
    before = results_file(tmp_path / "a", cells(planned(tmp_path, CATALOG)))
    lines = [json.loads(line) for line in before.read_text().splitlines()]
    lines[0]["answer"]["verdict"] = "tight"
    lines[1]["answer"]["per_gpu"]["weights_bytes"] += 1
    lines[4]["answer"]["error"]["code"] = "unknown_gpu"
    for line in lines[:4]:
        line["answer"]["versions"]["rules"] = "sha256:new"
    del lines[7]
    lines[6]["model"] = "somebody/else"
    after = tmp_path / "b"
    after.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in reversed(lines)))
    counts = Difference()
    changed = {each.after["cell"]: each for each in compare(before, after, counts)}
    assert set(changed) == {0, 1, 4}
    assert changed[0].verdicts == ("fits", "tight")
    assert changed[1].verdicts == ("fits", "fits")
    assert changed[1].before["answer"]["per_gpu"]["weights_bytes"] + 1 == lines[1]["answer"]["per_gpu"]["weights_bytes"]
    assert changed[4].verdicts == ("unknown_model", "unknown_gpu")
    assert (counts.changed, counts.same, counts.only_before, counts.only_after) == (3, 3, 2, 1)
    assert dict(counts.verdicts) == {("fits", "tight"): 1, ("fits", "fits"): 1, ("unknown_model", "unknown_gpu"): 1}
    assert [json.loads(each)["rules"] for each in counts.versions_after] == ["sha256:new"]
    assert [json.loads(each)["rules"] for each in counts.versions_before] != ["sha256:new"]


def test_another_numbering_changes_nothing(tmp_path: Path) -> None:
    """The same cells of a catalogue whose order is another are the same."""
    first = results_file(tmp_path / "a", cells(planned(tmp_path, CATALOG)))
    turned = {axis: list(reversed(values)) for axis, values in CATALOG.items()}
    second = results_file(tmp_path / "b", cells(planned(tmp_path, turned)))
    counts = Difference()
    assert list(compare(first, second, counts)) == []
    assert (counts.same, counts.only_before, counts.only_after) == (8, 0, 0)
