"""The workers that stand side by side under one supervisor: admission has one of its own.

A queue of its own is not enough: a worker takes messages ahead, and what it took from a batch it answers first.
"""

from collections.abc import Sequence

from .app import ADMISSION
from .settings import Settings

STAND_BACK = 10
"""Niceness of what may take its time, beside an admission that somebody waits for."""


def lanes(settings: Settings) -> Sequence[Settings]:
    """The settings of each worker; the first keeps the name it was given."""
    others = tuple(queue for queue in settings.queues if queue != ADMISSION)
    if ADMISSION not in settings.queues or not others or not settings.admission_concurrency:
        return [settings]
    back = {"queues": others, "niceness": max(settings.niceness, STAND_BACK)}
    front = {
        "queues": (ADMISSION,),
        "worker_name": f"{settings.worker_name}.admission",
        "concurrency": settings.admission_concurrency,
        "prefetch": 1,
    }
    return [settings.model_copy(update=back), settings.model_copy(update=front)]
