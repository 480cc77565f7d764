"""Repositories of a model hub: their small files, and the headers of the large ones by range requests."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.errors import (
    InvalidRequestError,
    ModelUnreadableError,
    UnavailableError,
    UnknownModelError,
    WeighbridgeError,
)

from .files import MOST_FILES, Result, unreadable

if TYPE_CHECKING:
    from types import ModuleType

FIELD = "model.repo"

TIMEOUT_SECONDS = 5.0
"""What the hub gets to answer, or to go on answering."""
READ_SECONDS = 10.0
"""What one read may take in all; a worker's time limit is above it."""
READS_AT_ONCE = 8
CHUNK_BYTES = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """The files of one commit of a repository."""

    repo: str
    commit: str
    sizes: Mapping[str, int] = field(compare=False)
    """Bytes of each file by its name."""

    @property
    def chunk_bytes(self) -> int:
        """What is worth reading at once, where each read is a request."""
        return CHUNK_BYTES

    @property
    def field(self) -> str:
        """The field of the request that names it."""
        return FIELD

    def read(self, name: str, offset: int, length: int) -> bytes:
        """``length`` bytes of file ``name`` from ``offset`` on, fewer where it ends.

        Raises: ModelUnreadableError, UnavailableError.
        """
        if length <= 0:
            return b""
        hub = _library()
        url = hub.hf_hub_url(self.repo, name, revision=self.commit)
        # As stored, not compressed on the way: a range is of what the file holds.
        wanted = {"Range": f"bytes={offset}-{offset + length - 1}", "Accept-Encoding": "identity"}
        ends_at = time.monotonic() + READ_SECONDS
        found = bytearray()
        with _told(self.repo):
            headers = {**hub.utils.build_hf_headers(), **wanted}
            with hub.utils.get_session().stream("GET", url, headers=headers, timeout=TIMEOUT_SECONDS) as response:
                hub.utils.hf_raise_for_status(response)
                if response.status_code != 206 and offset:  # noqa: PLR2004 - Partial Content
                    raise unreadable(self, name, "the hub does not send parts of files")
                for chunk in response.iter_bytes():
                    found += chunk
                    # Whoever sends the whole file, or sends for ever, is not listened to.
                    if len(found) >= length:
                        break
                    if time.monotonic() > ends_at:
                        raise UnavailableError(f"{FIELD}: {self.repo} is sent too slowly", field=FIELD)
        return bytes(found[:length])

    def each(self, read: Callable[[str], Result], names: Iterable[str]) -> Iterator[Result]:
        """What ``read`` makes of each of ``names``, in order, some at once."""
        pool = ThreadPoolExecutor(max_workers=READS_AT_ONCE)
        try:
            coming = [pool.submit(read, name) for name in names]
            for each in coming:
                yield each.result()
        finally:
            # Where one failed, or time is up, the others are not waited for: each ends by itself.
            pool.shutdown(wait=False, cancel_futures=True)


def open_repository(repo: str, revision: str | None) -> Repository:
    """The files of ``repo`` at ``revision``, or as they are now.

    Raises: InvalidRequestError, UnknownModelError, ModelUnreadableError, UnavailableError.
    """
    hub = _library()
    with _told(repo):
        hub.utils.validate_repo_id(repo)
        info = hub.HfApi().model_info(repo, revision=revision, files_metadata=True, timeout=TIMEOUT_SECONDS)
    files = info.siblings or []
    if len(files) > MOST_FILES:
        raise ModelUnreadableError(f"{FIELD}: {repo} holds more than {MOST_FILES} files", field=FIELD)
    sizes = {file.rfilename: file.size for file in files if file.size is not None}
    return Repository(repo=repo, commit=info.sha or revision or "main", sizes=sizes)


def _library() -> "ModuleType":
    """The hub's own client, which knows its addresses, its tokens and its errors.

    Raises: ModelUnreadableError when it is not installed.
    """
    try:
        import huggingface_hub  # noqa: PLC0415 - half a second that only such a request has to wait
        import huggingface_hub.errors  # noqa: PLC0415 - as above
        import huggingface_hub.utils  # noqa: PLC0415 - as above
    except ImportError as error:
        raise ModelUnreadableError(
            f"{FIELD}: the hub's client is not installed here", field=FIELD, hint="install weighbridge[hub]"
        ) from error
    return huggingface_hub


@contextmanager
def _told(repo: str) -> Iterator[None]:
    """Turns what the hub's client raises into errors of ours, which hold neither addresses nor tokens."""
    errors = _library().errors
    try:
        yield
    except WeighbridgeError:
        raise
    except errors.HFValidationError:
        raise InvalidRequestError(
            f"{FIELD}: {repo!r} is not the name of a repository", field=FIELD, hint="write organisation/name"
        ) from None
    except errors.GatedRepoError:
        raise ModelUnreadableError(
            f"{FIELD}: {repo} is open only to those it has let in",
            field=FIELD,
            hint="set HF_TOKEN to a token of an account that may read it",
        ) from None
    except errors.RevisionNotFoundError:
        raise UnknownModelError(
            f"model.revision: {repo} has no such revision", field="model.revision", hint="name a branch, tag or commit"
        ) from None
    except errors.RepositoryNotFoundError:
        raise UnknownModelError(
            f"{FIELD}: the hub has no repository {repo!r}, or hides it",
            field=FIELD,
            hint="check the name; for a private repository set HF_TOKEN",
        ) from None
    except errors.EntryNotFoundError:
        raise ModelUnreadableError(f"{FIELD}: a file of {repo} is not there any more", field=FIELD) from None
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        raise UnavailableError(f"{FIELD}: the hub answers with status {status}", field=FIELD) from None
    except (OSError, ValueError, errors.HTTPError) as error:
        # What the client raises of its connection may show the address, and that a password.
        raise UnavailableError(
            f"{FIELD}: the hub does not answer ({type(error).__name__})",
            field=FIELD,
            hint="check HF_ENDPOINT and the network; try again later",
        ) from None
