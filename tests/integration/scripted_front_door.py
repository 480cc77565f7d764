"""``weighbridge serve`` for tests: objects carry their sizing requests in an annotation, which may ask for slowness."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette

from admission.http.app import application, front_door
from admission.http.door import RulesHere
from admission.http.server import serve
from admission.manifest.reading import ModelServer, Reading, Surroundings
from admission.settings import AdmissionSettings
from rules.in_force import RulesInForce
from schemas.recommendation import ErrorAnswer, Recommendation
from worker.settings import Settings

REQUEST, BYPASS = "test/request", "test/bypass"


class SlowRules(RulesHere):
    """Weighs as it should, but not before it has slept for as long as the request's metadata says."""

    def weigh(self, request: object) -> Recommendation | ErrorAnswer:
        """The answer to ``request``."""
        metadata = request.get("metadata", {}) if isinstance(request, dict) else {}
        time.sleep(metadata.get("sleep", 0))
        return super().weigh(request)


def read(object: Mapping[str, Any], surroundings: Surroundings) -> Reading:  # noqa: A002 - Kubernetes' word
    """What the annotations of ``object`` say."""
    del surroundings
    metadata = object.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    told = annotations if isinstance(annotations, dict) else {}
    if REQUEST not in told:
        return Reading(bypass=told.get(BYPASS))
    server = ModelServer(container="spec.containers[vllm]", request=json.loads(told[REQUEST]))
    return Reading(servers=[server], bypass=told.get(BYPASS))


def create() -> Starlette:
    """The application with both."""
    door = front_door(os.environ)
    sources = Settings.from_environment(os.environ).sources
    return application(replace(door, read=read, rules=SlowRules(RulesInForce(None, sources))))


if __name__ == "__main__":
    serve(
        Settings.from_environment(os.environ),
        AdmissionSettings.from_environment(os.environ),
        "tests.integration.scripted_front_door:create",
    )
