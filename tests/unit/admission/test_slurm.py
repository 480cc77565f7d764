"""What is read of Slurm jobs."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.manifest.reading import Reading, Surroundings
from admission.slurm import read_job
from schemas.parse import parse_request

SERVE = "vllm serve Qwen/Qwen3-32B --max-model-len 8192"


def job(*lines: str, environment: Mapping[str, str] | None = None, gpu: str | None = "L4") -> Reading:
    """What is read of a batch script with ``lines``."""
    return read_job("\n".join(["#!/bin/bash", *lines]), environment or {}, Surroundings(gpu=gpu))


def hardware(reading: Reading) -> list[Mapping[str, Any]]:
    """The GPUs of each server of ``reading``."""
    return [server.request["hardware"] for server in reading.servers]


@pytest.mark.parametrize(
    ("directives", "environment", "gpus"),
    [
        (["#SBATCH --gres=gpu:4"], {}, {"gpu": "L4", "count": 4}),
        (["#SBATCH --gres=gpu:l40s:2,shard:1"], {}, {"gpu": "l40s", "count": 2}),
        (["#SBATCH --gres=gpu:nvidia_h100_80gb_hbm3:8"], {}, {"gpu": "nvidia_h100_80gb_hbm3", "count": 8}),
        (["#SBATCH --nodes=2 --gpus-per-node=l40s:4"], {}, {"gpu": "l40s", "count": 8}),
        (["#SBATCH -N 2", "#SBATCH -G 6"], {}, {"gpu": "L4", "count": 6}),
        (["#SBATCH --ntasks 4 --gpus-per-task=1"], {}, {"gpu": "L4", "count": 4}),
        (["#SBATCH --gres=gpu", "#SBATCH -C l40s"], {}, {"gpu": "l40s", "count": 1}),
        (["#SBATCH --gres=gpu:1"], {"SBATCH_GRES": "gpu:l40s:2"}, {"gpu": "l40s", "count": 2}),
        ([], {"SLURM_GPUS": "l40s:2"}, {"gpu": "l40s", "count": 2}),
        ([], {"SLURM_TRES_PER_NODE": "gres/gpu:l40s:2", "SLURM_JOB_NUM_NODES": "2"}, {"gpu": "l40s", "count": 4}),
        (
            ["#SBATCH --gres=gpu:a100_1g.10gb:1"],
            {"WEIGHBRIDGE_JOB_GPU": "A100 SXM4 80GB"},
            {"gpu": "A100 SXM4 80GB", "count": 1, "mig": "1g.10gb"},
        ),
    ],
)
def test_gpus_are_those_of_the_job(directives: list[str], environment: dict[str, str], gpus: dict[str, Any]) -> None:
    """Directives, and the variables that override them, say how many and which."""
    assert hardware(job(*directives, SERVE, environment=environment)) == [gpus]


def test_script_sees_what_slurm_will_set() -> None:
    """Sizes written as Slurm's variables are those of the job."""
    line = f"srun {SERVE} -tp $SLURM_GPUS_ON_NODE -pp ${{SLURM_JOB_NUM_NODES}}"
    (server,) = job("#SBATCH -N 2 --gres=gpu:l40s:4", line).servers
    assert server.request["parallelism"] == {"tensor_parallel_size": 4, "pipeline_parallel_size": 2}
    assert server.request["hardware"]["count"] == 8


def test_variables_override_what_the_script_says() -> None:
    """WEIGHBRIDGE_JOB_ variables say what annotations would, the reason to bypass included."""
    environment = {
        "WEIGHBRIDGE_JOB_MODEL": "Qwen/Qwen3-8B",
        "WEIGHBRIDGE_JOB_GPU_COUNT": "2",
        "WEIGHBRIDGE_JOB_CONCURRENT_SEQUENCES": "8",
        "WEIGHBRIDGE_JOB_BYPASS": "drill",
    }
    reading = job("#SBATCH --gres=gpu:l40s:1", "vllm serve $HOME/model --max-model-len 4096", environment=environment)
    (server,) = reading.servers
    assert server.request == {
        "model": {"name": "Qwen/Qwen3-8B"},
        "engine": {"name": "vllm"},
        "workload": {"max_model_len": 4096, "concurrent_sequences": 8},
        "hardware": {"gpu": "l40s", "count": 2},
        "parallelism": {"tensor_parallel_size": 1},
    }
    assert reading.bypass == "drill"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["#SBATCH --gres=gpu:1", "vllm serve /scratch/model"], "ModelIsPath"),
        (["#SBATCH --gpus=some", SERVE], "ArgumentUnreadable"),
        (["#SBATCH --nodes=lots --gres=gpu:1", SERVE], "ArgumentUnreadable"),
        (["#SBATCH --gres=gpu:z9000:1", SERVE], "UnknownGpu"),
    ],
)
def test_what_cannot_be_read_has_a_reason(lines: list[str], reason: str) -> None:
    """Nothing is guessed."""
    assert [each.reason for each in job(*lines).unreadable] == [reason]


def test_gpu_that_nothing_names_is_said() -> None:
    """A cluster with one type of GPU says which; without it nothing is weighed."""
    assert [each.reason for each in job("#SBATCH -G 1", SERVE, gpu=None).unreadable] == ["GpuTypeNotNamed"]


@pytest.mark.parametrize(
    "lines", [["#SBATCH --gres=gpu:8", "srun python train.py"], [SERVE], ["#SBATCH --mem=4G", SERVE]]
)
def test_other_jobs_are_none_of_our_business(lines: list[str]) -> None:
    """Jobs without GPUs, or that serve nothing, are not read."""
    assert job(*lines) == Reading()


@given(
    script=st.text(max_size=80),
    environment=st.dictionaries(st.sampled_from(["SLURM_GPUS", "SBATCH_GRES", "SLURM_NNODES"]), st.text(max_size=12)),
)
def test_any_job_is_read(script: str, environment: dict[str, str]) -> None:
    """Nothing is raised, and requests are requests."""
    for server in job(f"#SBATCH -G 1 {script}", SERVE, script, environment=environment).servers:
        parse_request(dict(server.request))
