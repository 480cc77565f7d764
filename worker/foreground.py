"""What the processes that serve begin with: their settings from the environment, and what is said of bad ones."""

import logging
import os
import sys
from collections.abc import Callable

from schemas.errors import WeighbridgeError

from .settings import Settings
from .telemetry.log_lines import write_log

logger = logging.getLogger(__name__)


def run(serve: Callable[[Settings, str], int]) -> int:
    """Serves by the settings of the environment, on the server that WEIGHBRIDGE_REDIS_URL names; the exit status."""
    try:
        settings = Settings.from_environment(os.environ)
    except WeighbridgeError as error:
        print(error.message, file=sys.stderr)  # noqa: T201 - a program's last words
        return 2
    write_log(settings)
    try:
        if settings.url is not None:
            return serve(settings, settings.url)
        fault = "WEIGHBRIDGE_REDIS_URL is not set"
    except WeighbridgeError as error:
        fault = error.message
    logger.error("%s", fault, extra={"action": "start"})
    return 2
