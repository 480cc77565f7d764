"""``weighbridge batch`` as a person runs it, in processes of this machine."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main

CATALOG = """
weight_formats: [bf16, fp8]
max_model_lens: [8192]
gpus: [RTX 3090, {gpu: H100 SXM5 80GB, count: [1, 2]}]
models:
  - Qwen/Qwen3-8B
  - nobody/nothing
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own, with a catalogue of twelve cells beside it."""
    monkeypatch.setenv("WEIGHBRIDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("WEIGHBRIDGE_REDIS_URL", raising=False)
    (tmp_path / "catalog.yaml").write_text(CATALOG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    """The outcome of ``weighbridge batch`` with these arguments."""
    return CliRunner().invoke(main, ["batch", *arguments])


def local(*arguments: str) -> Result:
    """A batch in one process beside this one."""
    return run("catalog.yaml", "--local", "--processes", "1", *arguments)


def test_catalogue_ends_in_tables_a_report_and_a_summary(home: Path) -> None:
    """Everything that was asked for is written, and the terminal says what it came to."""
    done = local("--results", "r.jsonl", "--csv", "r.csv", "--parquet", "r.parquet", "--report", "r.html")
    assert done.exit_code == 0, done.output
    assert len((home / "r.jsonl").read_text().splitlines()) == 12
    assert len((home / "r.csv").read_text().splitlines()) == 13
    assert (home / "r.parquet").stat().st_size > 0
    assert "<html" in (home / "r.html").read_text()
    for words in (
        "12 cells of catalog.yaml",
        "12/12 cells (100.0%)",
        "finished after",
        "6 cells could not be answered: unknown_model",
        "answered by weighbridge 0.1.0, rules sha256:",
        "r.html",
    ):
        assert words in done.output, words
    (all_formats,) = (line for line in done.output.splitlines() if line.startswith("│ all"))
    assert [cell.strip() for cell in all_formats.strip("│").split("│")] == ["all", "6", "0", "0", "0", "6"]


def test_batch_is_listed_exported_and_compared(home: Path) -> None:
    """By its id, afterwards."""
    assert local().exit_code == 0
    (note,) = (json.loads(line) for line in run("list", "--json").output.splitlines())
    assert (note["catalog"], note["total"], note["local"]) == ("catalog.yaml", 12, True)
    assert note["batch"] in run("list").output
    exported = run("export", note["batch"], "--csv", "out.csv")
    assert (exported.exit_code, exported.output) == (0, "out.csv\n")
    lines = Path(note["results"]).read_text().splitlines(keepends=True)
    changed = json.loads(lines[0])
    changed["answer"] |= {"verdict": "tight"}
    (home / "other.jsonl").write_text(json.dumps(changed, separators=(",", ":")) + "\n" + "".join(lines[1:]))
    same = run("diff", note["batch"], note["results"])
    assert same.exit_code == 0
    assert "0 changed, 12 the same, 0 only before, 0 only after" in same.output
    differ = run("diff", note["batch"], "other.jsonl")
    assert differ.exit_code == 1
    assert "1 changed, 11 the same" in differ.output
    assert f"{json.loads(lines[0])['answer']['verdict']} → tight" in differ.output
    (told,) = (json.loads(line) for line in run("diff", note["batch"], "other.jsonl", "--json").output.splitlines())
    assert (told["before"]["verdict"], told["after"]["verdict"]) == (json.loads(lines[0])["answer"]["verdict"], "tight")


def test_finished_batch_is_resumed_without_asking_again(home: Path) -> None:
    """And one whose end is missing goes on from there."""
    assert local().exit_code == 0
    (note,) = (json.loads(line) for line in run("list", "--json").output.splitlines())
    results = Path(note["results"])
    whole = results.read_text()
    again = run("--resume", note["batch"], "--processes", "1", "--csv", str(home / "again.csv"))
    assert again.exit_code == 0, again.output
    assert results.read_text() == whole
    assert (home / "again.csv").exists()
    lines = whole.splitlines(keepends=True)
    results.write_text("".join(lines[:5]) + lines[5][:100])
    assert run("--resume", note["batch"], "--processes", "1").exit_code == 0
    assert sorted(results.read_text().splitlines()) == sorted(whole.splitlines())


def test_filters_narrow_at_the_prompt(home: Path) -> None:
    """Models, GPUs and formats."""
    assert local("--model", "qwen*", "--gpu", "*3090", "--format", "fp8", "--results", "r.jsonl").exit_code == 0
    (line,) = (json.loads(text) for text in (home / "r.jsonl").read_text().splitlines())
    assert line["model"] == "Qwen/Qwen3-8B"
    assert line["request"]["weight_format"] == "fp8"
    nothing = local("--model", "nothing like that")
    assert nothing.exit_code == 2
    assert "nothing is left to ask" in nothing.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Usage"),
        (("catalog.yaml", "--resume", "x"), "name a catalogue file, or a batch"),
        (("--resume", "x"), "there is no batch 'x'"),
        (("--resume", "x", "--gpu", "H*"), "were settled when the batch began"),
        (("missing.yaml",), "does not exist"),
        (("catalog.yaml", "--local", "--csv", "no/such/folder.csv"), "there is no such folder"),
        (("export", "missing.jsonl"), "no such file, and no id of a batch"),
        (("export", "catalog.yaml", "--csv", "x.csv"), "no line of a batch's results"),
        (("diff", "catalog.yaml", "catalog.yaml"), "no line of a batch's results"),
        (("--local", "bad.yaml"), "did you mean weight_formats?"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_asked(home: Path, arguments: tuple[str, ...], told: str) -> None:
    """Exit status 2, and why."""
    (home / "bad.yaml").write_text("models: [a]\nweight_format: [fp8]")
    done = run(*arguments)
    assert done.exit_code == 2 or not arguments
    assert told in done.output
    assert run("list", "--json").output == ""


def test_without_a_server_local_is_named(home: Path) -> None:
    """Exit status 3: the queue is the default."""
    done = run(str(home / "catalog.yaml"))
    assert done.exit_code == 3
    assert "no server is configured" in done.output


def test_terminal_shows_it_live(home: Path) -> None:
    """On a terminal there are bars instead of lines, and they are gone in the end."""
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "cli.main", "batch", "catalog.yaml", "--local", "--processes", "1"],
        stdout=subprocess.DEVNULL,
        stderr=terminal,
        cwd=home,
        env={**os.environ, "TERM": "xterm", "PYTHONPATH": str(Path(__file__).parents[3])},
    ) as batch:
        os.close(terminal)
        shown = b""
        try:
            while chunk := os.read(controller, 4096):
                shown += chunk
        except OSError:
            pass  # the terminal is gone when its last program ends
        assert batch.wait(60) == 0
    os.close(controller)
    text = shown.decode()
    assert "━" in text
    assert "✔ fits 6" in text
    assert "12/12 cells" not in text
