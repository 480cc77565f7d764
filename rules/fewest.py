"""The fewest GPUs of a type that hold a deployment."""

from .placements import counts_of, with_more
from .weigh import Scales, Weighed


def fewest_gpus(base: Weighed, scales: Scales) -> int | None:
    """How many GPUs like those of ``base`` start it, tried one by one as machines have them; None where none does.

    Support does not depend on how many there are.
    """
    hardware, count = base.request.hardware, base.estimate.deployment.gpu_count
    if hardware is None or base.verdict == "unsupported":
        return None
    for several in counts_of(base.estimate.deployment.gpu):
        if several == count or (base.fits and several > count):
            continue
        if base.may_fit_on(several) and scales.would_start(with_more(base.request, hardware, several)[0]):
            return several
    return count if base.fits else None
