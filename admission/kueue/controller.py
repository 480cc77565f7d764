"""The controller: every workload that waits for a check of ours is weighed once, and answered in its status."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from schemas.decision import Decision
from schemas.errors import WeighbridgeError

from ..manifest.reading import Surroundings
from .answer import Object, answered, put_off, waved_through, with_answer
from .cluster import Cluster
from .deciding import Decide, identity_of
from .errors import ClusterAwayError, ObjectChangedError, ObjectNotFoundError, WrongParametersError
from .following import Following, Key
from .kinds import PARAMETERS, KueueKinds
from .line import Line
from .moment import to_seconds
from .parameters import Parameters, is_ours, parameters_of, told_active
from .pauses import pause
from .pod_sets import gpus_of, placed
from .question import Question, questions, retries

PAUSES_SECONDS = (0.2, 1.0, 5.0, 15.0)
"""How long a key waits after each failure on end to read or write it; the last one from then on."""
CONFLICTS = 8
"""Writes in a row that others may come before, until a workload waits for its turn again."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is looked at: a workload, or an AdmissionCheck."""

    is_check: bool
    key: Key


class Controller:
    """Answers the workloads of one cluster while it runs; what it knows it reads anew whenever it is started."""

    def __init__(
        self, *, cluster: Cluster, kinds: KueueKinds, decide: Decide, default: Parameters, concurrency: int
    ) -> None:
        self._cluster = cluster
        self._kinds = kinds
        self._decide = decide
        self._default = default
        self._concurrency = concurrency
        self._line: Line[Work] = Line()
        self._failures: dict[Work, int] = {}
        self._workloads = Following(cluster, kinds.workloads, self._workload_changed)
        self._checks = Following(cluster, kinds.checks, self._check_changed)
        self._flavors = Following(cluster, kinds.flavors, self._all_changed)
        self._parameters = Following(cluster, PARAMETERS, self._all_changed, may_be_absent=True)
        self._pool: ThreadPoolExecutor | None = None

    @property
    def fault(self) -> str | None:
        """What keeps it from answering; None where nothing does."""
        missing = [
            name
            for name, following in (
                ("Workloads", self._workloads),
                ("AdmissionChecks", self._checks),
                ("ResourceFlavors", self._flavors),
                ("parameters", self._parameters),
            )
            if not following.listed.is_set()
        ]
        return f"not listed yet: {', '.join(missing)}" if missing else None

    @property
    def waiting(self) -> int:
        """Workloads and checks that wait to be looked at, or are."""
        return len(self._line)

    async def run(self) -> None:
        """Follows the cluster and answers until cancelled.

        What is being weighed then is left as it is: whoever leads next asks again under the same id.
        """
        # Threads are this run's own: one that still waits for an answer must not take a place in the next.
        self._pool = ThreadPoolExecutor(self._concurrency, thread_name_prefix="decide")
        followings = (self._checks, self._flavors, self._parameters, self._workloads)
        try:
            async with asyncio.TaskGroup() as tasks:
                for following in followings:
                    following.listed.clear()
                    tasks.create_task(following.run())
                await asyncio.gather(*(following.listed.wait() for following in followings))
                for _ in range(self._concurrency):
                    tasks.create_task(self._look())
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _workload_changed(self, key: Key) -> None:
        workload = self._workloads.objects.get(key)
        if workload is not None and self._asked(workload):
            self._line.put(Work(is_check=False, key=key))

    def _check_changed(self, key: Key) -> None:
        self._line.put(Work(is_check=True, key=key))
        self._all_workloads_changed()

    def _all_changed(self, _: Key) -> None:
        for key in list(self._checks.objects):
            self._line.put(Work(is_check=True, key=key))
        self._all_workloads_changed()

    def _all_workloads_changed(self) -> None:
        for key in list(self._workloads.objects):
            self._workload_changed(key)

    def _asked(self, workload: Object) -> list[Question]:
        """What a workload asks of those checks of ours whose parameters can be used; the others wait."""
        ours = {name: check for name, check in self._checks.by_name.items() if is_ours(check)}
        return [each for each in questions(workload, ours.keys()) if self._told(ours[each.check])[1] is None]

    def _told(self, check: Object) -> tuple[Parameters, WrongParametersError | None]:
        try:
            return parameters_of(check, self._parameters.by_name, self._default), None
        except WrongParametersError as error:
            return self._default, error

    async def _look(self) -> None:
        while True:
            async with self._line.next() as work:
                try:
                    await (self._look_at_check(work.key) if work.is_check else self._look_at_workload(work.key))
                except ObjectNotFoundError:
                    self._failures.pop(work, None)
                except (ClusterAwayError, ObjectChangedError) as error:
                    self._later(work, error)
                except Exception:  # noqa: BLE001 - whichever it is
                    # One that cannot be understood must not keep the others waiting.
                    _log.exception("%s/%s was not answered", *work.key, extra={"action": "check"})
                    self._later(work, None)
                else:
                    self._failures.pop(work, None)

    def _later(self, work: Work, error: WeighbridgeError | None) -> None:
        failures = self._failures.get(work, 0)
        self._failures[work] = failures + 1
        if error is not None:
            _log.warning("%s/%s: %s", *work.key, error.message, extra={"action": "check"})
        asyncio.get_running_loop().call_later(pause(PAUSES_SECONDS, failures), self._line.put, work)

    async def _look_at_check(self, key: Key) -> None:
        # As with workloads: what the watch told may be older than what was written.
        check = await self._cluster.read(self._kinds.checks, key[1])
        if not is_ours(check):
            return
        _, fault = self._told(check)
        conditions = told_active(check, fault, to_seconds())
        if conditions is None:
            return
        change = {
            "metadata": {"resourceVersion": check["metadata"]["resourceVersion"]},
            "status": {"conditions": conditions},
        }
        await self._cluster.merge(self._kinds.checks, key[1], change, status=True)
        if fault is not None:
            _log.warning("check %s is not served: %s", key[1], fault.message, extra={"action": "check"})

    async def _look_at_workload(self, key: Key) -> None:
        namespace, name = key
        # What the watch told may be older than the answer that was given to it.
        workload = await self._cluster.read(self._kinds.workloads, name, namespace)
        for question in self._asked(workload):
            await self._write(question, await self._answer(workload, question))

    async def _answer(self, workload: Object, question: Question) -> Object:
        parameters, _ = self._told(self._checks.by_name[question.check])
        if parameters.mode == "off":
            return waved_through(question, now=to_seconds())
        retried = retries(workload, question.check)
        try:
            decision = await self._decision(workload, question, parameters)
        except WeighbridgeError as error:
            return put_off(question, error.message, retries=retried, now=to_seconds())
        except Exception:  # noqa: BLE001 - whoever decides is not of this package
            _log.exception("%s/%s could not be weighed", question.namespace, question.name, extra={"action": "check"})
            return put_off(question, "met a fault in the software", retries=retried, now=to_seconds())
        return answered(question, decision, annotate=parameters.annotate, retries=retried, now=to_seconds())

    async def _decision(self, workload: Object, question: Question, parameters: Parameters) -> Decision:
        flavors = self._flavors.by_name
        decide = partial(
            self._decide,
            placed(workload, question, flavors),
            Surroundings(flavors=gpus_of(flavors)),
            identity=identity_of(question),
            mode=parameters.mode,
        )
        return await asyncio.get_running_loop().run_in_executor(self._pool, decide)

    async def _write(self, question: Question, entry: Object) -> None:
        """Gives the answer if the question is still asked, and says nothing otherwise.

        Raises: ObjectChangedError when others always came before.
        """
        for _ in range(CONFLICTS):
            workload = await self._cluster.read(self._kinds.workloads, question.name, question.namespace)
            if question not in self._asked(workload):
                _log.info(
                    "%s/%s asks %s no longer what was answered",
                    question.namespace,
                    question.name,
                    question.check,
                    extra={"action": "check"},
                )
                return
            try:
                await self._cluster.merge(
                    self._kinds.workloads,
                    question.name,
                    with_answer(workload, entry),
                    question.namespace,
                    status=True,
                )
            except ObjectChangedError:
                continue
            _log.info(
                "%s/%s: %s answers %s",
                question.namespace,
                question.name,
                question.check,
                entry["state"],
                extra={"action": "check"},
            )
            return
        raise ObjectChangedError(f"{question.namespace}/{question.name} was written by others {CONFLICTS} times on end")
