"""How the project is put together."""

import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]
ROOMS = ("schemas", "sizing", "checkpoints", "rules", "worker", "batch", "admission", "cli")


def test_a_room_imports_only_from_its_left() -> None:
    """The import contracts of pyproject.toml hold."""
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_the_contract_fails_when_a_room_imports_from_its_right(tmp_path: Path) -> None:
    """A copy of the rooms in which sizing imports rules breaks the first contract."""
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("")
    (tmp_path / "sizing" / "wrong.py").write_text("import rules\n")
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = linter["contracts"][0]["layers"]
    (tmp_path / "pyproject.toml").write_text(
        f"[tool.importlinter]\nroot_packages = {list(ROOMS)}\n"
        f"[[tool.importlinter.contracts]]\nname = 'rooms'\ntype = 'layers'\nlayers = {layers}\n"
    )
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    ran = subprocess.run(
        [sys.executable, "-c", command],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "sizing is not allowed to import rules" in ran.stdout


def test_nothing_else_in_the_environment_owns_a_rooms_name() -> None:
    """The rooms are top-level packages, so no other distribution may bring one of their names."""
    owners = packages_distributions()
    assert {room: set(owners.get(room, ["weighbridge"])) for room in ROOMS} == {room: {"weighbridge"} for room in ROOMS}


def test_weighing_in_process_loads_no_server_and_no_framework() -> None:
    """``weighbridge size`` imports neither the queue nor a deep-learning library."""
    request = '{"model": {"name": "Qwen/Qwen3-8B"}, "hardware": {"gpu": "RTX 4090"}}'
    program = (
        "import sys, cli.main\n"
        "try: cli.main.main(['size', '--json'])\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], input=request, capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(ran.stdout.splitlines()[-1].split())
    assert "rules" in loaded
    assert not loaded & {
        "torch",
        "transformers",
        "celery",
        "kombu",
        "redis",
        "worker",
        "rich",
        "numpy",
        "huggingface_hub",
    }


def test_the_project_stands_alone() -> None:
    """No file of the project reads what lies beside the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    beside = "../" + "shared"
    texts = (ROOT / name for name in listed.stdout.splitlines())
    assert not [str(path) for path in texts if path.is_file() and beside in path.read_text(errors="ignore")]
