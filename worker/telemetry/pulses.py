"""The pulses of the workers that stand under one supervisor, taken as one: it is as well as the worst of them."""

import threading
from collections.abc import Sequence

from schemas.recommendation import Versions

from .pulse import Pulse


class Pulses:
    """What is known of all of them without asking any."""

    def __init__(self, pulses: Sequence[Pulse]) -> None:
        self._pulses = pulses
        self.longest_wait_seconds = max(pulse.longest_wait_seconds for pulse in pulses)
        """A small request waits for no longer behind what a worker holds that works as it should."""

    @property
    def age_seconds(self) -> float | None:
        """How long ago the one answered that did so longest ago; None until all have."""
        ages = [pulse.age_seconds for pulse in self._pulses]
        return None if None in ages else max(age for age in ages if age is not None)

    @property
    def versions(self) -> Versions | None:
        """What the newest answer of the first was given by; None before."""
        return self._pulses[0].versions

    @property
    def is_ready(self) -> bool:
        """Whether all answered lately."""
        return all(pulse.is_ready for pulse in self._pulses)

    @property
    def is_healthy(self) -> bool:
        """Whether none is silent for longer than can be asked of it."""
        return all(pulse.is_healthy for pulse in self._pulses)

    def beat(self, stop: threading.Event) -> list[threading.Thread]:
        """Threads that take them until ``stop`` is set."""
        return [pulse.beat(stop) for pulse in self._pulses]
