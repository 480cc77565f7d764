"""Times as the API writes them."""

from datetime import UTC, datetime


def to_seconds() -> str:
    """Now, in UTC, as Kueue and conditions have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_microseconds() -> str:
    """Now, in UTC, as leases have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
