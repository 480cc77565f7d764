"""Which reader reads which dialect of ``quantization_config``."""

from collections.abc import Callable, Mapping

from ..config import Config
from .bitsandbytes import read_bitsandbytes
from .bounds import refuse_endless_lists
from .compressed_tensors import read_compressed_tensors
from .fp8 import read_fbgemm_fp8, read_fp8, with_fp4_experts
from .modelopt import read_modelopt
from .mxfp4 import read_mxfp4
from .published_format import PublishedFormat
from .weight_only import read_awq, read_gptq

_DIALECTS: Mapping[str, Callable[[Config], PublishedFormat]] = {
    "fp8": read_fp8,
    "fbgemm_fp8": read_fbgemm_fp8,
    "compressed-tensors": read_compressed_tensors,
    "awq": read_awq,
    "gptq": read_gptq,
    "bitsandbytes": read_bitsandbytes,
    "modelopt": read_modelopt,
    "mxfp4": read_mxfp4,
}


def read_published(config: Config) -> PublishedFormat | None:
    """The format a config's ``quantization_config`` describes; None when it has none.

    Raises: ModelUnreadableError when it is of a kind that no reader covers, or endless.
    """
    quantization = config.section("quantization_config")
    if quantization is None:
        return None
    method = quantization.text("quant_method", default=_method_of(quantization))
    if method not in _DIALECTS:
        raise quantization.unreadable(
            "quant_method", f"{method or 'absence'} is not covered", f"covered: {', '.join(_DIALECTS)}"
        )
    return refuse_endless_lists(quantization, with_fp4_experts(config, _DIALECTS[method](quantization)))


def _method_of(quantization: Config) -> str:
    """The method of a section that does not name it: Model Optimizer's files say only which algorithm."""
    return "modelopt" if quantization.has("quant_algo") or quantization.has("quantization") else ""
