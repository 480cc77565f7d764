"""The catalogue that is measured: every model on every GPU of NVIDIA, AMD and Intel, in six formats."""

from pathlib import Path

FORMATS = ("bf16", "fp8", "int8", "awq-int4", "nvfp4", "mxfp4")

TEXT = f"""\
weight_formats: [{", ".join(FORMATS)}]
max_model_lens: [8192]
gpus: [{{vendor: [nvidia, amd, intel]}}]
models: ["*"]
"""


def write_catalog(folder: Path) -> Path:
    """The catalogue file."""
    path = folder / "full.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path
