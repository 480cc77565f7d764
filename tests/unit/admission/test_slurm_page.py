"""docs/slurm.md, held against the code."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[3] / "docs" / "slurm.md").read_text()
SERVE = "#!/bin/bash\n#SBATCH --gres=gpu:l4:1\nvllm serve {} --max-model-len 8192\n"


@pytest.mark.parametrize(("model", "submitted"), [("Qwen/Qwen3-0.6B", True), ("Qwen/Qwen3-32B", False)])
def test_wrapper_of_the_page_submits_what_fits(model: str, tmp_path: Path, *, submitted: bool) -> None:
    """Slurm's own command is called with all arguments, or not at all and the reason is told."""
    wrapper = re.search(r"```sh\n(.+?)```", PAGE, re.DOTALL)
    assert wrapper is not None
    for name, text in (
        ("sbatch", wrapper[1]),
        ("slurms-own", '#!/bin/sh\necho "submitted $*"\n'),
        ("weighbridge", f'#!/bin/sh\nexec "{sys.executable}" -m cli.main "$@"\n'),
    ):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    job = tmp_path / "serve.job"
    job.write_text(SERVE.format(model))
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "SBATCH": str(tmp_path / "slurms-own")}
    ran = subprocess.run(
        [tmp_path / "sbatch", "--exclusive", job], env=environment, capture_output=True, text=True, check=False
    )
    if submitted:
        assert (ran.returncode, ran.stdout) == (0, f"submitted --exclusive {job}\n"), ran.stderr
    else:
        assert ran.returncode == 1
        assert ran.stdout == ""
        assert ran.stderr.startswith("not submitted: FitsWithChanges: ")
