"""The server's address: what it may say, and what settings add to it.

It carries everything a connection needs, so that Celery's transport and our own connections are told the same.
"""

from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

_HARMLESS = {
    "ssl_ca_certs": None,
    "ssl_certfile": None,
    "ssl_keyfile": None,
    "ssl_cert_reqs": {"required"},
    "ssl_check_hostname": {"true", "True"},
}
"""Options about TLS that an address may bear, with the values they may have; None for any."""


def faults(url: str) -> str | None:
    """What keeps ``url`` from being used, told without any part of it; None when nothing does."""
    if ";" in url:
        # Celery would take it for two addresses, and tell of each.
        return "write ; as %3B"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # Whoever connects would say so with a part of the password.
        return "the port is no number, or the password has one of / ? # not written as %XX"
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name.startswith("ssl_") and (name not in _HARMLESS or value not in (_HARMLESS[name] or {value})):
            return f"{name}: the server's certificate is always verified; WEIGHBRIDGE_REDIS_CA_FILE names who vouches"
    return None


def complete(
    url: str,
    *,
    password: str | None = None,
    ca_file: Path | None = None,
    cert_file: Path | None = None,
    key_file: Path | None = None,
) -> str:
    """``url`` with the password and the files, in place of those it has."""
    parts = urlsplit(url)
    netloc = parts.netloc
    if password is not None:
        user = netloc.rpartition("@")[0].partition(":")[0]
        netloc = f"{user}:{quote(password, safe='')}@{netloc.rpartition('@')[2]}"
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme == "rediss":
        options["ssl_cert_reqs"] = "required"
    for name, file in (("ssl_ca_certs", ca_file), ("ssl_certfile", cert_file), ("ssl_keyfile", key_file)):
        if file is not None:
            options[name] = str(file)
    return urlunsplit((parts.scheme, netloc, parts.path, urlencode(options), ""))
