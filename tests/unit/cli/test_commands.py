import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from admission.kueue.settings import KueueSettings
from admission.settings import AdmissionSettings
from cli.main import COMMANDS, main
from sizing.catalog.formats import load_formats
from tests.unit.checkpoints.laying import SMALL, lay, small
from tests.unit.checkpoints.loopback import Hub, serving
from tests.unit.rules.site_folders import NO_FP4, site_folder
from worker.settings import Settings

ROOT = Path(__file__).parents[3]

FITS = {"request_id": "fits", "model": {"name": "Qwen/Qwen3-8B"}, "hardware": {"gpu": "RTX 4090"}}
DOES_NOT = {**FITS, "request_id": "does-not", "hardware": {"gpu": "RTX 4060"}}
BAD = {**FITS, "request_id": "bad", "hardware": {"gpu": "RTX 9090"}}


def run(*arguments: str, text: str | None = None) -> Result:
    """The outcome of ``weighbridge`` with these arguments."""
    return CliRunner().invoke(main, list(arguments), input=text)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does(name: str) -> None:
    """Each subcommand is listed with a summary and has help of its own."""
    assert f"  {name}" in run("--help").output
    told = run(name, "--help")
    assert told.exit_code == 0
    assert "Usage:" in told.output


@pytest.mark.parametrize(
    ("requests", "status"),
    [([FITS], 0), ([DOES_NOT], 1), ([BAD], 2), ([FITS, DOES_NOT], 1), ([FITS, BAD, DOES_NOT], 2)],
)
def test_the_exit_status_tells_of_the_worst_answer(requests: list[object], status: int) -> None:
    """0 when all fit, 1 when some do not, 2 when some could not be answered."""
    lines = "\n".join(map(json.dumps, requests))
    told = run("size", "--json", text=lines)
    assert told.exit_code == status
    assert [json.loads(line)["request_id"] for line in told.stdout.splitlines()] == [
        request["request_id"]  # type: ignore[index]
        for request in requests
    ]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(FITS),
        json.dumps(FITS, indent=2),
        json.dumps([FITS]),
        "\n\n" + json.dumps(FITS) + "\n\n",
    ],
)
def test_one_request_may_be_json_or_json_lines(text: str) -> None:
    """A request spread over lines, a list of one, and a line among empty ones all give one answer."""
    told = run("size", "--json", text=text)
    assert [json.loads(line)["request_id"] for line in told.stdout.splitlines()] == ["fits"]


def test_a_bad_line_is_answered_and_the_next_one_is_weighed() -> None:
    """A line that is no JSON gives an error answer that names its place; the others are weighed."""
    told = run("size", "--json", text=json.dumps(FITS) + "\n{oops\n" + json.dumps(DOES_NOT))
    first, second, third = map(json.loads, told.stdout.splitlines())
    assert (first["status"], second["status"], third["status"]) == ("ok", "error", "ok")
    assert second["request_id"] == "<stdin>:2"
    assert second["error"]["code"] == "invalid_request"
    assert told.exit_code == 2


def test_the_same_request_gives_the_same_bytes() -> None:
    """Asked twice, with or without an id, size prints the same bytes."""
    without = json.dumps({key: value for key, value in FITS.items() if key != "request_id"})
    assert run("size", "--json", text=without).stdout == run("size", "--json", text=without).stdout
    assert json.loads(run("size", "--json", text=without).stdout)["request_id"]


def test_one_answer_is_told_in_full_and_several_as_a_table() -> None:
    """A person sees the breakdown of one answer, and a table of several with the advice."""
    one = run("size", text=json.dumps(FITS))
    assert "fits" in one.output
    assert "headroom" in one.output
    several = run("size", text=json.dumps([FITS, DOES_NOT, BAD]))
    assert "does not fit" in several.output
    assert "memory-does-not-fit" in several.output
    assert "unknown_gpu" in several.output


def test_no_colour_in_a_pipe() -> None:
    """Output that is not a terminal's has no escape sequences."""
    assert "\x1b" not in run("size", text=json.dumps(FITS)).output


def test_listings_have_a_row_for_every_row_of_the_catalogue() -> None:
    """gpus, models and formats list the whole catalogue, as JSON Lines too."""
    assert len(run("gpus", "--json").stdout.splitlines()) == 163
    models = [json.loads(line) for line in run("models", "--json").stdout.splitlines()]
    assert len(models) == 247
    covered = [json.loads(line) for line in run("models", "--covered", "--json").stdout.splitlines()]
    assert covered == [row for row in models if row["family"]]
    refusals = {row["note"] for row in models if not row["family"] and row["note"]}
    assert refusals <= {"unsupported_architecture", "model_unreadable"}
    formats = [json.loads(line)["name"] for line in run("formats", "--json").stdout.splitlines()]
    assert formats == list(load_formats().weights)


