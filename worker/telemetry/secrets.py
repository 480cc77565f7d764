"""The server's password, kept out of whatever is written."""

import re
from collections.abc import Callable
from urllib.parse import unquote

Mask = Callable[[str], str]

MASK = "**"
SHORTEST_PART = 4
"""Characters below which a part of a password tells nothing, and would be found in every other word."""

_AUTHORITY = re.compile(r"(rediss?://)([^:/@\s]*):(?:[^/\s]*)@")
"""A user and a password in an address; a password may hold an @."""

_PASSWORD = re.compile(r"^rediss?://[^:/@\s]*:(.*)@", re.DOTALL)
"""The password alone; all up to the last @, for an address that is not well formed shows as much in errors."""


def mask_for(url: str | None) -> Mask:
    """What hides the passwords of addresses in a text, and that of ``url`` wherever it stands.

    Libraries put parts of an address they cannot read into their errors, and not only as an address.
    """
    found = _PASSWORD.match(url or "")
    written = found.group(1) if found else ""
    # Whoever takes what follows a slash for the path cuts a password in two.
    parts = {part for part in re.split(r"[/?#@]", written) if len(part) >= SHORTEST_PART}
    # The longest first, or what is left of it would stand there.
    words = sorted({written, unquote(written), *parts} - {""}, key=len, reverse=True)
    alone = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words)) if words else None

    def mask(text: str) -> str:
        masked = _AUTHORITY.sub(rf"\1\2:{MASK}@", text)
        return alone.sub(MASK, masked) if alone else masked

    return mask
