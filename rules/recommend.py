"""From a request to its recommendation: the one composition that queue, webhook, command and tests share."""

import json
import logging
from collections.abc import Mapping
from functools import cache, partial
from uuid import UUID, uuid5

from checkpoints.reader import Reader
from checkpoints.sources import NO_SOURCES, Sources
from schemas.errors import InvalidRequestError, WeighbridgeError
from schemas.parse import parse_request
from schemas.recommendation import ErrorAnswer, ErrorDetail, Recommendation, Versions
from schemas.request import SizingRequest
from sizing.catalog.catalog import Catalog, load_catalog
from sizing.estimate_request import estimate, verdict

from .alternatives import offer
from .conclude import Weighings, conclude, preferences, versions_of
from .evaluate import Evaluator
from .fewest import fewest_gpus
from .metadata_facts import metadata_facts
from .placements import place
from .ruleset import RuleSet, load_rule_set
from .weigh import Judged, Scales

_NAMESPACE = UUID("6f1c9c52-6a0b-5d0e-9d53-0f5b7a3f2c11")
"""Under which requests without an id get one from what they ask."""

_log = logging.getLogger(__name__)


class Recommender:
    """A catalogue, a rule set and what models may be read from, ready to answer."""

    def __init__(self, catalog: Catalog, rule_set: RuleSet, reader: Reader) -> None:
        self._catalog = catalog
        self._reader = reader
        self._rule_set = rule_set
        self._evaluator = Evaluator(rule_set)
        formats = catalog.formats.weights.values()
        self._sixteen_bit = tuple(each.name for each in formats if each.kind == "16-bit")
        self._versions: Versions = versions_of(rule_set.version, catalog.version)

    @property
    def versions(self) -> Versions:
        """What it answers by."""
        return self._versions

    def ruled_by(self, rule_set: RuleSet) -> "Recommender":
        """The same with another rule set."""
        return Recommender(self._catalog, rule_set, self._reader)

    def close(self) -> None:
        """Gives back what the rule engine holds for it in this process."""
        self._evaluator.close()

    def recommend(self, request: SizingRequest) -> Recommendation:
        """The recommendation for ``request``; the same request has the same, byte for byte.

        Raises: WeighbridgeError.
        """
        weighings = self._weighings(request)
        request_id = request.request_id or _id_of(request.model_dump(mode="json"))
        return conclude(request, request_id, weighings, self._versions)

    def judge(self, request: SizingRequest) -> Judged:
        """What the recommendation for ``request`` is concluded from, for who wants to know why.

        Raises: WeighbridgeError.
        """
        return self._weighings(request.model_copy(update={"alternatives": 0})).main

    def _weighings(self, request: SizingRequest) -> Weighings:
        checkpoints = self._reader.read(request)
        scales = Scales(
            figures=partial(estimate, catalog=self._catalog, checkpoints=checkpoints),
            verdict=partial(verdict, catalog=self._catalog, checkpoints=checkpoints),
            evaluator=self._evaluator,
            sixteen_bit_formats=self._sixteen_bit,
            metadata=metadata_facts(self._rule_set.metadata, request.metadata),
        )
        if request.hardware is None:
            main, others = self._placed(request, scales)
            miss = None
        else:
            main, others, miss = self._weighed(request, scales)
        fewest = fewest_gpus(main.weighed, scales)
        return Weighings(main=main, others=others, nearest_miss=miss, fewest_gpus=fewest)

    def _placed(self, request: SizingRequest, scales: Scales) -> tuple[Judged, list[Judged]]:
        named = request.candidate_gpus
        gpus = [self._catalog.gpus.find(name) for name in named] if named else self._catalog.gpus.gpus
        places = place(request, gpus, scales, limit=request.alternatives)
        (main,) = scales.judge([places.best], places.consumer_gpus_that_fit)
        return main, scales.judge(places.others)

    def _weighed(self, request: SizingRequest, scales: Scales) -> tuple[Judged, list[Judged], Judged | None]:
        base = scales.weigh(request, {})
        (main,) = scales.judge([base])
        if not request.alternatives:
            return main, [], None
        found = offer(base, preferences(main), self._catalog, scales, limit=request.alternatives)
        miss = scales.judge([found.nearest_miss])[0] if found.nearest_miss else None
        return main, scales.judge(found.alternatives), miss


@cache
def packaged(sources: Sources = NO_SOURCES) -> Recommender:
    """The recommender of the catalogue and the rules that come with the project, which also reads from ``sources``."""
    return Recommender(load_catalog(), load_rule_set(), Reader(sources))


def recommend(request: SizingRequest, by: Recommender | None = None) -> Recommendation:
    """The recommendation for ``request``, by default with the packaged catalogue and rules.

    Raises: WeighbridgeError.
    """
    return (by or packaged()).recommend(request)


def answer(
    value: object, *, request_id: str | None = None, by: Recommender | None = None
) -> Recommendation | ErrorAnswer:
    """The answer to ``value``, decoded JSON from anyone; whatever is wrong with it, there is one.

    ``request_id`` is the answer's where ``value`` gives no valid one; ``by`` is as in ``recommend``.
    """
    identity = _said_id(value) or request_id
    try:
        request = parse_request(value)
        if request.request_id is None and identity is not None:
            request = request.model_copy(update={"request_id": identity})
        return recommend(request, by)
    except WeighbridgeError as error:
        return ErrorAnswer.of(identity or _id_of(value), error)
    except Exception:  # noqa: BLE001 - whatever went wrong, who asked is answered and the worker lives on
        identity = identity or _id_of(value)
        about = {"action": "recommend", "request_id": identity}
        _log.exception("a request could not be weighed", extra=about)
        return ErrorAnswer(request_id=identity, error=_INTERNAL)


_INTERNAL = ErrorDetail(
    code="internal",
    message="the request could not be weighed because of a fault in this software",
    hint="report it with the request id; the log has the cause",
)


def encode(answered: Recommendation | ErrorAnswer) -> str:
    """The one JSON text of an answer."""
    return answered.model_dump_json()


def _said_id(value: object) -> str | None:
    """The request id in ``value``, if it is a valid one."""
    if not isinstance(value, Mapping) or value.get("request_id") is None:
        return None
    try:
        return parse_request({"request_id": value["request_id"], "model": {"num_parameters": 1}}).request_id
    except InvalidRequestError:
        return None


def _id_of(value: object) -> str:
    """An id that the same value always has."""
    try:
        text = json.dumps(value, sort_keys=True, default=repr)
    except (ValueError, TypeError, RecursionError):
        text = ""
    return str(uuid5(_NAMESPACE, text))
