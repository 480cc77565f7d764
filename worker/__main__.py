"""``python -m worker``: one worker in the foreground, on the server that WEIGHBRIDGE_REDIS_URL names."""

import logging
import os
import sys

from schemas.errors import InvalidSettingError, WeighbridgeError

from .process import serve
from .settings import Settings


def main() -> int:
    """Runs a worker until it is told to stop; the exit status."""
    try:
        settings = Settings.from_environment(os.environ)
    except WeighbridgeError as error:
        print(error.message, file=sys.stderr)  # noqa: T201 - a program's last words
        return 2
    if settings.url is None:
        print("WEIGHBRIDGE_REDIS_URL is not set", file=sys.stderr)  # noqa: T201
        return 2
    try:
        return serve(settings, settings.url)
    except InvalidSettingError as error:
        logging.getLogger(__name__).error("%s", error.message, extra={"action": "start"})  # noqa: TRY400 - it says all
        return 2


if __name__ == "__main__":
    sys.exit(main())
