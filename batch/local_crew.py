"""Lists answered by processes of this machine, one a core, by the same function and without a queue."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from checkpoints.sources import Sources
from schemas.errors import WeighbridgeError
from schemas.recommendation import ErrorAnswer

from .crew import Handed

if TYPE_CHECKING:
    from rules.recommend import Recommender

LISTS_A_PROCESS = 3
MAX_TRIES = 3
"""A list that ended its process this often, by itself, is answered with errors."""


@dataclass(slots=True)
class _Work:
    """A list in hand or waiting."""

    requests: Sequence[Mapping[str, Any]]
    alone: int = 0
    """How often it was the only one in hand when the processes broke."""


class LocalCrew:
    """The processes, to be used in a ``with`` block; one that is killed is replaced.

    With one process the pool loses all lists in hand, and does not say whose fault it was: each is then tried by
    itself.
    """

    def __init__(self, processes: int, sources: Sources, rules: Path | None) -> None:
        self._processes = processes
        self._start = (sources, rules)
        self._pool = self._new_pool()
        self._in_hand: dict[Future[list[str]], _Work] = {}
        self._waiting: deque[_Work] = deque()
        self._suspects: deque[_Work] = deque()

    def _new_pool(self) -> ProcessPoolExecutor:
        # Spawned: the rule engine must be built in the process that uses it.
        return ProcessPoolExecutor(
            self._processes,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=self._start,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def room(self) -> int:
        """A few lists for each process."""
        return LISTS_A_PROCESS * self._processes

    def send(self, list_id: str, requests: Sequence[Mapping[str, Any]]) -> None:  # noqa: ARG002 - what a queue needs
        """Has the list answered."""
        self._waiting.append(_Work(requests))

    def take(self, seconds: float) -> Sequence[Handed]:
        """The answers to the lists that are ready."""
        self._hand_out()
        ready, _ = wait(self._in_hand, timeout=seconds, return_when=FIRST_COMPLETED)
        handed: list[Handed] = []
        alone = len(self._in_hand) == 1
        for future in ready:
            work = self._in_hand.pop(future)
            try:
                answers = future.result()
            except BrokenProcessPool:
                work.alone += alone
                if work.alone < MAX_TRIES:
                    self._suspects.append(work)
                    continue
                answers = [_lost(str(request["request_id"])) for request in work.requests]
            handed.append(Handed(answers=answers, alone=len(answers) == 1))
        return handed

    def _hand_out(self) -> None:
        if self._suspects:
            if not self._in_hand:
                self._submit(self._suspects.popleft())
            return
        while self._waiting:
            self._submit(self._waiting.popleft())

    def _submit(self, work: _Work) -> None:
        try:
            future = self._pool.submit(_answers, work.requests)
        except BrokenProcessPool:
            self._pool.shutdown(wait=True)
            self._pool = self._new_pool()
            future = self._pool.submit(_answers, work.requests)
        self._in_hand[future] = work


def _lost(request_id: str) -> str:
    told = WeighbridgeError("the request ended the process that computed it, each time it was tried")
    return ErrorAnswer.of(request_id, told).model_dump_json()


_by: "Recommender | None" = None


def _begin(sources: Sources, rules: Path | None) -> None:
    """Makes this process ready."""
    global _by  # noqa: PLW0603 - what a pool's process has for all its work
    # Ctrl-C is for the process that asks: it ends us when it has written what it has.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from rules.recommend import packaged  # noqa: PLC0415 - built here, where it is used
    from rules.site import load_with_site  # noqa: PLC0415 - as above

    ours = packaged(sources)
    _by = ours if rules is None else ours.ruled_by(load_with_site(rules))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answers(requests: Sequence[Mapping[str, Any]]) -> list[str]:
    from rules.recommend import answer, encode  # noqa: PLC0415 - as above

    return [encode(answer(request, by=_by)) for request in requests]