def test_one_gpu_is_found_by_any_of_its_names() -> None:
    """``weighbridge gpus NAME`` tells what a name means, or exits with 2 and the nearest."""
    found = json.loads(run("gpus", "NVIDIA-GeForce-RTX-3090", "--json").stdout)
    assert found["name"] == "GeForce RTX 3090"
    unknown = run("gpus", "RTX 9090")
    assert unknown.exit_code == 2
    assert "RTX 5090" in unknown.output


@pytest.mark.parametrize("name", ["request", "answer"])
def test_schema_prints_the_committed_schema(name: str) -> None:
    """The printed schema is the file in schemas/json."""
    assert run("schema", name).stdout == (ROOT / "schemas" / "json" / f"{name}.schema.json").read_text()


def test_the_seed_example_carries_the_rule_of_thumb() -> None:
    """Each article case of examples/seed.jsonl has its figure in decimal GB."""
    told = run("size", "--json", str(ROOT / "examples" / "seed.jsonl"))
    answers = {each["request_id"]: each for each in map(json.loads, told.stdout.splitlines())}
    expected = {
        "8b-fp16-on-16gb": 19.2,
        "8b-fp8-on-rtx-4080": 9.6,
        "8b-fp4-on-rtx-5070": 4.8,
        "32b-fp16-which-gpu": 76.8,
        "32b-fp4-on-rtx-5090": 19.2,
        "70b-fp16-on-8-rtx-3090": 168.0,
        "8b-by-the-rule-fp16": 19.2,
        "8b-by-the-rule-fp8": 9.6,
        "8b-by-the-rule-fp4": 4.8,
        "32b-by-the-rule-fp16": 76.8,
        "32b-by-the-rule-fp4": 19.2,
        "70b-by-the-rule-fp16": 168.0,
    }
    found = {name: answers[name]["rule_of_thumb"]["total_bytes"] / 10**9 for name in expected}
    assert found == expected


def test_an_explanation_puts_the_numbers_into_each_terms_formula() -> None:
    """--explain shows every term with its formula, the kv cache's by hand: 147,456 B x 8,192 tokens."""
    told = run("size", "--explain", text=json.dumps(FITS))
    assert told.exit_code == 0
    for term in ("weights", "kv cache", "activation", "overhead", "usable"):
        assert f"│ {term} " in told.output
    assert "147,456 B a token x 8,192 tokens" in told.output


def test_an_explanation_leads_from_facts_to_the_verdict() -> None:
    """--explain names the rules of both passes with the facts each read and its source, then what decided."""
    request = {"model": {"name": "Qwen/Qwen3-8B"}, "weight_format": "fp8", "hardware": {"gpu": "RTX 3090"}}
    told = run("size", "--explain", text=json.dumps(request)).output
    chain = [
        "facts of the support pass",
        "vendor = nvidia, architecture = ampere, compute_capability_tens = 86",
        "weights: emulated, memory+decode bandwidth, by ",
        "rules that fired in the support pass",
        "concludes weights: emulated, memory+decode bandwidth",
        "read compute_capability_tens = 86",
        "source: ",
        "rules that fired in the advice pass",
        "fp8-without-fp8-tensor-cores finds advice",
        "read gpu = GeForce RTX 3090, weight_format = fp8, weights_support = emulated",
        "verdict",
        "support: the worst level is emulated",
        "refusals: none",
        "memory: fits: needs ",
        "therefore: fits",
    ]
    for text in chain:
        before, found, told = told.partition(text)
        assert found, f"{text} does not come after what precedes it, but: {before[-500:]}"


def test_an_explanation_says_who_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site's denial is the verdict's reason, beside memory that would suffice."""
    monkeypatch.setenv("WEIGHBRIDGE_RULES_PATH", str(site_folder(tmp_path, no_fp4_in_production=NO_FP4)))
    request = {
        "model": {"name": "Qwen/Qwen3-8B"},
        "weight_format": "nvfp4",
        "hardware": {"gpu": "RTX 5090"},
        "metadata": {"example.org/stage": "production"},
    }
    told = run("size", "--explain", text=json.dumps(request))
    assert told.exit_code == 1
    assert "no-fp4-in-production finds error, and refuses the deployment" in told.output
    assert "refusals: no-fp4-in-production" in told.output
    assert told.output.rstrip().endswith("therefore: unsupported")


def test_a_broken_site_folder_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is answered without the site's rules: the fault is told with its line, and the exit status is 2."""
    folder = site_folder(tmp_path, site="disable: [fp4-is-natve]\n")
    monkeypatch.setenv("WEIGHBRIDGE_RULES_PATH", str(folder))
    told = run("size", "--json", text=json.dumps(FITS))
    assert told.exit_code == 2
    assert told.stdout == ""
    assert f"error: WEIGHBRIDGE_RULES_PATH: {folder / 'site.yaml'}:1: " in told.stderr


