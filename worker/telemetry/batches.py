"""The batches that were told of lately on the progress stream."""

from typing import TYPE_CHECKING, cast

from pydantic import ValidationError

from schemas.progress import BatchProgress

from ..keys import Keys

if TYPE_CHECKING:
    from redis import Redis

LOOK_BACK_SECONDS = 3600
"""A batch of which nothing was told for this long is not shown."""
LOOKED_AT = 1000


def read_batches(redis: "Redis", keys: Keys, now: int) -> list[BatchProgress]:
    """The newest look at each batch, the newest first.

    Raises: redis.RedisError.
    """
    found: dict[str, BatchProgress] = {}
    rows = cast("list[tuple[str, dict[str, str]]]", redis.xrevrange(keys.progress, count=LOOKED_AT))
    for _, fields in rows:
        try:
            told = BatchProgress.model_validate_json(fields.get("body", ""))
        except ValidationError:
            continue
        if now - told.at <= LOOK_BACK_SECONDS:
            found.setdefault(told.batch, told)
    return list(found.values())
