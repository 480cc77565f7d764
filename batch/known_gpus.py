"""GPU types as results name them: some may be in nobody's catalogue."""

from functools import lru_cache

from schemas.errors import UnknownGpuError
from sizing.catalog.gpus import Gpu, load_gpus


@lru_cache(maxsize=1024)
def known_gpu(name: str) -> Gpu | None:
    """The GPU that ``name`` means; None where the catalogue has none, or cannot tell which."""
    try:
        return load_gpus().find(name)
    except UnknownGpuError:
        return None