def test_an_explanation_is_not_for_programs() -> None:
    """--explain and --json exclude each other."""
    assert run("size", "--explain", "--json", text=json.dumps(FITS)).exit_code == 2


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model root with one small model, set in the environment."""
    lay(tmp_path / "org" / "small", SMALL, small())
    monkeypatch.setenv("WEIGHBRIDGE_MODEL_ROOT", str(tmp_path))
    return tmp_path


BY_PATH = {"model": {"path": "org/small"}, "hardware": {"gpu": "RTX 4090"}}


@pytest.mark.usefixtures("models")
def test_a_model_below_the_root_is_weighed_from_its_files() -> None:
    """The environment says where paths are below; the answer rests on the headers and is called by the path."""
    told = json.loads(run("size", "--json", text=json.dumps(BY_PATH)).stdout)
    assert (told["verdict"], told["model"]["name"], told["evidence"]["weights"]) == ("fits", "org/small", "header")
    assert told["weights"]["bytes_by_part"]["embedding"] == 1024 * 256 * 2
    explained = run("size", "--explain", text=json.dumps(BY_PATH))
    assert explained.exit_code == 0
    assert "org/small" in explained.output


def test_without_a_root_no_path_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable that allows it."""
    monkeypatch.delenv("WEIGHBRIDGE_MODEL_ROOT", raising=False)
    told = run("size", "--json", text=json.dumps(BY_PATH))
    assert told.exit_code == 2
    error = json.loads(told.stdout)["error"]
    assert (error["code"], error["field"]) == ("invalid_request", "model.path")
    assert "WEIGHBRIDGE_MODEL_ROOT" in error["hint"]


def test_what_the_family_lacks_is_a_finding(models: Path) -> None:
    """Tensors that nobody knows what for are named to whoever asked."""
    lay(models / "org" / "small", SMALL, {**small(), "audio_tower.conv.weight": ("BF16", (64, 128))})
    told = json.loads(run("size", "--json", text=json.dumps(BY_PATH)).stdout)
    found = {each["rule"]: each for each in told["findings"]}
    assert "audio_tower.conv.weight" in found["checkpoint-holds-what-its-family-lacks"]["message"]
    assert told["evidence"]["weights"] == "analytic"


def test_a_setting_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is named, on standard error."""
    monkeypatch.setenv("WEIGHBRIDGE_HUB", "perhaps")
    told = run("size", text=json.dumps(FITS))
    assert told.exit_code == 2
    assert "WEIGHBRIDGE_HUB" in told.stderr


def test_a_repository_is_weighed_from_the_hub_of_the_environment(tmp_path: Path) -> None:
    """HF_ENDPOINT and HF_TOKEN mean what they mean to the hub's own client."""
    folder = lay(tmp_path / "small", SMALL, small())
    with serving(Hub(repositories={"org/closed": folder}, gated=frozenset({"org/closed"}))) as hub:
        ran = subprocess.run(
            [sys.executable, "-m", "cli.main", "size", "--json"],
            input=json.dumps({"model": {"repo": "org/closed"}, "hardware": {"gpu": "RTX 4090"}}),
            env={
                **os.environ,
                "WEIGHBRIDGE_HUB": "on",
                "HF_ENDPOINT": hub.url,
                "HF_TOKEN": "hf_loopback",
                "HF_HOME": str(tmp_path / "home"),
            },
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    told = json.loads(ran.stdout)
    assert (told["model"]["name"], told["evidence"]["weights"]) == ("org/closed", "header")
    assert hub.tokens == {"Bearer hf_loopback"}
    assert "hf_loopback" not in ran.stdout + ran.stderr


def test_settings_tell_all_there_are_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting has its variable, its value here and what it is for; a secret is only told to be there."""
    monkeypatch.setenv("WEIGHBRIDGE_REDIS_URL", "redis://user:hush@127.0.0.1:1/0")
    monkeypatch.setenv("WEIGHBRIDGE_PREFETCH", "2")
    told = run("settings", "--json")
    rows = {row["variable"]: row for row in map(json.loads, told.stdout.splitlines())}
    every = (Settings, AdmissionSettings, KueueSettings)
    assert set(rows) == {each.variable(name) for each in every for name in each.model_fields}
    assert all(row["what"] for row in rows.values())
    assert (rows["WEIGHBRIDGE_PREFETCH"]["value"], rows["WEIGHBRIDGE_PREFETCH"]["set"]) == ("2", True)
    assert rows["WEIGHBRIDGE_REDIS_URL"]["value"] == "**"
    assert "WEIGHBRIDGE_REDIS_URL_FILE" in rows["WEIGHBRIDGE_REDIS_URL"]["what"]
    assert "hush" not in told.output
