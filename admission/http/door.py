"""What all endpoints share: by which rules, in which thread and by which policy they answer."""

from dataclasses import dataclass, field

from rules.in_force import RulesInForce
from rules.recommend import answer
from schemas.recommendation import ErrorAnswer, Recommendation, Versions
from worker.telemetry.admission_metrics import AdmissionMetrics

from ..context import Context, Read
from ..manifest.read import read
from ..manifest.reading import Surroundings
from ..settings import AdmissionSettings
from .queue import Queue
from .thread import BoundedThread

_WARM_UP = {"model": {"num_parameters": 8_000_000_000}, "weight_format": "bf16", "hardware": {"gpu": "T4"}}
"""Small, and through the whole path: catalogue, rules and alternatives."""


class RulesHere:
    """The rules in force in this process, asked by one thread alone."""

    def __init__(self, in_force: RulesInForce) -> None:
        self._in_force = in_force
        self.versions: Versions = self._in_force.recommender().versions
        """What was last answered by."""

    def weigh(self, request: object) -> Recommendation | ErrorAnswer:
        """The answer to ``request``."""
        recommender = self._in_force.recommender()
        self.versions = recommender.versions
        return answer(request, by=recommender)

    def warm_up(self) -> None:
        """Reads what the first request would wait for."""
        self.weigh(_WARM_UP)


@dataclass(frozen=True, kw_only=True, eq=False)
class Door:
    """A front door, ready to be asked."""

    settings: AdmissionSettings
    rules: RulesHere
    queue: Queue
    read: Read = read
    surroundings: Surroundings = field(default_factory=Surroundings)
    thread: BoundedThread
    """What weighs: the rule engine is asked by one thread."""
    metrics: AdmissionMetrics = field(default_factory=AdmissionMetrics)

    def context(self) -> Context:
        """By what a decision is made at this moment, in the mode that is set."""
        return Context(
            weigh=self.rules.weigh,
            read=self.read,
            surroundings=self.surroundings,
            mode=self.settings.mode,
            fail_open=self.settings.fail_open,
            allow_unknown=self.settings.allow_unknown,
            versions=self.rules.versions,
        )
